"""Twins in a batch: one degraded pair under other controls, another prompt, or a moment later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from training_samples import short, write_data

from textdifuse_ros.model.controls import ALL, AUTO, NONE, controls
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.train import losses
from textdifuse_ros.train.batches import Batch, Sets, draw
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.objective import Target, make_target, objective


@pytest.fixture
def sets(tmp_path: Path) -> Sets:
    write_data(tmp_path)
    return load_training(tmp_path)


def batch_of(sets: Sets, size: int, seed: int = 0, single_share: float = 0.0) -> Batch:
    return draw(sets, short(1, batch=size, relevance_share=1.0), np.random.default_rng(seed), single_share)


def alike(two: torch.Tensor) -> bool:
    return torch.equal(two[0], two[1])


def apart(two: torch.Tensor) -> float:
    """Mean difference where single pixels' noise is averaged away."""
    smooth = torch.nn.functional.avg_pool2d(two, 8)
    return float((smooth[0] - smooth[1]).abs().mean())


@pytest.mark.parametrize("single_share", [0.0, 1.0])
def test_twins_see_the_same_and_are_asked_for_something_else_or_see_it_a_moment_later(
    sets: Sets, single_share: float
) -> None:
    prompts = wishes = moments = steady = 0
    for seed in range(60):
        batch = batch_of(sets, 4, seed, single_share)
        for first in (0, 2):
            both = slice(first, first + 2)
            if alike(batch.relevance[both]) and alike(batch.controls[both]):
                moments += 1
                steady += alike(batch.goal_thermal[both])
                # Nobody asked to remove the noise, or the smoke, which has drifted.
                for goal in (batch.goal_visible[both], batch.goal_thermal[both]):
                    assert apart(goal) < 0.02
                for seen in (batch.visible[both], batch.thermal[both]):
                    assert 0 < apart(seen) < 0.03 and (seen[0] - seen[1]).abs().mean() < 0.15
                continue
            for seen in (batch.visible[both], batch.thermal[both], batch.single[both]):
                assert alike(seen)
            prompts += not torch.equal(batch.relevance[first], batch.relevance[first + 1])
            wishes += not torch.equal(batch.controls[first], batch.controls[first + 1])
    assert wishes > 3 and moments > 3 and steady > 0.6 * moments
    assert (prompts > 3) == (single_share == 0)


def test_a_map_may_say_more_than_it_means_and_what_lies_beside_the_object_is_to_stay(sets: Sets) -> None:
    sloppy = exact = 0
    for seed in range(30):
        batch = batch_of(sets, 4, seed)
        said, meant = batch.relevance.clone(), batch.meant.clone()
        assert float((said * meant).min()) >= 0  # of one sign
        batch.single.zero_()
        target = make_target(batch, None, short(1, batch=4)).luminance
        batch.relevance.zero_()
        batch.meant.zero_()
        plain = make_target(batch, None, short(1, batch=4)).luminance
        beside = (said.abs() > 0.1) & (meant == 0)
        assert torch.equal(target[beside], plain[beside])
        exact += sum(map(torch.equal, said, meant))
        sloppy += int((said.abs().sum(dim=(1, 2, 3)) > 1.2 * meant.abs().sum(dim=(1, 2, 3))).sum())
    assert sloppy > 3 and exact > 3


def test_an_odd_batch_is_full(sets: Sets) -> None:
    assert len(batch_of(sets, 3).visible) == len(batch_of(sets, 3).boxes) == 3


def target_of(luminance: torch.Tensor) -> Target:
    count = len(luminance)
    shape = (count, 2, *luminance.shape[-2:])
    return Target(luminance, torch.zeros(shape), torch.zeros(shape), torch.ones_like(luminance), None, None)


def steering_of(answers: torch.Tensor, goals: torch.Tensor) -> float:
    estimate = Estimate(answers, torch.zeros(len(answers), 2, *answers.shape[-2:]))
    return objective(estimate, target_of(goals), None, short(1, steering=1.0))[1]["steering"]


def test_a_common_error_of_twins_costs_no_steering_and_a_wish_without_effect_does() -> None:
    goals = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    assert steering_of(goals + 0.1, goals) == pytest.approx(0.0, abs=1e-6)
    same = goals[[0, 0, 2, 2]]
    assert steering_of(same, goals) == pytest.approx(
        float((goals[0::2] - goals[1::2]).abs().mean()) / 3, rel=1e-5
    )


def test_one_example_alone_has_no_twin_to_differ_from() -> None:
    assert steering_of(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)) == 0.0


def test_a_prompted_object_moves_away_from_its_surroundings_as_a_whole() -> None:
    target, relevance = torch.full((1, 1, 96, 96), 0.5), torch.zeros(1, 1, 96, 96)
    inside = (slice(None), slice(None), slice(32, 64), slice(32, 64))
    relevance[inside] = 1.0
    stripes = torch.tensor((0.0, 0.1)).repeat(16)
    target[inside] = 0.56 + stripes  # brighter than its surroundings, and textured
    raised = losses.salient(target, target, relevance)
    whole = float((raised[inside] - target[inside]).mean())
    assert whole > 0.25 * float(target[inside].mean() - 0.5)
    # The dark stripes rise too: contrast pixel by pixel would have pressed them down.
    assert (raised - target)[0, 0, 40:56, 40:56][:, 0::2].mean() > 0
    assert torch.equal(raised[..., :20, :20], target[..., :20, :20])


def test_pictures_that_are_to_stay_as_they_are_count_more(sets: Sets) -> None:
    """Flat ground and flat smoke look alike, a bright sky and glare: what is taken for a fault must cost."""
    batch = batch_of(sets, 4)
    batch.relevance.zero_()
    batch.meant.zero_()
    batch.goal_visible = batch.visible.clone()
    batch.goal_visible[2:, :1] += 0.05
    config = short(1, batch=4, clear_care=3.0, smoke_care=0.0)
    care = make_target(batch, None, config).care.expand(4, 1, *batch.thermal.shape[-2:])
    assert (care[:2] == 4).all() and (care[2:] == 1).all()


@pytest.mark.parametrize("camera", ["visible", "thermal"])
def test_contrast_and_sharpness_are_for_who_asks_on_a_picture_without_a_fault_too(
    sets: Sets, camera: str
) -> None:
    batch = batch_of(sets, 4)
    for name in ("goal_visible", "goal_thermal", "visible", "transmission"):
        setattr(batch, name, getattr(batch, name)[:1].expand(4, -1, -1, -1).clone())
    for values in (batch.relevance, batch.meant, batch.single):
        values.zero_()
    shown, other = batch.goal_visible[:, :1], batch.goal_thermal
    if camera == "thermal":
        shown, other = other, shown
    shown.sub_(0.5).mul_(0.3).add_(0.5)  # room for more
    other.fill_(0.5)
    wishes = [controls({f"{camera}_{what}": 1.0}) for what in ("contrast", "blur")]
    batch.controls = torch.tensor([NONE, AUTO, *wishes])
    nothing, repaired, raised, sharp = make_target(batch, None, short(1, batch=4)).luminance
    assert torch.equal(nothing, repaired)
    assert float(raised.std()) > 1.01 * float(repaired.std())
    assert float(losses.gradients(sharp[None]).abs().mean()) > 1.05 * float(
        losses.gradients(repaired[None]).abs().mean()
    )


def test_a_night_is_lit_where_that_is_asked_for_and_not_by_repair(sets: Sets) -> None:
    batch = batch_of(sets, 3)
    for name in ("goal_visible", "goal_thermal", "visible", "transmission"):
        setattr(batch, name, getattr(batch, name)[:1].expand(3, -1, -1, -1).clone())
    batch.goal_visible[:, :1] *= 0.2
    batch.goal_thermal.zero_()  # what is warm would hide the night
    batch.relevance.zero_()
    batch.meant.zero_()
    batch.single.zero_()
    batch.controls = torch.tensor([NONE, AUTO, ALL])
    nothing, repaired, lit = make_target(batch, None, short(1, batch=3)).luminance
    assert torch.equal(nothing, repaired)
    assert float(lit.mean()) > 1.2 * float(repaired.mean())


def test_some_pairs_are_spared_all_degradations_whatever_is_drawn(sets: Sets) -> None:
    untouched = 0
    for seed in range(40):
        batch = batch_of(sets, 2, seed)
        untouched += torch.equal(batch.visible[0], batch.goal_visible[0]) and alike(batch.goal_visible)
    assert 8 < untouched < 38
