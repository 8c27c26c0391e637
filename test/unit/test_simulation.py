"""The rendered street: repeatable, true ground truth, warm people, smoke that only RGB suffers from."""

from __future__ import annotations

import numpy as np
import pytest

from textdifuse_ros.simulation import (
    RgbSensor,
    SimFrame,
    StreetSequence,
    ThermalSensor,
    centikelvin,
    counts_to_8bit,
)

PERSON, CAR = 1, 2
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def street() -> StreetSequence:
    return StreetSequence(WIDTH, HEIGHT, seed=3)


@pytest.fixture(scope="module")
def clear_street() -> StreetSequence:
    return StreetSequence(WIDTH, HEIGHT, seed=3, smoke=0.0)


@pytest.fixture(scope="module")
def frames(street: StreetSequence) -> list[SimFrame]:
    return [street.render(float(second)) for second in range(0, 60, 4)]


def test_the_same_seed_gives_the_same_pixels(street: StreetSequence) -> None:
    again = StreetSequence(WIDTH, HEIGHT, seed=3)
    again.render(11.0)  # what was rendered before must not matter
    first, second = street.render(6.5), again.render(6.5)
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.temperature, second.temperature)
    assert np.array_equal(first.instances, second.instances)
    assert first.objects == second.objects


def test_another_seed_gives_another_street(street: StreetSequence) -> None:
    other = StreetSequence(WIDTH, HEIGHT, seed=4).render(6.5)
    assert np.mean(np.any(other.rgb != street.render(6.5).rgb, axis=2)) > 0.5


def test_boxes_enclose_exactly_the_visible_pixels(frames: list[SimFrame]) -> None:
    checked = 0
    for frame in frames:
        for item in frame.objects:
            rows, cols = np.nonzero(frame.instances == item.ident)
            assert item.box == (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
            assert item.pixels == len(rows)
            assert 0.0 < item.visible <= 1.0 and 0.0 <= item.clear <= 1.0
            checked += 1
    assert checked > 40


def test_class_mask_agrees_with_the_instances(frames: list[SimFrame]) -> None:
    for frame in frames:
        assert np.array_equal(frame.mask > 0, frame.instances > 0)
        for item in frame.objects:
            assert set(np.unique(frame.mask[frame.instances == item.ident])) == {item.class_id}


def test_people_and_cars_are_there_and_move(frames: list[SimFrame]) -> None:
    assert all(any(item.class_id == CAR for item in frame.objects) for frame in frames)
    sizeable = [sum(i.class_id == PERSON and i.pixels > 150 for i in frame.objects) for frame in frames]
    assert np.mean(np.array(sizeable) >= 1) > 0.8
    boxes = {i.box for frame in frames for i in frame.objects if i.class_id == PERSON}
    assert len(boxes) > len(frames)


def test_people_are_warmer_than_what_surrounds_them(frames: list[SimFrame]) -> None:
    compared = 0
    for frame in frames:
        for item in frame.objects:
            if item.class_id != PERSON or item.pixels < 150:
                continue
            x0, y0, x1, y1 = item.box
            around = np.s_[max(y0 - 6, 0) : y1 + 6, max(x0 - 6, 0) : x1 + 6]
            own = frame.temperature[around][frame.instances[around] == item.ident]
            background = frame.temperature[around][frame.mask[around] == 0]
            assert np.median(own) > np.median(background) + 4.0
            compared += 1
    assert compared > 10


def test_heads_and_hands_are_the_warmest_part_of_a_person(frames: list[SimFrame]) -> None:
    person = max((i for f in frames for i in f.objects if i.class_id == PERSON), key=lambda i: i.pixels)
    frame = next(f for f in frames if person in f.objects)
    rows = np.arange(HEIGHT)[:, None] * np.ones((1, WIDTH))
    mine = frame.instances == person.ident
    height = person.box[3] - person.box[1]
    head = mine & (rows < person.box[1] + 0.15 * height)
    legs = mine & (rows > person.box[1] + 0.60 * height)
    assert frame.temperature[head].mean() > frame.temperature[legs].mean() + 5.0


def contrast(image: np.ndarray, frame: SimFrame, ident: int) -> float:
    """Difference between an object and its surroundings, in units of their spread."""
    item = next(i for i in frame.objects if i.ident == ident)
    x0, y0, x1, y1 = item.box
    around = np.s_[max(y0 - 8, 0) : y1 + 8, max(x0 - 8, 0) : x1 + 8]
    own = image[around][frame.instances[around] == ident]
    background = image[around][frame.mask[around] == 0]
    return float(abs(own.mean() - background.mean()) / 255.0)


def test_smoke_hides_people_from_rgb_but_not_from_thermal(
    street: StreetSequence, clear_street: StreetSequence
) -> None:
    ratios, thermal = [], []
    for second in range(0, 120, 2):
        smoky = street.render(float(second))
        hidden = [i for i in smoky.objects if i.class_id == PERSON and i.clear < 0.15 and i.pixels > 100]
        if not hidden:
            continue
        clear = clear_street.render(float(second))
        for item in hidden:
            grey = contrast(smoky.rgb.mean(axis=2), smoky, item.ident)
            ratios.append(grey / max(contrast(clear.rgb.mean(axis=2), clear, item.ident), 1e-3))
            shown = counts_to_8bit(centikelvin(smoky.temperature), 26700.0, 30900.0).astype(np.float32)
            thermal.append(contrast(shown, smoky, item.ident))
    assert len(ratios) >= 4, "no person was ever behind dense smoke"
    assert np.median(ratios) < 0.4
    assert np.min(thermal) > 0.08


def test_what_stands_before_the_smoke_stays_visible(street: StreetSequence) -> None:
    frame = street.render(33.0)
    near = frame.depth < 3.8
    assert near.any() and frame.transmission[near].min() == 255
    assert frame.transmission[frame.depth > 12.0].mean() < 250


def test_clear_air_has_no_smoke(clear_street: StreetSequence) -> None:
    assert clear_street.render(33.0).transmission.min() == 255


def test_the_thermal_camera_counts_centikelvin(street: StreetSequence) -> None:
    frame = street.render(5.0)
    counts = ThermalSensor(160, 128, seed=1).expose(frame.temperature, 0)
    assert counts.shape == (128, 160) and counts.dtype == np.uint16
    measured = counts.astype(np.float32) / 100.0 - 273.15
    assert abs(np.median(measured) - np.median(frame.temperature)) < 1.0


def test_noise_changes_from_frame_to_frame_and_repeats_by_seed() -> None:
    flat = np.full((64, 80), 10.0, np.float32)
    sensor, twin = ThermalSensor(80, 64, seed=2), ThermalSensor(80, 64, seed=2)
    first = sensor.expose(flat, 7)
    assert np.array_equal(first, twin.expose(flat, 7))
    assert not np.array_equal(first, sensor.expose(flat, 8))
    grey = np.full((64, 80, 3), 90, np.uint8)
    noisy = RgbSensor(80, 64, seed=2, noise=5.0).expose(grey, 3)
    assert 3.5 < noisy.std() < 6.5
    assert np.array_equal(RgbSensor(80, 64, noise=0.0).expose(grey, 3), grey)


def test_column_noise_is_stronger_along_columns_than_along_rows() -> None:
    flat = np.full((120, 160), 10.0, np.float32)
    counts = np.mean([ThermalSensor(160, 120, seed=5).expose(flat, k) for k in range(8)], axis=0)
    counts -= counts.mean()
    fine_columns = np.diff(counts.mean(axis=0)).std()
    fine_rows = np.diff(counts.mean(axis=1)).std()
    assert fine_columns > 1.5 * fine_rows


@pytest.mark.parametrize("size", [(32, 32), (320, 256), (128, 480)])
def test_other_sizes_render(size: tuple[int, int]) -> None:
    frame = StreetSequence(*size, seed=1).render(2.0)
    assert frame.rgb.shape == (size[1], size[0], 3) and frame.temperature.shape == (size[1], size[0])


@pytest.mark.parametrize("arguments", [{"width": 8}, {"height": 9000}, {"smoke": -0.1}, {"smoke": 9.0}])
def test_values_out_of_range_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="outside"):
        StreetSequence(**arguments)  # type: ignore[arg-type]
