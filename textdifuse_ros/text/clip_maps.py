"""From patch features and text features to relevance on the grid of patches."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.text.localiser import Floats

# What a phrase is told apart from: what robots see everywhere, indoors and out.
BACKGROUND = (
    "sky", "clouds", "road", "pavement", "ground", "grass", "trees", "bushes", "building", "wall", "window",
    "fence", "floor", "ceiling", "water", "shadow",
)  # fmt: skip
SCALE = 40.0  # of similarities in the softmax, as SCLIP and NACLIP publish it
_KEPT = 64  # encoded phrases


class Tower(Protocol):
    """Patch features of images: see clip_dense.DenseTower."""

    patch: int
    side: int

    def __call__(self, pixels: Tensor) -> Tensor: ...


class Model(Protocol):
    """What is needed of a CLIP model: see clip_model.ClipModel."""

    @property
    def tower(self) -> Tower: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def deviation(self) -> tuple[float, ...]: ...
    @property
    def device(self) -> torch.device: ...

    def words(self, names: tuple[str, ...]) -> Tensor: ...


class ClipMaps:
    """Encodes every phrase once and compares it with what the tower sees."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._background = model.words(BACKGROUND)
        self._phrases: OrderedDict[str, Tensor] = OrderedDict()  # used last comes last
        self._lock = threading.Lock()
        self.patch, self.side = model.tower.patch, model.tower.side

    def features(self, pixels: Floats) -> Tensor:
        """pixels: float32 (N, 3, H, W) in [0, 1]. Returns float32 (N, H / patch, W / patch, D)."""
        images = torch.from_numpy(pixels).to(self._model.device)
        mean, deviation = (
            torch.tensor(each, device=images.device).view(3, 1, 1)
            for each in (self._model.mean, self._model.deviation)
        )
        return self._model.tower((images - mean) / deviation)

    def knows(self, text: str) -> bool:
        """Whether the phrase is encoded."""
        with self._lock:
            return text in self._phrases

    def learn(self, texts: Iterable[str]) -> None:
        """Encode phrases; another thread may call `relevance` meanwhile."""
        for text in texts:
            self._candidates(text)

    @torch.inference_mode()
    def relevance(self, features: Tensor, weights: Mapping[str, float]) -> Floats:
        """Sum of weight x evidence over the phrases: float32 (height, width) of the grid, not clipped.

        features: (N, height, width, D), one for each camera. The evidence of a phrase is its share in a
        softmax against the background, in [0, 1], and in each patch that of the camera which shows more.
        """
        total = torch.zeros(features.shape[1:3], device=features.device)
        for text, weight in weights.items():
            shares = torch.softmax(SCALE * features @ self._candidates(text).T, dim=-1)[..., 0]
            total += weight * shares.amax(dim=0)
        return np.asarray(total.cpu().numpy(), np.float32)

    def _candidates(self, text: str) -> Tensor:
        """Text features of the phrase, then of the background without other names of the same thing."""
        with self._lock:
            if text in self._phrases:
                self._phrases.move_to_end(text)
                return self._phrases[text]
        phrase = self._model.words((text,))
        known = torch.cat((phrase, self._background[~synonyms(phrase, self._background)]))
        with self._lock:
            self._phrases[text] = known
            while len(self._phrases) > _KEPT:
                self._phrases.popitem(last=False)
        return known


def synonyms(phrase: Tensor, background: Tensor) -> Tensor:
    """Which of the background (B, D) are nearer to the phrase (1, D) than to all others of it: bool (B,).

    "road" is, for the phrase "street": left in, the two would share the evidence.
    """
    among = background @ background.T
    among.fill_diagonal_(-1.0)
    return (background @ phrase[0]) > among.amax(dim=-1)
