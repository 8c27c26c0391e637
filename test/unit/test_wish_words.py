"""Restoration wishes in the words that people use for them: faults, cameras, degrees, wishes to keep."""

from __future__ import annotations

import pytest

from textdifuse_ros.text.faults import NOUNS
from textdifuse_ros.text.grammar import parse
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
