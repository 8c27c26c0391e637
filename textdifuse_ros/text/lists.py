"""A verb in front of a list reaches its other items: "hide the sky, road and cars"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NoReturn

from textdifuse_ros.text import complaints, lexicon, restoration
from textdifuse_ros.text.carried import of_several, with_endings, with_places, with_subjects, with_tail
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.limits import limited
from textdifuse_ros.text.phrasing import (
    CALM_ENDINGS,
    CLAUSE_SPLITTERS,
    FILLER,
    FREE_ENDINGS,
    SAID_FIRST,
    SAYING_NO,
    SPLITTERS,
    VERBS,
    WANTING,
    ended,
    find,
    framed,
    head,
    keys,
    split,
    strip_leading,
    strip_trailing,
    typed,
)
from textdifuse_ros.text.prompt import PromptError
from textdifuse_ros.text.purposes import apart
from textdifuse_ros.text.unasked import SO_MUCH

_LIST_FRAMES = (*lexicon.OPEN_FRAMES, "make")  # not "turn", which begins nouns: "turn signals"
_CURT_JOINERS = ("or", "nor")  # "no sky, road or cars" is said of all three; "no sky, people" is not
_CONTRASTS = ("but", "while", "yet", "then")
_OWN_ENDINGS = FREE_ENDINGS | CALM_ENDINGS
_IN_FRONT = SAID_FIRST | {"the"}
_REFUSALS = frozenset((
    *restoration.REFUSERS, "neither", "turn off", "switch off", "disable", "avoid",
))  # fmt: skip
_AND = ("as well as", "along with", "together with", "in addition to")
_MORE = ("also", "as well", "too", "likewise")  # "keep the road calm, and the sky as well"
_MAKES = ("do not make", "don't make", "never make")  # an ending closes their list


@dataclass(frozen=True)
class Part:
    """One directive with what it is said of. calm: it stands in a list that is to keep calm."""

    words: list[Word]
    listed: bool = False  # a comma, and nothing else, parts it from what stands in front of it
    first: bool = False  # behind a separator of any kind
    calm: bool = False


def parts_of(source: str, clauses: list[list[Word]]) -> list[Part]:
    """The parts of all clauses but those of polite words alone: "show me people, please".

    Raises PromptError for a list that can be meant either way.
    """
    parts: list[Part] = []
    listed, end = True, 0
    for clause in map(_joined_by_words, clauses):
        listed = listed and source[end : clause[0].start].rstrip().endswith(",")
        end = clause[-1].end
        if _is_polite(clause):
            continue
        said = [split(words, CLAUSE_SPLITTERS, before_directive=True) for words in apart(clause)]
        first, *others = (
            each for words in said for each in of_several(clause, _negated(source, clause, words))
        )
        parts += [
            Part(first, listed, first=True),
            *(Part(other) for other in others if not _is_polite(other)),
        ]
        listed = True
    if not parts and clauses:
        return [Part(clauses[0])]
    return _spread(source, _carried(source, _limited(parts)))


def _limited(parts: list[Part]) -> list[Part]:
    """With "but only the people" a part of the wish in front of it, and without the "on" of "not on the cars"
    behind "focus on"."""
    found = parts[:1]
    for part in parts[1:]:
        before = found[-1]
        if (words := limited(before.words, part.words)) is not None:
            found[-1] = replace(before, words=words)
            continue
        said = head(first := strip_leading(before.words, FILLER), WANTING)
        at = 1 + (part.words[0].key in _CONTRASTS)
        repeats = said and len(part.words) > at + 1 and part.words[at].key == first[said - 1].key
        if repeats and part.words[at - 1].key == "not":
            part = replace(part, words=[*part.words[:at], *part.words[at + 1 :]])
        found.append(part)
    return found


def _carried(source: str, parts: list[Part]) -> list[Part]:
    """The parts with what others say for them, as far as no semicolon or full stop stands between."""
    found: list[Part] = []
    while parts:
        stop = 1
        while stop < len(parts) and not (parts[stop].first and not parts[stop].listed):
            stop += 1
        run, parts = parts[:stop], parts[stop:]
        listed = [part.listed for part in run]
        words = with_subjects(with_places(with_endings([part.words for part in run], listed), listed))
        found += [replace(part, words=own) for part, own in zip(run, words, strict=True)]
    return found


def _negated(source: str, clause: list[Word], parts: list[list[Word]]) -> list[list[Word]]:
    """A no that reaches over "or": "don't denoise or sharpen" is "don't denoise", "don't sharpen"."""
    found = parts[:1]
    for part in parts[1:]:
        before = strip_leading(found[-1], FILLER)
        size = head(before, _REFUSALS)
        joiner = clause[clause.index(part[0]) - 1].key
        asked = [restoration.understand(keys(each)) for each in (before[size:], strip_leading(part, FILLER))]
        if size and joiner in SPLITTERS and all(each is not None and not each.keep for each in asked):
            if joiner not in _CURT_JOINERS and " ".join(keys(before[:size])) in restoration.REFUSERS[:3]:
                this, said = typed(source, part), typed(source, before)
                hint = f"write it in front, or 'do not {this}'"
                raise PromptError(
                    f"'{this}' behind '{said}' can be meant either way: {hint}", this, part[0].start
                )
            part = [*before[:size], *part]
        found.append(part)
    return found


def _joined_by_words(words: list[Word]) -> list[Word]:
    """With one "and" for each "as well as" and the like."""
    found = find(words[1:], _AND)
    if found is None or found[0] > len(words) - 4:
        return words
    at, entry = found[0] + 1, found[1]
    end = at + entry.count(" ") + 1
    joiner = Word(entry, "and", words[at].start, words[end - 1].end, words[end - 1].weight)
    return [*words[:at], joiner, *_joined_by_words(words[end:])]


def _is_polite(clause: list[Word]) -> bool:
    if " ".join(keys(clause)) in lexicon.CIRCUMSTANCES:
        return True
    rest = strip_leading(clause, frozenset(lexicon.POLITE))
    return " ".join(keys(rest)) in lexicon.POLITE


def _spread(source: str, parts: list[Part]) -> list[Part]:
    found: list[Part] = []
    while parts:
        stop = 1
        while stop < len(parts) and _is_bare(parts[stop]):
            stop += 1
        group = [replace(part, calm=_complains(part, parts[0])) for part in parts[:stop]]
        found += _close(source, group) or _reach(source, group)
        parts = parts[stop:]
    for before, part in pairwise(found):
        _refuse_not(source, before, part)
        _refuse_then(source, before, part)
    return found


def _complains(part: Part, first: Part) -> bool:
    """ "heavy haze" asks for less of it; not behind a verb: "keep the noise, heavy haze"."""
    words = strip_leading(first.words, FILLER)
    if part is not first and (head(words, VERBS) or head(words, restoration.KEEPERS)):
        return False
    return restoration.is_much(keys(strip_leading(part.words, _IN_FRONT)))


def _refuse_then(source: str, before: Part, part: Part) -> None:
    """ "hide the cars, then the sky": is it to be hidden, too?"""
    words = strip_leading(part.words, FILLER)
    if part.words[0].key != "then" or head(words, VERBS, alone=True) or ended(words):
        return
    first = strip_leading(before.words, FILLER)
    if head(first, SAYING_NO) and complaints.understand(keys(words)) is None:
        _refuse_either_way(source, before, words)


def _refuse_not(source: str, before: Part, part: Part) -> None:
    """ "hide the cars but not the people": are they to be hidden, too?"""
    first, words = (strip_leading(each.words, FILLER) for each in (before, part))
    if words[0].key != "not" or len(words) == 1 or first[0].key == "not":
        return
    if complaints.understand(keys(words)) is not None:  # "not enough light"
        return
    if complaints.is_like(keys(words[1:])):  # "not dark" is refused for itself
        return
    wish = complaints.understand(keys(first))
    if wish is not None and (instead := _less_of(wish, typed(source, first), keys(words[1:]))):
        said, this = typed(source, words), typed(source, first)
        raise PromptError(f"'{said}' behind '{this}': write '{instead}'", said, words[0].start)
    placed = wish is not None and words[1].key in restoration.PREPOSITIONS  # "not from the sky"
    removes = wish is not None and bool(restoration.is_removal(keys(first))) and not placed
    calms = before.calm or first[0].is_dash or head(first, SAYING_NO) or ended(first, CALM_ENDINGS)
    if wish is not None and wish.region and not removes:
        said, this = typed(source, words), typed(source, first)
        reason = f"'{said}' behind '{this}' asks for nothing more: leave it out"
        raise PromptError(reason, said, words[0].start)
    other = complaints.understand(keys(words[1:])) or complaints.of_an_image(keys(words[1:]))
    if wish is not None and not other and not wish.region and not wish.keep and not removes:
        said, this = typed(source, words), typed(source, first)
        hint = "a wish holds for the whole image, or for one object, as in 'brighten the cars'"
        raise PromptError(f"'{said}' behind '{this}' cannot be: {hint}", said, words[0].start)
    if removes or calms or (wish is None and framed(first, lexicon.CALM_FRAMES)):
        _refuse_either_way(source, before, words[1:])


def _less_of(wish: restoration.Wish, this: str, unwanted: list[str]) -> str:
    """What to write for "brighten, but not too much" and "denoise, but not in thermal", "" for all else."""
    if " ".join(unwanted) in SO_MUCH:
        return f"slightly {this}"
    camera = restoration.camera_of(unwanted)
    if not camera or wish.camera or wish.keep:
        return ""
    return f"{this} in the {'rgb' if camera == 'thermal' else 'thermal'} image"


def _is_bare(part: Part) -> bool:
    """A listed part with no directive of its own."""
    if not part.listed or part.words[0].key in (*_CONTRASTS, "only", "just"):
        return False
    words = strip_leading(part.words, FILLER)
    own = words[0].is_dash or head(words, VERBS, alone=True) or head(words, restoration.REFUSERS, alone=True)
    return not own and complaints.understand(keys(words)) is None


def _close(source: str, items: list[Part]) -> list[Part]:
    """ "keep the sky", "the road and the cars calm": each of them calm. Empty where nothing closes a list."""
    first = strip_leading(items[0].words, FILLER)
    if first[0].key not in _LIST_FRAMES or len(first) == 1 or complaints.understand(keys(first)) is not None:
        return []
    if framed(first, lexicon.CALM_FRAMES) or framed(first, lexicon.WANTED_FRAMES):
        return []
    own = ended(first)  # "make people bright", "the sky dark": the verb alone is meant for both
    for last, item in enumerate(items[1:], 1):
        inner = framed([first[0], *item.words], lexicon.CALM_FRAMES)
        if inner and own:
            return [*items[:last], replace(item, words=inner, calm=True), *items[last + 1 :]]
        if inner and first[0].key == "make":  # "make people red, sky and road dark" is no list
            _refuse_either_way(source, items[0], inner)
        if inner:
            listed = [replace(items[0], words=first[1:]), *items[1:last], replace(item, words=inner)]
            return [*(replace(part, calm=True) for part in listed), *items[last + 1 :]]
    return []


def _reach(source: str, items: list[Part]) -> list[Part]:
    """Items behind one that keeps calm, or that removes a fault of the image.

    A list reaches to the item with "and" or "or"; without one, or behind it, who knows what was meant.
    """
    first = strip_leading(items[0].words, FILLER)
    wishes = (complaints.understand(keys(piece)) for piece in split(first, SPLITTERS))
    wish = next((each for each in wishes if each is not None), None)
    suppressing = head(first, SAYING_NO)
    removing = restoration.is_removal(keys(first))
    acts = bool(suppressing or first[0].is_dash) if wish is None else bool(removing or wish.region)
    if not acts:
        if framed(first, lexicon.CALM_FRAMES) or ended(first, CALM_ENDINGS):
            _refuse_more(source, items)
        if wish is None and not head(first, VERBS) and not ended(first):
            _refuse_shared_ending(source, items)
        return items
    curt = first[0].is_dash or " ".join(keys(first[:suppressing])) in lexicon.CURT_NO
    bare = _without_endings(items, first)
    closed = wish is not None or _joined(first, SPLITTERS)
    joiners = _CURT_JOINERS if curt else SPLITTERS
    ends = (n for n, item in enumerate(bare) if n and _joined(item.words, joiners))
    reach = 0 if closed else next(ends, 0)
    for n, item in enumerate(bare[1:], 1):
        calm = n <= reach or (removing and _names_faults(item.words))
        # "no cars, trucks and buses"; a dash is no word that reaches over a comma
        sure = curt and (wish is not None or first[0].is_dash or item is not bare[-1])
        if not calm and not sure and (_joined(item.words, SPLITTERS) or not (curt or closed or reach)):
            _refuse_either_way(source, items[0], item.words)
        bare[n] = replace(item, calm=calm)
    ends = (n for n, item in enumerate(bare) if n and item.calm and _joined(item.words, SPLITTERS))
    if removing and (end := next(ends, 0)):  # "remove noise, haze and blur in the rgb image"
        words = with_tail(
            [*(item.words for item in bare[:end]), split(bare[end].words, SPLITTERS)[-1]], _removed
        )
        bare[:end] = [replace(item, words=own) for item, own in zip(bare[:end], words[:-1], strict=True)]
    return [*bare, *items[len(bare) :]]


def _removed(spoken: list[str]) -> restoration.Wish | None:
    return restoration.understand(spoken) or restoration.understand(["remove", *spoken])


def _refuse_more(source: str, items: list[Part]) -> None:
    """ "keep the road calm, and the sky as well"."""
    for item in items[1:]:
        ends = len(strip_trailing(item.words, _MORE)) < len(item.words)
        if ends or item.words[0].key in (*SPLITTERS, *_MORE):
            words = strip_trailing(item.words, _MORE)
            _refuse_either_way(source, items[0], words[head(words, (*SPLITTERS, *_MORE)) :])


def _refuse_shared_ending(source: str, items: list[Part]) -> None:
    """ "the sky, the road and the cars should be calm": who knows whether the sky should, too."""
    for item in items[1:]:
        ends = len(strip_trailing(item.words, CALM_ENDINGS)) < len(item.words)
        if ends and _joined(item.words, SPLITTERS):
            _refuse_either_way(source, item, items[0].words, "in front of")


def _without_endings(items: list[Part], first: list[Word]) -> list[Part]:
    """The items up to one that says itself what it is to do: "hide the sky, the people must stand out"."""
    if head(first, _MAKES):
        return list(items)
    for n, item in enumerate(items[1:], 1):
        if len(strip_trailing(item.words, _OWN_ENDINGS)) < len(item.words):
            return items[:n]
    return list(items)


def _joined(words: Sequence[Word], by: tuple[str, ...]) -> bool:
    return head(words, (*by, "as well as")) > 0 or len(split(list(words), by)) > 1


def _names_faults(words: list[Word]) -> bool:
    pieces = (strip_leading(piece, FILLER) for piece in split(words, SPLITTERS))
    return all(restoration.is_fault(keys(piece)) for piece in pieces)


def _refuse_either_way(source: str, other: Part, words: list[Word], where: str = "behind") -> NoReturn:
    this, said = typed(source, strip_leading(words, FILLER)), typed(source, other.words)
    wish = complaints.understand(keys(strip_leading(other.words, FILLER)))
    if wish is not None and wish.region:  # "brighten the people, the cars and the road"
        reason = (
            f"'{this}' {where} '{said}' can be meant either way: write '{said}, {said.split()[0]} {this}'"
        )
        raise PromptError(f"{reason} or '{said}; show {this}'", this, words[0].start)
    show = f"keep the {this}" if restoration.is_fault(keys(strip_leading(words, FILLER))) else f"show {this}"
    reason = f"'{this}' {where} '{said}' can be meant either way: write 'no {this}' or '{show}'"
    raise PromptError(reason, this, words[0].start)
