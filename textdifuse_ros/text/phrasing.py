"""How the words of a clause are held against the tables of the language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from textdifuse_ros.text import complaints, lexicon, restoration
from textdifuse_ros.text.lexer import Word

SPLITTERS = ("and", "or", "plus", "&", "nor")
CLAUSE_SPLITTERS = (*SPLITTERS, "but", "while", "yet", "then")
SAID_FIRST = frozenset(lexicon.POLITE + lexicon.CONJUNCTIONS)  # in front of a degree: "please a bit brighter"
FILLER = SAID_FIRST | frozenset(lexicon.ARTICLES)
VERBS = frozenset(lexicon.WANTING + lexicon.SAYING_NO + tuple(lexicon.CALM_FRAMES))
_LEADING = VERBS | frozenset(restoration.KEEPERS + restoration.REFUSERS)
DEGREES = frozenset(restoration.DEGREES)
SAYING_NO = frozenset(lexicon.SAYING_NO)
WANTING = frozenset(lexicon.WANTING)
CALM_ENDINGS = frozenset(lexicon.CALM_ENDINGS)
STATED = frozenset(lexicon.STATED)
WANTED_ENDINGS = frozenset(lexicon.WANTED_ENDINGS)
FREE_ENDINGS = frozenset(lexicon.FREE_ENDINGS)
OWING_ENDINGS = frozenset(lexicon.OWING_ENDINGS)
Table = Sequence[str] | frozenset[str] | Mapping[str, float]
_ENDINGS: Table = WANTED_ENDINGS | CALM_ENDINGS
LONGEST = 6  # words of the longest table entry


def typed(source: str, words: Sequence[Word]) -> str:
    """The words as they stand in the prompt, with single spaces."""
    return " ".join(source[words[0].start : words[-1].end].split())


def keys(words: Sequence[Word]) -> list[str]:
    return [word.key for word in words]


def head(words: Sequence[Word], table: Table, alone: bool = False) -> int:
    """How many words the longest entry takes at the front; 0 where none fits or it would take all of them."""
    for size in range(min(LONGEST, len(words) if alone else len(words) - 1), 0, -1):
        if " ".join(keys(words[:size])) in table:
            return size
    return 0


def strip_leading(words: list[Word], table: Table) -> list[Word]:
    while size := head(words, table):
        words = words[size:]
    return words


def strip_trailing(words: list[Word], table: Table, once: bool = False) -> list[Word]:
    while True:
        for size in range(min(LONGEST, len(words) - 1), 0, -1):
            if " ".join(keys(words[-size:])) in table:
                words = words[:-size]
                break
        else:
            return words
        if once:
            return words


def framed(words: list[Word], frames: Mapping[str, tuple[str, ...]]) -> list[Word] | None:
    """ "keep the sky calm" -> "the sky"; None where the words are no such frame."""
    endings = frames.get(words[0].key, ())
    inner = strip_trailing(words[1:], endings, once=True)
    return inner if len(inner) < len(words) - 1 else None


def find(words: Sequence[Word], table: Iterable[str]) -> tuple[int, str] | None:
    """Where the first entry of a table stands, and which it is."""
    for index in range(len(words)):
        for entry in table:
            if keys(words[index : index + entry.count(" ") + 1]) == entry.split():
                return index, entry
    return None


def split(words: list[Word], at: tuple[str, ...], before_directive: bool = False) -> list[list[Word]]:
    """Split at conjunctions (those in front of a directive only, if so asked) and in front of ' -word'."""
    parts: list[list[Word]] = [[]]
    for index, word in enumerate(words):
        rest = words[index + 1 :]
        if word.is_dash and parts[-1] and rest and rest[0].start == word.end and before_directive:
            parts.append([word])
            continue
        joins = word.key in at and parts[-1] and rest and not _inseparable(parts[-1][-1], rest)
        if joins and (not before_directive or _directed(rest) or _tells_apart(parts[-1], rest)):
            parts.append([])
            continue
        parts[-1].append(word)
    return [part for part in parts if part]


def _directed(words: list[Word]) -> bool:
    """Whether a directive or a wish begins here. "clear sky" is neither."""
    if words[0].is_dash or head(words, _LEADING, alone=True):
        return True
    words = strip_leading(words[head(words, DEGREES) :], FILLER)
    wish = list(takewhile(lambda word: word.key not in CLAUSE_SPLITTERS, words))
    wish = strip_trailing(wish, lexicon.POLITE)
    return head(words, VERBS) > 0 or complaints.understand(keys(wish)) is not None


def _tells_apart(before: list[Word], rest: list[Word]) -> bool:
    """ "people stand out" and "the sky calm"; not "hide what stands out and the cars that stand out".

    And "people are too blurry" and "dark", which is what they are, too.
    """
    if complaints.is_like(keys(rest)):
        return complaints.understand(keys(strip_leading(before, FILLER))) is not None
    return ended(before) and ended(rest) and not head(before, SAYING_NO)


def ended(words: list[Word], endings: Table = _ENDINGS) -> bool:
    """Whether words say at their end what is to happen to what they name."""
    return len(strip_trailing(words, endings, once=True)) < len(words)


def stands(words: list[Word]) -> bool:
    """Whether words end with how a thing is that stands out, in other words than an ending's: "people up"."""
    return len(words) > 1 and words[-1].key in lexicon.STANDING


def _inseparable(before: Word, rest: list[Word]) -> bool:
    return (before.key, rest[0].key) in lexicon.INSEPARABLE
