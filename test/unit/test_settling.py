"""What frames give away, smoothed over time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from textdifuse_ros.imaging.evidence import Found
from textdifuse_ros.imaging.settling import FORGOTTEN, GONE, JUMP, TIME_CONSTANT, Settling
from textdifuse_ros.imaging.tone import Tone
from textdifuse_ros.imaging.veil import Veil

FRAME = 33_000_000  # nanoseconds


def found(level: float, gain: float = 1.0, change: float = 0.0, mean: float = 0.4) -> Found:
    ones = np.ones(3, np.float32)
    return Found({"low_light": level}, Tone(gain * ones, (mean + change) * ones, mean * ones))


def test_the_first_frame_stands_for_itself() -> None:
    first = found(0.5, 2.0)
    assert Settling().settle(first, 5) is first


def test_jitter_is_smoothed() -> None:
    settling = Settling()
    told = [
        settling.settle(found(0.5 + 0.1 * (-1) ** i, 2.0 * 1.1 ** ((-1) ** i)), i * FRAME) for i in range(40)
    ]
    levels = [each.levels["low_light"] for each in told[10:]]
    steps = [abs(after - before) for before, after in itertools.pairwise(levels)]
    assert max(steps) < 0.02
    assert told[-1].levels["low_light"] == pytest.approx(0.5, abs=0.02)
    assert told[-1].tone.gain[0] == pytest.approx(2.0, rel=0.02)


def test_a_slow_change_is_followed_within_some_time_constants() -> None:
    settling = Settling()
    settling.settle(found(0.5, 1.5, 0.1), 0)
    last = found(0.5)
    for index in range(1, int(4 * TIME_CONSTANT / FRAME * 1e9)):
        last = settling.settle(found(0.7, 1.8, 0.2), index * FRAME)
    assert last.levels["low_light"] == pytest.approx(0.7, abs=0.01)
    assert last.tone.gain[1] == pytest.approx(1.8, rel=0.02)
    assert last.tone.level[2] - last.tone.mean[2] == pytest.approx(0.2, abs=0.01)


def test_a_jump_is_followed_at_once() -> None:
    settling = Settling()
    settling.settle(found(0.1), 0)
    dark = found(0.1 + JUMP + 0.1, 2.0)
    assert settling.settle(dark, FRAME) is dark


@pytest.mark.parametrize("stamp", [int((FORGOTTEN + 0.1) * 1e9), -FRAME])
def test_after_a_gap_or_a_step_back_a_frame_stands_for_itself(stamp: int) -> None:
    settling = Settling()
    settling.settle(found(0.5), 0)
    other = found(0.6, 1.2)
    assert settling.settle(other, stamp) is other


def test_after_a_reset_a_frame_stands_for_itself() -> None:
    settling = Settling()
    settling.settle(found(0.5), 0)
    settling.reset()
    other = found(0.6)
    assert settling.settle(other, FRAME) is other


def test_the_mean_is_that_of_the_frame_itself() -> None:
    settling = Settling()
    settling.settle(found(0.5, mean=0.2), 0)
    assert settling.settle(found(0.5, mean=0.3), FRAME).tone.mean[0] == pytest.approx(0.3)


def veiled(density: float | None) -> Found:
    veil = None if density is None else Veil(np.full((60, 80, 5), density, np.float32))
    return replace(found(0.1), veil=veil)


def density(settling: Settling, at: int, seen: float | None) -> float:
    veil = settling.settle(veiled(seen), at * FRAME).veil
    return 0.0 if veil is None else veil.density


def test_a_veil_that_nobody_looks_for_in_every_frame_does_not_flicker() -> None:
    settling = Settling()
    told = [density(settling, index, 0.5 if index % 2 else None) for index in range(60)]
    steps = [abs(after - before) for before, after in itertools.pairwise(told[30:])]
    assert max(steps) < 0.05
    assert told[-1] == pytest.approx(0.25, abs=0.05)


def test_a_veil_that_came_goes_with_time_and_is_gone() -> None:
    settling = Settling()
    assert density(settling, 0, 0.5) == pytest.approx(0.5)
    told = [density(settling, index, None) for index in range(1, 100)]
    assert told[0] > 0.4 and told[-1] == 0
    assert all(after <= before for before, after in itertools.pairwise(told))
    assert min(each for each in told if each) > GONE


def test_no_veil_stays_none() -> None:
    settling = Settling()
    assert settling.settle(veiled(None), 0).veil is settling.settle(veiled(None), FRAME).veil is None
