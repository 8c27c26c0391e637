"""What a wish is limited to in words of its own: "brighten, but only the people", "denoise, only thermal"."""

from __future__ import annotations

from textdifuse_ros.text import complaints
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import FILLER, keys, strip_leading

_BUT = ("but", "and", "yet")
_ONLY = ("only", "just", "solely", "merely", "exclusively")


def limited(before: list[Word], words: list[Word]) -> list[Word] | None:
    """The words of the wish with what it is limited to; None where they are no such wish and limit."""
    at = int(words[0].key in _BUT and len(words) > 1)
    if words[at].key not in _ONLY or len(words) == at + 1:
        return None
    wish_words, where = strip_leading(before, FILLER), words[at + 1 :]
    wish = complaints.understand(keys(wish_words))
    if wish is None or wish.camera or wish.region or wish.keep:
        return None
    on = Word("on", "on", where[0].start, where[0].end)
    front, behind = before[: len(before) - len(wish_words)], wish_words
    candidates = [
        [*behind, *where],  # "brighten the people"
        [*behind, on, *where],  # "more contrast on the people"
        [*behind[:1], *where, *behind[1:]],  # "brighten the people a little"
    ]
    for candidate in candidates:
        there = complaints.understand(keys(candidate))
        if there is None or not (there.camera or there.region):
            continue
        if (there.degradation, there.keep, there.degree) == (wish.degradation, wish.keep, wish.degree):
            return [*front, *candidate]
    return None
