"""Properties of the prompt grammar on many random lines, from plausible to hostile."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdifuse_ros.text import faults, lexicon, restoration
from textdifuse_ros.text.grammar import MAX_PHRASES, format_prompt, parse
from textdifuse_ros.text.heat import HeatLocaliser
from textdifuse_ros.text.lexer import MAX_LENGTH, MAX_WEIGHT
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, Prompt, PromptError
from textdifuse_ros.text.wishes import compile_prompt

_THINGS = [
    "person", "warm objects", "sky", "parked cars", "black and white", "Straße", "İstanbul", "人", "🚗",
    "people's",
]  # fmt: skip
# Of every kind as many words as of another, however long its table is.
_KINDS: list[list[str]] = [
    [*lexicon.POLITE], [*lexicon.CONJUNCTIONS, *lexicon.ARTICLES], [*lexicon.WANTED],
    [*lexicon.WANTED_ENDINGS], [*lexicon.SUPPRESSED], [*lexicon.CALM_FRAMES],
    [end for row in lexicon.CALM_FRAMES.values() for end in row],
    [*faults.NOUNS], [*faults.VERBS, *faults.WISHES, *faults.KEEPS],
    [*restoration.REMOVERS, *restoration.REFUSERS], [*restoration.DEGREES],
    [*restoration.IMAGE_WORDS, *restoration.PREPOSITIONS],
    _THINGS, _THINGS,  # most phrases have one
]  # fmt: skip
# What lists, negations and two-sided sentences are made of: few words, so that they meet often.
_EVERYDAY = [
    *["person", "sky", "cars"] * 5, "haze", "noise", "colours", "thermal", "rgb", "image", "and", "or", "nor",
    "hide", "keep", "make", "let", "leave", "put", "calm", "alone", "the", "a bit", "less", "no", "not",
    "do not", "stop", "should", "be", "visible", "stand out", "darker", "brighter", "remove", "more contrast",
    "in", "in the background", "please", "but", "except", "everything but",
]  # fmt: skip
_COMPARING = [
    "very", "really", "extremely", "especially", "above all", "first", "most", "least", "more", "than",
    "over", "prefer", "to", "as much as possible",
]  # fmt: skip
_LONG_WINDED = [
    *_KINDS, _EVERYDAY, _EVERYDAY, [*lexicon.NEGATED], [*lexicon.CALM_ENDINGS], [*lexicon.TURNING],
    _COMPARING,
]  # fmt: skip
_GLUE = [
    *[" "] * 30, *[", "] * 8, "*0.25, ", " -sky, ", "  ", ",", "*1.5 ", "*0", "* 2", "*", " -", "-", ". ",
    "! ", ";", " and ", " but ", "'",
]  # fmt: skip


def _plausible(rng: random.Random, kinds: list[list[str]] = _KINDS) -> str:
    words = (rng.choice(rng.choice(kinds)) + rng.choice(_GLUE) for _ in range(rng.randint(1, 8)))
    return "".join(words).rstrip(" ,") if rng.random() < 0.8 else "".join(words)


def _hostile(rng: random.Random) -> str:
    alphabet = "ab ,*-.!;:'\"[]{}()1 5\t\n\0\u00a0\u200d\u202e\u2028\u00df\u0301\ud800\U0001f697éЖ漢٣\\/%&"
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, 40)))


def _any_character(rng: random.Random) -> str:
    return "".join(chr(rng.randrange(sys.maxunicode + 1)) for _ in range(rng.randint(0, 20)))


def _check(text: str) -> Prompt | None:
    """Parse, and check everything that holds for every line; None where it is refused."""
    try:
        prompt = parse(text)
    except PromptError as error:
        assert error.reason and error.reason[-1] not in ".!", text
        assert "\n" not in error.reason
        assert -1 <= error.position <= len(text)
        return None
    assert prompt.source == text
    assert len(prompt.phrases) <= MAX_PHRASES
    for phrase in prompt.phrases:
        assert 0.0 <= phrase.weight <= MAX_WEIGHT
        assert phrase.kind in (OBJECT, RESTORATION)
        assert 0 <= phrase.start < phrase.end <= len(text)
        if phrase.kind == OBJECT:
            assert " ".join(text[phrase.start : phrase.end].split()) == phrase.text
    printed = format_prompt(prompt)
    assert len(printed) <= MAX_LENGTH
    again = parse(printed)
    assert again == prompt, f"{text!r} prints as {printed!r}"
    assert format_prompt(again) == printed
    return prompt


def test_twelve_thousand_random_lines_parse_or_raise_prompt_error_only() -> None:
    rng = random.Random(20241)
    makers = [_plausible] * 8 + [_hostile, _any_character]
    parsed = sum(_check(rng.choice(makers)(rng)) is not None for _ in range(12_000))
    assert parsed > 2_000, "too few of the random lines parse for the round trip to mean something"


@pytest.mark.parametrize(("kinds", "least"), [([_EVERYDAY], 750), (_LONG_WINDED, 500)])
def test_lists_and_negations_parse_or_raise_prompt_error_only(kinds: list[list[str]], least: int) -> None:
    rng = random.Random(11)
    assert sum(_check(_plausible(rng, kinds)) is not None for _ in range(5_000)) > least


def test_random_lines_beyond_the_limits_are_refused_and_never_cut_short() -> None:
    rng = random.Random(31)
    for _ in range(500):
        line = ""
        while len(line) <= MAX_LENGTH:
            line += _plausible(rng) + ", "
        with pytest.raises(PromptError) as too_long:
            parse(line)
        assert too_long.value.reason.startswith(f"a prompt has at most {MAX_LENGTH} characters")
        assert too_long.value.position == MAX_LENGTH
    for _ in range(500):
        count = rng.randint(1, 2 * MAX_PHRASES)
        names = [f"thing{rng.choice('abc')}{'xyz'[n % 3]}{'klmnop'[n // 3]}" for n in range(count)]
        if count <= MAX_PHRASES:
            assert [phrase.text for phrase in parse(", ".join(names)).phrases] == names
            continue
        with pytest.raises(PromptError, match=f"at most {MAX_PHRASES} phrases") as too_many:
            parse(", ".join(names))
        assert too_many.value.phrase == names[MAX_PHRASES]


def test_the_heat_localiser_accepts_or_raises_prompt_error_only() -> None:
    rng = random.Random(7)
    localiser = HeatLocaliser()
    heat = ["warm objects", "no hot spots*0.5", "something cold", "the heat"]
    accepted = 0
    for _ in range(2_000):
        line = ", ".join(rng.choice([*heat, *heat, _plausible(rng)]) for _ in range(rng.randint(1, 4)))
        try:
            compiled = compile_prompt(localiser, parse(line))
        except PromptError as error:
            assert error.reason and -1 <= error.position <= len(line)
            continue
        accepted += 1
        assert abs(compiled.hot) + abs(compiled.cold) <= sum(p.weight for p in compiled.prompt.phrases) + 1e-9
    assert accepted > 500


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=MAX_LENGTH + 20))
def test_any_text_parses_or_raises_prompt_error_only(text: str) -> None:
    _check(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["person", "parked cars", "sky", "warm objects", "Straße", "black and white dog"]
            ),
            st.integers(0, 2_000_000),
            st.booleans(),
        ),
        max_size=MAX_PHRASES,
        unique_by=lambda item: item[0],
    )
)
def test_weights_and_suppression_come_back_as_written(items: list[tuple[str, int, bool]]) -> None:
    line = ", ".join(f"{'no ' if no else ''}{name}*{weight / 1e6:.6f}" for name, weight, no in items)
    phrases = parse(line).phrases
    assert [(p.text, p.weight, p.suppressed) for p in phrases] == [(n, w / 1e6, no) for n, w, no in items]
    _check(line)
