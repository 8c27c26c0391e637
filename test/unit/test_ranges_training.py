"""Trainings that keep a student fit for 8 bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command_line import refused, textdifuse
from training_samples import log_of, short, short_file, write_data

from textdifuse_ros.model import ranges, weights
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import tails
from textdifuse_ros.train.distill import distill, student_model


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_data(tmp_path / "data")
    return tmp_path / "data"


def a_network(student: bool) -> FusionNetwork:
    torch.manual_seed(0)
    shape = short(1).model
    return FusionNetwork(student_model(shape) if student else shape)


def test_values_far_from_all_others_cost_and_those_among_them_do_not() -> None:
    values = torch.linspace(-1, 1, 1000)
    assert float(tails.excess(values, ranges.Range(-1.0, 1.0))) == 0
    values = torch.cat((values, torch.tensor([30.0]))).requires_grad_()
    tails.excess(values, ranges.Range(-1.0, 1.0)).backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert float(values.grad[-1]) > 0 and not values.grad[:-1].any()  # only the far one is drawn in


def test_each_channel_has_tails_of_its_own() -> None:
    values = torch.tensor([1.0, 0.5]).reshape(1, 2, 1, 1)
    assert float(tails.excess(values, ranges.Range(-1.0, 1.0, (1.0, 0.5)))) == 0
    assert float(tails.excess(values, ranges.Range(-1.0, 1.0, (1.0, 0.25)))) == pytest.approx(0.125)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_distilled_student_has_ranges_and_its_tails_are_in_the_log(
    data: Path, tmp_path: Path, precision: str
) -> None:
    config = short(2, bank_share=0.0, tail_weight=5.0, precision=precision)
    path = distill(data, None, tmp_path / "run", config, a_network(False))
    student = weights.load(path)
    assert student.ranges.keys() == ranges.convolutions(student).keys()
    assert weights.notes(path) == {"updates": "2"}
    assert all("tails" in row for row in log_of(tmp_path / "run"))


def test_the_command_writes_ranges_into_a_copy_and_changes_nothing_else(data: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    weights.save(a_network(student=True), before, {"updates": "5"})
    config = short_file(tmp_path / "config.json")
    result = textdifuse(
        "ranges", "--weights", before, "--data", data, "--output", after, "--config", config,
        "--exact", "decoder",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(after)
    old, new = weights.load(before), weights.load(after)
    assert not old.ranges
    assert {name.partition(".")[0] for name in new.ranges} == {"encoder", "down", "head"}
    assert weights.notes(after) == {"updates": "5"}
    assert all(map(torch.equal, old.state_dict().values(), new.state_dict().values()))


def test_a_teacher_is_refused(data: Path, tmp_path: Path) -> None:
    weights.save(a_network(student=False), tmp_path / "teacher.safetensors")
    result = textdifuse(
        "ranges", "--weights", tmp_path / "teacher.safetensors", "--data", data,
        "--output", tmp_path / "out.safetensors",
    )  # fmt: skip
    refused(result, "teacher.safetensors", "int8 is for students")
    assert not (tmp_path / "out.safetensors").exists()
