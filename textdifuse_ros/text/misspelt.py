"""Typing errors in the words that matter most: "ignroe cars" would let the cars stand out, as a name does.

Two letters swapped, and in longer words one missing or doubled; never one for another, which makes real words
("hide", "side"; "remove", "remote").
"""

from __future__ import annotations

from collections.abc import Iterator

_LONG = 6  # letters: "hid" and "sow" are words
_WORDS = (
    "ignore", "hide", "suppress", "remove", "reduce", "exclude", "darken", "without", "except", "never",
    "not",
    "instead", "show", "keep", "highlight", "emphasise", "emphasize", "denoise", "denoising", "dehaze",
    "deblur",
    "brighten", "brighter", "sharpen", "sharper", "contrast", "noise", "thermal",
)  # fmt: skip
_REAL = frozenset(("emphasis", "denise", "sharpe"))


def _slips(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
        if len(word) >= _LONG:
            yield word[:at] + word[at] + word[at:]
            if at:
                yield word[:at] + word[at + 1 :]


MEANT: dict[str, str] = {
    slip: word for word in _WORDS for slip in _slips(word) if slip != word and slip not in _REAL
}
