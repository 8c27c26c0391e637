"""`textdifuse train-veil`: what it draws, that it repeats and resumes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_line import textdifuse

from textdifuse_ros.model import veil
from textdifuse_ros.model.veil import VeilNetwork
from textdifuse_ros.simulation import StreetSequence
from textdifuse_ros.train import veil as training
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.evidence_examples import load_scenes
from textdifuse_ros.train.veil import FILE, VeilTraining, loss, train, without
from textdifuse_ros.train.veil_examples import Batch, draw

SMALL = VeilTraining(iterations=3, batch=3, checkpoint_every=2, device="cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    (root / "msrs" / "vis").mkdir(parents=True)
    street = StreetSequence(160, 120, seed=1, smoke=0.0)
    for index in range(4):
        cv2.imwrite(
            str(root / "msrs" / "vis" / f"made{index}.png"), street.render(index * 7.0).rgb[..., ::-1]
        )
    return root


def weights_of(path: Path) -> list[torch.Tensor]:
    return list(veil.load(path).state_dict().values())


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_the_same_batch_is_drawn_again(data: Path) -> None:
    scenes = load_scenes(data)
    first, again, other = (draw(scenes, 4, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert torch.equal(first.seen, again.seen) and torch.equal(first.goal, again.goal)
    assert not torch.equal(first.seen, other.seen)


def test_examples_have_a_veil_where_they_say_so_and_nowhere_else(data: Path) -> None:
    batch = draw(load_scenes(data), 60, np.random.default_rng(0))
    assert batch.seen.shape == batch.goal.shape == (60, 3, 120, 160)
    assert batch.density.shape == (60, 1, 60, 80)
    apart = (batch.seen - batch.goal).abs().mean(dim=(1, 2, 3))
    veiled = batch.density.amax(dim=(1, 2, 3)) > 0.02
    assert 0.3 < veiled.float().mean() < 0.9
    assert apart[~veiled].max() == 0 and apart[veiled].min() > 0


def test_maps_that_undo_a_veil_have_no_loss() -> None:
    clear = torch.rand(1, 3, 120, 160, generator=torch.Generator().manual_seed(0))
    maps = torch.zeros(1, 5, 60, 80)
    maps[:, 0], maps[:, 1:4] = float(np.log(2)), 0.0
    veiled = 0.5 * clear + 0.5 * torch.nn.functional.interpolate(
        torch.nn.functional.interpolate(clear, size=(60, 80), mode="area"), size=(120, 160), mode="bilinear"
    )
    assert (without(veiled, maps) - clear).square().mean() < (veiled - clear).square().mean() / 3


def test_a_picture_without_a_veil_counts_more_often(data: Path) -> None:
    batch = draw(load_scenes(data), 20, np.random.default_rng(0))
    torch.manual_seed(0)
    network = VeilNetwork()
    torch.nn.init.normal_(network.out.weight, std=0.1)
    once, often = (loss(network, batch, sound)[0] for sound in (1.0, 9.0))
    assert often > once


def test_a_training_repeats_itself(data: Path, tmp_path: Path) -> None:
    first, again = (train(data, tmp_path / each, SMALL) for each in "ab")
    assert same(weights_of(first), weights_of(again))


def test_a_training_that_was_killed_goes_on_as_if_it_had_not_been(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = training._Run.update

    def killed(run: training._Run, batch: Batch) -> dict[str, float]:
        if run.step == 2:
            raise KeyboardInterrupt
        return update(run, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training._Run, "update", killed)
        train(data, tmp_path / "a", SMALL)
    whole, resumed = (train(data, tmp_path / each, SMALL) for each in "ba")
    assert same(weights_of(whole), weights_of(resumed))
    assert (tmp_path / "a" / "log.jsonl").read_text().count("\n") == 3


def test_a_finished_training_says_so_and_keeps_its_weights(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = weights_of(train(data, tmp_path, SMALL))
    assert same(weights_of(train(data, tmp_path, SMALL)), before)
    assert "holds a finished training (3 updates)" in "".join(capsys.readouterr())


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no images"):
        train(tmp_path, tmp_path / "out", SMALL)


def test_a_checkpoint_of_something_else_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no")
    with pytest.raises(TrainingError, match="is not a checkpoint of this training; take another --output"):
        train(data, tmp_path, SMALL)


def test_the_command_trains_and_names_its_file(data: Path, tmp_path: Path) -> None:
    done = textdifuse(
        "train-veil",
        "--data",
        str(data),
        "--output",
        str(tmp_path),
        "--set",
        "iterations=1",
        "--set",
        "batch=2",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / FILE)


def test_an_unknown_field_is_refused(data: Path, tmp_path: Path) -> None:
    done = textdifuse("train-veil", "--data", str(data), "--output", str(tmp_path), "--set", "depth=3")
    assert done.returncode != 0 and "depth" in done.stderr
