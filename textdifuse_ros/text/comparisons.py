"""One thing held against another: "prioritise people over cars", "more people than cars"."""

from __future__ import annotations

from textdifuse_ros.text import lexicon
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import (
    FILLER,
    FREE_ENDINGS,
    SAID_FIRST,
    WANTING,
    find,
    head,
    keys,
    strip_leading,
    strip_trailing,
)
from textdifuse_ros.text.prompt import PromptError

_PREFERRING = (
    "prioritise", "prioritize", "prefer", "favour", "favor", "rank", "value", "weigh", "weight",
    "give priority to", "give preference to", "give more weight to", "give more priority to",
)  # fmt: skip
_OVER = ("over", "above", "before", "ahead of", "against", "more than", "than")
_MORE = ("more", "better")
_STANDING = FREE_ENDINGS | {"matter", "matters", "count", "counts"}
_NOTHING = ("there", "here", "now", "before", "usual", "normal", "ever")  # "people over there"


def refuse_comparison(words: list[Word], typed: str) -> None:
    """Raises PromptError for words of which nobody knows how far the second thing is to stand out."""
    words = strip_leading(words, SAID_FIRST)
    pair = _preferred(words) or _more_than(words)
    if pair is None:
        return
    one, other = (" ".join(word.text for word in strip_leading(each, FILLER)) for each in pair)
    reason = f"compares two things: write '{one}*1.5, {other}*0.5' to weigh them, or '{one}, no {other}'"
    raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def _preferred(words: list[Word]) -> tuple[list[Word], list[Word]] | None:
    size = head(words, _PREFERRING)
    rest = words[size:] if size else []
    found = find(rest, (*_OVER, "to") if keys(words[:1]) == ["prefer"] else _OVER)
    return None if found is None else _parts(rest, *found)


def _more_than(words: list[Word]) -> tuple[list[Word], list[Word]] | None:
    """ "more people than cars", "show people better than cars"."""
    found = find(words, ("than",))
    if found is None or not any(key in _MORE for key in keys(words[: found[0]])):
        return None
    inner = words[head(words, WANTING) :] if words[0].key not in _MORE else words
    more = next((at for at, word in enumerate(inner) if word.key in _MORE), 0)
    one = inner[:more] if more else inner[1 : find(inner, ("than",))[0]]  # type: ignore[index]
    one = strip_trailing(strip_trailing(one, lexicon.SEEMS), _STANDING) if one else one
    return _parts([*one, *words[found[0] :]], len(one), "than")


def _parts(words: list[Word], at: int, entry: str) -> tuple[list[Word], list[Word]] | None:
    one, other = words[:at], words[at + entry.count(" ") + 1 :]
    if not one or not other or other[0].key in _NOTHING:
        return None
    return one, other
