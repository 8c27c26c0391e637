"""How far what a prompt points at stands out already, and what is left to be raised."""

from __future__ import annotations

import pytest
import torch

from textdifuse_ros.model.prompted import (
    LEAST,
    STRONG,
    SURE,
    WEAK,
    apart,
    still_weak,
    surely,
    surroundings,
    weight_around,
)

MIDDLE = (..., slice(64, 128), slice(96, 160))
INSIDE = (..., 96, 128)


def scene(above: float, relevance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """An object on even ground, and a map that points at it."""
    start, where = torch.full((1, 1, 192, 256), 0.4), torch.zeros(1, 1, 192, 256)
    start[MIDDLE] += above
    where[MIDDLE] = relevance
    return start, where


def left(start: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    return still_weak(start, where, weight_around(where))


@pytest.mark.parametrize("above", [-0.3, 0.0, WEAK - 0.03])
def test_what_is_weak_or_darker_than_its_surroundings_is_raised_wholly(above: float) -> None:
    assert float(left(*scene(above, 0.8))[INSIDE]) == pytest.approx(0.8, abs=1e-4)


def test_what_outshines_its_surroundings_already_stays_natural() -> None:
    assert float(left(*scene(STRONG + 0.03, 0.8)).abs().max()) < 0.8  # its softened edge alone
    assert float(left(*scene(STRONG + 0.03, 0.8))[INSIDE]) == pytest.approx(0, abs=1e-4)


def test_in_between_less_is_raised_the_more_it_stands_out() -> None:
    middle = (WEAK + STRONG) / 2
    assert float(left(*scene(middle, 0.8))[INSIDE]) == pytest.approx(
        0.4, abs=0.06
    )  # a tenth of itself is in what is around it


@pytest.mark.parametrize("above", [0.0, 0.5])
def test_what_is_calmed_is_calmed_however_bright_it_is(above: float) -> None:
    start, where = scene(above, -0.7)
    assert torch.equal(left(start, where), where)


def test_no_prompt_stays_none_to_the_bit() -> None:
    start, where = scene(0.5, 0.0)
    assert torch.equal(left(start, where), where)


def test_an_object_is_compared_with_its_surroundings_and_not_with_itself() -> None:
    start, where = scene(0.4, 1.0)
    mean = surroundings(torch.nn.functional.avg_pool2d(start, 4), weight_around(where))
    assert float(mean[..., 6, 8]) == pytest.approx(0.4, abs=0.1 * 0.4)


def moved(before: float, after: float, warm: float, relevance: float = 1.0) -> float:
    """What `apart` adds to an object that the network started from `before` above its surroundings and took
    to `after`, and that is `warm` above them in the thermal image."""
    where = torch.zeros(1, 1, 192, 256)
    where[MIDDLE] = relevance
    images = torch.full((1, 3, 48, 64), 0.4)
    images[..., 16:32, 24:40] += torch.tensor((before, after, warm))[:, None, None]
    around = surroundings(images, weight_around(where))
    return float(apart(images, around, where)[..., 6, 8])


@pytest.mark.parametrize("side", [1, -1])
def test_an_object_that_the_network_left_as_it_was_is_moved_farther_the_way_that_it_stood_out(
    side: int,
) -> None:
    assert side * moved(side * 0.05, side * 0.05, 0.0) == pytest.approx(0.3 * 0.05 + LEAST, abs=0.03)


def test_an_object_that_was_moved_towards_its_surroundings_is_brought_back() -> None:
    farther = moved(0.05, -0.05, 0.0) - moved(0.05, 0.05, 0.0)
    assert farther == pytest.approx(0.1, abs=0.03)  # the mean of it reaches beyond its edges


def test_an_object_that_the_network_has_moved_far_enough_stays_there() -> None:
    assert moved(0.05, 0.3, 0.0) == pytest.approx(0, abs=1e-6)


def test_what_stands_out_already_is_not_moved_either_way() -> None:
    assert moved(STRONG + 0.05, STRONG, 0.0) == pytest.approx(0, abs=1e-6)
    assert moved(-STRONG - 0.05, -STRONG, 0.0) == pytest.approx(0, abs=1e-6)


def test_what_is_warm_gets_brighter_but_never_darker() -> None:
    assert moved(0.05, 0.05, 0.2) == pytest.approx(moved(0.05, 0.05, 0.0), abs=1e-6)
    assert moved(-0.05, -0.05, 0.2) == pytest.approx(0, abs=1e-6)
    assert moved(-0.05, -0.05, -0.2) == pytest.approx(moved(-0.05, -0.05, 0.0), abs=1e-6)


def test_a_hint_of_a_map_moves_next_to_nothing_and_no_map_nothing() -> None:
    relevance = torch.tensor((-1.0, 0.0, 0.1, SURE, 1.0))
    assert surely(relevance).tolist() == pytest.approx([0, 0, 0.025, SURE, 1])
