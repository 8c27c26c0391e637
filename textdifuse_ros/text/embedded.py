"""The embedded localiser: phrases by a sentence encoder, objects by a small network on both cameras.

No torch in this file: it is imported when the network is loaded, so that checking a prompt stays quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from textdifuse_ros.text import embedded_weights
from textdifuse_ros.text.concepts import FELT, SEEN
from textdifuse_ros.text.contrast import thermal_contrast
from textdifuse_ros.text.heat import HOT, temperature_of
from textdifuse_ros.text.kinds import ANY, WARM_ANIMALS, called, is_animal, is_of_no_kind
from textdifuse_ros.text.localiser import Bytes, CompiledPrompt, Floats, refuse_undone
from textdifuse_ros.text.meanings import shared_meanings, shared_words
from textdifuse_ros.text.prompt import Phrase, Prompt, PromptError
from textdifuse_ros.text.sentence import shared_encoder
from textdifuse_ros.text.spelling import mended
from textdifuse_ros.text.things import SEVERAL
from textdifuse_ros.text.whereabouts import apart, doing, several_doing

if TYPE_CHECKING:
    from textdifuse_ros.text.embedded_network import LocaliserNetwork

_LONGEST = 3  # longer side of the reduced image in units of the shorter one
WARM, COLD = FELT
# It is another model to load, which a node does not do while it is active.
TO_CLIP = "install requirements-clip.txt and set the localiser to 'clip' (a node: deactivate, set, activate)"
_NEAR = 0.6  # cosine between a phrase and its nearest known one below which that one is no help
_KNOWN = "people, vehicles, the sky, roads, and what is warm or cold"
_MOVED = frozenset(SEEN) - {"sky", "road"}


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
    return shared_meanings()(called(text))


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """The single words of what is known, with and without hyphens: "motorcar" is "motor-car"."""
    names = {word for phrase in (*shared_words().phrases, *SEVERAL) for word in phrase.split()}
    return frozenset(names | {name.replace("-", "") for name in names})


def _concepts(phrase: Phrase) -> Mapping[str, float]:
    """The same, of the thing alone and not of what is near it. Raises PromptError where that is nothing that
    can be found.
    """
    if meant := mended(phrase.text, _names(), shared_encoder().is_word):
        reason = f"'{phrase.text}' cannot be located as it is spelt: write '{meant}'"
        raise PromptError(reason, phrase.text, phrase.start)
    if is_of_no_kind(phrase.text) and temperature_of(phrase.text) is None and not _is_learnt(phrase.text):
        hint = "name it, as in 'parked cars' or 'moving people'"
        reason = f"'{phrase.text}' cannot be located, since it says what a thing is like and not what it is"
        raise PromptError(f"{reason}: {hint}", phrase.text, phrase.start)
    thing, concepts = _of_the_thing(phrase.text, phrase.suppressed)
    if not concepts:
        raise PromptError(_unknown(thing), thing, phrase.start)
    return concepts


def _unknown(thing: str) -> str:
    nearest, likeness = (WARM_ANIMALS, 1.0) if is_animal(thing) else shared_meanings().nearest(thing)
    known = "" if likeness >= _NEAR else f", far from it (it knows {_KNOWN})"
    return (
        f"'{thing}' cannot be located: the localiser 'embedded' does not know it, and the nearest phrase "
        f"that it knows is '{nearest}'{known}; to name anything else, {TO_CLIP}"
    )


def _of_the_thing(text: str, suppressed: bool) -> tuple[str, Mapping[str, float]]:
    """Of "sky behind the people" sky, of "people on the road" persons, of "woman on a bike" bicycles, too.

    And the words that say so: of "dog on the road" the dog, which is unknown, and no road instead.
    """
    doer, act = doing(text)
    if doer and not concepts_of(doer) and not _is_general(doer) and not _is_learnt(act):
        return doer, {}
    thing, place, belongs = apart(text)
    who = doer or several_doing(text)
    concepts = concepts_of(thing) or (concepts_of(who) if who else {})
    if not place or _is_learnt(text):
        return text, concepts_of(text) or concepts
    if not concepts:
        there, whole = concepts_of(place), concepts_of(text)
        if _is_general(thing):  # "anything on wheels"; not the road of "anything on the road"
            whole = {name: share for name, share in whole.items() if name not in there or name in _MOVED}
        elif not belongs or set(whole) & set(there):
            return thing, {}
        return (text if whole else thing), whole
    if suppressed or not belongs:
        return thing, concepts
    there, whole = concepts_of(place), concepts_of(text)
    return thing, {**{name: share for name, share in whole.items() if name in there}, **concepts}


def _is_learnt(text: str) -> bool:
    return text.casefold() in shared_words().phrases


def _is_general(text: str) -> bool:
    return all(word in ANY for word in text.casefold().split())


def _read_for(phrase: Phrase) -> Iterator[str]:
    """The texts that `_of_the_thing` needs the concepts of, unless the thing by itself is not known."""
    doer, _ = doing(phrase.text)
    thing, place, belongs = apart(phrase.text)
    where = (place, phrase.text) if place and belongs and not phrase.suppressed else ()
    return (called(text) for text in (doer, several_doing(phrase.text), thing, *where) if text)


def _same(concepts: Mapping[str, float]) -> str:
    """ "survivors, no rescuers": the same to this localiser, so that neither would be followed."""
    hint = f"leave one of them out, give it another weight, or {TO_CLIP}"
    return f"to the localiser 'embedded' both are {' or '.join(concepts)}; {hint}"
