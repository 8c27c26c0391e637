"""How far what a prompt points at stands out already, and what is left to be raised."""

from __future__ import annotations

import pytest
import torch

from textdifuse_ros.model.prompted import STRONG, WEAK, still_weak, surroundings, weight_around

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
