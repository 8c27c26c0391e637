"""Less plain verbs, what is stressed and what is compared: understood, or refused with what to type."""

from __future__ import annotations

import pytest

from textdifuse_ros.text import verbs
from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.prompt import RESTORATION, PromptError


def _plain(text: str) -> str:
    return format_prompt(parse(text))


@pytest.mark.parametrize("verb", [verb for verb in verbs.SUPPRESSING if verb != "enough of"])
def test_every_verb_that_keeps_calm_does(verb: str) -> None:
    assert _plain(f"{verb} parked cars") == "no parked cars"
    assert _plain(f"people, {verb} cars and the sky") == "people, no cars, no sky"


@pytest.mark.parametrize("verb", [*verbs.RAISING, *verbs.FINDING])
def test_every_verb_that_lets_stand_out_does_and_its_negation_keeps_calm(verb: str) -> None:
    assert _plain(f"{verb} parked cars") == "parked cars"
    assert _plain(f"do not {verb} parked cars") == "no parked cars"


@pytest.mark.parametrize("acting", verbs.FROM)
@pytest.mark.parametrize("verb", ["keep", "stop", "prevent"])
def test_what_is_kept_from_standing_out_keeps_calm(verb: str, acting: str) -> None:
    assert _plain(f"{verb} the cars {acting}") == "no cars"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("bring the people to the front", "people"),
        ("put people in focus, put the cars in the background", "people, no cars"),
        ("give people more weight", "people"),
        ("give the cars less attention", "no cars"),
        ("enough of the cars", "no cars"),
        ("don't overlook the people", "people"),
        ("wiping out the cars", "no cars"),
        ("mostly people", "people"),
    ],
)
def test_frames_and_fillers_are_taken_off(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("make people very visible", "people*1.5"),
        ("make people really stand out", "people*1.5"),
        ("really make people stand out", "people*1.5"),
        ("the cars should be really visible", "cars*1.5"),
        ("the sky should be completely calm", "no sky*2"),
        ("make the cars extremely prominent", "cars*2"),
        ("make the people slightly more visible", "people*0.5"),
        ("make people very visible*0.7", "people*0.7"),
        ("make people as visible as possible", "people"),
        ("highlight people as much as possible", "people*2"),
        ("people first, then cars", "people*1.5, cars"),
        ("people most, cars at half strength", "people*1.5, cars*0.5"),
        ("cars, especially people", "cars, people*1.5"),
        ("cars and particularly people", "cars, people*1.5"),
        ("above all people", "people*1.5"),
        ("very visible people", "very visible people"),  # part of the name
        ("more contrast above all", "more contrast*1.5"),
    ],
)
def test_what_is_stressed_is_a_weight(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "prioritise people over cars", "prefer the people to the cars", "favour people over cars",
        "more people than cars", "show people more than cars", "I want more people than cars",
        "give more weight to people than to cars", "people are more important than cars",
        "people stand out more than cars", "show people better than cars", "rank people above cars",
    ],
)  # fmt: skip
def test_what_is_compared_is_refused_with_the_weights_to_write(text: str) -> None:
    with pytest.raises(PromptError, match=r"write 'people\*1\.5, cars\*0\.5' to weigh them, or 'people, no"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "cars less important than people", "cars less than people", "cars lower priority than people",
        "cars are less interesting than people", "make cars stand out less than people",
        "fewer cars than people",
        "cars darker than people", "cars weaker than people", "less cars than people",
        "not as much cars as people",
    ],
)  # fmt: skip
def test_what_is_less_than_another_is_refused_with_the_weights_the_other_way_round(text: str) -> None:
    with pytest.raises(PromptError, match=r"write 'people\*1\.5, cars\*0\.5' to weigh them, or 'people, no"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["people over there", "prioritise people over there", "bridge over the road"]
)
def test_a_place_is_no_comparison(text: str) -> None:
    assert _plain(text) == text.removeprefix("prioritise ")


@pytest.mark.parametrize("text", ["squash the cars", "squish my cars", "knock out the cars", "tint all cars"])
def test_an_unknown_verb_is_refused_and_named(text: str) -> None:
    said = "knock out" if "out" in text else text.split()[0]
    with pytest.raises(
        PromptError, match=f"begins with '{said}', .*: write 'cars' to let it .* or 'no cars'"
    ):
        parse(text)


@pytest.mark.parametrize(
    "text", ["crossing the road", "people the robot sees", "half the people", "anyone the robot sees"]
)
def test_other_words_in_front_of_an_article_are_part_of_the_name(text: str) -> None:
    assert _plain(text) == text


@pytest.mark.parametrize("text", [*(f"{verb} cars" for verb in verbs.UNSURE_OF_MANY), "boring cars"])
def test_what_may_be_a_verb_or_a_name_is_refused(text: str) -> None:
    with pytest.raises(PromptError, match="either way: write 'no cars' to keep it calm, or 'show cars'"):
        parse(text)


@pytest.mark.parametrize("text", ["drop bar bike", "skip lorry", "monitor", "quiet cars"])
def test_names_that_begin_like_a_verb_stay_names(text: str) -> None:
    assert _plain(text) == text


@pytest.mark.parametrize("verb", [*verbs.LESSENING, "turn down", "tone down"])
def test_a_fault_is_lessened_by_the_same_verbs(verb: str) -> None:
    (phrase,) = parse(f"{verb} the noise").phrases
    assert phrase.kind == RESTORATION and phrase.wish is not None and not phrase.wish.keep


@pytest.mark.parametrize("verb", verbs.RAISING)
def test_contrast_is_raised_by_the_verbs_that_let_stand_out_and_noise_is_not(verb: str) -> None:
    (phrase,) = parse(f"{verb} the contrast").phrases
    assert phrase.wish is not None and phrase.wish.degradation == "low_contrast"
    with pytest.raises(PromptError, match="asks for a fault"):
        parse(f"{verb} the noise")


@pytest.mark.parametrize("text", ["is it too dark?", "why is it so dark?", "is the image too dark"])
def test_a_question_is_a_complaint(text: str) -> None:
    (phrase,) = parse(text).phrases
    assert phrase.wish is not None and phrase.wish.degradation == "low_light"


@pytest.mark.parametrize(
    "text",
    [
        "you can ignore the cars", "feel free to hide cars", "ignore cars for now", "the cars can be ignored",
        "the cars are in the way", "cars don't matter", "cars do not interest me", "focus less on cars",
        "less emphasis on cars", "no highlight on cars", "quit showing cars", "switch the cars off",
        "no cars any more", "what I want is no cars",
    ],
)  # fmt: skip
def test_what_may_be_left_out_keeps_calm(text: str) -> None:
    assert _plain(text) == "no cars"


@pytest.mark.parametrize(
    "text",
    [
        "only people matter", "all that matters is people", "people are the most important", "people for now",
        "focus more on people", "more emphasis on people", "switch the people on", "turn people on",
        "people as well", "people again", "what I need is people",
    ],
)  # fmt: skip
def test_what_matters_stands_out(text: str) -> None:
    assert _plain(text) == "people"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("the cars hide the people", "write 'cars, no people' or 'people, no cars'"),
        ("the sky distracts from people", "as in 'people, no cars'"),
        ("cars down", "write 'no cars'"),
        ("cars least", "write 'cars*0.5' or 'no cars'"),
        ("cars with low priority", "write 'cars*0.5' or 'no cars'"),
        ("avoid cars", "write 'no cars' to keep it calm, or 'show cars'"),
        ("cars dim", "write 'no cars'"),
        ("low priority cars", "write 'no cars' to keep it calm, or 'show cars'"),
        ("people with weight 2", "write it as 'people*2'"),
        ("people weight 2", "write it as 'people*2'"),
    ],
)
def test_what_is_not_sure_is_refused_with_what_to_type(text: str, hint: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert hint in caught.value.reason


def test_a_man_down_is_a_man() -> None:
    assert _plain("man down") == "man down"
