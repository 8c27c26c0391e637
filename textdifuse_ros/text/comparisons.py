"""One thing held against another: "prioritise people over cars", "more people than cars"."""

from __future__ import annotations

from textdifuse_ros.text import lexicon, restoration
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import (
    FILLER,
    FREE_ENDINGS,
    SAID_FIRST,
    SAYING_NO,
    WANTING,
    find,
    head,
    keys,
    strip_leading,
    strip_trailing,
)
from textdifuse_ros.text.prompt import PromptError

_PREFERRING = (
    "prioritise", "prioritize", "prefer", "i prefer", "we prefer", "favour", "favor", "rank", "value",
    "weigh", "weight",
    "give priority to", "give preference to", "give more weight to", "give more priority to",
)  # fmt: skip
_OVER = ("over", "above", "before", "ahead of", "against", "more than", "than")
# With these the second thing is the one that is to stand out.
_LESS = (
    "less", "fewer", "lower", "darker", "weaker", "calmer", "fainter", "dimmer", "quieter", "duller",
    "softer", "worse", "paler", "later", "behind",
)  # fmt: skip
_MORE = (
    "more", "better", "higher", "rather", "sooner", "brighter", "clearer", "sharper", "stronger", "louder",
    "earlier", *_LESS,
)  # fmt: skip
_NOT_AS = frozenset(f"not {as_} {much}" for as_ in ("as", "so") for much in ("much", "many"))
_VERSUS = ("vs", "versus")
_EXCLUDING = ("rather than", "sooner than")  # those are told what to write elsewhere
# "replace cars with people": no weights, the first goes and the second comes.
_SWAPPING = {
    "replace": ("with", "by"), "swap": ("for", "with"), "exchange": ("for",), "switch from": ("to",),
    "shift from": ("to",), "change from": ("to",), "shift attention from": ("to",),
    "shift focus from": ("to",), "trade": ("for",),
}  # fmt: skip
_BEFORE = tuple(
    f"{take} {rank} over" for take in ("take", "takes", "have", "has") for rank in ("priority", "precedence")
)
_BEING = (*lexicon.SEEMS, *(f"{modal} be" for modal in lexicon.MODALS))
_SWAPPERS = frozenset(_SWAPPING)
_STANDING = FREE_ENDINGS | {"matter", "matters", "count", "counts"}
_NOTHING = ("there", "here", "now", "before", "usual", "normal", "ever")  # "people over there"


def refuse_comparison(words: list[Word], typed: str) -> None:
    """Raises PromptError for words of which nobody knows how far the second thing is to stand out."""
    words = strip_leading(words, SAID_FIRST)
    swapped = _swapped(words)
    pair = swapped or _preferred(words) or _not_as(words) or _more_than(words)
    if pair is None:
        return
    one, other = (" ".join(word.text for word in strip_leading(each, FILLER)) for each in pair)
    if restoration.camera_of(keys(pair[1])):
        reason = "compares the cameras, which both always have their part: write a wish for one of them"
        raise PromptError(
            f"'{typed}' {reason}, as in 'more contrast in the thermal image'", typed, words[0].start
        )
    if swapped:
        raise PromptError(f"'{typed}' says two things: write '{other}, no {one}'", typed, words[0].start)
    reason = f"compares two things: write '{one}*1.5, {other}*0.5' to weigh them, or '{one}, no {other}'"
    raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def _swapped(words: list[Word]) -> tuple[list[Word], list[Word]] | None:
    size = head(words, _SWAPPERS)
    rest = words[size:] if size else []
    found = find(rest, _SWAPPING[" ".join(keys(words[:size]))]) if rest else None
    return None if found is None else _parts(rest, *found)


def _preferred(words: list[Word]) -> tuple[list[Word], list[Word]] | None:
    size = head(words, _PREFERRING)
    rest = words[size:] if size else []
    preferred = "prefer" in keys(words[:size])
    found = find(rest, (*_OVER, "to") if preferred else _OVER)
    return None if found is None else _parts(rest, *found)


def _more_than(words: list[Word]) -> tuple[list[Word], list[Word]] | None:
    """ "more people than cars", "show people better than cars", "people vs cars"."""
    if versus := find(words, _VERSUS):
        return _parts(words[head(words, WANTING) :], versus[0] - head(words, WANTING), versus[1])
    if first := find(words, _BEFORE):
        return _parts(words[head(words, WANTING) :], first[0] - head(words, WANTING), first[1])
    found = find(words, ("than",))
    denied = head(words, SAYING_NO) and words[0].key not in _LESS  # "less cars than people"
    if found is None or denied or find(words, _EXCLUDING):
        return None
    than = found[0] - (size := head(words, WANTING))
    inner = words[size:]
    said = next((word.key for word in words[: found[0]] if word.key in _MORE), "")
    if not said:
        return None
    more = next((at for at, word in enumerate(inner[:than]) if word.key in _MORE), than)
    one = inner[1:than] if not more else inner[:more]
    one = strip_trailing(strip_trailing(one, _BEING), _STANDING) if one else one
    pair = _parts([*one, *words[found[0] :]], len(one), "than")
    return pair[::-1] if pair is not None and said in _LESS else pair


def _not_as(words: list[Word]) -> tuple[list[Word], list[Word]] | None:
    """ "not as much sky as road": it is the road that is to stand out."""
    size = head(words, _NOT_AS)
    rest = words[size:]
    found = find(rest, ("as",)) if size else None
    pair = None if found is None else _parts(rest, *found)
    return None if pair is None else pair[::-1]


def _parts(words: list[Word], at: int, entry: str) -> tuple[list[Word], list[Word]] | None:
    one, other = words[:at], words[at + entry.count(" ") + 1 :]
    if not one or not other or other[0].key in _NOTHING:
        return None
    return one, other
