"""The open-vocabulary localiser: any phrase, located by a CLIP model in the images of both cameras.

No torch in this file: it is imported when the model is loaded, so that checking a prompt stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from textdifuse_ros.text.contrast import thermal_contrast
from textdifuse_ros.text.heat import HOT, temperature_of
from textdifuse_ros.text.localiser import Bytes, CompiledPrompt, Floats
from textdifuse_ros.text.prompt import Phrase, Prompt, PromptError
from textdifuse_ros.text.renewal import Renewal

if TYPE_CHECKING:
    from torch import Tensor

    from textdifuse_ros.text.clip_maps import ClipMaps
    from textdifuse_ros.text.clip_model import ClipModel

MAX_WORDS = 40  # in a phrase: what CLIP's text tower reads, with the words of a template around them
_DETAIL = 1.5  # size of the image that the tower sees, in units of the size that it was trained for
_LONGEST = 3  # longer side in units of the shorter one

Load = Callable[[str, str, str, str], "ClipModel"]


@dataclass(frozen=True)
class ClipPrompt(CompiledPrompt):
    """Phrases for the model with signed weights; those about temperature go to the thermal contrast."""

    named: Mapping[str, float] = field(default_factory=dict)
    hot: float = 0.0
    cold: float = 0.0


def _load(model: str, weights: str, device: str, dtype: str) -> ClipModel:
    from textdifuse_ros.text.clip_model import load_clip

    return load_clip(model, weights, device, dtype)


class ClipLocaliser:
    """See Localiser. Making one and compiling prompts is quick; `prepare` or the first frame loads the model.

    model, weights, device, dtype: see clip_model.load_clip. rate: how often a second the image tower runs, in
    a thread of its own, while the features of its last run are held in between; 0 runs it for every frame,
    without a thread.
    """

    name = "clip"

    def __init__(
        self,
        model: str,
        weights: str,
        rate: float,
        device: str = "cpu",
        dtype: str = "fp32",
        load: Load = _load,
    ) -> None:
        self._load = lambda: load(model, weights, device, dtype)
        self._maps: ClipMaps | None = None
        self._seen: Renewal[Floats, Tensor] = Renewal(lambda pixels: self._ready().features(pixels), rate)
        self._every_frame = rate <= 0
        self._encoder: ThreadPoolExecutor | None = None
        self._encoding: Future[None] | None = None
        self._pixels: Floats | None = None

    def compile(self, prompt: Prompt) -> ClipPrompt:
        """Any phrase is taken. Raises PromptError for one that is too long for the model."""
        named: dict[str, float] = {}
        heat = {True: 0.0, False: 0.0}
        for phrase in prompt.phrases:
            _refuse_long(phrase)
            temperature = temperature_of(phrase.text)
            if temperature is None:
                text = phrase.text.casefold()
                named[text] = named.get(text, 0.0) + phrase.signed
            else:
                heat[temperature == HOT] += phrase.signed
        return ClipPrompt(prompt, self.name, named=named, hot=heat[True], cold=heat[False])

    def prepare(self) -> None:
        """Load the model. Raises LocaliserError with what to set or to run."""
        self._ready()

    def ready(self, compiled: CompiledPrompt) -> bool:
        """See Encodes. With rate 0 nothing has a thread of its own, and every prompt is ready."""
        if self._every_frame or not isinstance(compiled, ClipPrompt):
            return True
        if self._encoding is not None:
            if not self._encoding.done():
                return False
            failed, self._encoding = self._encoding.exception(), None
            if failed is not None:
                return True  # `relevance` will try again, and say why not
        maps = self._ready()
        unknown = [text for text, weight in compiled.named.items() if weight and not maps.knows(text)]
        if not unknown:
            return True
        if self._encoder is None:
            self._encoder = ThreadPoolExecutor(1, "clip words")
        self._encoding = self._encoder.submit(maps.learn, unknown)
        return False

    def relevance(self, compiled: CompiledPrompt, rgb: Bytes, thermal: Bytes) -> Floats:
        """See Localiser. A phrase that is new to the model, for all `ready` says, is encoded here, once."""
        if not isinstance(compiled, ClipPrompt):
            raise ValueError(f"the prompt was compiled by '{compiled.localiser}', not by '{self.name}'")
        total = thermal_contrast(thermal, compiled.hot, compiled.cold)
        acting = {text: weight for text, weight in compiled.named.items() if weight}
        if acting:
            maps = self._ready()
            self._look(maps, rgb, thermal)
            found = maps.relevance(self._seen.latest, acting)
            total += cv2.resize(found, (thermal.shape[1], thermal.shape[0]), interpolation=cv2.INTER_LINEAR)
            np.clip(total, -1.0, 1.0, out=total)
        return total

    def close(self) -> None:
        """End the threads and release the model."""
        self._seen.close()
        if self._encoder is not None:
            self._encoder.shutdown(wait=True, cancel_futures=True)
            self._encoder = self._encoding = None
        self._maps = self._pixels = None

    def _ready(self) -> ClipMaps:
        if self._maps is None:
            from textdifuse_ros.text.clip_maps import ClipMaps

            self._maps = ClipMaps(self._load())
        return self._maps

    def _look(self, maps: ClipMaps, rgb: Bytes, thermal: Bytes) -> None:
        """Have the tower look at this frame, if it is due; more than one prompt may ask about a frame."""
        size = working_size(thermal.shape, maps.side, maps.patch)
        if self._pixels is not None and self._pixels.shape[2:] != size:
            self._seen.forget()
        if not self._seen.due():
            return
        pixels = both_images(rgb, thermal, size)
        if self._every_frame and self._pixels is not None and np.array_equal(pixels, self._pixels):
            return
        self._pixels = pixels
        self._seen.renew(pixels)


def working_size(shape: tuple[int, ...], side: int, patch: int) -> tuple[int, int]:
    """(height, width) of the image for the tower: the frame's proportions, in whole patches."""
    short = max(1, round(_DETAIL * side / patch))
    ratio = min(_LONGEST, max(shape[:2]) / min(shape[:2]))
    long = max(short, round(short * ratio))
    return (short * patch, long * patch) if shape[0] <= shape[1] else (long * patch, short * patch)


def both_images(rgb: Bytes, thermal: Bytes, size: tuple[int, int]) -> Floats:
    """The two images for the tower: float32 (2, 3, height, width) in [0, 1], the thermal one as grey."""
    height, width = size
    smaller = height * width <= thermal.shape[0] * thermal.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    colour = cv2.resize(np.ascontiguousarray(rgb), (width, height), interpolation=how)
    warm = cv2.resize(np.ascontiguousarray(thermal), (width, height), interpolation=how)
    pixels: Floats = np.empty((2, 3, height, width), np.float32)
    pixels[0] = colour.transpose(2, 0, 1)
    pixels[1] = warm
    pixels /= 255
    return pixels


def _refuse_long(phrase: Phrase) -> None:
    count = len(phrase.text.split())
    if count > MAX_WORDS:
        reason = f"a phrase of {count} words is too long for the localiser 'clip', which reads {MAX_WORDS}"
        raise PromptError(f"{reason}: say it shorter", phrase.text, phrase.start)
