"""What the prompt grammar understands, and what each refusal says."""

from __future__ import annotations

import re

import pytest

from textdifuse_ros.text import faults, restoration
from textdifuse_ros.text.grammar import MAX_PHRASES, format_prompt, parse
from textdifuse_ros.text.lexer import MAX_LENGTH
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, PromptError


def _objects(text: str) -> list[tuple[str, float, bool]]:
    phrases = parse(text).phrases
    assert all(phrase.kind == OBJECT for phrase in phrases)
    return [(phrase.text, phrase.weight, phrase.suppressed) for phrase in phrases]


@pytest.mark.parametrize("text", ["", " ", "   ", "\u00a0"])
def test_blank_text_is_the_empty_prompt(text: str) -> None:
    assert parse(text).phrases == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("person", [("person", 1.0, False)]),
        ("person*1.5", [("person", 1.5, False)]),
        ("person * .5, parked cars*2", [("person", 0.5, False), ("parked cars", 2.0, False)]),
        ("warm objects*0", [("warm objects", 0.0, False)]),
        ("no sky", [("sky", 1.0, True)]),
        ("-sky*0.25", [("sky", 0.25, True)]),
        ("\u2212sky", [("sky", 1.0, True)]),
        ("person, -sky", [("person", 1.0, False), ("sky", 1.0, True)]),
        ("person -sky", [("person", 1.0, False), ("sky", 1.0, True)]),
        ("people and cars*1.5", [("people", 1.5, False), ("cars", 1.5, False)]),
        ("people*2 and cars*0.5", [("people", 2.0, False), ("cars", 0.5, False)]),
        ("no sky and trees", [("sky", 1.0, True), ("trees", 1.0, True)]),
        ("black and white dog", [("black and white dog", 1.0, False)]),
        ("the hot engine", [("hot engine", 1.0, False)]),
        ("no-parking sign", [("no-parking sign", 1.0, False)]),
        ("Straßenbahn, 人, the 🚗", [("Straßenbahn", 1.0, False), ("人", 1.0, False), ("🚗", 1.0, False)]),
    ],
)
def test_phrases_weights_and_suppression(text: str, expected: list[tuple[str, float, bool]]) -> None:
    assert _objects(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slightly emphasise the cars", [("cars", 0.5, False)]),
        ("please strongly emphasise humans", [("humans", 1.5, False)]),
        ("highlight people a lot", [("people", 1.5, False)]),
        ("make the cars stand out slightly", [("cars", 0.5, False)]),
        ("people stand out strongly", [("people", 1.5, False)]),
        ("slightly calm the sky", [("sky", 0.5, True)]),
        ("make the sky calm a bit", [("sky", 0.5, True)]),
        ("keep the road a little calmer", [("road", 0.5, True)]),
        ("hide the sky completely", [("sky", 2.0, True)]),
        ("slightly less sky", [("sky", 0.5, True)]),
        ("emphasise people and cars slightly", [("people", 0.5, False), ("cars", 0.5, False)]),
        ("emphasise people strongly and cars slightly", [("people", 1.5, False), ("cars", 0.5, False)]),
        ("show people, calm the sky a bit", [("people", 1.0, False), ("sky", 0.5, True)]),
        ("show people strongly*2", [("people", 2.0, False)]),
        ("slightly warm objects", [("slightly warm objects", 1.0, False)]),
        ("show a bit of sky", [("bit of sky", 1.0, False)]),
    ],
)
def test_a_degree_says_how_far_a_directive_goes(text: str, expected: list[tuple[str, float, bool]]) -> None:
    assert _objects(text) == expected


@pytest.mark.parametrize("text", ["people too much", "people not much"])
def test_a_degree_that_is_turned_round_is_none(text: str) -> None:
    with pytest.raises(PromptError, match="turn its meaning round"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "make the pedestrians behind the smoke stand out, keep the sky calm",
            [("pedestrians behind the smoke", 1.0, False), ("sky", 1.0, True)],
        ),
        (
            "make the pedestrians stand out and keep the sky and the trees calm",
            [("pedestrians", 1.0, False), ("sky", 1.0, True), ("trees", 1.0, True)],
        ),
        ("Show me the hot things. Hide the sky!", [("hot things", 1.0, False), ("sky", 1.0, True)]),
        ("could you please highlight any warm objects*2 but not the sky",
         [("warm objects", 2.0, False), ("sky", 1.0, True)]),
        ("I'd like to see the warm objects please", [("warm objects", 1.0, False)]),
        ("the pedestrians must stand out", [("pedestrians", 1.0, False)]),
        ("make cars*1.5 stand out", [("cars", 1.5, False)]),
        ("leave the lamps alone, turn the stove down", [("lamps", 1.0, True), ("stove", 1.0, True)]),
    ],
)  # fmt: skip
def test_long_sentences_become_object_phrases(text: str, expected: list[tuple[str, float, bool]]) -> None:
    assert _objects(text) == expected


def test_a_phrase_says_where_it_stands() -> None:
    text = "please make the parked  cars*2 stand out, keep the sky calm"
    cars, sky = parse(text).phrases
    assert text[cars.start : cars.end] == "parked  cars" and cars.text == "parked cars"
    assert text[sky.start : sky.end] == "sky"


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("remove the noise in the thermal image", restoration.Wish("noise", camera="thermal")),
        ("less thermal noise", restoration.Wish("noise", camera="thermal")),
        ("could you get rid of the grain please", restoration.Wish("noise")),
        ("brighten the dark", restoration.Wish("low_light")),
        ("brighten the car", restoration.Wish("low_light", region="car")),
        ("slightly brighten the image", restoration.Wish("low_light", degree=0.5)),
        ("denoise the rgb camera strongly", restoration.Wish("noise", camera="rgb", degree=1.5)),
        ("keep the night look", restoration.Wish("low_light", keep=True)),
        ("do not sharpen", restoration.Wish("blur", keep=True)),
        ("no smoke", restoration.Wish("haze")),
        ("see through the smoke", restoration.Wish("haze")),
        ("remove the stripes", restoration.Wish("stripes")),
        ("reduce the glare of the headlights", restoration.Wish("over_exposure")),
        ("more contrast in the thermal image", restoration.Wish("low_contrast", camera="thermal")),
        ("correct the colours", restoration.Wish("colour_cast")),
    ],
)
def test_restoration_wishes_are_told_from_objects(text: str, wish: restoration.Wish) -> None:
    (phrase,) = parse(text).phrases
    assert phrase.kind == RESTORATION
    assert phrase.suppressed == wish.keep
    assert restoration.understand(phrase.text.casefold().split()) == wish


def test_every_named_degradation_can_be_wished_away() -> None:
    named = {*faults.NOUNS.values(), *faults.VERBS.values(), *faults.WISHES.values()}
    assert named == set(restoration.DEGRADATIONS)


@pytest.mark.parametrize(
    "text", ["no smoke detectors", "dark cars", "fog lamps", "noise barrier", "hot spots"]
)
def test_objects_that_contain_a_degradation_stay_objects(text: str) -> None:
    assert parse(text).phrases[0].kind == OBJECT


def test_two_wishes_in_one_clause_are_two_phrases() -> None:
    phrases = parse("remove the noise and the stripes").phrases
    assert [(p.text, p.kind) for p in phrases] == [("no noise", RESTORATION), ("no stripes", RESTORATION)]


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("person*3", 7, "from 0 to 2"),
        ("person*-1", 7, "not a weight"),
        ("person*nan", 7, "not a weight"),
        ("person*1e1", 7, "not a weight"),
        ("person*", 6, "must follow '*'"),
        ("person**2", 6, "must follow '*'"),
        ("*2", 0, "follows a phrase"),
        ("hot*2 engine", 3, "weight in the middle"),
        ("person*1,5", 9, "decimals take a point"),
        ("person:1.5", 6, "person*1.5"),
        ("[car, dog]", 0, "without brackets"),
        ('"hot"', 0, "quotation marks"),
        ("cars/trucks", 4, "commas"),
        ("hot,,cold", 4, "phrase 2 is empty"),
        ("hot,", 3, "phrase 2 is empty"),
        (",", 0, "phrase 1 is empty"),
        ("no", 0, "names nothing"),
        ("please make the", 12, "names nothing"),
        ("5", 0, "no word"),
        ("no no sky", 3, "no twice"),
        ("warm, no warm", 9, "at once"),
        ("people - cars", 7, "dash between"),
        ("people and", 7, "name what follows"),
        ("hot\nthings", 3, "one line"),
        ("hot\tthings", 3, "U+0009"),
        ("hot\u202ethings", 3, "right-to-left override"),
        ("hot\ud800", 3, "U+D800"),
    ],
)
def test_a_refusal_names_the_place_and_the_remedy(text: str, position: int, words: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert caught.value.position == position
    assert words in caught.value.reason
    assert str(caught.value) == f"{caught.value.reason} (at character {position + 1})"


def test_length_and_number_of_phrases_are_limited() -> None:
    assert len(parse("x" * MAX_LENGTH).phrases) == 1
    with pytest.raises(PromptError, match="at most 512 characters and this one has 513") as too_long:
        parse("x" * (MAX_LENGTH + 1))
    assert too_long.value.position == MAX_LENGTH
    names = [f"thing{letter}" for letter in "abcdefgh"]
    assert len(parse(", ".join(names)).phrases) == MAX_PHRASES
    with pytest.raises(PromptError, match="at most 8 phrases") as too_many:
        parse(", ".join(names) + ", onemore")
    assert too_many.value.phrase == "onemore"
    assert too_many.value.position == len(", ".join(names)) + 2


def test_something_that_is_no_text_is_refused_like_any_other_prompt() -> None:
    with pytest.raises(PromptError, match="not of type int"):
        parse(5)  # type: ignore[arg-type]


def test_the_plain_spelling_is_what_the_reference_shows() -> None:
    prompt = parse("make the people and cars*1.5 stand out; hide the sky")
    assert format_prompt(prompt) == "people*1.5, cars*1.5, no sky"


@pytest.mark.parametrize(
    "text",
    [
        "paint the sky black", "people are more important than everything", "when there is smoke remove it",
        "I see nothing but the image", "everybody but me", "hide everything while I look at the road",
    ],
)  # fmt: skip
def test_what_a_refusal_says_to_write_is_accepted_itself(text: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    said = re.findall(r"'([^']+)'", caught.value.reason.rpartition("write ")[2])
    assert said
    for each in said:
        assert parse(each).phrases, each
