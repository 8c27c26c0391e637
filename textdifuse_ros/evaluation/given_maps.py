"""A localiser that finds what it has been shown: judges a fusion network apart from any real localiser."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.localiser import CompiledPrompt
from textdifuse_ros.text.prompt import Prompt

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class GivenMaps:
    """Accepts every phrase. Its map is the one set in `maps` under the phrase's text, or nothing."""

    name = "labels"

    def __init__(self) -> None:
        self.maps: Mapping[str, Floats] = {}

    def compile(self, prompt: Prompt) -> CompiledPrompt:
        """See Localiser; nothing is refused."""
        return CompiledPrompt(prompt, self.name)

    def relevance(self, compiled: CompiledPrompt, rgb: Bytes, thermal: Bytes) -> Floats:
        """See Localiser: the sum of weight x map, suppressed phrases negative, clipped to [-1, 1]."""
        total = np.zeros(thermal.shape, np.float32)
        for phrase in compiled.objects:
            if phrase.text in self.maps:
                total += np.float32(phrase.signed) * self.maps[phrase.text]
        return np.clip(total, -1, 1)
