"""The prompt language: one line of text to phrases, and back. docs/prompts.md is its reference.

``parse(format_prompt(parse(text))) == parse(text)`` for every text that parses, and ``parse`` raises
nothing but PromptError.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial

from textdifuse_ros.text import complaints, lexicon, restoration, verbs
from textdifuse_ros.text.carried import with_tail
from textdifuse_ros.text.comparisons import refuse_comparison
from textdifuse_ros.text.degrees import off_degree, off_stress
from textdifuse_ros.text.harms import RELATIVE, THERE
from textdifuse_ros.text.impossible import refuse_impossible
from textdifuse_ros.text.lexer import MAX_LENGTH, WEIGHT_DECIMALS, Word, clauses
from textdifuse_ros.text.lists import parts_of
from textdifuse_ros.text.measured import refuse_measured
from textdifuse_ros.text.objects import APART, refuse_all_but, refuse_no_object, refuse_unnamed
from textdifuse_ros.text.phrasing import (
    CALM_ENDINGS,
    CLAUSE_SPLITTERS,
    DEGREES,
    FILLER,
    FREE_ENDINGS,
    OWING_ENDINGS,
    SAID_FIRST,
    SAYING_NO,
    SPLITTERS,
    STATED,
    VERBS,
    WANTED_ENDINGS,
    WANTING,
    ended,
    find,
    framed,
    head,
    keys,
    split,
    stands,
    strip_leading,
    strip_trailing,
    typed,
)
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, Phrase, Prompt, PromptError
from textdifuse_ros.text.shared import refuse_shared_name
from textdifuse_ros.text.unasked import advice, refuse_unasked

__all__ = ["MAX_PHRASES", "Phrase", "Prompt", "PromptError", "format_prompt", "parse"]

MAX_PHRASES = 8
_QUOTED = re.compile(r"(?<!\w)'(.+?)'(?!\w)")  # "don't" holds no mark
_CURT = ("no", "not")
_NOTHING = (FILLER | VERBS) - verbs.NOUNS


def parse(text: str) -> Prompt:
    """Read a prompt. Blank text is the empty prompt. Raises PromptError for what it refuses."""
    try:
        return _parse(text)
    except PromptError as error:
        raise _with_sound_advice(error) from None


def _with_sound_advice(error: PromptError) -> PromptError:
    """The same error; where what it says to write would be refused, too, with what is always right."""
    said, write, advice = error.reason.rpartition("write ")
    for text in _QUOTED.findall(advice) if write else ():
        try:
            _parse(text)
        except PromptError:
            return PromptError(f"{said}{APART}", error.phrase, error.position)
    return error


def _parse(text: str) -> Prompt:
    phrases: list[Phrase] = []
    for part in parts_of(text, clauses(text)):
        phrases.extend(_Reader(text).read(part.words, part.calm))
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
        self._ensured = False  # "make sure the cars are not visible", "I want it dark"

    def read(self, words: list[Word], calm: bool = False) -> list[Phrase]:
        said = typed(self._source, words)
        weight = words[-1].weight
        polite = words[: len(words) - len(strip_leading(words, SAID_FIRST))]
        self._ensured = find(polite, lexicon.ENSURING) is not None
        refuse_impossible(words, said)
        refuse_all_but(words, said)
        refuse_measured(words, said)
        refuse_comparison(words, said)
        made_sure = self._made_sure(words) if self._ensured and not calm else None
        if made_sure is not None:
            return [self._phrase(words, weight, made_sure)]
        if not calm:
            refuse_unasked(words, said)
        if shared := [] if calm else self._shared_wish(words, weight):
            return shared
        inner, suppressed, wish, degree = self._understand(words, calm)
        if wish is not None:
            refuse_impossible(inner, typed(self._source, inner))
            return [self._phrase(inner, _first(weight, inner[-1].weight, degree), wish)]
        pieces = with_tail(split(inner, SPLITTERS), partial(_asked_by, ["remove"]))
        refuse_shared_name(pieces, typed(self._source, inner), suppressed)
        phrases: list[Phrase] = []
        removing = calmed = False
        for piece in pieces:
            own, no, here = piece[-1].weight, suppressed, None
            if len(pieces) > 1:
                piece, no, wish, here = self._understand(piece, suppressed)
            weight_here = _first(own, weight, inner[-1].weight, here, degree)
            self._refuse_nothing(piece, said)
            removing = removing or (wish is not None and restoration.is_removal(keys(piece)))
            no = no or (wish is None and removing and restoration.is_fault(keys(piece)))
            mixed = bool(phrases) and phrases[-1].kind == RESTORATION and suppressed and wish is None
            if mixed and not restoration.is_fault(keys(piece)):  # "no smoke and people"
                self._refuse_either_way(piece)
            if calmed and not no and wish is None and not head(piece, VERBS) and not ended(piece):
                self._refuse_either_way(piece)
            calmed = no and not suppressed
            phrases.append(self._phrase(piece, weight_here, wish, no))
        return phrases

    def _made_sure(self, words: list[Word]) -> restoration.Wish | None:
        return complaints.ensured(keys(strip_leading(words, FILLER)))

    def _shared_wish(self, words: list[Word], weight: float | None) -> list[Phrase]:
        """ "more light and contrast", "leave the colours and the contrast alone": a wish for each of them.

        Empty where the words are no such list.
        """
        words = strip_leading(words, SAID_FIRST)
        for heads, verb in restoration.SHARED:
            size = head(words, heads)
            pieces = (
                [strip_leading(piece, FILLER) for piece in split(words[size:], SPLITTERS)] if size else []
            )
            if len(pieces) < 2:
                continue
            pieces[-1] = strip_trailing(pieces[-1], restoration.UNTOUCHED, once=True)
            asked = partial(_asked_by, verb.split())
            pieces = with_tail(pieces, asked)
            wishes = [asked(keys(piece)) for piece in pieces]
            if all(wishes):
                shared = (weight, pieces[-1][-1].weight)
                return [
                    self._phrase(piece, _first(piece[-1].weight, *shared), wish, verb=verb)
                    for piece, wish in zip(pieces, wishes, strict=True)
                ]
        return []

    def _understand(
        self, words: list[Word], suppressed: bool
    ) -> tuple[list[Word], bool, restoration.Wish | None, float | None]:
        """What `_strip` leaves, and how far it goes where "slightly" or the like says so of an object."""
        inner, calm, wish = self._strip(words, suppressed)
        degree: float | None = None
        if wish is None and (stressed := off_stress(words)):
            shorter, how, place = stressed
            rest, calmed, asked = self._strip(shorter, suppressed)
            if asked is None and rest[-1].end <= place:  # what was stressed is no part of the name
                words, degree, inner, calm = shorter, how, rest, calmed
        while wish is None:
            taken = off_degree(words)
            if taken is None:
                taken = off_degree(inner)
                if taken is None:
                    return inner, calm, None, degree
                suppressed = calm
            words, here = taken
            degree = here if degree is None else degree
            inner, calm, wish = self._strip(words, suppressed)
        return inner, calm, wish, degree

    def _strip(self, words: list[Word], suppressed: bool) -> tuple[list[Word], bool, restoration.Wish | None]:
        """Take directives and filler off both ends until none is left, or a restoration wish is."""
        verb = False
        while True:
            said = strip_trailing(strip_leading(words, SAID_FIRST), lexicon.LAST)
            words = strip_leading(said, FILLER)
            if not suppressed:
                # "a" is no article in "a bit brighter", nor "all" one in "all I see is fog"
                for asked in [said, words] if head(said, DEGREES) or head(said, THERE) else [words]:
                    read = complaints.asked if verb or self._ensured else complaints.understand
                    wish = read(keys(asked))
                    if wish is not None:
                        return asked, suppressed, wish
            before = words
            calmed = self._calmed(words)
            if calmed is not None:
                if suppressed:
                    self._refuse(words, "says no twice: say it once")
                suppressed, words = True, calmed
            elif wanted := framed(words, lexicon.WANTED_FRAMES):
                words = wanted
            elif size := head(words, WANTING):
                words, verb = words[size:], True
            if not words:
                self._refuse(before, "names nothing to keep calm: write 'no sky'")
            shorter = strip_trailing(words, WANTED_ENDINGS if verb else FREE_ENDINGS)
            kept = shorter[-1].key in RELATIVE and not suppressed  # "people who are hard to see"
            words = words if kept else shorter
            if words == before:
                return words, suppressed, None

    def _calmed(self, words: list[Word]) -> list[Word] | None:
        """What is left of words that say what is to keep calm; None where they do not."""
        inner = framed(words, lexicon.CALM_FRAMES)
        if inner is not None:
            self._refuse_two(
                words, any(ended(piece) or stands(piece) for piece in split(inner, SPLITTERS)[:-1])
            )
            return inner
        if (size := head(words, lexicon.NOT_LETTING)) and ended(words, lexicon.DOMINATING):
            return strip_trailing(words[size:], lexicon.DOMINATING, once=True)
        size = 1 if words[0].is_dash else head(words, SAYING_NO)
        if size and size >= head(words, WANTING):  # "I don't want to miss people"
            if framed(words[size - 1 :], lexicon.CALM_FRAMES) is not None:  # "do not make the sky calm"
                self._refuse(words, "says no twice: say it once")
            inner = words[size:]
            if " ".join(keys(words[:size])) in lexicon.CARELESS:
                self._refuse_idle(words, inner)
            two = len(strip_trailing(inner, OWING_ENDINGS)) < len(inner)
            *_, last = split(inner, SPLITTERS) or [inner]
            two = two or (len(last) < len(inner) and ended(last) and not find(last, RELATIVE))
            self._refuse_two(words, two)
            if ended(inner, lexicon.BEING_SEEN) and words[0].key in _CURT and not self._ensured:
                name = typed(self._source, strip_trailing(inner, lexicon.BEING_SEEN))
                self._refuse(words, f"can be meant either way: write '{name}', or 'no {name}'")
            return inner
        rest = strip_trailing(words, CALM_ENDINGS)
        if len(rest) == len(words):
            return None
        if rest[-1].key in RELATIVE:  # "cars that distract me" says which ones
            return None
        if not find(words, lexicon.MODALS):  # "the noise must not be visible" leaves no doubt
            self._refuse_idle(words, rest)
        if (not self._ensured and ended(words, STATED)) or rest[-1].key in lexicon.SEEMS:
            self._refuse_either_way(words, strip_trailing(rest, lexicon.SEEMS))
        pieces = split(rest, SPLITTERS)
        two = head(words, WANTING) > 0 and (len(pieces) > 1 or find(rest, ("with",)) is not None)
        self._refuse_two(words, two or any(map(stands, pieces[:-1])))
        return rest

    def _phrase(
        self,
        words: list[Word],
        weight: float | None,
        wish: restoration.Wish | None,
        suppressed: bool = False,
        verb: str = "",
    ) -> Phrase:
        """verb: what the wish shares with others and is said in front of the first of them alone."""
        for word in words[:-1]:
            if word.weight is not None:
                hint = "write it at the end, as in 'person*1.5'"
                self._refuse(words, f"has its weight in the middle: {hint}", word.end)
        for word in words[1:]:
            if word.is_dash:
                self._refuse(words, "has a dash between its words: separate phrases with commas", word.start)
        if words[-1].key in CLAUSE_SPLITTERS:
            self._refuse(words, f"ends with '{words[-1].text}': name what follows", words[-1].start)
        text = " ".join((*verb.split(), *(word.text for word in words)))
        kind = OBJECT
        if wish is None and suppressed:
            wish = restoration.understand(["no", *keys(words)])
            text = f"no {text}" if wish is not None else text
        if wish is not None:
            refuse_unnamed(wish, words, typed(self._source, words))
            kind, suppressed = RESTORATION, wish.keep
        else:
            said = typed(self._source, words)
            refuse_no_object(words, said, suppressed)
            refuse_impossible(words, said, suppressed)
        weight = 1.0 if weight is None else weight
        return Phrase(text, weight, suppressed, kind, words[0].start, words[-1].end, wish)

    def _refuse_nothing(self, words: list[Word], said: str) -> None:
        start = words[0].start
        if " ".join(keys(words)) in _NOTHING or words[0].is_dash:
            raise PromptError(f"'{said}' names nothing: name an object, as in 'warm objects'", said, start)
        if not any(unicodedata.category(char) in _LETTERS for word in words for char in word.text):
            hint = "name an object, as in 'warm objects'; decimals take a point, as in 'person*1.5'"
            raise PromptError(f"'{said}' has no word in it: {hint}", said, start)

    def _refuse_either_way(self, words: list[Word], named: list[Word] | None = None) -> None:
        """ "keep the road calm and the sky". named: what they are said of, all of them without it."""
        name = typed(self._source, named or words)
        self._refuse(words, f"can be meant either way: write 'no {name}' to keep it calm, or 'show {name}'")

    def _refuse_idle(self, words: list[Word], what: list[Word]) -> None:
        """ "the noise does not matter": is it to go, or to stay?"""
        spoken = keys(strip_leading(what, FILLER))
        wish = restoration.understand(["remove", *spoken]) if restoration.is_fault(spoken) else None
        if wish is not None:
            self._refuse(words, f"can be meant either way: {advice(wish)}")

    def _refuse_two(self, words: list[Word], two: bool) -> None:
        """ "hide the sky and the cars should stand out"."""
        if two:
            self._refuse(words, "says two things: write them apart, as in 'people, no cars'")

    def _refuse(self, words: list[Word], what: str, position: int = -1) -> None:
        said = typed(self._source, words)
        raise PromptError(f"'{said}' {what}", said, position if position >= 0 else words[0].start)


def _asked_by(verb: list[str], spoken: list[str]) -> restoration.Wish | None:
    return restoration.understand([*verb, *spoken])


def _first(*weights: float | None) -> float | None:
    return next((each for each in weights if each is not None), None)


_LETTERS = ("Lu", "Ll", "Lt", "Lm", "Lo", "So")


def _refuse_contradictions(phrases: list[Phrase]) -> None:
    seen: dict[tuple[str, str], bool] = {}
    for phrase in phrases:
        key = (phrase.kind, phrase.text.casefold())
        if seen.setdefault(key, phrase.suppressed) != phrase.suppressed:
            reason = f"'{phrase.text}' is asked for and suppressed at once: say one"
            raise PromptError(reason, phrase.text, phrase.start)
