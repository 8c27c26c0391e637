"""Whole sentences: what something is asked for, what else is said, and lists that a word is shared by."""

from __future__ import annotations

import pytest

from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.prompt import PromptError


def _plain(text: str) -> str:
    return format_prompt(parse(text))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("hide the sky so I can see the people", "no sky, people"),
        ("hide the sky so that people stand out", "no sky, people"),
        ("hide the sky to see the people", "no sky, people"),
        ("suppress the sky to make people visible", "no sky, people"),
        ("above all hide the sky to see the people", "no sky*1.5, people"),
        ("dim the road to let people pop", "no road, people"),
        ("darken the road so the people are visible", "no road, people"),
        ("less sky in order to see the people", "no sky, people"),
        ("keep the road calm so people stand out", "no road, people"),
        ("remove the smoke to see the people", "remove the smoke, people"),
        ("clear the smoke so we can find the people", "clear the smoke, people"),
        ("more contrast to see people", "more contrast, people"),
        ("denoise so that people stand out", "denoise, people"),
        ("highlight people so that they stand out", "people"),
        ("too dark to see people", "too dark to see people"),  # a complaint, and no more
        ("I want you to show the cars", "cars"),
        ("I don't want you to show the cars", "no cars"),
        ("people next to the cars", "people next to the cars"),
    ],
)
def test_what_something_is_asked_for_is_a_part_of_its_own(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "darken the sky until the people stand out", "ignore the sky in favour of people",
        "no person must be overlooked",
        "the sky, not the people, should be calm",  "show people if it is dark",
        "what should be calm is the sky",
    ],
)  # fmt: skip
def test_what_is_more_than_a_name_is_refused(text: str) -> None:
    with pytest.raises(PromptError, match="is more than a name from"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["trash can", "people the robot can see", "cars to the left", "people I know"]
)
def test_names_with_such_words_stay_names(text: str) -> None:
    assert _plain(text) == text


@pytest.mark.parametrize(
    "text", ["I don't want to miss people", "avoid losing people", "without missing the people",
             "people must not be hidden", "the people should never be ignored", "people can't be overlooked"],
)  # fmt: skip
def test_who_must_not_be_lost_stands_out(text: str) -> None:
    assert _plain(text) == "people"


@pytest.mark.parametrize(
    "text",
    [
        "no people are visible", "no people visible", "no people in sight", "no loss of people",
        "no missed people", "no person left behind", "no suppression of people",
    ],
)  # fmt: skip
def test_a_no_that_complains_keeps_nobody_calm(text: str) -> None:
    with pytest.raises(PromptError):
        parse(text)


def test_a_no_that_is_asked_for_does() -> None:
    assert _plain("make sure no cars are visible") == "no cars"


@pytest.mark.parametrize(
    "text",
    [
        "people highlighted and the road calm", "turn the people up and the sky down",
        "make people red and the sky calm", "show people with the sky calm",
        "hide the cars and the people stand out", "hide cars and people visible",
        "push the people forward and the sky back",
    ],
)  # fmt: skip
def test_two_things_in_one_sentence_are_to_be_written_apart(text: str) -> None:
    with pytest.raises(PromptError, match="says two things"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["keep the road calm and the sky", "keep the road calm, and the sky as well",
     "keep the road calm, also the sky"],
)  # fmt: skip
def test_what_comes_behind_a_calm_frame_can_be_meant_either_way(text: str) -> None:
    with pytest.raises(PromptError, match="can be meant either way: write 'no sky'"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("highlight people, ignore the rest", "people"),
        ("only people, everything else calm", "people"),
        ("show me the people and leave everything else alone", "people"),
        ("highlight people while keeping the sky calm", "people, no sky"),
        ("I don't need cars, only people", "no cars, people"),
        ("first hide the sky, then show people", "no sky, people"),
        ("always ignore the sky", "no sky"),
        ("people should be brighter", "people"),
        ("the people will stand out", "people"),
        ("unveil the people", "people"),
        ("people as well as cars", "people, cars"),
        ("suppress cars along with the sky", "no cars, no sky"),
        ("people as well", "people"),
        ("take care that people stand out", "people"),
        ("nothing other than people", "people"),
        ("put the spotlight on people", "people"),
        ("leave people visible", "people"),
        ("the sky needs calming", "no sky"),
        ("make cars unnoticeable", "no cars"),
        ("out with the cars", "no cars"),
        ("I've had enough of cars", "no cars"),
        ("supress cars, higlight people", "no cars, people"),
        ("people more, cars at half strength", "people*1.5, cars*0.5"),
        ("people with high priority, cars with half weight", "people*1.5, cars*0.5"),
        ("tone the cars down a bit", "no cars*0.5"),
        ("as little sky as possible", "no sky"),
        ("make the sky as dark as possible", "no sky"),
        ("the road should fade into the background", "no road"),
    ],
)
def test_sentences_that_are_understood(text: str, plain: str) -> None:
    assert _plain(text) == plain


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("keep everything calm except people", "write 'people'"),
        ("replace cars with people", "write 'people, no cars'"),
        ("people vs cars", "write 'people*1.5, cars*0.5'"),
        ("calm sky", "write 'no sky' to keep it calm, or 'show sky'"),
        ("ignore the cars, they are not important", "'they' is no object"),
        ("cars with headlights off", "as in 'people, no cars'"),
        ("remove the smoke hiding the people", "write 'remove the smoke'"),
        ("remove the fog covering the road", "write 'remove the fog'"),
        ("the glare makes it hard to see people", "write 'remove the glare'"),
        ("leave the noise in the rgb, remove it in the thermal", "does not say what 'it' is"),
        ("denoise but not the people", "a wish holds for the whole image, or for one object"),
        ("don't brighten the sky so much", "write 'slightly brighten the sky' or 'do not brighten the sky'"),
        ("the noise doesn't matter", "write 'denoise' or 'keep the noise'"),
        ("never mind the fog", "write 'remove the haze' or 'keep the haze'"),
        ("foggy image, not dark", "write 'brighten the dark' or 'keep the night look'"),
        ("no thermal contrast", "write 'more contrast' or 'keep the contrast'"),
        ("too much noise reduction", "write 'no noise reduction'"),
        ("leave nothing but people", "write 'people'"),
        ("make people less hidden", "as in 'people, no cars'"),
        ("without hitting people", "as in 'people, no cars'"),
        ("avoid collisions with people", "can be meant either way"),
        ("hide the sky for people", "write 'no sky, people'"),
        ("suppress cars by highlighting people", "people'"),
        ("suppress cars, then the sky", "write 'no sky' or 'show sky'"),
        ("no smoke and people", "write 'no people' to keep it calm, or 'show people'"),
        ("hide everything around people", "is no thing by itself"),
        ("make people more and cars less visible", "says two things"),
        ("people brighter than the sky", "write 'people*1.5, sky*0.5'"),
        ("I prefer people to cars", "write 'people*1.5, cars*0.5'"),
        ("fog ahead", "write 'remove the fog'"),
        ("iron out the noise", "write 'remove the noise'"),
        ("improve the colours", "it has to be said what is wrong"),
        ("warm colours", "colours are those of the RGB camera"),
        ("remove the snow", "no faults that can be removed"),
        ("the thermal image is fine", "asks for nothing: leave it out"),
        ("don't denoise and sharpen", "can be meant either way"),
        ("warmer colours", "colours are those of the RGB camera"),
    ],
)
def test_what_is_refused_tells_what_to_type(text: str, hint: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert hint in caught.value.reason


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("don't denoise or sharpen", "don't denoise, don't sharpen"),
        ("neither denoise nor sharpen", "no denoise, no sharpen"),
        ("no denoising or sharpening", "no denoising, no sharpening"),
        ("turn off denoising and sharpening", "no denoising, no sharpening"),
        ("don't remove the fog or the smoke", "do not remove fog, do not remove smoke"),
        ("leave the colours and the contrast alone", "keep colours, keep contrast"),
        ("keep the noise and the haze", "keep noise, keep haze"),
        ("increase brightness and contrast", "more brightness, more contrast"),
        ("more contrast and light*0.5", "more contrast*0.5, more light*0.5"),
        ("let the noise be", "let the noise be"),
        ("no contrast enhancement", "no contrast enhancement"),
    ],
)
def test_a_wish_that_others_share_is_said_of_each(text: str, plain: str) -> None:
    assert _plain(text) == plain
    keeps = [phrase.wish.keep for phrase in parse(text).phrases if phrase.wish]
    assert keeps == ["more" not in plain] * len(keeps)


@pytest.mark.parametrize(
    ("text", "degradation", "camera"),
    [
        ("lines in my thermal picture, please remove the lines in the ir", "stripes", "thermal"),
        ("thermal has lines", "stripes", "thermal"), ("remove vertical lines", "stripes", ""),
        ("grainy thermal", "noise", "thermal"), ("striped thermal", "stripes", "thermal"),
        ("thermal is full of noise", "noise", "thermal"), ("the room is full of smoke", "haze", ""),
        ("can't see through the smoke", "haze", ""), ("I can't see in the dark", "low_light", ""),
        ("I can't see the people because of the smoke", "haze", ""),
        ("film grain, less film grain", "noise", ""),
        ("headlights hide the people", "over_exposure", ""), ("dust cloud hides the car", "haze", ""),
        ("haze-free", "haze", ""), ("de-noise", "noise", ""), ("contrast up", "low_contrast", ""),
        ("color correction", "colour_cast", ""), ("make the smoke transparent", "haze", ""),
        ("very foggy", "haze", ""), ("very dark in here", "low_light", ""), ("avoid blur", "blur", ""),
        ("very noisy thermal", "noise", "thermal"), ("rather dark", "low_light", ""),
        ("avoid glare", "over_exposure", ""),
        ("hardly any contrast", "low_contrast", ""), ("the noise must not be visible", "noise", ""),
        ("turn denoising on", "noise", ""), ("zero contrast", "low_contrast", ""),
        ("first denoise", "noise", ""), ("remove a little haze", "haze", ""),
        ("strong denoising", "noise", ""),
    ],
)  # fmt: skip
def test_wishes_in_more_words(text: str, degradation: str, camera: str) -> None:
    (phrase,) = parse(text.split(", ")[-1]).phrases
    assert phrase.wish is not None and not phrase.wish.keep
    assert (phrase.wish.degradation, phrase.wish.camera, phrase.wish.region) == (degradation, camera, "")


@pytest.mark.parametrize(
    ("text", "degree"),
    [("strong denoising", 1.5), ("light denoising", 0.5), ("denoise less", 0.5),
     ("reduce the noise by half", 0.5)],
)  # fmt: skip
def test_degrees_of_wishes_in_more_words(text: str, degree: float) -> None:
    (phrase,) = parse(text).phrases
    assert phrase.wish is not None and phrase.wish.degree == degree
