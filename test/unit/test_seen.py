"""Images that arrive in good order and show nothing: the diagnostics say so, with the mend."""

from __future__ import annotations

import numpy as np
import pytest
from session_bench import Bench

from textdifuse_ros.imaging.registration import Homography, Registration
from textdifuse_ros.imaging.window import Windowed
from textdifuse_ros.nodes import health
from textdifuse_ros.nodes.loss import CAMERAS, RGB, THERMAL, other
from textdifuse_ros.nodes.seen import Seen, coverage_fault, fault_of, outside_fault, share_of

SIZE = (64, 48)


def shifted(pixels: float) -> Registration:
    """A homography that moves the thermal image to the right."""
    matrix = np.array([[1.0, 0.0, pixels], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return Registration(homography=Homography(matrix, SIZE, SIZE))


def facts(**changes: object) -> health.CameraFacts:
    return health.CameraFacts(THERMAL, "/t", True, 9.0, 5, frame_id="t", **changes)  # type: ignore[arg-type]


# -- a registration that leaves nothing of a camera


@pytest.mark.parametrize("reference", CAMERAS)
@pytest.mark.parametrize(("pixels", "covers"), [(0, 1.0), (32, 0.5), (60, 0.0625), (100_000, 0.0)])
def test_how_much_of_the_picture_the_other_camera_sees_comes_with_the_image(
    monkeypatch: pytest.MonkeyPatch, reference: str, pixels: int, covers: float
) -> None:
    bench = Bench(monkeypatch, reference=reference)
    bench.registration = shifted(pixels)
    bench.at(0).both(0)
    assert bench.seen.covers == pytest.approx(covers, abs=1 / 64)
    assert share_of(bench.seen, reference, reference) is None
    assert share_of(bench.seen, other(reference), reference) == bench.seen.covers


@pytest.mark.parametrize(
    ("share", "level", "cause"),
    [
        (0.0, health.ERROR, "no_overlap"),
        (0.004, health.ERROR, "no_overlap"),
        (0.06, health.WARN, "little_overlap"),
        (0.1, health.OK, ""),
        (1.0, health.OK, ""),
    ],
)
def test_a_registration_without_overlap_is_an_error_and_with_little_a_warning(
    share: float, level: int, cause: str
) -> None:
    report = health.camera_report(facts(covers=share, fault=coverage_fault(share, THERMAL, "homography")))
    assert (report.level, report.cause) == (level, cause)
    assert report.values["covers_percent"] == f"{100 * share:.1f}"


def test_the_mend_of_a_missing_overlap_names_the_cameras_and_what_to_check() -> None:
    fault = coverage_fault(0.0, THERMAL, "homography")
    assert fault is not None
    assert fault.text.startswith(
        "the thermal image covers 0 % of the RGB image: check the direction of the h"
    )
    fault = coverage_fault(0.03, RGB, "extrinsics")
    assert fault is not None
    assert fault.text.startswith("the RGB image covers 3 % of the thermal image: check the direction of rot")


def test_before_the_first_pair_no_share_is_claimed() -> None:
    assert "covers_percent" not in health.camera_report(facts()).values
    assert fault_of(Seen(), THERMAL, RGB, "homography") is None


# -- a fixed range that the values lie outside of


def windowed(values: np.ndarray, low: float = 0.0, high: float = 255.0) -> Windowed:
    return Windowed(values, low, high, False)


def test_counts_above_a_fixed_range_are_a_warning_that_names_the_range_to_set() -> None:
    raw = np.full((120, 160), 29_000, np.uint16)
    raw[40:90, 60:100] = 31_000
    fault = outside_fault(windowed(raw), "fixed")
    assert fault is not None
    assert fault.text.startswith("100 % of the values lie above thermal.range_max 255")
    assert "now 29000 to 31000" in fault.text
    report = health.camera_report(facts(fault=fault_of(Seen(outside=fault), THERMAL, RGB, "none")))
    assert (report.level, report.cause) == (health.WARN, "outside_range")
    assert fault_of(Seen(outside=fault), RGB, RGB, "none") is None


def test_kelvins_below_a_fixed_range_are_a_warning_too() -> None:
    fault = outside_fault(windowed(np.full((48, 64), 295.5, np.float32), 20_000, 40_000), "fixed")
    assert fault is not None and "below thermal.range_min 20000" in fault.text


@pytest.mark.parametrize("mode", ["percentile", "frame"])
def test_a_range_that_follows_the_scene_is_not_complained_of(mode: str) -> None:
    assert outside_fault(windowed(np.full((48, 64), 29_000, np.uint16)), mode) is None


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_fixed_range_may_cut_off_a_large_part_of_the_scene(share: float) -> None:
    raw = np.full((100, 100), 200, np.uint16)
    raw[: round(100 * share)] = 300
    assert outside_fault(windowed(raw), "fixed") is None


def test_eight_bits_that_are_all_white_or_all_black_lie_within_their_range() -> None:
    for value in (0, 255):
        assert outside_fault(windowed(np.full((48, 64), value, np.uint8)), "fixed") is None


def test_the_fault_is_over_with_the_next_image_once_the_range_is_set_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, thermal__range_mode="fixed", thermal__range_min=1e3, thermal__range_max=2e3)
    bench.at(0).both(0)
    assert bench.seen.outside is not None
    bench.settings = bench.settings.changed({"thermal.range_min": 0.0, "thermal.range_max": 255.0})
    bench.at(100).both(100)
    assert bench.seen.outside is None
