"""WordPiece, the tokenizer of BERT: words to the numbers that a sentence encoder reads."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_UNKNOWN, _BEGIN, _END = "[UNK]", "[CLS]", "[SEP]"
_LONGEST_WORD = 100  # characters; a longer one is unknown, as BERT has it
# Chinese and Japanese characters are words of their own.
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))


class WordPiece:
    """A lower-casing, accent-stripping BERT tokenizer over a vocab.txt, one piece a line."""

    def __init__(self, vocabulary: Path) -> None:
        """Raises OSError for a file that cannot be read, KeyError for one without BERT's special pieces."""
        lines = vocabulary.read_text(encoding="utf-8").splitlines()
        self._numbers = {piece: number for number, piece in enumerate(lines)}
        self._unknown, self._begin, self._end = (self._numbers[name] for name in (_UNKNOWN, _BEGIN, _END))

    def __call__(self, text: str, longest: int) -> list[int]:
        """Numbers of the pieces between [CLS] and [SEP], at most `longest` of them altogether."""
        numbers = [number for word in _words(text) for number in self._pieces(word)]
        return [self._begin, *numbers[: longest - 2], self._end]

    def is_word(self, word: str) -> bool:
        """Whether a word in lower case is a piece by itself."""
        return word in self._numbers

    def _pieces(self, word: str) -> list[int]:
        """The longest known piece from the left, again and again; all unknown where one is missing."""
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
        numbers: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self._numbers:
                    numbers.append(self._numbers[piece])
                    start = end
                    break
            else:
                return [self._unknown]
        return numbers


def _words(text: str) -> list[str]:
    """Lower case without accents and control characters; punctuation and ideographs stand alone."""
    plain = unicodedata.normalize("NFD", text.lower())
    spaced = []
    for char in plain:
        kind = unicodedata.category(char)
        if char.isspace():
            spaced.append(" ")
        elif kind in ("Mn", "Cc", "Cf") or char in ("\0", "\ufffd"):
            continue
        elif kind.startswith("P") or _is_ascii_symbol(char) or _is_ideograph(char):
            spaced.append(f" {char} ")
        else:
            spaced.append(char)
    return "".join(spaced).split()


def _is_ascii_symbol(char: str) -> bool:
    return char.isascii() and not char.isalnum() and not char.isspace()


def _is_ideograph(char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in _IDEOGRAPHS)
