"""Gains and offsets that put the levels of an image right."""

from __future__ import annotations

import numpy as np
import pytest

from textdifuse_ros.imaging.tone import MOST, Tone, applied, lacking, table


def tone(
    gain: tuple[float, float, float], level: tuple[float, float, float], mean: tuple[float, float, float]
) -> Tone:
    return Tone(*(np.asarray(each, np.float32) for each in (gain, level, mean)))


DARK = tone((1.8, 1.8, 1.8), (0.36, 0.36, 0.36), (0.2, 0.2, 0.2))
YELLOW = tone((0.9, 0.9, 1.5), (0.36, 0.36, 0.3), (0.4, 0.4, 0.2))


def test_nothing_lacking_is_no_table() -> None:
    assert table(DARK, 0.0) is None


def test_a_dark_image_is_multiplied() -> None:
    levels = table(DARK, 1.0)
    assert levels is not None
    assert levels.shape == (256, 1, 3) and levels.dtype == np.uint8
    assert levels[0].tolist() == [[0, 0, 0]]
    assert levels[100].tolist() == [[180, 180, 180]]
    assert levels[255].tolist() == [[255, 255, 255]]


def test_half_a_share_is_half_the_way_in_stops() -> None:
    levels = table(DARK, 0.5)
    assert levels is not None
    assert int(levels[100, 0, 0]) == pytest.approx(100 * 1.8**0.5, abs=2)


def test_a_very_dark_image_is_lifted_so_far_and_gets_hardly_a_veil() -> None:
    levels = table(tone((8, 8, 8), (0.4, 0.4, 0.4), (0.05, 0.05, 0.05)), 1.0)
    assert levels is not None
    assert levels[0, 0, 0] <= 8
    assert levels[50, 0, 0] - levels[0, 0, 0] == pytest.approx(50 * MOST, abs=1)


def test_a_flat_image_is_pulled_apart_around_its_level() -> None:
    levels = table(tone((4, 4, 4), (0.5, 0.5, 0.5), (0.45, 0.45, 0.45)), 1.0)
    assert levels is not None
    at = round(0.45 * 255)
    assert int(levels[at, 0, 0]) == pytest.approx(0.5 * 255, abs=1)
    assert int(levels[at + 10, 0, 0]) - int(levels[at, 0, 0]) == 10 * MOST


def test_kept_colours_stay_while_light_is_put_right() -> None:
    both = tone((1.5, 1.5, 2.0), (0.3, 0.3, 0.4), (0.2, 0.2, 0.2))
    levels = table(both, 1.0, {"colour_cast"})
    assert levels is not None
    assert len(set(levels[100, 0].tolist())) == 1


@pytest.mark.parametrize("fault", ["low_light", "over_exposure", "visible_contrast"])
def test_kept_light_stays_while_colours_are_put_right(fault: str) -> None:
    levels = table(YELLOW, 1.0, {fault})
    assert levels is not None
    red, green, blue = levels[100, 0].tolist()
    assert red == green < 100 < blue
    assert 0.299 * red + 0.587 * green + 0.114 * blue == pytest.approx(100, abs=1)


def test_no_channel_is_lost_where_light_is_kept() -> None:
    levels = table(tone((1, 1, 1), (0.0, 0.4, 0.4), (0.5, 0.4, 0.4)), 1.0, {"low_light"})
    assert levels is not None
    assert int(levels[200, 0, 0]) == pytest.approx(200 / MOST, abs=1)


def test_all_kept_is_no_table() -> None:
    assert table(YELLOW, 1.0, {"low_light", "colour_cast"}) is None


@pytest.mark.parametrize("kept", [(), ("low_light",)])
def test_a_cast_that_is_asked_away_goes_without_anything_else(kept: tuple[str, ...]) -> None:
    levels, alone = table(YELLOW, 0.0, kept, asked=1.0), table(YELLOW, 1.0, {"low_light"})
    assert levels is not None and alone is not None
    assert np.array_equal(levels, alone)


def test_a_cast_that_is_gone_already_goes_no_further() -> None:
    levels, plain = table(YELLOW, 1.0, asked=0.7), table(YELLOW, 1.0)
    assert levels is not None and plain is not None
    assert np.array_equal(levels, plain)


def test_what_is_asked_goes_beyond_what_is_put_right_by_itself() -> None:
    some, more, alone = table(YELLOW, 0.4), table(YELLOW, 0.4, asked=1.0), table(YELLOW, 0.0, asked=0.6)
    assert some is not None and more is not None and alone is not None
    both = some[100, 0] / 100 * alone[100, 0]
    assert more[100, 0].tolist() == pytest.approx(both.tolist(), abs=1.5)


def test_a_cast_that_goes_for_two_reasons_goes_by_no_more_than_an_image_bears() -> None:
    strong = tone((1, 1, 1), (0.4, 0.4, 0.4), (0.45, 0.45, 0.04))
    levels = table(strong, 0.5, {"low_light"}, asked=1.0)
    assert levels is not None
    assert int(levels[50, 0, 2]) <= MOST * 50


def test_what_is_applied_is_new_memory() -> None:
    image = np.full((4, 5, 3), 100, np.uint8)
    image.flags.writeable = False
    levels = table(DARK, 1.0)
    assert levels is not None
    assert applied(image, levels).tolist() == np.full((4, 5, 3), 180).tolist()


@pytest.mark.parametrize(("gain", "expected"), [(1.0, 0.0), (2.0, 0.0), (2 * 2**0.5, 0.5), (9.0, 1.0)])
def test_what_an_image_does_not_bear_is_lacking(gain: float, expected: float) -> None:
    assert lacking(tone((gain,) * 3, (0.5,) * 3, (0.1,) * 3)) == pytest.approx(expected, abs=1e-3)
