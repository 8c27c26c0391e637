"""Words whose first or last part turns their meaning round: "non-people", "car-free", "heatless"."""

from __future__ import annotations

import re

from textdifuse_ros.text import restoration, things
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.lexicon import DASHES

_HOT = frozenset(("hot", "warm", "heat", "heated", "warmth", "warmed"))
_COLD = frozenset(("cold", "cool", "cooled", "chilled"))
# Only these: "anti-aircraft gun", "wireless mast" and "homeless person" are names of what they seem to lack.
_THINGS = frozenset((*things.ONE, *things.SEVERAL))
_KNOWN = _HOT | _COLD | _THINGS
_ALSO = frozenset(("child", "children", "object", "objects"))  # but a childless couple is one
_DASH = f"[{re.escape(DASHES)}]"
_PREFIXED = re.compile(rf"(?:non|no|un|anti){_DASH}?(.+)")
_FREE = re.compile(rf"(.+?){_DASH}?free")
_LESS = re.compile(rf"(.+?){_DASH}?less")


def turned_by_affix(words: list[Word], suppressed: bool) -> str:
    """What is wrong with a phrase that holds such a word, with what to type; "" where none does."""
    for word in words:
        root = _root(word.key)
        if root:
            return f"holds '{word.text}', which turns its meaning round: {_mend(root, suppressed)}"
    return ""


def is_turned(word: str) -> bool:
    """Whether a word names what it says is not there."""
    return bool(_root(word))


def _root(key: str) -> str:
    """What the word says that is not there, "" where it is a name."""
    if (found := _PREFIXED.fullmatch(key)) and found[1] in _KNOWN | _ALSO:
        return found[1]
    for pattern, more in ((_FREE, _ALSO), (_LESS, frozenset[str]())):
        found = pattern.fullmatch(key)
        if found and (found[1] in _KNOWN | more or restoration.is_fault([found[1]])):
            return found[1]
    return ""


def _mend(root: str, suppressed: bool) -> str:
    if restoration.is_fault([root]):
        return f"write 'remove the {root}', or 'keep the {root}'"
    for these, one, other in (
        (_HOT, "warm objects", "cold objects"),
        (_COLD, "cold objects", "warm objects"),
    ):
        if root in these:
            return f"write '{one}'" if suppressed else f"write 'no {one}', or '{other}'"
    return f"write '{root}'" if suppressed else f"write 'no {root}'"
