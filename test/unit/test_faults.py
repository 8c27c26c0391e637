"""What degradations do to a picture, in which order, what is another a moment later, and what is told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from training_samples import short, write_data

from textdifuse_ros.train.batches import draw as draw_batch
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, a_moment_later, degrade, draw_asked

FRESH = ("shot_noise", "visible_noise", "thermal_noise")


def scene(size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Smooth, and away from black and white, where noise would be clipped."""
    rng = np.random.default_rng(2)
    visible = cv2.GaussianBlur(rng.random((size, size, 3), dtype=np.float32), (0, 0), 2)
    return visible * 0.5 + 0.25, cv2.GaussianBlur(rng.random((size, size), dtype=np.float32), (0, 0), 2)


def of(*names: str, level: float = 0.5) -> list[Draw]:
    return [Draw(DEGRADATIONS[name], level, 1 + index) for index, name in enumerate(names)]


def test_jpeg_codes_red_as_red_and_does_not_darken() -> None:
    visible, thermal = scene()
    seen = degrade(visible, thermal, of("visible_jpeg")).visible
    image = cv2.cvtColor(np.rint(visible * 255).astype(np.uint8), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 55])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.array_equal(seen, cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(np.float32) / 255)
    assert abs(float((seen - visible).mean())) * 255 < 0.2


@pytest.mark.parametrize(
    ("sensor", "blur"), [("visible_noise", "visible_blur"), ("thermal_stripes", "thermal_blur")]
)
def test_a_lens_does_not_blur_what_the_sensor_adds(sensor: str, blur: str) -> None:
    visible, thermal = scene()
    alone, through = degrade(visible, thermal, of(sensor)), degrade(visible, thermal, of(sensor, blur))
    blurred = degrade(visible, thermal, [Draw(DEGRADATIONS[blur], 0.5, 2)])
    name = sensor.split("_")[0]
    added = getattr(through, name) - getattr(blurred, name)
    before = {"visible": visible, "thermal": thermal}[name]
    assert np.abs(added - (getattr(alone, name) - before)).mean() < 0.01 < 0.5 * np.abs(added).mean()


def test_the_picture_is_coded_last_and_what_the_scene_does_comes_first() -> None:
    visible, thermal = scene()
    names = ("visible_jpeg", "visible_noise", "visible_blur", "smoke")
    draws = of(*names)
    seen = degrade(visible, thermal, draws)
    assert list(seen.log) == ["smoke", "visible_blur", "visible_noise", "visible_jpeg"]
    uncoded = degrade(visible, thermal, draws[1:]).visible
    assert np.array_equal(seen.visible, degrade(uncoded, thermal, draws[:1]).visible)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_moment_later_the_noise_is_another_of_the_same_strength_and_faults_of_the_camera_stay(
    name: str,
) -> None:
    visible, thermal = scene()
    before = of(name)
    [after] = later = a_moment_later(before, np.random.default_rng(0))
    assert after.seed == before[0].seed
    one, two = degrade(visible, thermal, before), degrade(visible, thermal, later)
    if after.degradation.control == "haze":
        return
    assert one.log == two.log
    shown = {each: np.array_equal(getattr(one, each), getattr(two, each)) for each in ("visible", "thermal")}
    camera = "thermal" if name.startswith("thermal") else "visible"
    assert shown == {"visible": True, "thermal": True, camera: name not in FRESH}
    if name in FRESH:
        clean = {"visible": visible, "thermal": thermal}[camera]
        first, second = (getattr(each, camera) - clean for each in (one, two))
        assert first.std() == pytest.approx(second.std(), rel=0.1)
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1


def test_low_light_that_is_asked_away_comes_with_its_noise() -> None:
    rng = np.random.default_rng(0)
    asked = [{each.degradation.name: each for each in draw_asked(rng)[0]} for _ in range(300)]
    dark = [draws for draws in asked if "low_light" in draws]
    assert len(dark) > 10
    assert all("shot_noise" in draws and draws["low_light"].level >= 0.25 for draws in dark)
    assert not any("shot_noise" in draws for draws in asked if "low_light" not in draws)


def test_every_parameter_of_what_was_drawn_is_told_as_a_mean(tmp_path: Path) -> None:
    write_data(tmp_path)
    sets, config = load_training(tmp_path), short(1, batch=8)
    told = [draw_batch(sets, config, np.random.default_rng(seed), 0.0).parameters for seed in range(12)]
    names = {name for each in told for name in each}
    assert {
        "degraded/shot_noise/read", "degraded/low_light/gamma", "degraded/smoke/airlight",
        "degraded/visible_blur/angle", "degraded/colour_cast/red", "degraded/thermal_look/gain",
        "degraded/thermal_look/level", "degraded/shift",
    } <= names  # fmt: skip
    assert all(0 < each["degraded/shift"] <= 3 * 2**0.5 for each in told if "degraded/shift" in each)
    assert all(0.8 <= each["degraded/thermal_look/gain"] <= 1.2 for each in told)
    assert all(value == float(f"{value:.4g}") for each in told for value in each.values())
