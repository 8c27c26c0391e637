"""Wishes said as complaints, and requests about the image that cannot be followed."""

from __future__ import annotations

import contextlib
import random

import pytest

from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.lexer import MAX_LENGTH
from textdifuse_ros.text.prompt import OBJECT, RESTORATION, PromptError
from textdifuse_ros.text.restoration import Wish
from textdifuse_ros.text.unasked import ADVICE


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
        ("too much blue", Wish("colour_cast")),
        ("there is too much green in the rgb image", Wish("colour_cast", camera="rgb")),
        ("the colours are wrong", Wish("colour_cast")),
        ("washed out", Wish("low_contrast")),
        ("the picture is too flat", Wish("low_contrast")),
        ("not enough contrast in the thermal image", Wish("low_contrast", camera="thermal")),
        ("the picture is blurry", Wish("blur")),
        ("out of focus", Wish("blur")),
        ("the people are too dark", Wish("low_light", region="people")),
        ("the sky is too bright", Wish("over_exposure", region="sky")),
        # how much of a fault there is
        ("too much salt and pepper noise", Wish("noise")),
        ("too much thermal noise", Wish("noise", camera="thermal")),
        ("there is thick smoke", Wish("haze")),
        ("there is black smoke", Wish("haze")),
        ("there is a lot of noise in the thermal image", Wish("noise", camera="thermal")),
        ("I only see smoke", Wish("haze")),
        ("heavy haze", Wish("haze")),
        ("dense fog in the rgb image", Wish("haze", camera="rgb")),
        ("a cloud of smoke", Wish("haze")),
        ("the thermal image has too much noise", Wish("noise", camera="thermal")),
        ("in the thermal image there is noise", Wish("noise", camera="thermal")),
        ("the picture has a blue tint", Wish("colour_cast")),
        # what a fault does, and that it is to go
        ("the smoke is thick", Wish("haze")),
        ("the smoke hides the people", Wish("haze")),
        ("noise in the thermal image is annoying", Wish("noise", camera="thermal")),
        ("the stripes must go", Wish("stripes")),
        ("I don't like the noise", Wish("noise")),
        # what is lacking
        ("there is no light", Wish("low_light")),
        ("there isn't enough light", Wish("low_light")),
        ("the contrast is too low", Wish("low_contrast")),
        ("contrast too low", Wish("low_contrast")),
        ("the thermal image lacks contrast", Wish("low_contrast", camera="thermal")),
        ("the thermal image doesn't have enough contrast", Wish("low_contrast", camera="thermal")),
        ("the people need more light", Wish("low_light", region="people")),
        ("the picture is not bright enough", Wish("low_light")),
        ("the image is not sharp", Wish("blur")),
        # what shines into the camera
        ("headlights blind the camera", Wish("over_exposure")),
        ("the headlights are blinding", Wish("over_exposure")),
        ("the sun blinds the rgb camera", Wish("over_exposure", camera="rgb")),
        ("the lamps dazzle me", Wish("over_exposure")),
        ("lamps that dazzle me", Wish("over_exposure")),
        ("I am blinded by the sun", Wish("over_exposure")),
        ("no blinding headlights", Wish("over_exposure")),
        ("the headlights are too bright", Wish("over_exposure")),
        # a hue, of the image and of objects
        ("the people are too red", Wish("colour_cast", region="people")),
        ("the car is too blue", Wish("colour_cast", region="car")),
        ("everything looks blue", Wish("colour_cast")),
        ("the white balance is off", Wish("colour_cast")),
        ("wrong colours", Wish("colour_cast")),
        # where, why and with which effect
        ("too dark in the rgb image", Wish("low_light", camera="rgb")),
        ("it is foggy on the road", Wish("haze", region="road")),
        ("the people are too dark on the left", Wish("low_light", region="people on the left")),
        ("it's too dark in here", Wish("low_light")),
        ("at night the image is too noisy", Wish("noise")),
        ("it is too dark to see the people", Wish("low_light")),
        ("it is so foggy that I can't see the people", Wish("haze")),
        ("I can't see because it is too dark", Wish("low_light")),
        ("why is the image so noisy?", Wish("noise")),
        # in telegraphic words
        ("image too dark", Wish("low_light")),
        ("thermal noisy", Wish("noise", camera="thermal")),
        ("noisy thermal image", Wish("noise", camera="thermal")),
        ("people too dark", Wish("low_light", region="people")),
        ("sky overexposed", Wish("over_exposure", region="sky")),
        ("theres too much noise", Wish("noise")),
        ("a bit dark", Wish("low_light", degree=0.5)),
        ("incredibly noisy", Wish("noise")),
        ("looks foggy", Wish("haze")),
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


def test_a_complaint_takes_nothing_from_what_stands_beside_it() -> None:
    noise, people = parse("heavy haze*0.5, people").phrases
    assert (noise.wish, noise.weight, people.kind) == (Wish("haze"), 0.5, OBJECT)
    first, second = parse("the image is noisy and has stripes").phrases
    assert (first.wish, second.wish) == (Wish("noise"), Wish("stripes"))


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("less noisy", Wish("noise")),
        ("make it less dark", Wish("low_light")),
        ("make the thermal image less noisy", Wish("noise", camera="thermal")),
        ("I want a less noisy image", Wish("noise")),
        ("make the people less dark", Wish("low_light", region="people")),
        ("make the people sharper", Wish("blur", region="people")),
        ("the image should be brighter", Wish("low_light")),
        ("thermal image less noise", Wish("noise", camera="thermal")),
        ("give me more contrast", Wish("low_contrast")),
        ("turn up the brightness", Wish("low_light")),
        ("more details", Wish("blur")),
        ("noise reduction", Wish("noise")),
        ("no noise reduction", Wish("noise", keep=True)),
        ("fix the white balance", Wish("colour_cast")),
        ("remove most of the noise", Wish("noise")),
        ("do something about the noise", Wish("noise")),
        ("remove the haze over the road", Wish("haze", region="road")),
        ("remove hot pixels", Wish("noise")),
    ],
)
def test_what_the_picture_is_to_be_is_a_wish(text: str, wish: Wish) -> None:
    prompt = parse(text)
    (phrase,) = prompt.phrases
    assert (phrase.kind, phrase.wish) == (RESTORATION, wish)
    assert parse(format_prompt(prompt)).phrases[0].wish == wish


@pytest.mark.parametrize(
    "text",
    [
        "foggy street", "dark cars", "the car is dark", "people in the dark", "red cars", "a red balloon",
        "less dark cars", "cars that are blurry", "window blinds", "blind people", "dust covers", "mirror",
        "picture frame", "people walking over the bridge", "people in thick smoke", "bright headlights",
    ],
)  # fmt: skip
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
        ("less rgb influence", "name what must stand out, as in 'warm objects'"),
        ("more infrared", "name what must stand out, as in 'warm objects'"),
        ("night vision", "write 'brighten the dark', or 'keep the night look'"),
        ("enhance the image", "write 'more contrast', 'denoise', 'brighten the dark' or 'remove the haze'"),
        ("make it clearer", "write 'more contrast', 'denoise', 'brighten the dark' or 'remove the haze'"),
        ("reset", "plain fusion is the empty prompt: write ''"),
        ("nothing", "plain fusion is the empty prompt: write ''"),
        ("remove the rain", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("I can't see anything", "it has to be said what is wrong"),
        ("poor visibility", "it has to be said what is wrong"),
        ("the contrast is too high", "write 'more contrast' or 'keep the contrast'"),
        ("the image is too sharp", "write 'do not sharpen'"),
        ("it is too colourful", "colours are those of the RGB camera"),
        ("too hot", "write 'warm objects' to let what is warm stand out, or 'no warm objects'"),
        ("it is too cold", "write 'warm objects' to let what is warm stand out, or 'no warm objects'"),
        ("there is too much light", "write 'remove the glare', or 'keep the night look'"),
        ("no light", "write 'brighten the dark' for more of it, 'remove the glare' for less"),
        ("fix the exposure", "write 'brighten the dark' for more of it, 'remove the glare' for less"),
        ("it is night", "write 'brighten the dark', or 'keep the night look'"),
        ("white hot", "name what must stand out, as in 'warm objects'"),
        ("the fps is too low", "name what must stand out, as in 'warm objects'"),
        ("raindrops on the camera", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("remove the dirt on the lens", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("the lens is fogged", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("less heavy snow", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("better night vision", "write 'brighten the dark', or 'keep the night look'"),
        ("it is raining", "write 'denoise', 'remove the haze' or 'remove the glare'"),
        ("no restoration", "write ''"),
        ("turn off all enhancements", "write ''"),
        ("make the night look like day", "write 'brighten the dark'"),
        ("the picture is too warm", "taken off by 'correct the colours'"),
        ("less saturated colours", "a node that wants none can take the luminance"),
        ("desaturate", "a node that wants none can take the luminance"),
    ],
)
def test_what_no_picture_can_be_asked_for_is_told_what_to_type(text: str, instead: str) -> None:
    with pytest.raises(PromptError) as refused:
        parse(text)
    assert instead in refused.value.reason
    assert "cannot be done, since" in refused.value.reason


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("too many people", "write 'no people' to keep it calm"),
        ("there are too many cars on the road", "write 'no cars on the road' to keep it calm"),
        ("not enough people", "write 'people' to let it stand out"),
        ("the people are too small", "write 'people' to let it stand out or 'no people' to keep it calm"),
        ("people that are too small", "write 'people' to let it stand out or 'no people' to keep it calm"),
        ("the image is not noisy", "write 'denoise' or 'keep the noise'"),
        ("it isn't too dark", "write 'brighten the dark' or 'keep the night look'"),
        ("there is no noise", "write 'denoise' or 'keep the noise'"),
        ("too little haze", "write 'remove the haze' or 'keep the haze'"),
        ("add noise", "write 'denoise' or 'keep the noise'"),
        ("more haze", "write 'remove the haze' or 'keep the haze'"),
        ("make it foggy", "write 'remove the haze' or 'keep the haze'"),
        ("make the image noisy", "write 'denoise' or 'keep the noise'"),
        ("don't make it too bright", "write 'remove the glare' or 'brighten the dark'"),
        ("I want it dark", "write 'brighten the dark' or 'keep the night look'"),
        ("make sure the image is bright", "write 'remove the glare' or 'brighten the dark'"),
        ("show me lots of noise", "write 'no lots of noise' to remove it"),
        ("show people and lots of smoke", "write 'no lots of smoke' to remove it"),
        ("keep the noise, heavy haze", "write 'no heavy haze' to remove it"),
        ("the noise is fine", "write 'no noise' to remove it, or 'keep the noise'"),
        ("the thermal image has no noise", "write 'denoise' or 'keep the noise'"),
        ("fog on the road", "write 'no fog on the road' to remove it"),
        ("less noise more contrast", "write a comma in front of 'more contrast'"),
        ("the rest", "is no object in the image"),
        ("sharp image", "is no object in the image"),
        ("people x2", "write it as 'people*2'"),
        ("people 1.5", "write a weight as 'person*1.5'"),
    ],
)
def test_what_asks_for_nothing_is_told_what_to_type(text: str, instead: str) -> None:
    with pytest.raises(PromptError) as refused:
        parse(text)
    assert instead in refused.value.reason


@pytest.mark.parametrize(
    "words", ["has not", "rgb in", "thermal", "image of", "is too", "and less", "needs more"]
)
def test_the_longest_line_is_answered(words: str) -> None:
    """Reading that grows with the power of the words would not come to its end here."""
    line = (f"{words} " * MAX_LENGTH)[: MAX_LENGTH - 1].rstrip()
    with contextlib.suppress(PromptError):
        assert parse(line).phrases


_SAID = (
    ["", "please ", "because ", "at night ", "make ", "show ", "keep ", "why is ", "make sure ", "there is "],
    ["it ", "the image ", "thermal ", "the people ", "cars on the left ", "the smoke ", "the sun "],
    ["", "is ", "is ", "are ", "looks ", "is not ", "isn't ", "has ", "lacks ", "needs ", "should be "],
    ["", "", "too ", "a bit ", "a bit too ", "less ", "too much ", "not enough ", "lots of "],
    ["noisy", "dark", "bright", "red", "thick", "low", "noise", "thick smoke", "stripes", "blurry"],
    ["", "", " in the thermal image", " on the road", " enough", " to see people", " that I see nothing"],
)  # fmt: skip


def test_random_complaints_print_as_what_means_the_same() -> None:
    rng = random.Random(5)
    understood = 0
    for _ in range(5_000):
        some = ["".join(map(rng.choice, _SAID[rng.randint(0, 1) :])) for _ in range(rng.randint(1, 2))]
        line = rng.choice((" and ", " but ", ", ", "*0.5, ")).join(some)
        try:
            prompt = parse(line)
        except PromptError:
            continue
        again = parse(format_prompt(prompt))
        assert again == prompt, line
        assert [phrase.wish for phrase in again.phrases] == [phrase.wish for phrase in prompt.phrases], line
        understood += any(phrase.wish is not None for phrase in prompt.phrases)
    assert understood > 200


def test_every_advice_is_itself_understood() -> None:
    for pair in ADVICE.values():
        assert all(phrase.wish is not None for text in pair for phrase in parse(text).phrases)
    for text in (
        "more contrast", "keep the contrast", "remove the glare", "keep the night look", "do not sharpen",
        "correct the colours", "warm objects", "brighten the dark", "denoise", "remove the haze",
        "no warm objects", "no lots of noise", "no fog on the road",
    ):  # fmt: skip
        assert parse(text).phrases


def test_a_pronoun_is_no_object() -> None:
    with pytest.raises(PromptError, match="'me' is no object in the image"):
        parse("show me, please, the sky")
