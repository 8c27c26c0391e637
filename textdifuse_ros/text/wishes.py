"""Restoration wishes made to act, the same for every localiser: from words to the network's controls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from textdifuse_ros.model.controls import BY_CAMERA, CONTROLS, Controls, most, wholly
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.localiser import Bytes, CompiledPrompt, CompiledWish, Floats, Learns, Localiser
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, Phrase, Prompt, PromptError
from textdifuse_ros.text.restoration import IMAGE_WORDS, PREPOSITIONS, Wish, camera_of

# Those that one camera alone can have: their name, and what to type instead of a wish for the other camera.
_INSTEAD: Mapping[str, tuple[str, str]] = {
    "low_light": ("low light", "'brighten', or 'more contrast in the thermal image'"),
    "over_exposure": ("over-exposure", "'remove the glare', or 'more contrast in the thermal image'"),
    "stripes": ("stripes", "'remove the stripes', or 'remove the noise in the rgb image'"),
    "haze": ("haze", "'remove the haze'"),
    "colour_cast": ("a colour cast", "'correct the colours'"),
}


@dataclass(frozen=True)
class Pass:
    """One run of the network: its controls, and where its picture counts (no regions: everywhere)."""

    controls: Controls
    regions: tuple[CompiledPrompt, ...] = ()


def compile_prompt(localiser: Localiser, prompt: Prompt) -> CompiledPrompt:
    """A whole prompt, objects and wishes. Raises PromptError for the first phrase that cannot be followed."""
    objects = tuple(phrase for phrase in prompt.phrases if phrase.kind == OBJECT)
    if isinstance(localiser, Learns):
        localiser.learn((*objects, *_objects_in_regions(prompt)))
    located = localiser.compile(Prompt(prompt.source, objects))
    wishes = tuple(_compile(localiser, prompt, p) for p in prompt.phrases if p.kind == RESTORATION)
    _refuse_contradictions(wishes)
    return replace(located, prompt=prompt, wishes=wishes)


def passes(wishes: Iterable[CompiledWish], base: Controls, strength: float) -> tuple[Pass, ...]:
    """What the network has to be run for: first the whole frame, then what differs in regions.

    base: controls without a prompt. Each wish moves its own controls from the base towards what it asks for,
    by weight x strength of the way; more than the whole way is a higher degree, and no keeping goes beyond
    it. One to remove something never removes less of it than the base does; where two set the same one, the
    later counts. Wishes with a region start from what those without one have made. Regions that end up with
    the same controls share a run, and a region that ends up with those of the whole frame needs none.
    """
    acting = [wish for wish in wishes if wish.phrase.weight * strength > 0]
    whole = _moved(base, (wish for wish in acting if wish.region is None), strength)
    by_region: dict[str, list[CompiledWish]] = {}
    for wish in acting:
        if wish.region is not None:
            by_region.setdefault(_region_key(wish), []).append(wish)
    by_controls: dict[Controls, list[CompiledPrompt]] = {}
    for group in by_region.values():
        controls, region = _moved(whole, group, strength), group[0].region
        if controls != whole and region is not None:
            by_controls.setdefault(controls, []).append(region)
    return (Pass(whole), *(Pass(controls, tuple(regions)) for controls, regions in by_controls.items()))


def held_back(wishes: Iterable[CompiledWish], strength: float) -> frozenset[str]:
    """Controls of faults that wishes for the whole frame want to stay more than they want them repaired."""
    names: set[str] = set()
    for wish in wishes:
        if wish.region is None and wish.phrase.suppressed:
            share, _ = _far(wish, strength)
            names |= {name for name, left in wish.removals.items() if share * (1 - left) > 0.5}
    return frozenset(names)


def asked(wishes: Iterable[CompiledWish], control: str, strength: float) -> float:
    """How far a fault is to be removed in the words of the wishes for the whole frame, in [0, 1]."""
    degrees = []
    for wish in wishes:
        if wish.region is not None or wish.phrase.wish is None or wish.phrase.suppressed:
            continue
        if control in wish.removals:
            share, times = _far(wish, strength)
            degrees.append(share * min(1.0, wish.phrase.wish.degree * times))
    return max(degrees, default=0.0)


def blend(image: Bytes, over: Bytes, where: Floats) -> Bytes:
    """`over` laid on `image`, both uint8 (H, W, 3), as far as `where`, float32 (H, W) in [0, 1], says."""
    base = image.astype(np.float32)
    base += (over.astype(np.float32) - base) * where[..., None]
    return np.rint(base).astype(np.uint8)


def _moved(base: Controls, wishes: Iterable[CompiledWish], strength: float) -> Controls:
    values = dict(zip(CONTROLS, base, strict=True))
    for wish in wishes:
        share, times = _far(wish, strength)
        for name, removal in wish.removals.items():
            start = base[CONTROLS.index(name)]
            end = start * removal if wish.phrase.suppressed else max(start, _farther(name, removal, times))
            values[name] = start + share * (end - start)
    return tuple(values[name] for name in CONTROLS)


def _far(wish: CompiledWish, strength: float) -> tuple[float, float]:
    """How much of its way a wish goes, in [0, 1], and how many times over it is wanted, from 1 on."""
    far = wish.phrase.weight * strength
    return min(1.0, far), max(1.0, far)


def _farther(control: str, removal: float, times: float) -> float:
    """What a wish sets its control to where it is wanted so many times over: as a higher degree would."""
    begins = 0.0 if wholly(control) == 1.0 else wholly(control)
    return min(most(control), begins + (removal - begins) * times)


def _compile(localiser: Localiser, prompt: Prompt, phrase: Phrase) -> CompiledWish:
    wish = phrase.wish
    if wish is None:
        raise PromptError(f"'{phrase.text}' is no restoration wish that is known", phrase.text, phrase.start)
    cameras = BY_CAMERA[wish.degradation]
    if wish.camera and wish.camera not in cameras:
        raise PromptError(_impossible(phrase, wish), phrase.text, phrase.start)
    names = [name for camera, name in cameras.items() if wish.camera in ("", camera)]
    removals = {name: _removal(name, wish) for name in names}
    region = _locate(localiser, prompt, phrase, wish.region) if wish.region else None
    return CompiledWish(phrase, removals, region)


def _removal(control: str, wish: Wish) -> float:
    """What a wish sets its control to, or, where it is to keep, the share that it leaves of what is done
    without it. Asking begins where all is undone that shows by itself."""
    if wish.keep:
        return 1.0 - min(1.0, wish.degree)
    return _farther(control, 1.0, wish.degree)


def _impossible(phrase: Phrase, wish: Wish) -> str:
    fault, instead = _INSTEAD[wish.degradation]
    camera = "thermal" if wish.camera == "thermal" else "RGB"
    remedy = "leave it out" if wish.keep else f"write {instead}"
    return f"'{phrase.text}' cannot be done, since the {camera} image never has {fault}: {remedy}"


def _locate(localiser: Localiser, prompt: Prompt, phrase: Phrase, region: str) -> CompiledPrompt:
    """The region of a wish, read and located like any other object phrase."""
    if any(word in IMAGE_WORDS for word in region.split()):
        hint = _one_of_two(phrase.text) or "name one, as in 'brighten the cars', or ask for the whole image"
        reason = f"'{phrase.text}' is limited to '{region}', which is no object: {hint}"
        raise PromptError(reason, phrase.text, phrase.start)
    try:
        read = _read(region)
        for part in read.phrases:
            if part.kind != OBJECT or part.suppressed:
                hint = f"write '{part.text}' as a phrase of its own, behind a comma"
                raise PromptError(
                    f"'{part.text}' is no object that '{phrase.text}' could be limited to: {hint}", part.text
                )
        return localiser.compile(read)
    except PromptError as error:
        spelled = r"\s+".join(re.escape(word) for word in (error.phrase or region).split())
        found = re.compile(spelled, re.IGNORECASE).search(prompt.source, phrase.start, phrase.end)
        start = found.start() if found else phrase.start
        raise PromptError(error.reason, error.phrase or phrase.text, start) from error


@lru_cache(maxsize=64)
def _read(region: str) -> Prompt:
    """Read once: for what is to be learnt, and to be located."""
    return parse(region)


def _objects_in_regions(prompt: Prompt) -> Iterator[Phrase]:
    """Those that can be read; the others are refused when they are to be located."""
    for phrase in prompt.phrases:
        if phrase.wish is not None and phrase.wish.region:
            with suppress(PromptError):
                yield from (part for part in _read(phrase.wish.region).phrases if part.kind == OBJECT)


def _one_of_two(text: str) -> str:
    """What to type for "sharpen the people in the thermal image": an object or a camera; "" for all else."""
    words = text.split()
    for at in range(len(words) - 2, 1, -1):
        place = [word.casefold() for word in words[at:]]
        if place[0] in PREPOSITIONS and camera_of(place):
            return f"write '{' '.join(words[:at])}', for both cameras, or ask for the whole image"
    return ""


def _region_key(wish: CompiledWish) -> str:
    return "" if wish.phrase.wish is None else wish.phrase.wish.region


def _refuse_contradictions(wishes: Iterable[CompiledWish]) -> None:
    """The same control, removed and kept in the same place."""
    seen: dict[tuple[str, str], Phrase] = {}
    for wish in wishes:
        if wish.phrase.weight == 0:
            continue
        for name in wish.removals:
            other = seen.setdefault((name, _region_key(wish)), wish.phrase)
            if other.suppressed != wish.phrase.suppressed:
                both, fault = f"'{other.text}' and '{wish.phrase.text}'", name.replace("_", " ")
                reason = f"{both} ask to remove and to keep the same ({fault}): say one"
                raise PromptError(reason, wish.phrase.text, wish.phrase.start)
