"""Thermal normalisation and freeze detection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdifuse_ros.imaging.encodings import ImageError
from textdifuse_ros.imaging.thermal import FreezeDetector, ThermalNormaliser, crop_telemetry, fill_non_finite

SECOND = 1_000_000_000
FRAME = SECOND // 30


def scene(seed: int = 0, shape=(120, 160), dtype=np.uint16, level: float = 30000.0) -> np.ndarray:
    """A smooth gradient of 1000 counts with sensor noise."""
    rng = np.random.default_rng(seed)
    values = level + np.linspace(-500, 500, shape[1])[None, :] + rng.normal(0.0, 5.0, shape)
    return values.astype(dtype)


def settings_of(**changes) -> dict:
    base = {
        "mode": "percentile", "range_min": 0.0, "range_max": 255.0, "low": 1.0, "high": 99.0,
        "time_constant": 1.0, "polarity": "white_hot",
    }  # fmt: skip
    return {**base, **changes}


def test_eight_bits_in_the_full_fixed_range_are_untouched():
    raw = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    assert np.array_equal(ThermalNormaliser("fixed", 0, 255).normalise(raw, 0), raw)


def test_black_hot_is_turned_round():
    raw = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    image = ThermalNormaliser("fixed", 0, 255, polarity="black_hot").normalise(raw, 0)
    assert np.array_equal(image, 255 - raw)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.floats(-1000, 70000),
    st.floats(0.5, 70000),
    st.integers(0, 1000),
)
def test_a_fixed_range_is_the_rounded_clipped_line(dtype, low, span, seed):
    top = 255 if dtype is np.uint8 else 65535
    raw = np.random.default_rng(seed).uniform(0, top, (5, 7)).astype(dtype)
    image = ThermalNormaliser("fixed", low, low + span).normalise(raw, 0)
    expected = np.clip((raw.astype(np.float64) - low) / span * 255.0, 0.0, 255.0)
    assert image.dtype == np.uint8 and np.abs(image - expected).max() <= 0.51 + 1e-3 * 255 / span


def test_a_range_below_or_above_all_values_saturates():
    raw = np.full((4, 4), 100, np.uint16)
    assert (ThermalNormaliser("fixed", 70000, 80000).normalise(raw, 0) == 0).all()
    assert (ThermalNormaliser("fixed", -500, -400).normalise(raw, 0) == 255).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_frame_mode_spans_minimum_to_maximum(dtype):
    raw = scene(dtype=dtype, level=30000.0) if dtype is not np.uint8 else scene(level=600) // 5
    raw = raw.astype(dtype)
    image = ThermalNormaliser("frame").normalise(raw, 0)
    assert image.min() == 0 and image.max() == 255
    assert (np.diff(image.ravel()[np.argsort(raw.ravel(), kind="stable")].astype(int)) >= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("mode", ["frame", "percentile"])
@pytest.mark.parametrize("polarity", ["white_hot", "black_hot"])
def test_an_even_scene_is_mid_grey_and_not_amplified_noise(dtype, mode, polarity):
    image = ThermalNormaliser(mode, polarity=polarity).normalise(np.full((30, 40), 77, dtype), 0)
    assert np.abs(image.astype(int) - 127).max() <= 1


def test_percentiles_leave_the_named_share_outside():
    raw = np.random.default_rng(3).integers(20000, 40000, (480, 640), dtype=np.uint16)
    image = ThermalNormaliser("percentile", low=10.0, high=80.0).normalise(raw, 0)
    assert (image == 0).mean() == pytest.approx(0.10, abs=0.03)
    assert (image == 255).mean() == pytest.approx(0.20, abs=0.03)


def test_a_hot_object_that_enters_does_not_make_the_background_flicker():
    normaliser = ThermalNormaliser("percentile", time_constant=1.0)
    means = [normaliser.normalise(scene(0), 0)[:, :50].mean()]
    for i in range(1, 31):
        raw = scene(i)
        raw[40:80, 60:100] = 45000  # 8 % of the image, far hotter than everything
        image = normaliser.normalise(raw, i * FRAME)
        assert (image[40:80, 60:100] == 255).all()
        means.append(image[:, :50].mean())
    steps = np.diff(means)
    assert (steps <= 0.1).all()  # it darkens steadily and never swings back
    each_frame = [ThermalNormaliser("frame").normalise(r, 0)[:, :50].mean() for r in (scene(0), raw)]
    assert np.abs(steps).max() < 0.3 * abs(each_frame[1] - each_frame[0])


def test_the_window_arrives_at_a_lasting_change_within_a_few_time_constants():
    normaliser = ThermalNormaliser("percentile", time_constant=0.5)
    normaliser.normalise(scene(level=29200), 0)
    for i in range(1, 91):
        normaliser.normalise(scene(i, level=30000), i * FRAME)
    fresh = ThermalNormaliser("percentile")
    fresh.normalise(scene(90, level=30000), 0)
    assert normaliser.window == pytest.approx(fresh.window, abs=50)


def test_smoothing_follows_stamps_and_not_the_number_of_frames():
    slow, fast = (ThermalNormaliser("percentile", time_constant=1.0) for _ in range(2))
    for normaliser in (slow, fast):
        normaliser.normalise(scene(level=29200), 0)
    still = scene(1, level=30000)
    for i in range(1, 61):
        fast.normalise(still, i * SECOND // 60)
    for i in range(1, 10):
        slow.normalise(still, i * SECOND // 9)
    assert fast.window == pytest.approx(slow.window, rel=1e-6)


def test_a_jump_back_in_time_starts_afresh():
    normaliser = ThermalNormaliser("percentile", time_constant=100.0)
    normaliser.normalise(scene(level=29200), 1000 * SECOND)
    normaliser.normalise(scene(level=30000), 5 * SECOND)
    low, high = normaliser.window
    assert 29480 < low < high < 30520


def test_a_scene_wholly_outside_the_window_is_shown_at_once():
    normaliser = ThermalNormaliser("percentile", time_constant=100.0)
    normaliser.normalise(scene(level=20000), 0)
    image = normaliser.normalise(scene(level=40000), FRAME)
    assert 100 < image.mean() < 155


@pytest.mark.parametrize("stamps", [[0] * 300, [5, 4, 3] * 100])
def test_stamps_that_stand_still_or_shuffle_do_not_stop_the_smoothing(stamps):
    normaliser = ThermalNormaliser("percentile", time_constant=1.0)
    normaliser.normalise(scene(level=29200), 5)
    for stamp in stamps:
        normaliser.normalise(scene(level=30000), stamp)
    assert normaliser.window[0] > 29450


def test_a_change_of_type_starts_afresh():
    normaliser = ThermalNormaliser("percentile", time_constant=100.0)
    normaliser.normalise(scene(), 0)
    normaliser.normalise((scene() // 256).astype(np.uint8), FRAME)
    assert normaliser.window[1] < 256


def test_changed_settings_keep_the_window_and_bad_ones_change_nothing():
    normaliser = ThermalNormaliser(**settings_of())
    normaliser.normalise(scene(), 0)
    window = normaliser.window
    normaliser.configure(**settings_of(high=95.0))
    assert normaliser.window == window
    for bad in (
        {"mode": "auto"}, {"polarity": "green_hot"}, {"range_min": 5.0, "range_max": 5.0},
        {"low": 99.0, "high": 1.0}, {"high": 101.0}, {"time_constant": -1.0},
        {"range_max": float("nan")}, {"range_min": float("-inf")},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            normaliser.configure(**settings_of(**bad))
        assert normaliser.mode == "percentile" and normaliser.high == 95.0


def test_nan_and_infinities_take_the_smallest_finite_value():
    raw = np.array([[1.0, np.nan, np.inf], [-np.inf, 3.0, 5.0]], np.float32)
    assert fill_non_finite(raw).tolist() == [[1.0, 1.0, 1.0], [1.0, 3.0, 5.0]]
    assert ThermalNormaliser("frame").normalise(raw, 0)[1].tolist() == [0, 128, 255]


def test_an_image_of_nothing_but_nan_is_refused():
    with pytest.raises(ImageError) as caught:
        ThermalNormaliser().normalise(np.full((4, 5), np.nan, np.float32), 0)
    assert caught.value.cause == "nan"


def test_the_largest_floats_do_not_overflow():
    raw = np.array([[-3e38, 0.0, 3e38]], np.float32)
    assert ThermalNormaliser("frame").normalise(raw, 0).tolist() == [[0, 128, 255]]


def test_kelvins_in_float_keep_a_hundredth_of_a_degree():
    raw = (300.0 + np.arange(256, dtype=np.float32) / 255.0)[None, :]
    image = ThermalNormaliser("fixed", 300.0, 301.0).normalise(raw, 0).astype(int)
    assert np.abs(image - np.arange(256)).max() <= 1


@pytest.mark.parametrize(
    "raw", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int32), np.zeros((0, 4), np.uint8)]
)
def test_what_is_no_thermal_image_is_refused(raw):
    with pytest.raises(ImageError):
        ThermalNormaliser().normalise(raw, 0)


@pytest.mark.parametrize("mode", ["fixed", "percentile", "frame"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (16, 17), (3, 900)])
def test_any_shape_and_row_padding_is_accepted(mode, dtype, shape):
    wide = np.random.default_rng(1).integers(0, 200, (shape[0], shape[1] + 3)).astype(dtype)
    normaliser, packed = ThermalNormaliser(mode), ThermalNormaliser(mode)
    image = normaliser.normalise(wide[:, : shape[1]], 0)
    assert image.shape == shape
    assert np.array_equal(image, packed.normalise(np.ascontiguousarray(wide[:, : shape[1]]), 0))


def test_telemetry_rows_are_cut_off_the_bottom():
    raw = scene(shape=(514, 640))
    assert np.array_equal(crop_telemetry(raw, 2), raw[:512])
    assert crop_telemetry(raw, 0) is raw
    with pytest.raises(ImageError) as caught:
        crop_telemetry(raw, 514)
    assert caught.value.cause == "size" and "514" in str(caught.value)


def test_identical_frames_for_longer_than_the_timeout_are_a_freeze():
    detector = FreezeDetector(0.5)
    raw = scene()
    assert [detector.update(raw.copy(), i * SECOND // 10) for i in range(8)] == [False] * 5 + [True] * 3
    assert detector.frozen_for == pytest.approx(0.7)


def test_noise_is_no_freeze_and_ends_one():
    detector = FreezeDetector(0.5)
    assert not any(detector.update(scene(i), i * FRAME) for i in range(60))
    frozen = scene(60)
    assert [detector.update(frozen, (60 + i) * FRAME) for i in range(20)][-1]
    assert not detector.update(scene(61), 81 * FRAME)


def test_one_changed_pixel_between_the_sampled_ones_is_no_freeze():
    detector = FreezeDetector(0.5)
    for i in range(30):
        raw = scene()
        raw[1, 1] = i
        assert not detector.update(raw, i * SECOND // 10)


def test_repeated_frames_of_a_slow_camera_behind_a_fast_driver_are_no_freeze():
    detector = FreezeDetector(0.5)
    assert not any(detector.update(scene(i // 3), i * FRAME) for i in range(90))


def test_nan_in_a_frozen_image_does_not_hide_the_freeze():
    raw = scene(dtype=np.float32)
    raw[0, 0] = raw[5, 5] = np.nan
    detector = FreezeDetector(0.5)
    assert [detector.update(raw.copy(), i * SECOND) for i in range(3)] == [False, True, True]


def test_freeze_detection_survives_size_changes_jumps_back_and_reuse_of_the_buffer():
    detector = FreezeDetector(0.5)
    buffer = scene()
    detector.update(buffer, 100 * SECOND)
    buffer += 1  # the driver writes into the same memory
    assert not detector.update(buffer, 101 * SECOND)
    assert not detector.update(buffer, 5 * SECOND)  # a looped bag is not 96 seconds of freeze
    assert detector.update(buffer, 6 * SECOND)
    assert not detector.update(scene(shape=(60, 80)), 7 * SECOND)


def test_a_timeout_of_zero_switches_freeze_detection_off():
    detector = FreezeDetector(0.0)
    assert not any(detector.update(scene(), i * SECOND) for i in range(5))
