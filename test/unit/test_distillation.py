"""Distillations of a few updates: the student, its teacher's answers and what keeps them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import torch
from command_line import refused, textdifuse
from training_samples import before_call, log_of, losses_of, one_thread, short, write_data

from textdifuse_ros.model import weights
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import bank, ranges
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.distill import distill
from textdifuse_ros.train.errors import Interrupted, TrainingError
from textdifuse_ros.train.run import Run
from textdifuse_ros.train.teacher import train


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_data(tmp_path / "data")
    return tmp_path / "data"


def a_teacher(seed: int = 0) -> FusionNetwork:
    torch.manual_seed(seed)
    return FusionNetwork(short(1).model)


def test_a_teacher_is_trained_and_its_student_learns_from_it(data: Path, tmp_path: Path) -> None:
    teacher = weights.load(train(data, None, tmp_path / "teacher", short(3)))
    assert teacher.config == short(3).model and teacher.config.steps == (25,)
    student = weights.load(distill(data, None, tmp_path / "student", short(4, bank_share=1.0), teacher))
    assert student.config.steps == (1, 2, 4) and student.config.start_noise == 0
    assert torch.load(tmp_path / "student" / "checkpoint.pt", weights_only=True)["step"] == 4
    assert all(row["teacher"] > 0 for row in log_of(tmp_path / "student"))
    assert (tmp_path / "student" / "samples" / "000004.png").is_file()


def test_a_distillation_goes_on_from_a_student_that_is_given(data: Path, tmp_path: Path) -> None:
    student, config = a_teacher(1), short(1, bank_share=0.0, learning_rate=1e-6)
    path = distill(data, None, tmp_path / "run", config, a_teacher(), student)
    for name, value in weights.load(path).state_dict().items():
        torch.testing.assert_close(value, student.state_dict()[name], atol=1e-3, rtol=2e-3)


def test_a_resumed_distillation_reads_its_bank_and_goes_on_as_if_nothing_had_been(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distill(data, None, tmp_path / "whole", short(6), a_teacher())
    with monkeypatch.context() as patch:
        before_call(patch, Run, "update", 2, lambda: signal.raise_signal(signal.SIGTERM))
        with pytest.raises(Interrupted, match="after update 3"):
            distill(data, None, tmp_path / "parts", short(6), a_teacher())
    monkeypatch.setattr(bank, "answered_by", None)  # calling it would be an error
    distill(data, None, tmp_path / "parts", short(6), a_teacher())
    assert losses_of(tmp_path / "parts") == losses_of(tmp_path / "whole")


def test_a_bank_of_another_teacher_or_seed_or_a_broken_one_is_made_anew(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run" / bank.FILE
    distill(data, None, tmp_path / "run", short(1), a_teacher())
    first = file.read_bytes()
    for iterations, seed, teacher, words in (
        (2, 7, 1, "is of another teacher, configuration or data; the answers are made anew"),
        (3, 8, 1, "is of another teacher, configuration or data; the answers are made anew"),
        (4, 8, 1, "cannot be read"),
    ):
        if words == "cannot be read":
            file.write_bytes(first[: len(first) // 2])
        capsys.readouterr()
        distill(data, None, tmp_path / "run", short(iterations, seed=seed), a_teacher(teacher))
        said = [line for line in capsys.readouterr().err.splitlines() if bank.FILE in line]
        assert len(said) == 1 and words in said[0]
    capsys.readouterr()
    distill(data, None, tmp_path / "run", short(5, seed=8), a_teacher(1))
    assert bank.FILE not in capsys.readouterr().err


def test_a_bank_is_of_the_pixels_and_boxes_and_of_the_arithmetic(data: Path) -> None:
    config = short(1)

    def key(dtype: torch.dtype = torch.float32) -> str:
        return bank.key_of(a_teacher(), load_training(data, config.data_sets), config, dtype)

    keys = [key(), key(torch.bfloat16)]
    assert key() == keys[0]
    path = data / "msrs" / "vis" / "a.png"
    image = cv2.imread(str(path))
    assert image is not None
    image[5, 5, 0] ^= 1
    cv2.imwrite(str(path), image)
    keys.append(key())
    (data / "msrs" / "boxes" / "a.txt").write_text("0 0.5 0.5 0.3 0.5\n")
    keys.append(key())
    assert len(set(keys)) == 4


def test_an_end_that_was_interrupted_is_made_up_for_by_the_same_command(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*given: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ranges, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            distill(data, None, tmp_path / "run", short(2), a_teacher())
    file = tmp_path / "run" / "student.safetensors"
    plain = weights.load(file)
    assert not plain.ranges

    capsys.readouterr()
    assert distill(data, None, tmp_path / "run", short(2), a_teacher()) == file
    said = capsys.readouterr().err.splitlines()
    assert "holds a finished training" in said[0] and said[1].endswith(
        "has no ranges for int8 yet; they are measured now"
    )
    whole = weights.load(distill(data, None, tmp_path / "whole", short(2), a_teacher()))
    student = weights.load(file)
    assert student.ranges and student.ranges == whole.ranges
    assert all(map(torch.equal, student.state_dict().values(), plain.state_dict().values()))

    monkeypatch.setattr(ranges, "add", None)  # calling it would be an error
    assert distill(data, None, tmp_path / "run", short(2), a_teacher()) == file
    file.write_bytes(b"broken")
    with pytest.raises(TrainingError, match=r"student\.safetensors: not a readable .* writes it anew"):
        distill(data, None, tmp_path / "run", short(2), a_teacher())


def test_an_example_comes_back_from_the_bank_as_it_went_in(data: Path, tmp_path: Path) -> None:
    config = short(1, bank=6)
    distill(data, None, tmp_path / "run", config, a_teacher())
    stored = bank._stored(tmp_path / "run" / bank.FILE, _key(tmp_path / "run" / bank.FILE))
    assert stored is not None and len(stored) == 3
    batch, answer = stored[2]
    assert batch.visible.shape == (2, 3, 64, 64) and batch.visible.dtype == torch.float32
    assert answer.luminance.shape == (2, 1, 64, 64) and answer.chroma.shape == (2, 2, 64, 64)
    assert [boxes.shape[1] for boxes in batch.boxes] == [5, 5]
    assert float(batch.thermal.min()) >= 0 and float(batch.thermal.max()) <= 1


def _key(path: Path) -> str:
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        return str(file.metadata()["key"])


def test_the_command_refuses_another_shape_than_the_teachers(data: Path, tmp_path: Path) -> None:
    weights.save(a_teacher(), tmp_path / "teacher.safetensors")
    place = (
        "distill",
        "--data",
        data,
        "--output",
        tmp_path / "run",
        "--teacher",
        tmp_path / "teacher.safetensors",
    )
    refused(
        textdifuse(*place, "--set", "model.coupling=max"), "model: a student takes the shape of its teacher"
    )
    refused(textdifuse(*place, "--set", "bank=0"), "--set: bank is 0; it must be a whole number, at least 1")
