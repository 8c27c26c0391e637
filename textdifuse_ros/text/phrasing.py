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
_TURNS_DEGREES = (
    "too",
    "so",
    "not",
    "as",
    "how",
    "that",
    "never",
    "nor",
    "no",
    "at",
    "the",
    "before",
)  # "too much"
# Degrees of what is to stand out alone: in front of it, and behind.
_EMPHASES = {
    "especially": 1.5, "particularly": 1.5, "in particular": 1.5, "above all": 1.5, "most of all": 1.5,
    "most importantly": 1.5,
}  # fmt: skip
# In front of how a thing is to be: "very visible", "really stand out".
_STRESSES = {
    **restoration.DEGREES, "very": 1.5, "really": 1.5, "highly": 1.5, "truly": 1.5, "super": 1.5,
    "extremely": 2.0, "absolutely": 2.0, "totally": 2.0,
}  # fmt: skip
_RANKS = {
    **_EMPHASES,
    "first": 1.5,
    "first of all": 1.5,
    "most": 1.5,
    "the most": 1.5,
    "least": 0.5,
    "the least": 0.5,
    "as much as possible": 2.0,
}
_EMPHASIS, _STRESS = frozenset(_EMPHASES), frozenset(_STRESSES)
_CLOSING = {**restoration.DEGREES, **_RANKS}
Table = Sequence[str] | frozenset[str]
_ENDINGS: Table = WANTED_ENDINGS | CALM_ENDINGS
_LONGEST = 6  # words of the longest table entry


def typed(source: str, words: Sequence[Word]) -> str:
    """The words as they stand in the prompt, with single spaces."""
    return " ".join(source[words[0].start : words[-1].end].split())


def keys(words: Sequence[Word]) -> list[str]:
    return [word.key for word in words]


def head(words: Sequence[Word], table: Table, alone: bool = False) -> int:
    """How many words the longest entry takes at the front; 0 where none fits or it would take all of them."""
    for size in range(min(_LONGEST, len(words) if alone else len(words) - 1), 0, -1):
        if " ".join(keys(words[:size])) in table:
            return size
    return 0


def strip_leading(words: list[Word], table: Table) -> list[Word]:
    while size := head(words, table):
        words = words[size:]
    return words


def strip_trailing(words: list[Word], table: Table, once: bool = False) -> list[Word]:
    while True:
        for size in range(min(_LONGEST, len(words) - 1), 0, -1):
            if " ".join(keys(words[-size:])) in table:
                words = words[:-size]
                break
        else:
            return words
        if once:
            return words


def off_degree(words: list[Word]) -> tuple[list[Word], float] | None:
    """The words without the degree that leads or ends them, and how far that is; None where there is none."""
    return _led_by_degree(words) or _closed_by_degree(words)


def off_stress(words: list[Word]) -> tuple[list[Word], float, int] | None:
    """ "make people very visible" -> "make people visible", 1.5 and where "very" stood; None without one."""
    for size in range(min(_LONGEST, len(words) - 2), 0, -1):
        front, state = words[:-size], words[-size:]
        if " ".join(keys(state)) not in lexicon.STATES:
            continue
        for length in range(min(_LONGEST, len(front) - 1), 0, -1):
            how = _STRESSES.get(" ".join(keys(front[-length:])))
            if how is not None:
                return [*front[:-length], *state], how, front[-length].start
    return None


def _led_by_degree(words: list[Word]) -> tuple[list[Word], float] | None:
    """ "slightly calm the sky" -> "calm the sky", 0.5; None where no degree leads a directive."""
    for table in (SAID_FIRST, FILLER):  # "a" is no article in "a bit"
        inner = strip_leading(words, table)
        size = head(inner, _STRESS)
        if size and head(inner[size:], VERBS):
            return inner[size:], _STRESSES[" ".join(keys(inner[:size]))]
        if size := head(inner, _EMPHASIS):
            return inner[size:], _EMPHASES[" ".join(keys(inner[:size]))]
    return None


def _closed_by_degree(words: list[Word]) -> tuple[list[Word], float] | None:
    """ "the sky calm a bit" -> "the sky calm", 0.5; None where the words end with no degree."""
    for size in range(min(_LONGEST, len(words) - 1), 0, -1):
        degree = _CLOSING.get(" ".join(keys(words[-size:])))
        if degree is not None and words[-size - 1].key not in _TURNS_DEGREES:
            return words[:-size], degree
    return None


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
    """ "people stand out" and "the sky calm"; not "hide what stands out and the cars that stand out"."""
    return ended(before) and ended(rest) and not head(before, SAYING_NO)


def ended(words: list[Word], endings: Table = _ENDINGS) -> bool:
    """Whether words say at their end what is to happen to what they name."""
    return len(strip_trailing(words, endings, once=True)) < len(words)


def _inseparable(before: Word, rest: list[Word]) -> bool:
    return (before.key, rest[0].key) in lexicon.INSEPARABLE
