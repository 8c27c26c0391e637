"""The embedded localiser: phrases by a sentence encoder, objects by a small network on both cameras.

No torch in this file: it is imported when the network is loaded, so that checking a prompt stays quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from textdifuse_ros.text import embedded_weights
from textdifuse_ros.text.concepts import FELT, SEEN
from textdifuse_ros.text.contrast import thermal_contrast
from textdifuse_ros.text.heat import HOT, temperature_of
from textdifuse_ros.text.localiser import Bytes, CompiledPrompt, Floats, refuse_undone
from textdifuse_ros.text.meanings import shared_meanings
from textdifuse_ros.text.prompt import Phrase, Prompt, PromptError
from textdifuse_ros.text.whereabouts import apart

if TYPE_CHECKING:
    from textdifuse_ros.text.embedded_network import LocaliserNetwork

_LONGEST = 3  # longer side of the reduced image in units of the shorter one
WARM, COLD = FELT
# It is another model to load, which a node does not do while it is active.
TO_CLIP = "install requirements-clip.txt and set the localiser to 'clip' (a node: deactivate, set, activate)"


@dataclass(frozen=True)
class EmbeddedPrompt(CompiledPrompt):
    """parts: of each phrase with a weight, the signed weight and how far it names each concept."""

    parts: tuple[tuple[float, Mapping[str, float]], ...] = ()


class EmbeddedLocaliser:
    """See Localiser. `compile` needs the sentence encoder, `relevance` the network; each loads its own.

    device, dtype: as in torch, "cpu" or "cuda:N" and fp32, bf16 or fp16.
    """

    name = "embedded"

    def __init__(self, device: str = "cpu", dtype: str = "fp32") -> None:
        self._device, self._dtype = device, dtype
        self._network: LocaliserNetwork | None = None
        self._small: Bytes | None = None
        self._maps: Floats | None = None

    def compile(self, prompt: Prompt) -> EmbeddedPrompt:
        """Sort the phrases by concept. Raises PromptError for the first that names none, or that would undo
        another, LocaliserError where the encoder or the weights cannot be used.
        """
        self.learn(prompt.phrases)
        parts: list[tuple[float, Mapping[str, float]]] = []
        named = []
        for phrase in prompt.phrases:
            concepts = _concepts(phrase)
            named.append(concepts)
            if phrase.weight:
                before = sum(weight for weight, those in parts if set(those) == set(concepts))
                refuse_undone(phrase, before, _same(concepts))
                parts.append((phrase.signed, concepts))
        return EmbeddedPrompt(prompt, self.name, parts=tuple(parts), taken_for=tuple(named))

    def learn(self, phrases: Sequence[Phrase]) -> None:
        """See Learns: one batch of the encoder costs a third of what its texts do one by one."""
        texts = [text for phrase in phrases for text in _read_for(phrase) if temperature_of(text) is None]
        if texts:
            shared_meanings().together(texts)

    def prepare(self) -> None:
        """Load the network, and the encoder: the first phrase need not wait. Raises LocaliserError."""
        self._ready()
        shared_meanings()

    def relevance(self, compiled: CompiledPrompt, rgb: Bytes, thermal: Bytes) -> Floats:
        """See Localiser. A camera that is missing is black; what the other one shows is still found."""
        if not isinstance(compiled, EmbeddedPrompt):
            raise ValueError(f"the prompt was compiled by '{compiled.localiser}', not by '{self.name}'")
        felt: Floats | None = None
        coarse: Floats | None = None
        for weight, concepts in compiled.parts:
            for concept in FELT:
                if share := concepts.get(concept, 0.0):
                    signs = (weight * share, 0.0) if concept == WARM else (0.0, weight * share)
                    heat = thermal_contrast(thermal, *signs)
                    felt = heat if felt is None else felt + heat
            seen = [
                share * self._seen(rgb, thermal)[SEEN.index(c)] for c, share in concepts.items() if c in SEEN
            ]
            if seen:
                found = weight * np.maximum.reduce(seen)
                coarse = found if coarse is None else coarse + found
        if coarse is None:
            return np.zeros(thermal.shape, np.float32) if felt is None else felt.clip(-1.0, 1.0)
        size = (thermal.shape[1], thermal.shape[0])
        if felt is None:  # clipped where there are few pixels: between values in range nothing leaves it
            return np.asarray(cv2.resize(coarse.clip(-1.0, 1.0), size, interpolation=cv2.INTER_LINEAR))
        return np.clip(felt + cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), -1.0, 1.0)

    def close(self) -> None:
        """Release the network."""
        self._network = self._small = self._maps = None

    def _seen(self, rgb: Bytes, thermal: Bytes) -> Floats:
        """Where each of SEEN is: float32 (concepts, h, w) in [0, 1]. Computed once a frame."""
        network = self._ready()
        small = reduced(rgb, thermal, network.config.short_side, network.config.multiple)
        if self._maps is None or self._small is None or not np.array_equal(small, self._small):
            self._small, self._maps = small, self._look(network, small)
        return self._maps

    def _look(self, network: Any, small: Bytes) -> Floats:
        import torch

        with torch.inference_mode():
            cameras = torch.from_numpy(small)[None].permute(0, 3, 1, 2)  # channels last, as it lies
            cameras = cameras.to(self._device).to(network.stem.weight.dtype).div_(255).sub_(0.5)
            maps = torch.sigmoid(network(cameras)[0].float()).cpu().numpy()
        return np.ascontiguousarray(maps, np.float32)

    def _ready(self) -> LocaliserNetwork:
        if self._network is None:
            import torch

            dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
            network = embedded_weights.load_network().settled().to(self._device, dtypes[self._dtype])
            self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self._network


def reduced(rgb: Bytes, thermal: Bytes, short_side: int, multiple: int) -> Bytes:
    """Both images in one, uint8 (h, w, 4), in the frame's proportions; both sides are multiples."""
    height, width = thermal.shape
    ratio = min(_LONGEST, max(height, width) / min(height, width))
    long_side = max(short_side, round(short_side * ratio / multiple) * multiple)
    size = (long_side, short_side) if width >= height else (short_side, long_side)
    both = np.empty((size[1], size[0], 4), np.uint8)
    both[..., :3] = _resized(np.ascontiguousarray(rgb), size)
    both[..., 3] = _resized(np.ascontiguousarray(thermal), size)
    return both


def _resized(image: Bytes, size: tuple[int, int]) -> Bytes:
    """Mean of whole blocks of pixels, then bilinear: a third of what means of fractions of pixels take."""
    factor = min(image.shape[1] // size[0], image.shape[0] // size[1])
    if factor > 1:
        whole = (round(image.shape[1] / factor), round(image.shape[0] / factor))
        image = np.asarray(cv2.resize(image, whole, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def concepts_of(text: str) -> Mapping[str, float]:
    """What a phrase names, strongest first, each with how far, in (0, 1]; nothing for one that is not known.

    Raises LocaliserError.
    """
    temperature = temperature_of(text)
    if temperature is not None:  # exact, and needs no encoder
        return {WARM if temperature == HOT else COLD: 1.0}
    return shared_meanings()(text)


def _concepts(phrase: Phrase) -> Mapping[str, float]:
    """The same, of the thing alone and not of what is near it. Raises PromptError where that is nothing that
    can be found.
    """
    concepts = _of_the_thing(phrase.text, phrase.suppressed)
    if not concepts:
        nearest = shared_meanings().nearest(phrase.text)
        raise PromptError(
            f"'{phrase.text}' cannot be located: the localiser 'embedded' does not know it, and the nearest "
            f"phrase that it knows is '{nearest}'; to name anything else, {TO_CLIP}",
            phrase.text,
            phrase.start,
        )
    return concepts


def _of_the_thing(text: str, suppressed: bool) -> Mapping[str, float]:
    """Of "sky behind the people" sky, of "people on the road" persons, of "woman on a bike" bicycles, too."""
    thing, place, belongs = apart(text)
    concepts = concepts_of(thing)
    if not concepts and place:
        return concepts_of(text)
    if suppressed or not belongs:
        return concepts
    there, whole = concepts_of(place), concepts_of(text)
    return {**{name: share for name, share in whole.items() if name in there}, **concepts}


def _read_for(phrase: Phrase) -> Iterator[str]:
    """The texts that `_of_the_thing` needs the concepts of, unless the thing by itself is not known."""
    thing, place, belongs = apart(phrase.text)
    yield thing
    if place and belongs and not phrase.suppressed:
        yield from (place, phrase.text)


def _same(concepts: Mapping[str, float]) -> str:
    """ "survivors, no rescuers": the same to this localiser, so that neither would be followed."""
    hint = f"leave one of them out, give it another weight, or {TO_CLIP}"
    return f"to the localiser 'embedded' both are {' or '.join(concepts)}; {hint}"
