"""The prompt language: one line of text to phrases, and back. docs/prompts.md is its reference.

``parse(format_prompt(parse(text))) == parse(text)`` for every text that parses, and ``parse`` raises
nothing but PromptError.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from textdifuse_ros.text import lexicon, restoration
from textdifuse_ros.text.lexer import MAX_LENGTH, WEIGHT_DECIMALS, Word, clauses
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, Phrase, Prompt, PromptError

__all__ = ["MAX_PHRASES", "Phrase", "Prompt", "PromptError", "format_prompt", "parse"]

MAX_PHRASES = 8
_SPLITTERS = ("and", "or", "plus", "&", "nor")
_CLAUSE_SPLITTERS = (*_SPLITTERS, "but", "while", "yet", "then")
_FILLER = frozenset(lexicon.POLITE + lexicon.CONJUNCTIONS + lexicon.ARTICLES)
_DIRECTIVES = frozenset(
    lexicon.WANTED
    + lexicon.SUPPRESSED
    + tuple(lexicon.CALM_FRAMES)
    + restoration.REMOVERS
    + restoration.KEEPERS
    + restoration.REFUSERS
    + tuple(restoration.VERBS)
    + tuple(restoration.WISHES)
    + tuple(restoration.DEGREES)
)
# Endings that need no verb in front: "the pedestrians must stand out".
_FREE_ENDINGS = tuple(e for e in lexicon.WANTED_ENDINGS if "stand" in e or e.split()[0] in ("should", "must"))
_NOTHING = _FILLER | frozenset(lexicon.WANTED + lexicon.SUPPRESSED + tuple(lexicon.CALM_FRAMES))
_LONGEST = 5  # words of the longest table entry


def parse(text: str) -> Prompt:
    """Read a prompt. Blank text is the empty prompt. Raises PromptError for what it refuses."""
    phrases: list[Phrase] = []
    for clause in clauses(text):
        for part in _split(clause, _CLAUSE_SPLITTERS, before_directive=True):
            phrases.extend(_Reader(text).read(part))
            if len(phrases) > MAX_PHRASES:
                extra = phrases[MAX_PHRASES]
                raise PromptError(f"a prompt has at most {MAX_PHRASES} phrases", extra.text, extra.start)
    _refuse_contradictions(phrases)
    prompt = Prompt(text, tuple(phrases))
    if len(format_prompt(prompt)) > MAX_LENGTH:
        raise PromptError(f"written out, the prompt has more than {MAX_LENGTH} characters: name fewer things")
    return prompt


def format_prompt(prompt: Prompt) -> str:
    """The prompt in its plainest spelling: ``person*1.5, no sky``."""
    return ", ".join(_format_phrase(phrase) for phrase in prompt.phrases)


def _format_phrase(phrase: Phrase) -> str:
    no = "no " if phrase.suppressed and phrase.kind == OBJECT else ""
    if phrase.weight == 1.0:
        return no + phrase.text
    weight = f"{phrase.weight:.{WEIGHT_DECIMALS}f}".rstrip("0").rstrip(".")
    return f"{no}{phrase.text}*{weight}"


class _Reader:
    """Reads the phrases of one clause: takes directive and filler words off, and remembers what they said."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, words: list[Word]) -> list[Phrase]:
        typed = self._typed(words)
        weight = words[-1].weight
        inner, suppressed, wish = self._strip(words, suppressed=False)
        if wish is not None:
            return [self._phrase(inner, inner[-1].weight if weight is None else weight, wish)]
        pieces = list(_split(inner, _SPLITTERS))
        phrases = []
        for piece in pieces:
            own = piece[-1].weight
            piece, no, wish = self._strip(piece, suppressed) if len(pieces) > 1 else (piece, suppressed, wish)
            weight_here = own if own is not None else (weight if weight is not None else inner[-1].weight)
            self._refuse_nothing(piece, typed)
            phrases.append(self._phrase(piece, weight_here, wish, no))
        return phrases

    def _strip(self, words: list[Word], suppressed: bool) -> tuple[list[Word], bool, restoration.Wish | None]:
        """Take directives and filler off both ends until none is left, or a restoration wish is."""
        verb = False
        while True:
            words = _strip_leading(words, _FILLER)
            words = _strip_trailing(words, lexicon.POLITE)
            wish = None if suppressed else restoration.understand(_keys(words))
            if wish is not None:
                return words, suppressed, wish
            before = words
            framed = _calm_frame(words)
            head = _head(words, lexicon.SUPPRESSED)
            if framed is not None or head or words[0].is_dash:
                if suppressed:
                    self._refuse(words, "says no twice: say it once")
                suppressed = True
                words = framed if framed is not None else words[max(head, 1) :]
            elif head := _head(words, lexicon.WANTED):
                words, verb = words[head:], True
            if not words:
                self._refuse(before, "names nothing to keep calm: write 'no sky'")
            words = _strip_trailing(words, lexicon.WANTED_ENDINGS if verb else _FREE_ENDINGS)
            if words == before:
                return words, suppressed, None

    def _phrase(
        self, words: list[Word], weight: float | None, wish: restoration.Wish | None, suppressed: bool = False
    ) -> Phrase:
        for word in words[:-1]:
            if word.weight is not None:
                hint = "write it at the end, as in 'person*1.5'"
                self._refuse(words, f"has its weight in the middle: {hint}", word.end)
        for word in words[1:]:
            if word.is_dash:
                self._refuse(words, "has a dash between its words: separate phrases with commas", word.start)
        if words[-1].key in _CLAUSE_SPLITTERS:
            self._refuse(words, f"ends with '{words[-1].text}': name what follows", words[-1].start)
        text = " ".join(word.text for word in words)
        kind = OBJECT
        if wish is None and suppressed:
            wish = restoration.understand(["no", *_keys(words)])
            text = f"no {text}" if wish is not None else text
        if wish is not None:
            kind, suppressed = RESTORATION, wish.keep
        weight = 1.0 if weight is None else weight
        return Phrase(text, weight, suppressed, kind, words[0].start, words[-1].end, wish)

    def _refuse_nothing(self, words: list[Word], typed: str) -> None:
        start = words[0].start
        if " ".join(_keys(words)) in _NOTHING or words[0].is_dash:
            raise PromptError(f"'{typed}' names nothing: name an object, as in 'warm objects'", typed, start)
        if not any(unicodedata.category(char) in _LETTERS for word in words for char in word.text):
            hint = "name an object, as in 'warm objects'; decimals take a point, as in 'person*1.5'"
            raise PromptError(f"'{typed}' has no word in it: {hint}", typed, start)

    def _refuse(self, words: list[Word], what: str, position: int = -1) -> None:
        typed = self._typed(words)
        raise PromptError(f"'{typed}' {what}", typed, position if position >= 0 else words[0].start)

    def _typed(self, words: Sequence[Word]) -> str:
        return " ".join(self._source[words[0].start : words[-1].end].split())


_LETTERS = ("Lu", "Ll", "Lt", "Lm", "Lo", "So")


def _split(words: list[Word], at: tuple[str, ...], before_directive: bool = False) -> list[list[Word]]:
    """Split at conjunctions (those in front of a directive only, if so asked) and in front of ' -word'."""
    parts: list[list[Word]] = [[]]
    for index, word in enumerate(words):
        rest = words[index + 1 :]
        if word.is_dash and parts[-1] and rest and rest[0].start == word.end and before_directive:
            parts.append([word])
            continue
        joins = word.key in at and parts[-1] and rest and not _inseparable(parts[-1][-1], rest)
        if joins and (not before_directive or rest[0].is_dash or _head(rest, _DIRECTIVES, alone=True)):
            parts.append([])
            continue
        parts[-1].append(word)
    return [part for part in parts if part]


def _inseparable(before: Word, rest: list[Word]) -> bool:
    return (before.key, rest[0].key) in lexicon.INSEPARABLE


def _calm_frame(words: list[Word]) -> list[Word] | None:
    """ "keep the sky calm" -> "the sky"; None where the words are no such frame."""
    endings = lexicon.CALM_FRAMES.get(words[0].key, ())
    inner = _strip_trailing(words[1:], endings, once=True)
    return inner if len(inner) < len(words) - 1 else None


def _keys(words: Sequence[Word]) -> list[str]:
    return [word.key for word in words]


def _head(words: Sequence[Word], table: Sequence[str] | frozenset[str], alone: bool = False) -> int:
    """How many words the longest entry takes at the front; 0 where none fits or it would take all of them."""
    for size in range(min(_LONGEST, len(words) if alone else len(words) - 1), 0, -1):
        if " ".join(_keys(words[:size])) in table:
            return size
    return 0


def _strip_leading(words: list[Word], table: frozenset[str]) -> list[Word]:
    while size := _head(words, table):
        words = words[size:]
    return words


def _strip_trailing(words: list[Word], table: Sequence[str], once: bool = False) -> list[Word]:
    while True:
        for size in range(min(_LONGEST, len(words) - 1), 0, -1):
            if " ".join(_keys(words[-size:])) in table:
                words = words[:-size]
                break
        else:
            return words
        if once:
            return words


def _refuse_contradictions(phrases: list[Phrase]) -> None:
    seen: dict[tuple[str, str], bool] = {}
    for phrase in phrases:
        key = (phrase.kind, phrase.text.casefold())
        if seen.setdefault(key, phrase.suppressed) != phrase.suppressed:
            reason = f"'{phrase.text}' is asked for and suppressed at once: say one"
            raise PromptError(reason, phrase.text, phrase.start)
