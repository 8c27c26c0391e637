"""What is said once and meant of several wishes: "denoise and sharpen the cars", "rgb is dark and noisy"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from textdifuse_ros.model.controls import BY_CAMERA
from textdifuse_ros.text import complaints, lexicon, restoration
from textdifuse_ros.text.faults import VERBS
from textdifuse_ros.text.harms import VERY
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import FILLER, SPLITTERS, ended, head, keys, strip_leading
from textdifuse_ros.text.phrasing import VERBS as DIRECTIVES
from textdifuse_ros.text.restoration import Wish
from textdifuse_ros.text.unasked import ADVICE

_Words = list[Word]
_Read = Callable[[list[str]], Wish | None]
_VERBS = frozenset(VERBS)
_REFUSERS = frozenset(restoration.REFUSERS)
_SAID = (*lexicon.SEEMS, "has", "have")  # what a subject is told apart by
_OF_IMAGES = (*restoration.CAMERAS, *restoration.IMAGE_WORDS, "it")
_OF_MANY = ("are", "look", "seem", "appear", "have", "need", "lack")
# How a thing is to be, and the verb that asks for it: "make the people sharper and brighter".
_TO_BE = {"brighter": "brighten", "lighter": "brighten", "sharper": "sharpen", "crisper": "sharpen"}


def of_several(clause: _Words, parts: list[_Words]) -> list[_Words]:
    """ "people and cars are too dark" is one part, since both are."""
    first = strip_leading(parts[0], FILLER)
    if len(parts) == 1 or head(first, DIRECTIVES) or ended(first) or complaints.understand(keys(first)):
        return parts
    if all(restoration.is_fault(keys(strip_leading(part, FILLER))) for part in parts[:-1]):
        return _ended_alike(parts)
    joiner = clause[clause.index(parts[1][0]) - 1].key
    whole = clause[clause.index(parts[0][0]) : clause.index(parts[1][-1]) + 1]
    wish = complaints.understand(keys(strip_leading(whole, FILLER)))
    many = any(word.key in _OF_MANY for word in parts[1])
    if joiner not in SPLITTERS or not many or wish is None:
        return parts
    cameras = restoration.camera_of(keys(first)) and not wish.region  # "thermal and rgb are noisy"
    if not cameras and not wish.region.startswith(first[0].key):
        return parts
    return of_several(clause, [whole, *parts[2:]])


def _ended_alike(parts: list[_Words]) -> list[_Words]:
    """ "haze", "noise should be removed": the haze, too."""
    last = strip_leading(parts[-1], FILLER)
    size = next((n for n in (3, 2, 1) if len(last) > n and restoration.is_fault(keys(last[:n]))), 0)
    ended_alike = [[*part, *last[size:]] for part in parts[:-1]] if size else []
    if not ended_alike or any(
        complaints.understand(keys(strip_leading(p, FILLER))) is None for p in ended_alike
    ):
        return parts
    return [*ended_alike, parts[-1]]


def with_endings(parts: Sequence[_Words], listed: Sequence[bool]) -> list[_Words]:
    """ "haze", "noise removed": the haze, too. listed: whether a comma parts each from what is in front."""
    found = list(parts)
    for n in range(len(found) - 2, -1, -1):
        bare = restoration.is_fault(keys(strip_leading(found[n], FILLER)))
        if bare and listed[n + 1] and complaints.understand(keys(strip_leading(found[n], FILLER))) is None:
            found[n] = _ended_alike([found[n], found[n + 1]])[0]
    return found


def with_places(parts: Sequence[_Words], listed: Sequence[bool]) -> list[_Words]:
    """ "denoise", "sharpen the people": the first of the people, too, as the verb alone names nothing.

    listed: whether a comma parts each from what stands in front. Only a list that ends with "and" is one.
    """
    found = list(parts)
    shared = False
    for n in range(len(found) - 2, -1, -1):
        last = strip_leading(found[n + 1], FILLER)
        last = last[head(last, _REFUSERS) :]
        place = last[head(last, _VERBS) :] if head(last, _VERBS) else []
        whose = restoration.understand(keys(last)) if place else None
        bare = any(" ".join(keys(found[n][-size:])) in VERBS for size in (1, 2))
        own = keys(strip_leading(found[n], FILLER))
        shared = shared or not listed[n + 1]
        shared = shared and bare and _shares(own, keys(place), whose, complaints.understand)
        if shared:
            found[n] = [*found[n], *place]
    return found


def with_tail(pieces: list[_Words], read: _Read) -> list[_Words]:
    """ "noise", "haze in the rgb image": the noise in it, too. read: what a verb in front makes of them."""
    last = pieces[-1]
    at = len(list(takewhile(lambda word: word.key not in restoration.PREPOSITIONS, last)))
    whose, tail = read(keys(last)), last[at:]
    if not tail or read(keys(last[:at])) is None:
        return pieces
    return [
        [*piece, *tail] if _shares(keys(piece), keys(tail), whose, read) else piece for piece in pieces[:-1]
    ] + [last]


def with_subjects(parts: Sequence[_Words]) -> list[_Words]:
    """ "the thermal image is noisy", "blurry": it is the thermal image that is blurry."""
    found: list[_Words] = []
    frame = parts[0]
    for part in parts:
        own = _of_subject(frame, part) if found else part
        frame = part if own is part else frame
        found.append(own)
    return found


def _of_subject(before: _Words, words: _Words) -> _Words:
    said, own = strip_leading(before, FILLER), strip_leading(words, FILLER)
    if own[0].key == "not":
        return _but_not(said, own) or words
    alone = complaints.understand(keys(own))
    if alone is not None and (alone.camera or alone.region or alone.keep):
        return words
    if own[-1].key == "it" and alone is not None:
        return _of_camera(said, own)
    if said[0].key == "make":
        return _made(said, own) or words
    at = next((at for at, word in enumerate(said) if word.key in _SAID and at), 0)
    if alone is None and (whole := _of_whole(said, at, own)):
        return whole
    if not at or at + 1 == len(said) or not (own[0].key in _SAID or _is_said(keys(own))):
        return words
    subject, verb = said[:at], said[at : at + 1]
    whose = complaints.understand(keys(said)) or complaints.understand(
        [*keys(subject), *keys(verb), "too", *keys(said[at + 1 :])]  # "the people are dark and noisy"
    )
    if whose is None or not (whose.camera or whose.region):
        return words
    verb = [] if own[0].key in _SAID else verb
    very = said[at + 1 : at + 2] if verb and said[at + 1].key in VERY else []
    for candidate in ([*subject, *verb, *own], [*subject, *verb, *very, *own]):
        if _places(complaints.understand(keys(candidate))) == _places(whose):
            return candidate
    return words


def _of_whole(said: _Words, at: int, own: _Words) -> _Words:
    """ "it is foggy", "dark": it is dark as well. Empty for anything else.

    at: where the verb stands, 0 where there is none.
    """
    whole = at and all(word.key in (*_OF_IMAGES, *restoration.ARTICLES) for word in said[:at])
    if not (whole or said[0].key == "it's") or not _is_said(keys(own)):
        return []
    candidate = [*said[: at + 1], *own]
    before, wish = complaints.understand(keys(said)), complaints.understand(keys(candidate))
    return candidate if before is not None and wish is not None and not wish.region else []


def _of_camera(said: _Words, own: _Words) -> _Words:
    """ "the thermal image is noisy", "denoise it": it is the thermal image."""
    whose = complaints.understand(keys(said))
    if whose is None or not whose.camera:
        return own
    return [*own[:-1], replace(own[-1], text=whose.camera, key=whose.camera)]


def _but_not(said: _Words, own: _Words) -> _Words:
    """ "denoise rgb", "not thermal": to keep what that one has. Empty for anything else."""
    whose, camera = complaints.understand(keys(said)), restoration.camera_of(keys(own[1:])) or ""
    if whose is None or whose.keep or whose.camera in ("", camera) or not camera:
        return []
    text = f"{ADVICE[whose.degradation][1]} in the {camera} image"
    return [Word(word, word, own[0].start, own[-1].end) for word in text.split()]


def _made(said: _Words, own: _Words) -> _Words | None:
    """ "make the people sharper", "brighter": people to be brightened, and not to stand out by themselves."""
    whose = complaints.understand(keys(said))
    named = whose.region.split() if whose is not None else []
    subject = [word for word in said[1:] if word.key in (named or _OF_IMAGES)]
    if whose is None and said[-1].key in _TO_BE:  # "make the people brighter and sharper"
        subject = said[1:-1]
    if not subject:
        return None
    if len(own) == 1 and own[0].key in _TO_BE:
        verb = _TO_BE[own[0].key]
        return [replace(own[0], text=verb, key=verb), *subject]
    candidate = [said[0], *subject, *own]
    wish = complaints.understand(keys(candidate))
    fresh = wish is not None and complaints.understand(keys(own)) is None  # "make it sharp and bright"
    return candidate if wish is not None and (wish.camera or wish.region or fresh) else None


def _is_said(spoken: list[str]) -> bool:
    words = restoration.take_degree(spoken)[0]
    return complaints.is_like(restoration.after(words, VERY) or words) or words[-1:] == ["enough"]


def _shares(words: list[str], place: list[str], whose: Wish | None, read: _Read) -> bool:
    """Whether words that name no place of their own ask for the same with one behind them."""
    alone, there = read(words), read([*words, *place])
    if whose is None or alone is None or there is None or alone.camera or alone.region:
        return False
    can_have = not whose.camera or whose.camera in BY_CAMERA[alone.degradation]
    return can_have and there.degradation == alone.degradation and _places(there) == _places(whose)


def _places(wish: Wish | None) -> tuple[str, str] | None:
    return None if wish is None else (wish.camera, wish.region)
