"""Wishes said as complaints, and requests about the image that cannot be followed."""

from __future__ import annotations

import pytest

from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, PromptError
from textdifuse_ros.text.restoration import Wish


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("too dark", Wish("low_light")),
        ("it is too dark", Wish("low_light")),
        ("It's too dark!", Wish("low_light")),
        ("the image is dark", Wish("low_light")),
        ("the picture looks very gloomy", Wish("low_light")),
        ("it is slightly too dark", Wish("low_light", degree=0.5)),
        ("much too dark", Wish("low_light", degree=1.5)),
        ("not enough light", Wish("low_light")),
        ("the image is underexposed", Wish("low_light")),
        ("too bright", Wish("over_exposure")),
        ("everything is too bright", Wish("over_exposure")),
        ("the rgb image is overexposed", Wish("over_exposure", camera="rgb")),
        ("noisy", Wish("noise")),
        ("the thermal image is too noisy", Wish("noise", camera="thermal")),
        ("the thermal camera is grainy", Wish("noise", camera="thermal")),
        ("too much noise in the thermal image", Wish("noise", camera="thermal")),
        ("there is too much grain", Wish("noise")),
        ("too many stripes", Wish("stripes")),
        ("it is foggy", Wish("haze")),
        ("foggy", Wish("haze")),
        ("there is smoke", Wish("haze")),
        ("I can't see through the smoke", Wish("haze")),
        ("the smoke is too thick", Wish("haze")),
        ("there's a lot of fog", Wish("haze")),
        ("lots of noise", Wish("noise")),
        ("quite dark", Wish("low_light")),
        ("the sky is overexposed", Wish("over_exposure", region="sky")),
        ("the people are blurry", Wish("blur", region="people")),
        ("remove the lens flare", Wish("over_exposure")),
        ("the picture is too red", Wish("colour_cast")),
        ("too blue", Wish("colour_cast")),
        ("the colours are wrong", Wish("colour_cast")),
        ("washed out", Wish("low_contrast")),
        ("the picture is too flat", Wish("low_contrast")),
        ("not enough contrast in the thermal image", Wish("low_contrast", camera="thermal")),
        ("the picture is blurry", Wish("blur")),
        ("out of focus", Wish("blur")),
        ("the people are too dark", Wish("low_light", region="people")),
        ("the sky is too bright", Wish("over_exposure", region="sky")),
    ],
)
def test_a_complaint_is_a_wish(text: str, wish: Wish) -> None:
    prompt = parse(text)
    (phrase,) = prompt.phrases
    assert (phrase.kind, phrase.wish) == (RESTORATION, wish)
    assert parse(format_prompt(prompt)).phrases[0].wish == wish


def test_complaints_stand_beside_objects_and_each_other() -> None:
    first, second, third = parse("it is too dark and noisy, show the people").phrases
    assert (first.wish, second.wish) == (Wish("low_light"), Wish("noise"))
    assert (third.text, third.kind) == ("people", OBJECT)


@pytest.mark.parametrize(
    "text", ["foggy street", "dark cars", "the car is dark", "people in the dark", "red cars"]
)
def test_objects_that_are_like_that_stay_objects(text: str) -> None:
    (phrase,) = parse(text).phrases
    assert phrase.kind == OBJECT


@pytest.mark.parametrize("text", ["I can't see the people", "we cannot see people", "can't see the people"])
def test_what_cannot_be_seen_is_asked_for(text: str) -> None:
    (phrase,) = parse(text).phrases
    assert (phrase.text, phrase.suppressed) == ("people", False)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("less contrast", "write 'more contrast' or 'keep the contrast'"),
        ("darker", "write 'remove the glare', or 'keep the night look'"),
        ("make the picture darker, please", "write 'remove the glare', or 'keep the night look'"),
        ("make it blurry", "write 'do not sharpen'"),
        ("more colour", "write 'correct the colours'"),
        ("black and white", "colours are those of the RGB camera"),
        ("use the thermal camera", "name what must stand out, as in 'warm objects'"),
        ("more infrared", "name what must stand out, as in 'warm objects'"),
        ("night vision", "write 'brighten the dark', or 'keep the night look'"),
        ("enhance the image", "write 'more contrast', 'denoise', 'brighten the dark' or 'remove the haze'"),
        ("make it clearer", "write 'more contrast', 'denoise', 'brighten the dark' or 'remove the haze'"),
        ("reset", "plain fusion is the empty prompt: write ''"),
        ("nothing", "plain fusion is the empty prompt: write ''"),
        ("remove the rain", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("I can't see anything", "it has to be said what is wrong"),
    ],
)
def test_what_no_picture_can_be_asked_for_is_told_what_to_type(text: str, instead: str) -> None:
    with pytest.raises(PromptError) as refused:
        parse(text)
    assert instead in refused.value.reason
    assert "cannot be done, since" in refused.value.reason


def test_every_advice_is_itself_understood() -> None:
    for text in (
        "more contrast", "keep the contrast", "remove the glare", "keep the night look", "do not sharpen",
        "correct the colours", "warm objects", "brighten the dark", "denoise", "remove the haze",
    ):  # fmt: skip
        assert parse(text).phrases


def test_a_pronoun_is_no_object() -> None:
    with pytest.raises(PromptError, match="'me' is no object in the image"):
        parse("show me, please, the sky")
