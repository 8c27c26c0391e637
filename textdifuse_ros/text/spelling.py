"""Words that nobody writes, close to one that is known: "pedestrains". An encoder takes them for anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_SHORTEST = 4  # letters of a word that is looked at: among shorter ones each is near to many
_LONG = 8  # letters from which two slips are forgiven
_HALF = 4  # letters of each half of a compound, as in "minibikes"
_ENDINGS = (
    ("ies", "y"), ("es", ""), ("s", ""), ("'s", ""), ("s'", ""), ("ing", ""), ("ing", "e"), ("ers", ""),
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+", re.ASCII)


def mended(text: str, names: Collection[str], is_word: Callable[[str], bool]) -> str:
    """The text with such words as they are meant, "" where there are none.

    names: what they may be meant for, in lower case. is_word: whether a language has a word in lower case.
    """
    found = [_meant(word, names, is_word) or word for word in text.split()]
    return " ".join(found) if found != text.split() else ""


def _meant(word: str, names: Collection[str], is_word: Callable[[str], bool]) -> str:
    word = word.casefold()
    if len(word) < _SHORTEST or not _WORD.fullmatch(word):
        return ""

    def known(each: str) -> bool:
        stems = (each.removesuffix(end) + instead for end, instead in _ENDINGS if each.endswith(end))
        return any(stem in names or is_word(stem) for stem in (each, f"{each}s", *stems))

    compound = (known(word[:at]) and known(word[at:]) for at in range(_HALF, len(word) - _HALF + 1))
    if known(word) or any(compound):
        return ""
    slips = 2 if len(word) >= _LONG else 1
    near = sorted(
        (distance(word, name), name)
        for name in names
        if len(name) >= _SHORTEST and abs(len(name) - len(word)) <= slips and name[0] == word[0]
    )
    near += [(distance(word, n), n) for n in names if sorted(n[:2]) == sorted(word[:2]) and n[0] != word[0]]
    best = min(near, default=(slips + 1, ""))
    return best[1] if best[0] <= slips else ""


def distance(one: str, other: str) -> int:
    """How many letters are missing, doubled, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for n, letter in enumerate(one, 1):
        last, before, row = before, row, [n]
        for m, own in enumerate(other, 1):
            cost = min(before[m] + 1, row[m - 1] + 1, before[m - 1] + (letter != own))
            if n > 1 and m > 1 and letter == other[m - 2] and own == one[n - 2]:
                cost = min(cost, last[m - 2] + 1)
            row.append(cost)
    return row[-1]
