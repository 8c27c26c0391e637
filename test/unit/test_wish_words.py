"""Restoration wishes in the words that people use for them: faults, cameras, degrees, wishes to keep."""

from __future__ import annotations

import pytest

from textdifuse_ros.text.faults import NOUNS
from textdifuse_ros.text.grammar import format_prompt, parse
from textdifuse_ros.text.heat import HeatLocaliser
from textdifuse_ros.text.prompt import RESTORATION, PromptError
from textdifuse_ros.text.restoration import KEEPERS, REMOVERS, Wish
from textdifuse_ros.text.wishes import compile_prompt


def _wish(text: str) -> Wish | None:
    (phrase,) = parse(text).phrases
    assert phrase.kind == RESTORATION, f"'{text}' is taken for an object"
    return phrase.wish


@pytest.mark.parametrize("remover", REMOVERS)
def test_every_fault_can_be_removed_by_every_verb(remover: str) -> None:
    for noun, degradation in NOUNS.items():
        for text in (f"{remover} {noun}", f"{remover} the {noun}"):
            assert _wish(text) == Wish(degradation), text


@pytest.mark.parametrize("keeper", KEEPERS)
def test_every_fault_can_be_kept(keeper: str) -> None:
    for noun, degradation in NOUNS.items():
        assert _wish(f"{keeper} the {noun}") == Wish(degradation, keep=True), f"{keeper} the {noun}"


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("denoise thermal", Wish("noise", camera="thermal")),
        ("denoise rgb", Wish("noise", camera="rgb")),
        ("remove noise in ir", Wish("noise", camera="thermal")),
        ("remove noise in thermal", Wish("noise", camera="thermal")),
        ("remove stripes from thermal", Wish("stripes", camera="thermal")),
        ("remove noise thermal", Wish("noise", camera="thermal")),
        ("more contrast in thermal", Wish("low_contrast", camera="thermal")),
        ("more thermal contrast", Wish("low_contrast", camera="thermal")),
        ("increase the contrast of the thermal images", Wish("low_contrast", camera="thermal")),
        ("make the thermal image sharper", Wish("blur", camera="thermal")),
        ("sharper thermal image", Wish("blur", camera="thermal")),
        ("make the rgb image brighter", Wish("low_light", camera="rgb")),
        ("make the image brighter", Wish("low_light")),
        ("brighten the dark areas", Wish("low_light")),
        ("slightly increase the brightness", Wish("low_light", degree=0.5)),
        ("sharpen the dark areas", Wish("blur", region="dark areas")),
        ("brighten the dark cars", Wish("low_light", region="dark cars")),
        ("make everything sharper", Wish("blur")),
        ("denoise both images", Wish("noise")),
        ("denoise all cameras", Wish("noise")),
        ("denoise the thermal and the rgb image", Wish("noise")),
        ("remove the noise in the thermal image and in the rgb image", Wish("noise")),
        ("remove noise everywhere", Wish("noise")),
        ("denoise only the thermal image", Wish("noise", camera="thermal")),
        ("denoise the heat image", Wish("noise", camera="thermal")),
        ("brighten the heat", Wish("low_light", region="heat")),
        ("remove the colour cast of the rgb image", Wish("colour_cast", camera="rgb")),
        ("less colour noise", Wish("noise", camera="rgb")),
        ("remove the thick fog", Wish("haze")),
        ("remove the dust storm", Wish("haze")),
        ("the people are hidden by smoke", Wish("haze")),
        ("everything is covered by thick smoke", Wish("haze")),
        ("the view is blocked by fog", Wish("haze")),
        ("the thermal image is covered with noise", Wish("noise", camera="thermal")),
    ],
)
def test_a_camera_is_no_object(text: str, wish: Wish) -> None:
    assert _wish(text) == wish


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("a bit brighter", Wish("low_light", degree=0.5)),
        ("please make it a little bit brighter", Wish("low_light", degree=0.5)),
        ("make it slightly brighter", Wish("low_light", degree=0.5)),
        ("make the thermal image a lot sharper", Wish("blur", camera="thermal", degree=1.5)),
        ("a little more contrast", Wish("low_contrast", degree=0.5)),
        ("a little less noise", Wish("noise", degree=0.5)),
        ("a bit less noise in the thermal image", Wish("noise", camera="thermal", degree=0.5)),
        ("a little brighten the car", Wish("low_light", region="car", degree=0.5)),
        ("a lot less haze", Wish("haze", degree=1.5)),
        ("much brighter", Wish("low_light", degree=1.5)),
        ("brighten very much", Wish("low_light", degree=2.0)),
    ],
)
def test_a_degree_may_stand_in_front_and_inside(text: str, wish: Wish) -> None:
    assert _wish(text) == wish


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("don't remove the noise", Wish("noise", keep=True)),
        ("do not remove the smoke", Wish("haze", keep=True)),
        ("never reduce the noise in the rgb image", Wish("noise", keep=True, camera="rgb")),
        ("don't make it brighter", Wish("low_light", keep=True)),
        ("do not correct the colours", Wish("colour_cast", keep=True)),
        ("leave the colours alone", Wish("colour_cast", keep=True)),
        ("leave colors as they are", Wish("colour_cast", keep=True)),
        ("keep the colors natural", Wish("colour_cast", keep=True)),
        ("do not touch the colours", Wish("colour_cast", keep=True)),
        ("keep the contrast", Wish("low_contrast", keep=True)),
        ("keep the thermal contrast", Wish("low_contrast", keep=True, camera="thermal")),
        ("leave the rgb contrast alone", Wish("low_contrast", keep=True, camera="rgb")),
        ("keep the contrast in the thermal image", Wish("low_contrast", keep=True, camera="thermal")),
        ("leave the night as it is", Wish("low_light", keep=True)),
        ("leave the noise alone", Wish("noise", keep=True)),
        ("keep the noise in the thermal image", Wish("noise", keep=True, camera="thermal")),
        ("no noise", Wish("noise")),
        ("keep the noise low", Wish("noise")),
        ("keep the haze out", Wish("haze")),
    ],
)
def test_a_wish_to_keep_is_told_from_one_to_remove(text: str, wish: Wish) -> None:
    assert _wish(text) == wish


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("brighten the upper half of the image",
         "is limited to 'upper half of the image', which is no object: name one, as in 'brighten the cars'"),
        ("denoise the hot spots in the thermal image", "or ask for the whole image"),
        ("brighten no hot spots", "'hot spots' is no object that 'brighten no hot spots' could be limited"),
        ("brighten the hot spots and haze", "'haze' is a fault of the image"),
    ],
)  # fmt: skip
def test_a_part_of_the_image_is_no_region(text: str, words: str) -> None:
    with pytest.raises(PromptError) as caught:
        compile_prompt(HeatLocaliser(), parse(text))
    assert words in caught.value.reason


def _wishes(text: str) -> list[Wish | None]:
    phrases = parse(text).phrases
    assert [phrase.wish for phrase in parse(format_prompt(parse(text))).phrases] == [p.wish for p in phrases]
    return [phrase.wish for phrase in phrases]


_THERMAL, _PEOPLE = {"camera": "thermal"}, {"region": "people"}


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("denoise and sharpen the thermal image", [Wish("noise", **_THERMAL), Wish("blur", **_THERMAL)]),
        ("brighten and denoise the people", [Wish("low_light", **_PEOPLE), Wish("noise", **_PEOPLE)]),
        ("don't denoise or sharpen the people",
         [Wish("noise", True, **_PEOPLE), Wish("blur", True, **_PEOPLE)]),
        ("denoise, sharpen and brighten the people",
         [Wish("noise", **_PEOPLE), Wish("blur", **_PEOPLE), Wish("low_light", **_PEOPLE)]),
        ("remove noise and stripes from thermal", [Wish("noise", **_THERMAL), Wish("stripes", **_THERMAL)]),
        ("remove noise, stripes and blur in thermal",
         [Wish("noise", **_THERMAL), Wish("stripes", **_THERMAL), Wish("blur", **_THERMAL)]),
        ("no noise or blur in thermal", [Wish("noise", **_THERMAL), Wish("blur", **_THERMAL)]),
        ("more contrast and detail in thermal",
         [Wish("low_contrast", **_THERMAL), Wish("blur", **_THERMAL)]),
        ("keep the noise and the blur in thermal",
         [Wish("noise", True, **_THERMAL), Wish("blur", True, **_THERMAL)]),
    ],
)  # fmt: skip
def test_a_place_behind_the_last_of_several_wishes_is_that_of_all(text: str, wishes: list[Wish]) -> None:
    assert _wishes(text) == wishes


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("the thermal image is noisy and blurry", [Wish("noise", **_THERMAL), Wish("blur", **_THERMAL)]),
        ("the thermal image is noisy, blurry and flat",
         [Wish("noise", **_THERMAL), Wish("blur", **_THERMAL), Wish("low_contrast", **_THERMAL)]),
        ("thermal is noisy and has stripes", [Wish("noise", **_THERMAL), Wish("stripes", **_THERMAL)]),
        ("the people are too dark and blurry", [Wish("low_light", **_PEOPLE), Wish("blur", **_PEOPLE)]),
        ("the people are too blurry and dark", [Wish("blur", **_PEOPLE), Wish("low_light", **_PEOPLE)]),
        ("make the people sharper, brighter and less noisy",
         [Wish("blur", **_PEOPLE), Wish("low_light", **_PEOPLE), Wish("noise", **_PEOPLE)]),
        ("make it sharp and bright", [Wish("blur"), Wish("low_light")]),
        ("the thermal image is flat, denoise it",
         [Wish("low_contrast", **_THERMAL), Wish("noise", **_THERMAL)]),
        ("thermal and rgb are noisy", [Wish("noise")]),
        ("people and cars are too dark", [Wish("low_light", region="people and cars")]),
        ("haze and noise should be removed", [Wish("haze"), Wish("noise")]),
        ("it's foggy and dark", [Wish("haze"), Wish("low_light")]),
        ("it is noisy and dark", [Wish("noise"), Wish("low_light")]),
        ("the image is foggy and dark, help me see pedestrians", [Wish("haze"), Wish("low_light"), None]),
        ("it is foggy and people walk there", [Wish("haze"), None]),
        ("it is dark and cars", [Wish("low_light"), None]),
    ],
)  # fmt: skip
def test_what_is_said_of_one_subject_holds_for_it_alone(text: str, wishes: list[Wish]) -> None:
    assert _wishes(text) == wishes


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("denoise, sharpen thermal", [Wish("noise"), Wish("blur", **_THERMAL)]),
        ("denoise and brighten the dark", [Wish("noise"), Wish("low_light")]),
        ("denoise rgb and sharpen thermal", [Wish("noise", camera="rgb"), Wish("blur", **_THERMAL)]),
        ("remove noise and sharpen the people", [Wish("noise"), Wish("blur", **_PEOPLE)]),
        ("remove noise and stripes in rgb", [Wish("noise", camera="rgb"), Wish("stripes", camera="rgb")]),
        ("the image is dark and the people are blurry", [Wish("low_light"), Wish("blur", **_PEOPLE)]),
        ("rgb dark, thermal noisy", [Wish("low_light", camera="rgb"), Wish("noise", **_THERMAL)]),
        ("the thermal image is noisy; it is foggy", [Wish("noise", **_THERMAL), Wish("haze")]),
    ],
)
def test_a_place_of_another_wish_is_not_taken_over(text: str, wishes: list[Wish]) -> None:
    assert _wishes(text) == wishes


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("the noise can be reduced", Wish("noise")), ("can the noise be reduced?", Wish("noise")),
        ("sky should be denoised", Wish("noise", region="sky")),
        ("there should be no noise in thermal", Wish("noise", **_THERMAL)),
        ("the sky must not be too bright", Wish("over_exposure", region="sky")),
        ("there shouldn't be any haze", Wish("haze")), ("make sure there is no noise", Wish("noise")),
        ("make sure the image is not too dark", Wish("low_light")), ("I wish the fog was gone", Wish("haze")),
        ("I want the image to be brighter", Wish("low_light")), ("I want the haze gone", Wish("haze")),
        ("the people must not be blurry", Wish("blur", **_PEOPLE)),
        ("give the road more light", Wish("low_light", region="road")),
        ("shed some light on the road", Wish("low_light", region="road")),
        ("get the noise out of the thermal image", Wish("noise", **_THERMAL)), ("fog away", Wish("haze")),
        ("noise down", Wish("noise")), ("crank the contrast up", Wish("low_contrast")),
        ("keep the contrast high", Wish("low_contrast")),
        ("give me a picture with less noise", Wish("noise")),
        ("peer through the haze", Wish("haze")), ("make it less blue", Wish("colour_cast")),
        ("restore the colours", Wish("colour_cast")),
        ("the thermal is low contrast", Wish("low_contrast", **_THERMAL)),
        ("contrast is bad in the thermal image", Wish("low_contrast", **_THERMAL)),
        ("all I see is fog", Wish("haze")), ("it's pitch black", Wish("low_light")),
        ("not very sharp", Wish("blur")), ("too dark to drive", Wish("low_light")),
        ("I think it's too dark", Wish("low_light")), ("wow, it's foggy", Wish("haze")),
        ("denoise on", Wish("noise")), ("against noise", Wish("noise")),
        ("why is there so much noise?", Wish("noise")),
        ("sharpen edges", Wish("blur")),
        ("sharper people", Wish("blur", region="people")),
        ("parked cars crisper", Wish("blur", region="parked cars")),
        ("smooth out the noise in the thermal image", Wish("noise", camera="thermal")),
        ("sharpen the details", Wish("blur")),
        ("enhance the edges", Wish("blur")),
        ("bring out contours in the thermal image", Wish("blur", camera="thermal")),
        ("reduce the glare from headlights", Wish("over_exposure")),
        ("less glare of the sun", Wish("over_exposure")),
        ("remove the glare from the car", Wish("over_exposure", region="car")),
    ],
)  # fmt: skip
def test_roundabout_words_ask_for_the_same(text: str, wish: Wish) -> None:
    assert _wishes(text) == [wish]


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("denoise off", Wish("noise", keep=True)), ("noise filter off", Wish("noise", keep=True)),
        ("noise should not be removed", Wish("noise", keep=True)),
        ("the sky must not be brightened", Wish("low_light", keep=True, region="sky")),
        ("the colours must stay", Wish("colour_cast", keep=True)),
        ("the fog can stay", Wish("haze", keep=True)),
        ("the image should stay dark", Wish("low_light", keep=True)),
        ("don't mess with the colours", Wish("colour_cast", keep=True)),
        ("keep the noise visible", Wish("noise", keep=True)),
    ],
)  # fmt: skip
def test_roundabout_words_ask_to_keep_the_same(text: str, wish: Wish) -> None:
    assert _wishes(text) == [wish]


def test_a_wish_for_one_camera_and_not_the_other_keeps_what_that_one_has() -> None:
    for text in ("denoise rgb but not thermal", "remove the noise in rgb, but not in the thermal image"):
        assert _wishes(text) == [Wish("noise", camera="rgb"), Wish("noise", True, "thermal")]
    assert _wishes("brighten it without changing the colours") == [
        Wish("low_light"),
        Wish("colour_cast", True),
    ]


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("brighten slightly the road", 0.5), ("very slightly brighten the road", 0.5),
        ("brighten the road just a little bit", 0.5), ("a smidge brighter", 0.5), ("way less noise", 1.5),
        ("brighten the road even more", 1.5), ("denoise at half strength", 0.5),
        ("denoise as much as possible", 2.0), ("remove as much noise as possible", 2.0),
    ],
)  # fmt: skip
def test_degrees_in_odd_places(text: str, degree: float) -> None:
    wish = _wish(text)
    assert wish is not None and (wish.degree, wish.region) == (degree, "road" if "road" in text else "")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("less denoising", "write 'slightly denoise' or 'do not denoise'"),
        ("denoising is too strong", "write 'slightly denoise' or 'do not denoise'"),
        ("don't oversharpen", "write 'slightly sharpen' or 'do not sharpen'"),
        ("brighten the people, but not too much", "write 'slightly brighten the people'"),
        ("brighten by 20 percent", "write a weight, as in 'brighten*0.5'"),
        ("denoise without blurring", "write 'denoise', and what else is asked behind a comma"),
        ("weird noise", "write 'denoise' or 'keep the noise'"),
        ("set contrast to high", "write 'more contrast' or 'keep the contrast'"),
        ("brighten all but the sky", "or for one object, as in 'brighten the people'"),
        ("remove noise except in thermal", "as in 'remove the noise in the rgb image'"),
        ("brighten the people, the cars and the road",
         "write 'brighten the people, brighten cars and the road' or 'brighten the people; show cars"),
        ("in the thermal image", "write it behind a wish, as in 'denoise the thermal image'"),
        ("don't touch the thermal image", "write 'keep the noise in the thermal image'"),
        ("use thermal for people", "both cameras always have their part"),
        ("prefer thermal over rgb", "as in 'more contrast in the thermal image'"),
    ],
)  # fmt: skip
def test_more_than_a_wish_can_say_is_told_what_to_type(text: str, hint: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert hint in caught.value.reason


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("brighten, but only the people", Wish("low_light", region="people")),
        ("brighten, only people", Wish("low_light", region="people")),
        ("more contrast, but just for people", Wish("low_contrast", region="people")),
        ("remove the fog, only on the road", Wish("haze", region="road")),
        ("brighten a little, but just the cars", Wish("low_light", region="cars", degree=0.5)),
        ("denoise, but only in the thermal image", Wish("noise", camera="thermal")),
        ("sharpen thermal edges", Wish("blur", camera="thermal")),
        ("brighten a little bit more", Wish("low_light", degree=0.5)),
        ("show what is behind the smoke", Wish("haze")), ("make the fog thinner", Wish("haze")),
        ("don't let the smoke hide the people", Wish("haze")), ("see behind the smoke", Wish("haze")),
    ],
)  # fmt: skip
def test_what_a_wish_is_limited_to_is_not_lost(text: str, wish: Wish) -> None:
    prompt = parse(text)
    (phrase,) = prompt.phrases
    assert phrase.wish == wish
    assert parse(format_prompt(prompt)).phrases[0].wish == wish


def test_a_removal_said_once_is_meant_of_all_faults_in_front() -> None:
    wishes = [phrase.wish for phrase in parse("haze, noise and stripes removed").phrases]
    assert wishes == [Wish("haze"), Wish("noise"), Wish("stripes")]
