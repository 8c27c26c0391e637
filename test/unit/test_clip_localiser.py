"""The localiser `clip` with a made-up model whose patch and text features are known: no open_clip needed."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from textdifuse_ros.nodes.model_holder import build_fuser
from textdifuse_ros.nodes.parameters import ParameterError, Settings
from textdifuse_ros.nodes.prompts import PromptKeeper
from textdifuse_ros.text import clip_import
from textdifuse_ros.text.clip import MAX_WORDS, ClipLocaliser, both_images, working_size
from textdifuse_ros.text.clip_maps import BACKGROUND, SCALE, synonyms
from textdifuse_ros.text.contrast import thermal_contrast
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.localiser import CompiledPrompt, LocaliserError, Prepared, make_localiser
from textdifuse_ros.text.prompt import Prompt, PromptError
from textdifuse_ros.text.wishes import compile_prompt

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
PATCH = 8
NOWHERE = 1 / (1 + len(BACKGROUND))  # share of a phrase where nothing speaks for it, nor for the background


class ColourTower:
    """Patch features from the mean colour: red, blue, white, and none of them."""

    patch, side = PATCH, 4 * PATCH

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        red, green, blue = torch.nn.functional.avg_pool2d(pixels, PATCH).unbind(1)
        white = (torch.minimum(torch.minimum(red, green), blue) > 0.9).float()
        features = torch.stack(((red - blue).clamp(min=0), (blue - red).clamp(min=0), white), dim=-1)
        none = (features.amax(dim=-1, keepdim=True) == 0).float()
        return torch.nn.functional.normalize(torch.cat((features, none), dim=-1), dim=-1)


class ColourModel:
    """The phrase "car" is red, "person" is white, and the whole background is blue."""

    mean, deviation, device = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), torch.device("cpu")

    def __init__(self) -> None:
        self.tower = ColourTower()
        self.encoded: list[tuple[str, ...]] = []

    def words(self, names: tuple[str, ...]) -> torch.Tensor:
        self.encoded.append(names)
        axis = [{"car": 0, "person": 2}.get(name, 1) for name in names]
        return torch.eye(4)[axis]


def localiser(rate: float = 0.0) -> tuple[ClipLocaliser, ColourModel]:
    model = ColourModel()

    def load(*given: str) -> Any:
        assert given == ("some model", "some weights", "cpu", "fp32")
        return model

    return ClipLocaliser("some model", "some weights", rate, load=load), model


def scene() -> tuple[Bytes, Bytes]:
    """A blue image with a red car on the left; a dark thermal one with a white-hot person on the right."""
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:] = (0, 0, 200)
    rgb[16:32, 8:24] = (200, 0, 0)
    thermal = np.zeros((48, 64), np.uint8)
    thermal[16:40, 48:56] = 255
    return rgb, thermal


def relevance(text: str, given: ClipLocaliser | None = None) -> Floats:
    clip = given or localiser()[0]
    return clip.relevance(clip.compile(parse(text)), *scene())


def test_what_the_rgb_image_shows_is_found_there() -> None:
    found = relevance("car")
    assert found.dtype == np.float32 and found.shape == (48, 64)
    np.testing.assert_allclose(found[20:28, 12:20], 1.0, atol=1e-4)
    np.testing.assert_allclose(found[:, 34:44], NOWHERE, atol=1e-4)


def test_what_only_the_thermal_image_shows_is_found_as_well() -> None:
    found = relevance("person")
    assert found[20:36, 51:53].min() > 0.9  # one patch wide: its middle
    assert found[:, :40].max() < 2 * NOWHERE


def test_the_share_of_a_phrase_is_a_softmax_against_the_background() -> None:
    """A patch that is half red, half blue."""
    clip, _ = localiser()
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:] = (200, 0, 0)
    rgb[:, ::2] = (0, 0, 100)  # the mean of each patch is (100, 0, 50): red
    mixed = clip.relevance(clip.compile(parse("car")), rgb, np.zeros((48, 64), np.uint8))
    np.testing.assert_allclose(mixed, 1 / (1 + len(BACKGROUND) * np.exp(-SCALE)), atol=1e-5)


def test_weights_and_suppression_add_up_and_are_clipped() -> None:
    car, person = relevance("car"), relevance("person")
    np.testing.assert_allclose(relevance("no car*0.5, person"), np.clip(person - 0.5 * car, -1, 1), atol=1e-5)
    np.testing.assert_allclose(relevance("car*0.5, CAR*0.25"), 0.75 * car, atol=1e-5)
    assert relevance("car*2").max() == 1.0 and relevance("no car*2").min() == -1.0
    assert not relevance("car*0").any()


def test_phrases_about_temperature_are_left_to_the_thermal_contrast() -> None:
    clip, model = localiser()
    _, thermal = scene()
    np.testing.assert_allclose(
        relevance("warm objects", clip), thermal_contrast(thermal, 1.0, 0.0), atol=1e-6
    )
    assert model.tower.calls == 0 and model.encoded == []
    both = np.clip(thermal_contrast(thermal, 0.5, 0.0) + relevance("car"), -1, 1)
    np.testing.assert_allclose(relevance("hot*0.5, car"), both, atol=1e-5)


def test_a_phrase_is_encoded_once_and_a_frame_is_looked_at_once() -> None:
    clip, model = localiser()
    rgb, thermal = scene()
    prompts = [clip.compile(parse(text)) for text in ("car, no person", "person")]
    for compiled in [*prompts, *prompts]:
        clip.relevance(compiled, rgb, thermal)
    assert model.encoded == [BACKGROUND, ("car",), ("person",)]
    assert model.tower.calls == 1


def test_with_rate_zero_a_buffer_that_was_written_anew_is_a_new_frame() -> None:
    clip, model = localiser()
    rgb, thermal = scene()
    car = clip.compile(parse("car"))
    before = clip.relevance(car, rgb, thermal)
    rgb[:] = rgb[:, ::-1].copy()
    np.testing.assert_allclose(clip.relevance(car, rgb, thermal), before[:, ::-1], atol=1e-5)
    assert model.tower.calls == 2


def test_with_a_rate_the_last_look_is_held_and_a_new_prompt_uses_it() -> None:
    clip, model = localiser(rate=0.001)
    rgb, thermal = scene()
    car, person = clip.compile(parse("car")), clip.compile(parse("person"))
    before = clip.relevance(car, rgb, thermal)
    black = np.zeros_like(rgb), np.zeros_like(thermal)
    assert np.array_equal(clip.relevance(car, *black), before)
    np.testing.assert_allclose(clip.relevance(person, *black), relevance("person"), atol=1e-5)
    assert model.tower.calls == 1
    tall = np.zeros((64, 48, 3), np.uint8), np.zeros((64, 48), np.uint8)
    assert clip.relevance(car, *tall).max() < 2 * NOWHERE  # another size is another scene
    assert model.tower.calls == 2
    clip.close()


def test_a_new_phrase_is_encoded_beside_the_frames() -> None:
    clip, model = localiser(rate=0.001)
    go = threading.Event()
    words = model.words

    def slow(names: tuple[str, ...]) -> torch.Tensor:
        assert names == BACKGROUND or go.wait(60)
        return words(names)

    model.words = slow  # type: ignore[method-assign]
    car = clip.compile(parse("car, warm objects, person*0"))
    assert not clip.ready(car) and not clip.ready(car)
    go.set()
    while not clip.ready(car):
        threading.Event().wait(0.001)
    assert model.encoded == [BACKGROUND, ("car",)]
    clip.relevance(car, *scene())
    assert model.encoded == [BACKGROUND, ("car",)]
    assert clip.ready(clip.compile(parse("car"))) and clip.ready(CompiledPrompt(Prompt(), ""))
    clip.close()


def test_a_phrase_that_cannot_be_encoded_is_said_by_the_frame_and_no_sooner() -> None:
    clip, model = localiser(rate=0.001)
    clip.prepare()

    def broken(names: tuple[str, ...]) -> torch.Tensor:
        raise RuntimeError("out of memory")

    model.words = broken  # type: ignore[method-assign]
    car = clip.compile(parse("car"))
    while not clip.ready(car):
        threading.Event().wait(0.001)
    with pytest.raises(RuntimeError, match="out of memory"):
        clip.relevance(car, *scene())
    clip.close()


def test_with_rate_zero_every_prompt_is_ready() -> None:
    clip, model = localiser()
    assert clip.ready(clip.compile(parse("car"))) and not model.encoded


def test_phrases_that_were_not_used_for_long_are_forgotten_first() -> None:
    clip, model = localiser()
    for index in range(1, 71):
        relevance(f"car, thing {index}", clip)
    assert model.encoded.count(("car",)) == 1
    relevance("thing 1", clip)
    assert model.encoded.count(("thing 1",)) == 2


def test_the_prompt_before_stays_in_force_until_the_new_one_is_ready() -> None:
    keeper = PromptKeeper(lambda record: None)
    settings = [Settings().changed({"prompt": text, "localiser": "heat"}) for text in ("hot objects", "cold")]
    keeper.apply(settings[0], {"prompt"})
    first = keeper.for_frame(lambda compiled: False)
    assert first is keeper.current
    keeper.apply(settings[1], {"prompt"})
    assert keeper.for_frame(lambda compiled: False) is first
    second = keeper.for_frame(lambda compiled: True)
    assert second is keeper.current and second is not first


def test_making_one_and_compiling_loads_no_model() -> None:
    clip, model = localiser()
    compiled = compile_prompt(clip, parse("a red car*1.5, no sky, warm objects, brighten the cat"))
    assert compiled.named == {"red car": 1.5, "sky": -1.0} and compiled.hot == 1.0  # type: ignore[attr-defined]
    assert model.encoded == [] and compiled.localiser == "clip"
    assert isinstance(clip, Prepared)
    clip.prepare()
    assert model.encoded == [BACKGROUND]


def test_a_phrase_that_is_too_long_for_the_model_is_refused() -> None:
    clip, _ = localiser()
    clip.compile(parse(" ".join(["word"] * MAX_WORDS)))
    with pytest.raises(PromptError, match="a phrase of 41 words is too long") as caught:
        clip.compile(parse("car, " + " ".join(["word"] * (MAX_WORDS + 1))))
    assert caught.value.position == 5


def test_a_prompt_of_another_localiser_is_refused() -> None:
    with pytest.raises(ValueError, match="compiled by 'heat', not by 'clip'"):
        localiser()[0].relevance(CompiledPrompt(Prompt(), "heat"), *scene())


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((480, 640), (336, 448)),
        ((640, 480), (448, 336)),
        ((500, 500), (336, 336)),
        ((100, 9000), (336, 1008)),
    ],
)
def test_the_tower_sees_the_frame_in_its_proportions(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert working_size(shape, side=224, patch=16) == expected


def test_both_images_reach_the_tower_scaled_and_the_thermal_one_as_grey() -> None:
    rgb, thermal = scene()
    pixels = both_images(rgb[:, ::-1], thermal[:, ::-1], (24, 32))
    assert pixels.shape == (2, 3, 24, 32) and pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[0, :, 12, 24], [200 / 255, 0, 0], atol=1e-6)
    np.testing.assert_allclose(pixels[1, :, 12, 6], 1.0)
    assert both_images(rgb, thermal, (96, 128)).max() <= 1.1


def test_other_names_of_the_phrase_do_not_count_as_background() -> None:
    def at(degrees: float) -> list[float]:
        return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))]

    background = torch.tensor([at(0), at(20), at(90)])
    assert synonyms(torch.tensor([at(85)]), background).tolist() == [False, False, True]
    assert synonyms(torch.tensor([at(-30)]), background).tolist() == [False, False, False]


# -- where open_clip is not installed --------------------


@pytest.fixture
def without_open_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "open_clip", raising=False)
    monkeypatch.setattr(clip_import.importlib.util, "find_spec", lambda name: None)


@pytest.mark.usefixtures("without_open_clip")
def test_without_open_clip_the_localiser_says_what_to_install() -> None:
    with pytest.raises(LocaliserError, match=r"needs open_clip: run `pip install -r requirements-clip.txt`"):
        make_localiser("clip", model="ViT-B-16")


@pytest.mark.usefixtures("without_open_clip")
def test_without_open_clip_the_node_refuses_the_parameter_at_once() -> None:
    keeper = PromptKeeper(lambda record: None)
    settings = Settings().changed({"localiser": "clip"})
    with pytest.raises(ParameterError, match="localiser: the localiser 'clip' needs open_clip"):
        keeper.vet(settings, {"localiser"})


def test_options_that_a_localiser_does_not_take_are_left_out() -> None:
    assert make_localiser("heat", model="ViT-B-16", weights="openai", rate=2.0, device="cpu").name == "heat"


def test_the_node_hands_its_parameters_to_the_localiser(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Recorder:
        steps = (1, 2, 4)

        def __init__(self, *_: object, **given: object) -> None:
            seen.update(given)

    monkeypatch.setattr("textdifuse_ros.fuser.Fuser", Recorder)
    wanted = {"localiser": "clip", "localiser.model": "ViT-L-14", "localiser.rate": 5.0}
    build_fuser(Settings().changed(wanted))
    assert seen["localiser"] == "clip"
    assert seen["localiser_options"] == {"model": "ViT-L-14", "weights": "openai", "rate": 5.0}
