"""Restoration wishes: what they set, what is refused, and what they do to the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import files, load, save, scene, textdifuse
from numpy.typing import NDArray
from small_networks import nothing_found

from textdifuse_ros.fuser import Fuser
from textdifuse_ros.model import weights
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.controls import ALL, AS_IT_WAS, AUTO, CONTROLS, NONE, Controls, controls
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.simulation.sequence import StreetSequence
from textdifuse_ros.text import localiser as registry
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.heat import HeatLocaliser
from textdifuse_ros.text.localiser import CompiledPrompt, localiser_names
from textdifuse_ros.text.prompt import Prompt, PromptError
from textdifuse_ros.text.wishes import asked, blend, compile_prompt, passes

Bytes = NDArray[np.uint8]
OFF = dict.fromkeys(CONTROLS, 0.0)
SMALL = ModelConfig(
    widths=(8, 8, 8, 8), encoder_blocks=(0, 1, 1, 1), decoder_blocks=(1, 1, 1, 1), embedding=16
)


def compiled(text: str) -> CompiledPrompt:
    return compile_prompt(HeatLocaliser(), parse(text))


def whole(text: str, base: Controls = ALL, strength: float = 1.0) -> dict[str, float]:
    """The controls of the whole frame that a prompt changes."""
    (only,) = passes(compiled(text).wishes, base, strength)
    return {name: new for name, new, old in zip(CONTROLS, only.controls, base, strict=True) if new != old}


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network in which every control changes the picture."""
    torch.manual_seed(3)
    network = FusionNetwork(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    weights.save(network, path)
    return path


@pytest.fixture(scope="module")
def fuser(random_weights: Path) -> Fuser:
    """One that finds nothing by itself: the pictures here are darker than any night."""
    fuser = Fuser(random_weights, device="cpu", dtype="fp32")
    fuser._judge._evidence = nothing_found()
    return fuser


def night(height: int = 64, width: int = 96) -> tuple[Bytes, Bytes]:
    """A rendered night street, darker than it is, and what a thermal camera sees of it."""
    frame = StreetSequence(width, height, seed=0, smoke=0.0).render(0.0)
    low, high = frame.temperature.min(), frame.temperature.max()
    thermal = ((frame.temperature - low) / (high - low) * 255).astype(np.uint8)
    return frame.rgb // 4, thermal


def with_a_figure() -> tuple[Bytes, Bytes]:
    """A dim scene with one warm figure in the middle."""
    rng = np.random.default_rng(4)
    thermal = rng.integers(50, 60, (64, 96)).astype(np.uint8)
    thermal[16:48, 40:56] = 230
    return rng.integers(0, 60, (64, 96, 3)).astype(np.uint8), thermal


# -- what a wish sets --------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("brighten", ["low_light"]),
        ("reduce the glare", ["over_exposure"]),
        ("remove the noise", ["visible_noise", "thermal_noise"]),
        ("denoise the rgb image", ["visible_noise"]),
        ("less thermal noise", ["thermal_noise"]),
        ("remove the stripes", ["stripes"]),
        ("remove the stripes in the thermal image", ["stripes"]),
        ("see through the smoke", ["haze"]),
        ("more contrast", ["visible_contrast", "thermal_contrast"]),
        ("more contrast in the thermal image", ["thermal_contrast"]),
        ("correct the colours", ["colour_cast"]),
        ("sharpen", ["visible_blur", "thermal_blur"]),
        ("deblur the rgb image", ["visible_blur"]),
    ],
)
def test_with_restoration_off_a_wish_raises_its_own_controls_alone(text: str, names: list[str]) -> None:
    assert whole(text, NONE) == dict.fromkeys(names, 1.0)
    assert whole(text, ALL) == {}  # what it asks for is done already


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("keep the night look", {"low_light": 0.0}),
        ("keep the colours", {"colour_cast": 0.0}),
        ("do not sharpen", {"visible_blur": 0.0, "thermal_blur": 0.0}),
        ("don’t denoise the thermal image", {"thermal_noise": 0.0}),
        ("slightly brighten", {}),
        ("somewhat more contrast in the rgb image", {}),
        ("denoise the rgb camera strongly, correct the colours completely", {}),
        ("strongly brighten, completely dehaze", {"low_light": 1.25, "haze": 1.25}),
        ("sharpen a lot", {"visible_blur": 1.25, "thermal_blur": 1.25}),
        ("brighten*0.5", {}),
        ("keep the night look*0.25", {"low_light": 0.75}),
        ("keep the night look*0", {}),
        ("slightly brighten, keep the colours", {"colour_cast": 0.0}),
    ],
)
def test_with_restoration_on_a_wish_to_keep_lowers_its_own_controls(
    text: str, changes: dict[str, float]
) -> None:
    assert whole(text, ALL) == changes


@pytest.mark.parametrize(("strength", "left"), [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (1.0, 0.0), (2.0, 0.0)])
def test_strength_is_the_way_from_the_base_to_the_wish(strength: float, left: float) -> None:
    (only,) = passes(compiled("keep the night look").wishes, ALL, strength)
    assert dict(zip(CONTROLS, only.controls, strict=True)) == {
        **dict.fromkeys(CONTROLS, 1.0),
        "low_light": left,
    }


@pytest.mark.parametrize(
    ("text", "strength", "like"),
    [
        ("brighten*1.5", 1.0, "strongly brighten"),
        ("brighten", 1.5, "strongly brighten"),
        ("slightly brighten*2", 1.0, "brighten"),
        ("slightly brighten the dark*1.5, slightly dehaze", 2.0, "strongly brighten, dehaze"),
        ("more contrast*2", 2.0, "strongly increase the contrast"),
        ("slightly remove the noise*2", 1.0, "remove the noise"),
        ("denoise*2, correct the colours*2", 2.0, "denoise, correct the colours"),
    ],
)
def test_a_weight_above_one_is_a_higher_degree(text: str, strength: float, like: str) -> None:
    asked_for = passes(compiled(text).wishes, NONE, strength)
    assert asked_for == passes(compiled(like).wishes, NONE, 1.0)


def test_a_wish_starts_from_whatever_the_setting_says() -> None:
    base = controls({"low_light": 0.2, "haze": 0.3}, ALL)
    assert whole("keep the night look*0.5", base) == {"low_light": pytest.approx(0.1)}


# -- what is refused --------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("remove the haze in the thermal image", ["thermal image never has haze", "write 'remove the haze'"]),
        ("hot, correct the colours in the thermal image", ["a colour cast", "write 'correct the colours'"]),
        ("remove the stripes in the rgb image", ["RGB image never has stripes", "'remove the stripes'"]),
        ("brighten the thermal image", ["low light", "'more contrast in the thermal image'"]),
        ("less glare in the thermal image", ["over-exposure", "'remove the glare'"]),
        ("do not dehaze the thermal image", ["haze", "leave it out"]),
        ("brighten the dark, keep the night look", ["'brighten the dark' and 'keep the", "low light"]),
        ("denoise, do not denoise the thermal image", ["thermal noise", "say one"]),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_followed_is_refused_with_what_to_type(text: str, words: list[str]) -> None:
    with pytest.raises(PromptError) as caught:
        compiled(text)
    last = text.split(", ")[-1]
    assert caught.value.position == text.index(last) and caught.value.phrase == last
    assert all(word in caught.value.reason for word in words)


@pytest.mark.parametrize(
    "text",
    ["'remove the stripes'", "'remove the noise in the rgb image'", "'brighten'", "'remove the glare'"],
)
def test_what_a_refusal_offers_is_accepted(text: str) -> None:
    assert compiled(text.strip("'")).wishes


def test_a_region_that_cannot_be_located_is_refused_where_it_stands() -> None:
    text = "warm objects, brighten  the  red CAR"
    with pytest.raises(PromptError, match=r"'red car' cannot be located.*nearest phrase") as caught:
        compiled(text)
    assert caught.value.position == text.index("red CAR")


def test_a_region_cannot_be_a_wish() -> None:
    with pytest.raises(PromptError, match="could be limited to: write 'no smoke' as a phrase of its own"):
        compiled("sharpen the no smoke")


# -- regions --------------------


def test_a_region_that_changes_nothing_costs_no_run() -> None:
    assert len(passes(compiled("brighten the warm objects").wishes, ALL, 1.0)) == 1
    assert len(passes(compiled("brighten the warm objects").wishes, NONE, 0.0)) == 1
    assert len(passes(compiled("brighten the warm objects*0").wishes, NONE, 1.0)) == 1


def test_regions_start_from_the_whole_frame_and_share_runs() -> None:
    wishes = compiled(
        "keep the night look, brighten the hot spots, denoise the hot spots, brighten the cold areas, "
        "slightly denoise the heat, brighten the heat"
    ).wishes
    first, both, light, some = passes(wishes, NONE, 1.0)
    assert first.controls == NONE
    assert both.controls == controls({"low_light": 1, "visible_noise": 1, "thermal_noise": 1}, NONE)
    assert light.controls == controls({"low_light": 1}, NONE)
    assert some.controls == controls({"low_light": 1, "visible_noise": 0.5, "thermal_noise": 0.5}, NONE)
    shared = passes(compiled("brighten the hot spots, brighten the cold areas").wishes, NONE, 1.0)
    assert [len(each.regions) for each in shared] == [0, 2]


def test_a_region_may_differ_from_the_whole_frame_without_contradiction() -> None:
    first, region = passes(compiled("keep the night look, brighten the warm objects").wishes, ALL, 1.0)
    assert first.controls == controls({"low_light": 0}, ALL)
    assert region.controls == ALL


def test_blending_is_linear_and_leaves_the_rest_alone() -> None:
    image, over = np.full((1, 3, 3), 100, np.uint8), np.full((1, 3, 3), 201, np.uint8)
    where = np.array([[0.0, 0.5, 1.0]], np.float32)
    assert blend(image, over, where)[0, :, 0].tolist() == [100, 150, 201]
    assert np.array_equal(blend(image, image, where), image)


# -- the picture --------------------


@pytest.mark.parametrize(
    ("text", "restore", "same"),
    [
        ("remove the noise", "off", OFF | {"visible_noise": 1.0, "thermal_noise": 1.0}),
        ("keep the night look", "auto", {"low_light": 0.0}),
        ("slightly brighten", "auto", {"low_light": 0.75}),
        ("brighten", "auto", {"low_light": 1.0}),
        ("remove the noise", "auto", {}),
        ("remove the haze", "auto", {"haze": 1.0}),
        ("slightly increase contrast in the thermal image", "auto", {"thermal_contrast": 0.75}),
    ],
)  # fmt: skip
def test_a_wish_is_the_same_picture_as_its_controls(
    fuser: Fuser, text: str, restore: str, same: dict[str, float]
) -> None:
    rgb, thermal = night()
    wished = fuser.fuse(rgb, thermal, text, restore=restore)
    assert np.array_equal(wished.image, fuser.fuse(rgb, thermal, restore=same).image)
    if controls(same) != {"auto": AUTO, "off": NONE}[restore]:  # else it is done already
        assert not np.array_equal(wished.image, fuser.fuse(rgb, thermal, restore=restore).image)


@pytest.mark.parametrize(
    ("text", "strength", "share"),
    [
        ("correct the colours", 1.0, 1.0),
        ("slightly correct the colours", 1.0, 0.5),
        ("correct the colours", 0.4, 0.4),
        ("slightly correct the colours*2", 1.0, 1.0),
        ("slightly correct the colours", 0.5, 0.25),
        ("correct the colours of the warm objects", 1.0, 0.0),
        ("keep the colours", 1.0, 0.0),
        ("brighten the dark", 1.0, 0.0),
    ],
)
def test_what_is_asked_of_the_whole_frame_counts(text: str, strength: float, share: float) -> None:
    wishes = compiled(text).wishes
    assert asked(wishes, "colour_cast", strength) == pytest.approx(share)


@pytest.mark.parametrize("restore", ["auto", "off"])
@pytest.mark.parametrize("text", ["brighten, keep the colours", "slightly brighten the warm objects, hot"])
def test_strength_zero_equals_no_prompt_bit_for_bit(fuser: Fuser, text: str, restore: str) -> None:
    rgb, thermal = with_a_figure()
    without = fuser.fuse(rgb, thermal, restore=restore).image
    assert np.array_equal(without, fuser.fuse(rgb, thermal, text, strength=0.0, restore=restore).image)
    assert not np.array_equal(without, fuser.fuse(rgb, thermal, text, restore=restore).image)


def test_a_prompt_of_wishes_alone_has_no_salience_and_a_mixed_one_has(fuser: Fuser) -> None:
    rgb, thermal = with_a_figure()
    alone = fuser.fuse(rgb, thermal, "keep the night look, brighten the warm objects").salience
    assert alone is not None and not alone.any()
    mixed, plain = (fuser.fuse(rgb, thermal, text).salience for text in ("hot, keep the night look", "hot"))
    assert plain is not None and plain.any() and np.array_equal(mixed, plain)


def test_a_wish_for_a_region_acts_there_and_nowhere_else(fuser: Fuser) -> None:
    rgb, thermal = with_a_figure()
    dark = fuser.fuse(rgb, thermal, restore={"low_light": 0.0}).image
    bright = fuser.fuse(rgb, thermal, "brighten").image
    image = fuser.fuse(rgb, thermal, "keep the night look, brighten the warm objects").image
    assert not np.array_equal(dark[20:44, 44:52], bright[20:44, 44:52])
    assert np.array_equal(image[20:44, 44:52], bright[20:44, 44:52])
    assert np.array_equal(image[:, :24], dark[:, :24])


def test_a_region_costs_a_second_run_while_it_acts(fuser: Fuser, monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, thermal = with_a_figure()
    run, seen = fuser._engine.run, []

    def counted(*given: object) -> object:
        seen.append(given[-1])
        return run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(fuser._engine, "run", counted)
    fuser.fuse(rgb, thermal, "brighten the warm objects", restore="off")
    assert seen == [NONE, controls({"low_light": 1}, NONE)]
    fuser.fuse(rgb, thermal, "denoise the warm objects", restore="auto")
    assert seen[2:] == [AUTO]


def test_without_a_wish_a_night_stays_dark_and_with_one_it_is_lit() -> None:
    assert whole("", AUTO) == {}
    assert 0 < AUTO[CONTROLS.index("low_light")] < AS_IT_WAS
    assert whole("slightly keep the night look", AUTO) == {"low_light": 0.125}
    assert whole("slightly keep the night look", NONE) == {}
    assert whole("brighten the dark", AUTO) == {"low_light": 1.0}
    assert whole("slightly brighten", AUTO) == whole("slightly brighten", NONE) == {"low_light": 0.75}
    assert whole("keep the night look", AUTO) == {"low_light": 0.0}


def test_a_wish_goes_beyond_what_restoration_does_by_itself_but_for_noise_which_shows() -> None:
    assert whole("remove the haze", AUTO) == {"haze": 1.0}
    assert whole("slightly remove the haze", AUTO) == whole("slightly dehaze", NONE) == {"haze": 0.75}
    assert whole("remove the noise", AUTO) == whole("slightly remove the noise", AUTO) == {}
    assert whole("do not denoise*0.5", AUTO) == {"visible_noise": 0.5, "thermal_noise": 0.5}
    later_counts = whole("slightly denoise, denoise the thermal image", NONE)
    assert later_counts == {"visible_noise": 0.5, "thermal_noise": 1.0}
    assert whole("slightly remove the noise", NONE) == {"visible_noise": 0.5, "thermal_noise": 0.5}
    assert whole("keep the colours*0.5", AUTO) == {"colour_cast": 0.125}


class LeftLocaliser:
    """A third localiser: knows "left", and nothing of wishes."""

    name = "left"

    def compile(self, prompt: Prompt) -> CompiledPrompt:
        for phrase in prompt.phrases:
            if phrase.text.casefold() != "left":
                raise PromptError(f"'{phrase.text}' is not 'left'", phrase.text, phrase.start)
        return CompiledPrompt(prompt, self.name)

    def relevance(self, compiled: CompiledPrompt, rgb: Bytes, thermal: Bytes) -> NDArray[np.float32]:
        found = np.zeros(thermal.shape, np.float32)
        found[:, : thermal.shape[1] // 2] = sum(p.weight for p in compiled.objects)
        return found


def test_wishes_work_with_a_localiser_that_knows_nothing_of_them(
    random_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._FACTORIES, "left", LeftLocaliser)
    assert "left" in localiser_names()
    fuser = Fuser(random_weights, device="cpu", dtype="fp32", localiser="left")
    rgb, thermal = with_a_figure()
    image = fuser.fuse(rgb, thermal, "brighten the left", restore="off").image
    off = fuser.fuse(rgb, thermal, restore="off").image
    lit = fuser.fuse(rgb, thermal, "brighten", restore="off").image
    assert np.array_equal(image[:, :48], lit[:, :48]) and np.array_equal(image[:, 48:], off[:, 48:])
    salience = fuser.fuse(rgb, thermal, "left, keep the colours").salience
    assert salience is not None and salience[:, :48].min() == 255 and not salience[:, 48:].any()


# -- the shipped weights, by direction --------------------


@pytest.fixture(scope="module")
def shipped() -> Fuser:
    return Fuser(device="cpu", dtype="fp32", localiser="heat")


@pytest.mark.parametrize("restore", ["auto", "off"])
def test_brightening_a_dark_frame_makes_it_brighter_than_keeping_the_night(
    shipped: Fuser, restore: str
) -> None:
    rgb, thermal = night()
    lit, kept = (
        shipped.fuse(rgb, thermal, text, restore=restore).image.mean()
        for text in ("brighten", "keep the night look")
    )
    assert lit > kept


def test_a_wish_to_keep_the_night_darkens_with_its_strength(shipped: Fuser) -> None:
    rgb, thermal = night()
    means = [
        shipped.fuse(rgb, thermal, "keep the night look", strength=s).image.mean() for s in (0.0, 0.5, 1.0)
    ]
    assert means[0] > means[1] > means[2]


@pytest.mark.parametrize("restore", ["auto", "off"])
@pytest.mark.parametrize(("text", "steps"), [
    ("warm objects*2", 1), ("no warm objects", 2), ("warm objects, keep the night look", 4),
    ("brighten the warm objects, remove the noise", 1),
])  # fmt: skip
def test_with_the_shipped_weights_strength_zero_equals_no_prompt_bit_for_bit(
    shipped: Fuser, text: str, steps: int, restore: str
) -> None:
    rgb, thermal = night()
    without = shipped.fuse(rgb, thermal, steps=steps, restore=restore).image
    zero = shipped.fuse(rgb, thermal, text, steps, strength=0.0, restore=restore)
    assert np.array_equal(without, zero.image)
    assert zero.salience is not None and not zero.salience.any()


# -- the command --------------------


def test_the_command_takes_wishes(tmp_path: Path) -> None:
    colour, thermal = scene()
    rgb, heat = save(tmp_path / "rgb.png", colour // 4), save(tmp_path / "thermal.png", thermal)
    common = ("fuse", "--rgb", rgb, "--thermal", heat, "--threads", 1, "--dtype", "fp32", "--output")
    prompt = "keep the night look, remove the noise in the thermal image"
    done = textdifuse(*common, tmp_path / "o.png", "--prompt", prompt)
    assert done.returncode == 0, done.stderr
    here = Fuser(device="cpu", dtype="fp32", threads=1)
    expected = here.fuse(load(rgb)[..., ::-1], thermal, restore={"low_light": 0.0}).image
    assert np.array_equal(load(tmp_path / "o.png")[..., ::-1], expected)
    refused = textdifuse(*common, tmp_path / "p.png", "--prompt", "remove the haze in the thermal image")
    assert refused.returncode == 2 and "--prompt: 'remove the haze in the thermal image'" in refused.stderr
    assert files(tmp_path) == ["o.png", "rgb.png", "thermal.png"]
