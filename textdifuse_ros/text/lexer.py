"""Prompt text to clauses of words: characters, separators, weights. Every error has an exact position."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from textdifuse_ros.text.lexicon import DASHES, SPELLINGS
from textdifuse_ros.text.misspelt import MEANT
from textdifuse_ros.text.prompt import PromptError

MAX_LENGTH = 512
MAX_WEIGHT = 2.0
WEIGHT_DECIMALS = 6

_SEPARATOR = re.compile(r"[,;]|[.!?\u2026]+(?=\s|$)")
_WORD = re.compile(r"[^\s*]+")
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_APOSTROPHES = "'\u2019\u02bc"
_JOINERS = "\u200c\u200d"  # inside emoji and some scripts; every other invisible character is refused
_HINTS = {
    ":": "write a weight as 'person*1.5' and separate phrases with commas",
    "[": "separate phrases with commas, without brackets",
    "{": "separate phrases with commas, without braces",
    "(": "write a weight as 'person*1.5', without parentheses",
    '"': "leave the quotation marks out of the prompt itself",
    "/": "separate phrases with commas",
    "|": "separate phrases with commas",
    "+": "write a weight as 'person*1.5' and separate phrases with commas",
    "=": "write a weight as 'person*1.5'",
    "%": "write a weight as 'person*1.5'",
    "#": "leave it out",
    "_": "write a space between words",
    ".": "a full stop only ends a sentence",
    "-": "a dash stands inside a word, or right in front of one that must stay calm",
}
_HINTS.update({"]": _HINTS["["], "}": _HINTS["{"], ")": _HINTS["("], "\\": _HINTS["/"], "'": _HINTS['"']})


@dataclass(frozen=True)
class Word:
    """One word: as typed, its key for look-ups (case folded, straight apostrophes), its place, its weight."""

    text: str
    key: str
    start: int
    end: int
    weight: float | None = None

    @property
    def is_dash(self) -> bool:
        return self.key == "-"


def clauses(source: str) -> list[list[Word]]:
    """Split a prompt at its separators. A blank prompt has no clauses.

    Raises PromptError for anything that no prompt may contain, and for an empty clause.
    """
    _check_text(source)
    if not source.strip():
        return []
    found: list[list[Word]] = []
    start = 0
    for mark in [*_SEPARATOR.finditer(source), None]:
        end = len(source) if mark is None else mark.start()
        words = list(_words(source, start, end))
        if words:
            found.append(words)
        elif not _may_be_empty(source, start, mark):
            where = end if mark is not None else max(start - 1, 0)
            hint = f"take the extra '{source[where]}' out"
            raise PromptError(f"phrase {len(found) + 1} is empty: {hint}", "", where)
        start = end if mark is None else mark.end()
    return found


def _may_be_empty(source: str, start: int, mark: re.Match[str] | None) -> bool:
    """Nothing needs to follow the end of a sentence; a comma needs a phrase on both sides."""
    return mark is None and source[:start].rstrip().endswith((".", "!", "?", "\u2026"))


def _check_text(source: str) -> None:
    if not isinstance(source, str):
        raise PromptError(f"a prompt is one line of text, not of type {type(source).__name__}")
    for position, char in enumerate(source):
        category = unicodedata.category(char)
        if char in "\n\r" or category in ("Zl", "Zp"):
            raise PromptError("a prompt is one line: take the line break out", "", position)
        if category == "Cc" or category == "Cs" or (category == "Cf" and char not in _JOINERS):
            name = unicodedata.name(char, "control character").lower()
            raise PromptError(f"U+{ord(char):04X} ({name}) cannot be in a prompt: take it out", "", position)
    if len(source) > MAX_LENGTH:
        raise PromptError(
            f"a prompt has at most {MAX_LENGTH} characters and this one has {len(source)}: name fewer things",
            "", MAX_LENGTH,
        )  # fmt: skip


def _words(source: str, start: int, end: int) -> Iterator[Word]:
    """The words of one clause, each with the weight that stands behind it."""
    position = start
    while (match := _WORD.search(source, position, end)) is not None:
        _refuse_star(source, position, match.start())
        position = match.end()
        text_start = match.start()
        if match[0][0] in DASHES:
            yield Word(match[0][0], "-", text_start, text_start + 1)
            text_start += 1
        if text_start < match.end():
            weight, position = _weight(source, position, end)
            text = source[text_start : match.end()]
            yield Word(text, _key(text, text_start), text_start, match.end(), weight)
    _refuse_star(source, position, end)


def _refuse_star(source: str, start: int, end: int) -> None:
    star = source.find("*", start, end)
    if star >= 0:
        raise PromptError("a weight follows a phrase, as in 'person*1.5'", "*", star)


def _weight(source: str, position: int, end: int) -> tuple[float | None, int]:
    """A weight behind position: (weight or None, where to read on)."""
    star = position
    while star < end and source[star].isspace():
        star += 1
    if star >= end or source[star] != "*":
        return None, position
    word = _WORD.search(source, star + 1, end)
    gap_end = word.start() if word else end
    if word is None or "*" in source[star + 1 : gap_end]:
        raise PromptError("a number from 0 to 2 must follow '*', as in 'person*1.5'", "*", star)
    if _NUMBER.fullmatch(word[0]) is None:
        reason = f"'{word[0]}' is not a weight: write a number from 0 to 2, as in 'person*1.5'"
        raise PromptError(reason, word[0], word.start())
    weight = round(float(word[0]), WEIGHT_DECIMALS)
    if weight > MAX_WEIGHT:
        raise PromptError(f"a weight goes from 0 to 2 and this one is {word[0]}", word[0], word.start())
    return weight, word.end()


def _key(text: str, start: int) -> str:
    for offset, char in enumerate(text):
        inner = 0 < offset < len(text) - 1
        if not _is_word_character(char, inner, text):
            hint = _HINTS.get(char, "phrases hold words, separated by commas")
            if _NUMBER.fullmatch(text):
                hint = _HINTS["="]
            raise PromptError(f"'{char}' cannot be in a phrase: {hint}", text, start + offset)
    key = unicodedata.normalize("NFC", text).casefold()
    for char in _APOSTROPHES:
        key = key.replace(char, "'")
    return SPELLINGS.get(key) or MEANT.get(key, key)


def _is_word_character(char: str, inner: bool, text: str) -> bool:
    if char in _APOSTROPHES:
        return inner or text.casefold().endswith(f"s{char}")  # "people's", "cars'"
    if char in DASHES:
        return inner
    if char == "&":
        return text == "&"
    category = unicodedata.category(char)
    return category[0] in "LMN" or category in ("So", "Sk") or char in _JOINERS
