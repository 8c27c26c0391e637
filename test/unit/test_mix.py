"""`textdifuse mix`: what lies between two weight files, what is told of it, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from small_networks import SMALL, network_inputs, random_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.model import weights
from textdifuse_ros.model.ranges import RangeWatch
from textdifuse_ros.train.mix import mixed


def saved(path: Path, seed: int, **changes: object) -> Path:
    network = random_network(dataclasses.replace(SMALL, **changes), seed)  # type: ignore[arg-type]
    weights.save(network, path, {"updates": str(seed)})
    return path


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    return str(saved(tmp_path / "a.safetensors", 1)), str(saved(tmp_path / "b.safetensors", 2))


def test_a_mix_lies_at_its_share_of_the_way_and_tells_what_it_is_of(
    two: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mix.safetensors"
    assert main(["mix", *two, "--share", "0.4", "--output", str(output)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{output}\n" and captured.err == ""
    first, second, between = (weights.load(Path(each)).state_dict() for each in (*two, output))
    for name, value in between.items():
        assert torch.allclose(value, 0.6 * first[name] + 0.4 * second[name], atol=2e-3)
    told = json.loads(weights.notes(output)["mixed"])
    assert [(each["share"], each["updates"]) for each in told] == [(0.6, "1"), (0.4, "2")]
    assert [each["weights"] for each in told] == [weights.identity(Path(each)) for each in two]


def test_the_ends_of_a_mix_are_its_two_networks() -> None:
    one, other = random_network(seed=1), random_network(seed=2)
    for share, end in ((0.0, one), (1.0, other)):
        assert all(
            map(torch.equal, mixed(one, other, share).state_dict().values(), end.state_dict().values())
        )


def test_ranges_for_8_bits_are_left_out_and_that_is_said(
    two: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = weights.load(Path(two[1]))
    with torch.no_grad(), RangeWatch(network) as watch:
        network(**network_inputs())
    network.ranges = watch.ranges()
    weights.save(network, Path(two[1]))
    output = tmp_path / "mix.safetensors"
    assert main(["mix", *two, "--share", "0.5", "--output", str(output)]) == 0
    assert not weights.load(output).ranges
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "has no ranges for int8" in said and "textdifuse ranges" in said


@pytest.mark.parametrize("change", [{"coupling": "max"}, {"steps": (25,)}, {"start_noise": 0.1}])
def test_two_networks_that_differ_are_refused_with_the_field(
    change: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = [str(saved(tmp_path / "a.safetensors", 1)), str(saved(tmp_path / "b.safetensors", 2, **change))]
    assert main(["mix", *two, "--share", "0.4", "--output", str(tmp_path / "mix.safetensors")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"no networks of one shape ({next(iter(change))} is " in said
    assert not (tmp_path / "mix.safetensors").exists()


def test_what_cannot_be_mixed_is_refused_in_one_line(
    two: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "mix.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"broken")
    broken, missing = str(tmp_path / "broken.safetensors"), str(tmp_path / "none.safetensors")
    for words, reason in (
        ((*two, "--share", "1.5", "--output", output), "--share 1.5: must lie between 0"),
        ((*two, "--share", "nan", "--output", output), "--share nan: must lie between 0"),
        ((two[0], missing, "--share", ".4", "--output", output), f"B {missing}: no such file"),
        ((broken, two[1], "--share", ".4", "--output", output), "not a readable safetensors file"),
        ((*two, "--share", ".4", "--output", two[0]), "is A itself"),
    ):
        assert main(["mix", *words]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
