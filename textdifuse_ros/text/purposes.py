"""What something is asked for: "hide the sky so that I can see the people", "less smoke to see the cars"."""

from __future__ import annotations

from textdifuse_ros.text import complaints, lexicon, restoration
from textdifuse_ros.text.degrees import IN_FRONT
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import (
    FILLER,
    SAID_FIRST,
    VERBS,
    WANTING,
    ended,
    framed,
    head,
    keys,
    strip_leading,
)

_SO_THAT = frozenset(("so", "so that", "such that", "in order that"))
_TO = frozenset(("to", "in order to", "so as to"))
_WHO = ("i", "we", "you", "it", "one", "the robot")
_ABLE = frozenset(("can", *(f"{who}{can}" for who in _WHO for can in (" can", " could", ""))))
_IN_A_REGION = ("so", "to", "order")  # "denoise to see the road" is no wish for a region "to see the road"
_WILLING = ("want", "need", "like", "have", "able", "wish", "going")  # "and I don't want to see the cars"
_SAME = ("they", "it", "them")  # "highlight people so that they stand out"


def apart(words: list[Word]) -> list[list[Word]]:
    """What is asked for, and behind it, as a part of its own, what for, where that names more."""
    polite = len(words) - len(strip_leading(words, SAID_FIRST))
    for at in range(polite + 1, len(words) - 2):  # "brighten it without changing the colours"
        kept = restoration.understand(keys(words[at:])) if words[at].key == "without" else None
        if kept is not None and kept.keep:
            return [*apart(words[:at]), words[at:]]
    wish = complaints.understand(keys(words))
    if wish is not None and wish.region.partition(" ")[0] not in _IN_A_REGION:
        return [words]  # "too dark to see people" says what is wrong
    directive = head(words[polite:], VERBS)  # "do not want you to show"
    for at in range(polite + max(1, directive), len(words) - 1):
        what_for = None if words[at - 1].key in _WILLING else _purpose(words[at:])
        if what_for is None or not _asks(words[polite:at]):
            continue
        if what_for[0].key in _SAME:
            return [words[:at]]
        return [words[:at], *apart(what_for)]
    return [words]


def _purpose(words: list[Word]) -> list[Word] | None:
    size = head(words, _TO)
    if size:
        rest = words[size:]
        wanted = head(rest, WANTING) or framed(rest, lexicon.WANTED_FRAMES) is not None
        return rest if wanted else None
    size = head(words, _SO_THAT)
    if not size:
        return None
    rest = words[size:]
    rest = rest[head(rest, _ABLE) :] if head(rest[head(rest, _ABLE) :], WANTING) else rest
    return rest if head(rest, WANTING) or ended(rest) else None


def _asks(words: list[Word]) -> bool:
    """Whether there is a directive or a wish, so that what follows is no part of a name."""
    words = strip_leading(words, FILLER)
    words = words[head(words, IN_FRONT) :]
    asks = words[0].is_dash or head(words, VERBS) > 0 or ended(words)
    return asks or complaints.understand(keys(words)) is not None
