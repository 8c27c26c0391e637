"""Heat phrases: which are understood, what the others are told, and where heat is found."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.heat import COLD, EXAMPLES, HOT, HeatLocaliser, temperature_of
from textdifuse_ros.text.localiser import CompiledPrompt, localiser_names, make_localiser, register_localiser
from textdifuse_ros.text.prompt import Prompt, PromptError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def _relevance(text: str, thermal: Bytes) -> Floats:
    localiser = HeatLocaliser()
    rgb = np.zeros((*thermal.shape, 3), np.uint8)
    return localiser.relevance(localiser.compile(parse(text)), rgb, thermal)


def _scene(height: int = 480, width: int = 640, hot: int = 150, noise: float = 3.0) -> tuple[Bytes, Bytes]:
    """A cool, slightly sloping background with a person-sized object: (thermal, mask)."""
    rng = np.random.default_rng(1)
    image = np.linspace(50, 80, height)[:, None] + np.zeros((height, width))
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 32, height // 8), 0, 0, 360, 1, -1)
    image[mask > 0] = hot
    image += rng.normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.mark.parametrize(
    "text", [*EXAMPLES, "Warm Objects", "the hot spots in the image", "things that are warm"]
)
def test_phrases_about_temperature_are_accepted(text: str) -> None:
    compiled = HeatLocaliser().compile(parse(text))
    assert (compiled.hot, compiled.cold) == ((0.0, 1.0) if "cold" in text else (1.0, 0.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("warm bodies", HOT), ("sources of heat", HOT), ("anything warmer", HOT), ("high temperatures", HOT),
        ("low temperature areas", COLD), ("person", None), ("hot people", None), ("hot and cold", None),
        ("hot cold", None), ("objects", None), ("", None),
    ],
)  # fmt: skip
def test_only_temperature_alone_is_a_temperature(text: str, expected: str | None) -> None:
    assert temperature_of(text) == expected


def test_weights_add_up_with_their_signs() -> None:
    compiled = HeatLocaliser().compile(parse("warm objects*1.5, no hot spots*0.25, no cold areas*0.5"))
    assert (compiled.hot, compiled.cold) == (1.25, -0.5)
    assert compiled.localiser == "heat" and compiled.objects


def test_a_prompt_that_cannot_change_anything_is_empty() -> None:
    localiser = HeatLocaliser()
    assert not localiser.compile(parse("")).objects
    assert not localiser.compile(parse("warm objects*0")).objects
    assert localiser.compile(parse("no warm objects")).objects


def test_a_refusal_names_the_phrase_the_nearest_one_and_the_remedy() -> None:
    with pytest.raises(PromptError) as caught:
        HeatLocaliser().compile(parse("hot, a wrm object"))
    assert caught.value.phrase == "wrm object"
    assert caught.value.position == 7
    assert "'wrm object' cannot be located" in caught.value.reason
    assert "'warm objects'" in caught.value.reason
    assert "localiser" in caught.value.reason.split(";")[1]


def test_a_hot_object_is_found_and_nothing_else() -> None:
    thermal, mask = _scene()
    found = _relevance("warm objects", thermal)
    assert found.dtype == np.float32 and found.shape == thermal.shape
    inside = cv2.erode(mask, np.ones((9, 9))) > 0
    outside = cv2.dilate(mask, np.ones((25, 25))) == 0
    assert found[inside].min() > 0.95
    assert found[outside].max() < 0.02


@pytest.mark.parametrize("hot", [115, 180, 255])
def test_the_gain_of_the_image_does_not_matter(hot: int) -> None:
    thermal, mask = _scene(hot=hot)
    found = _relevance("hot", thermal) > 0.5
    overlap = np.logical_and(found, mask).sum() / np.logical_or(found, mask).sum()
    assert overlap > 0.7


def test_cold_objects_are_the_mirror_image_of_hot_ones() -> None:
    thermal, _ = _scene()
    np.testing.assert_allclose(_relevance("cold", 255 - thermal), _relevance("hot", thermal), atol=0.02)
    assert np.abs(_relevance("cold", thermal)).mean() < 0.01


def test_suppression_is_negative_and_weights_scale() -> None:
    thermal, mask = _scene()
    full = _relevance("hot", thermal)
    np.testing.assert_allclose(_relevance("no hot", thermal), -full, atol=1e-6)
    np.testing.assert_allclose(_relevance("hot*0.5", thermal), full / 2, atol=1e-6)
    assert _relevance("hot*2", thermal).max() == 1.0
    assert mask.any()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_frame_has_no_heat(level: int) -> None:
    assert not _relevance("hot", np.full((480, 640), level, np.uint8)).any()


@pytest.mark.parametrize("deviation", [1, 5, 20, 60, 120])
def test_a_frame_of_noise_has_no_heat(deviation: int) -> None:
    noise = np.random.default_rng(deviation).normal(128, deviation, (480, 640))
    found = _relevance("hot", np.clip(noise, 0, 255).astype(np.uint8))
    assert found.max() < 0.15 and found.mean() < 0.001


def test_a_slope_has_no_heat() -> None:
    slope = np.repeat(np.linspace(0, 255, 640)[None], 480, axis=0).astype(np.uint8)
    assert _relevance("hot", slope).mean() < 0.02


@pytest.mark.parametrize("size", [(16, 16), (17, 400), (120, 160), (257, 321), (1024, 1280)])
def test_any_size_keeps_its_shape_and_range(size: tuple[int, int]) -> None:
    thermal = np.random.default_rng(0).integers(0, 255, size).astype(np.uint8)
    found = _relevance("hot, no cold", thermal)
    assert found.shape == size and np.isfinite(found).all() and np.abs(found).max() <= 1.0


def test_the_same_frame_gives_the_same_map() -> None:
    thermal, _ = _scene(noise=10)
    assert np.array_equal(_relevance("hot", thermal), _relevance("hot", thermal))


def test_locating_is_cheap_beside_reading_the_frame() -> None:
    """A ratio within one run: a map costs less than 40 Gaussian blurs of one quarter of its pixels."""
    thermal, _ = _scene()
    localiser = HeatLocaliser()
    compiled = localiser.compile(parse("warm objects"))
    rgb = np.zeros((480, 640, 3), np.uint8)
    quarter = np.zeros((240, 320), np.float32)
    own = _fastest(lambda: localiser.relevance(compiled, rgb, thermal))
    unit = _fastest(lambda: cv2.GaussianBlur(quarter, (0, 0), 2.0))
    assert own < 40 * unit, f"{own * 1e3:.2f} ms against {unit * 1e3:.2f} ms"


def _fastest(call: object, times: int = 30) -> float:
    assert callable(call)
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return best


def test_persons_in_real_night_frames_are_found() -> None:
    boxes = sorted((SHARED / "msrs" / "boxes").glob("*N.txt"))
    if not boxes:
        pytest.skip(f"no real frames: {SHARED / 'msrs'} is missing")
    hits = []
    for path in boxes:
        image = next((SHARED / "msrs" / "ir").glob(path.stem + ".*"))
        thermal = cv2.imread(str(image), cv2.IMREAD_GRAYSCALE)
        found = _relevance("warm objects", np.asarray(thermal, np.uint8))
        for line in path.read_text().splitlines():
            kind, x, y, w, h = (float(value) for value in line.split())
            rows = slice(int((y - h / 2) * 480), int((y + h / 2) * 480))
            columns = slice(int((x - w / 2) * 640), int((x + w / 2) * 640))
            if kind == 0 and found[rows, columns].size >= 100:
                # A person fills about half of its box.
                hits.append(float(np.quantile(found[rows, columns], 0.7)) > 0.5)
    assert len(hits) > 50
    assert np.mean(hits) > 0.85


def test_the_registry_names_what_it_knows() -> None:
    assert localiser_names()[:3] == ("embedded", "heat", "clip")
    assert make_localiser("heat").name == "heat"
    with pytest.raises(ValueError, match="no localiser 'owl': choose one of embedded, heat, clip"):
        make_localiser("owl")
    with pytest.raises(ValueError, match="registered already"):
        register_localiser("heat", HeatLocaliser)


def test_a_prompt_of_another_localiser_is_refused() -> None:
    with pytest.raises(ValueError, match="compiled by 'other'"):
        HeatLocaliser().relevance(
            CompiledPrompt(Prompt(), "other"), np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8)
        )


def test_warm_and_not_warm_at_once_is_refused() -> None:
    with pytest.raises(PromptError, match="'hot spots' would undo what stands in front of it: both are hot"):
        HeatLocaliser().compile(parse("warm objects, no hot spots"))
