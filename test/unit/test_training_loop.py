"""Trainings of a few updates: repeated, stopped, resumed, refused, and what they leave in their folder."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import torch
from command_line import REPOSITORY, refused, textdifuse
from small_networks import network_inputs, random_network
from torch import Tensor
from training_samples import before_call, log_of, losses_of, one_thread, short, short_file, write_data

from textdifuse_ros.model import weights
from textdifuse_ros.model.anchor import anchor
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import paths
from textdifuse_ros.train import run as run_module
from textdifuse_ros.train.batches import draw
from textdifuse_ros.train.data import load_training
from textdifuse_ros.train.degrade import DEGRADATIONS
from textdifuse_ros.train.errors import Interrupted, TrainingError
from textdifuse_ros.train.run import Rounded, Run
from textdifuse_ros.train.samples import Samples, after, first_of
from textdifuse_ros.train.seeds import EXAMPLES, SAMPLES, generator
from textdifuse_ros.train.teacher import train


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_data(tmp_path / "data")
    return tmp_path / "data"


def test_the_same_seed_gives_the_same_losses_and_another_one_does_not(data: Path, tmp_path: Path) -> None:
    for name, config in (("a", short(4)), ("b", short(4)), ("c", short(4, seed=8))):
        train(data, None, tmp_path / name, config)
    assert [step for step, _ in losses_of(tmp_path / "a")] == [1, 2, 3, 4]
    assert losses_of(tmp_path / "a") == losses_of(tmp_path / "b")
    assert losses_of(tmp_path / "a") != losses_of(tmp_path / "c")


def test_examples_drawn_ahead_by_other_processes_are_the_same(data: Path, tmp_path: Path) -> None:
    # As a user starts it: workers are forked, which a process full of other libraries' threads must not be.
    for name, workers in (("alone", 0), ("helped", 2)):
        config = short_file(tmp_path / f"{name}.json", iterations=4, workers=workers)
        done = textdifuse(
            "train", "--data", data, "--output", tmp_path / name, "--config", config, "--threads", 1
        )
        assert done.returncode == 0, done.stderr
    assert losses_of(tmp_path / "alone") == losses_of(tmp_path / "helped")


def test_what_is_drawn_ahead_comes_in_order_and_only_for_the_updates_that_need_it() -> None:
    code = (
        "from textdifuse_ros.train.stream import ahead; "
        "print([list(ahead(lambda n: n * n, range(3, 9), w, lambda n: n % 2 == 0)) for w in (0, 2)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.stdout.strip() == "[[16, 36, 64], [16, 36, 64]]", done.stderr


def test_what_fails_while_another_process_draws_ahead_ends_with_its_error() -> None:
    code = (
        "from textdifuse_ros.train.stream import ahead; drawn = ahead(lambda n: n, range(99), 1); "
        "next(drawn); raise RuntimeError('as if the loss were not finite')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1 and "as if the loss were not finite" in done.stderr


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_to_the_group_leaves_who_draws_ahead_at_work(number: str) -> None:
    code = (
        f"import os, signal; signal.signal(signal.{number}, lambda *_: None); "
        "from textdifuse_ros.train.stream import ahead; drawn = ahead(lambda n: n, range(30), 1); "
        f"next(drawn); os.killpg(0, signal.{number}); print(sum(drawn))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=100, start_new_session=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(sum(range(30))), done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_a_signal_stopped_goes_on_as_if_nothing_had_been(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    whole = train(data, None, tmp_path / "whole", short(5))
    with monkeypatch.context() as patch:
        before_call(patch, Run, "update", 2, lambda: signal.raise_signal(number))
        with pytest.raises(
            Interrupted, match="interrupted after update 3 and saved; the same command goes on"
        ):
            train(data, None, tmp_path / "parts", short(5))
    assert torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)["step"] == 3
    parts = train(data, None, tmp_path / "parts", short(5))
    assert losses_of(tmp_path / "parts") == losses_of(tmp_path / "whole")
    one, two = weights.load(whole).state_dict(), weights.load(parts).state_dict()
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_updates_after_the_last_checkpoint_of_a_crash_are_logged_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> None:
        raise RuntimeError("as if the power had gone")

    with monkeypatch.context() as patch:
        before_call(patch, Run, "update", 3, crash)
        with pytest.raises(RuntimeError):
            train(data, None, tmp_path / "run", short(5))
    assert [step for step, _ in losses_of(tmp_path / "run")] == [1, 2, 3]
    train(data, None, tmp_path / "run", short(5))
    assert [step for step, _ in losses_of(tmp_path / "run")] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("limit", "name"), [(20_000, "teacher.safetensors"), (200_000, "checkpoint.pt")])
def test_a_disk_that_is_full_leaves_the_checkpoint_of_before(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, name: str
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))

    try:
        with monkeypatch.context() as patch:
            before_call(patch, Run, "save", 1, fill)
            with pytest.raises(TrainingError, match=rf"{name}: cannot be written .* before is intact"):
                train(data, None, tmp_path / "run", short(6))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 2
    assert not list((tmp_path / "run").glob("*.partial"))
    train(data, None, tmp_path / "run", short(6))
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 6


def test_a_checkpoint_of_another_network_is_refused_and_untouched(data: Path, tmp_path: Path) -> None:
    train(data, None, tmp_path / "run", short(2))
    kept = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    other = dataclasses.replace(short(2).model, coupling="max")
    with pytest.raises(TrainingError, match=r"another network .coupling is attention there and max here"):
        train(data, None, tmp_path / "run", short(4, model=other))
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == kept
    (tmp_path / "run" / "checkpoint.pt").write_bytes(kept[:2000])
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint; delete it to begin anew"):
        train(data, None, tmp_path / "run", short(4))


def test_initial_weights_of_another_shape_are_refused_with_the_field_and_a_students_are_taken(
    data: Path, tmp_path: Path
) -> None:
    model = short(1).model
    wide, student = (
        dataclasses.replace(model, **change)  # type: ignore[arg-type]
        for change in ({"widths": (8, 8, 8, 16)}, {"start_noise": 0.0, "steps": (1, 2, 4)})
    )
    with pytest.raises(
        TrainingError, match=r"--initial: .*widths is \[8, 8, 8, 16\] there and \[8, 8, 8, 8\]"
    ):
        train(data, None, tmp_path / "run", short(1), FusionNetwork(wide))
    assert not (tmp_path / "run").exists()
    assert train(data, None, tmp_path / "run", short(1), FusionNetwork(student)).is_file()
    weights.save(FusionNetwork(wide), tmp_path / "wide.safetensors")
    config = short_file(tmp_path / "config.json", iterations=1)
    place = ("train", "--data", data, "--output", tmp_path / "other", "--config", config)
    refused(textdifuse(*place, "--initial", tmp_path / "wide.safetensors"), "--initial", "widths is")


def test_the_noise_of_a_training_is_drawn_by_its_own_generator_on_the_processor(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = short(1)
    batch = draw(load_training(data, config.data_sets), config, generator(EXAMPLES, 7, 0, 0), 0.0)
    states: list[Tensor] = []
    plain = paths.sampler.starting_state

    def noted(*given: object) -> Tensor:
        states.append(plain(*given))  # type: ignore[arg-type]
        return states[-1]

    monkeypatch.setattr(paths.sampler, "starting_state", noted)
    network = FusionNetwork(config.model)
    for seed, foreign in ((1, 5), (1, 6), (2, 6)):
        torch.manual_seed(foreign)
        paths.diffused(network, batch, generator(0, seed))
    assert torch.equal(states[0], states[1]) and not torch.equal(states[1], states[2])


def test_a_finished_training_says_so_and_is_left_as_it_is(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = train(data, None, tmp_path / "run", short(2))
    kept = (tmp_path / "run" / "checkpoint.pt").stat().st_mtime_ns
    path.unlink()
    capsys.readouterr()
    assert train(data, None, tmp_path / "run", short(2)) == path
    said = capsys.readouterr().err
    assert (
        "run: holds a finished training (2 updates, " in said
        and "raise iterations or minutes to go on" in said
    )
    assert weights.load(path).config == short(2).model
    assert (tmp_path / "run" / "checkpoint.pt").stat().st_mtime_ns == kept


def test_the_clock_ends_a_training_before_its_updates(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(data, None, tmp_path / "run", short(10**6, minutes=0.002))
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert 0 < state["step"] < 10**6 and state["spent"] >= 0.12
    train(data, None, tmp_path / "run", short(10**6, minutes=0.002))
    assert "holds a finished training" in capsys.readouterr().err
    again = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert again["step"] == state["step"]


@pytest.mark.parametrize("change", [{"coupling": "max"}, {"start": "noise"}, {"start": "none"}])
def test_ablations_train(data: Path, tmp_path: Path, change: dict[str, str]) -> None:
    model = dataclasses.replace(short(2).model, **change)  # type: ignore[arg-type]
    path = train(data, None, tmp_path / "run", short(2, model=model))
    assert weights.load(path).config == model


def test_the_folder_tells_what_was_trained_and_how_it_went(data: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(data, None, tmp_path / "run", short(3))
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"]["widths"] == [8, 8, 8, 8] and config["seed"] == short(3).seed
    rows = log_of(tmp_path / "run")
    done = {name for row in rows for name in row if name.startswith("degraded/")}
    row = {name for name in rows[0] if name not in done}
    named = {"loss", "intensity", "gradient", "chroma", "steering"}
    assert row == named | {"step", "minutes", "learning_rate", "updates_per_second"}
    events = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    scalars = {f"loss/{name}" for name in named} | done | {"learning_rate", "updates_per_second"}
    assert set(events.Tags()["scalars"]) == scalars
    assert [each.step for each in events.Scalars("loss/loss")] == [1, 2, 3]
    assert [each.step for each in events.Images("samples")] == [2, 3]


def test_what_was_done_to_the_examples_is_logged_with_its_parameters(data: Path, tmp_path: Path) -> None:
    config = short(12, batch=4)
    train(data, None, tmp_path / "run", config)
    logged = [
        {name: value for name, value in row.items() if name.startswith("degraded/")}
        for row in log_of(tmp_path / "run")
    ]
    kinds = {*DEGRADATIONS, "thermal_look", "shift"}
    assert {name.split("/")[1] for row in logged for name in row} <= kinds
    assert sum(map(bool, logged)) > len(logged) / 2
    sets = load_training(data, config.data_sets)
    fifth = draw(sets, config, generator(EXAMPLES, config.seed, 0, 4), config.single_share)
    assert logged[4] == pytest.approx(fifth.parameters)


def test_every_checkpoint_has_a_picture_of_the_same_examples(data: Path, tmp_path: Path) -> None:
    train(data, None, tmp_path / "run", short(4, learning_rate=0.05, warm_up=1))
    files = sorted((tmp_path / "run" / "samples").iterdir())
    assert [file.name for file in files] == ["000002.png", "000004.png"]
    early, late = (cv2.imread(str(file)) for file in files)
    assert early.shape == late.shape == (22 + 4 * 100, 4 + 5 * 100, 3)
    assert (early[:, :404] == late[:, :404]).all()
    assert (early[:, 404:] != late[:, 404:]).any()


def test_sample_pictures_ask_the_network_what_it_is_trained_for(data: Path) -> None:
    asked: list[tuple[float, float, Tensor]] = []

    def noted(network: FusionNetwork, given: tuple[Tensor, ...]) -> None:
        asked.append((*given[-1][0, :2].tolist(), given[2]))

    config = short(1)
    sets = load_training(data, config.data_sets)
    network = FusionNetwork(config.model)
    network.register_forward_pre_hook(noted)
    pictures = Samples(sets, config, None, torch.device("cpu"), (first_of(25), after(2)))
    picture = pictures.picture(network)
    assert picture.shape[1] == 4 + 6 * 100
    assert [each[:2] for each in asked] == [(1.0, pytest.approx(1 / 25)), (1.0, 0.5), (0.5, 0.5)]
    few = dataclasses.replace(config, batch=4)
    seen = draw(sets, few, generator(SAMPLES, config.seed), 0.0).visible
    assert all(torch.equal(visible, seen) for _, _, visible in asked)  # not prepared, as training has it


def test_without_tensorboard_a_training_goes_on_and_says_so_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    train(data, None, tmp_path / "run", short(2))
    assert capsys.readouterr().err.count("the package tensorboard is not installed") == 1
    assert len(log_of(tmp_path / "run")) == 2


def test_the_precision_is_bf16_where_asked_for_or_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def used(precision: str, has: bool) -> torch.dtype:
        monkeypatch.setattr(run_module, "cpu_has_fast_bf16", lambda: has)
        return run_module.arithmetic(precision, torch.device("cpu"))

    assert used("auto", True) == used("bf16", False) == torch.bfloat16
    assert used("auto", False) == used("fp32", True) == torch.float32


def test_in_bf16_only_the_weights_are_rounded_as_in_an_engine() -> None:
    network, sources = random_network(), tuple(network_inputs().values())
    estimate = Rounded(network, torch.bfloat16)(*sources)
    as_deployed = copy.deepcopy(network).to(torch.bfloat16)(*sources)
    for trained, deployed in zip(estimate, as_deployed, strict=True):
        assert trained.dtype == torch.float32 and torch.equal(trained, deployed)
    estimate.luminance.mean().backward()
    assert all(each.dtype == torch.float32 for each in network.parameters())
    assert network.stem.weight.grad is not None and float(network.stem.weight.grad.abs().sum()) > 0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_starts_from_the_same_anchor_whatever_the_precision(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    given: list[tuple[Tensor, ...]] = []
    cameras: list[tuple[int, Tensor, Tensor]] = []  # with the number of the call that they were for
    plain, start = FusionNetwork.forward, paths.anchor

    def forward(network: FusionNetwork, *sources: Tensor) -> Estimate:
        given.append(sources[1:4])
        return plain(network, *sources)

    def noted(visible: Tensor, thermal: Tensor) -> Tensor:
        cameras.append((len(given), visible, thermal))
        return start(visible, thermal)

    monkeypatch.setattr(FusionNetwork, "forward", forward)
    monkeypatch.setattr(paths, "anchor", noted)
    train(data, None, tmp_path / "run", short(1, precision=precision))
    [(call, *seen)] = cameras
    for got, expected in zip(given[call], (anchor(*seen), *seen), strict=True):
        assert got.dtype == torch.float32 and torch.equal(got, expected)


def test_gradients_that_are_never_finite_end_a_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "_BAD_IN_A_ROW", 3)
    broken = short(9, chroma=1e38, intensity=1e38, gradient=1e38)
    with pytest.raises(
        TrainingError, match="no finite gradient in the 3 updates up to 3: lower learning_rate"
    ):
        train(data, None, tmp_path / "run", broken)


def test_the_command_ends_with_130_and_a_line_after_sigterm_and_resumes(data: Path, tmp_path: Path) -> None:
    config = short_file(tmp_path / "config.json", iterations=10**6)
    arguments = ("train", "--data", data, "--output", tmp_path / "run", "--config", config, "--threads", 1)
    command = [sys.executable, "-m", "textdifuse_ros.cli.main", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            lines = [first, *process.stderr.read().splitlines()]
        finally:
            process.kill()
    assert "update 1/1000000" in first, lines
    assert process.returncode == 130, lines
    assert "and saved; the same command goes on from there" in lines[-1]
    stopped = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"]
    result = textdifuse(*arguments, "--set", f"iterations={stopped + 1}")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'run' / 'teacher.safetensors'}\n"
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == stopped + 1


def test_the_command_refuses_in_one_line(data: Path, tmp_path: Path) -> None:
    place = ("train", "--data", data, "--output", tmp_path / "run")
    refused(textdifuse(*place, "--set", "crop=100"), "--set: crop is 100", "96 or 128")
    refused(textdifuse(*place), "--models", "yolov8n_coco.safetensors", "detector_weight 0")
    refused(textdifuse(*place, "--set", "device=cuda:99"), "device 'cuda:99'")
    refused(textdifuse(*place, "--threads", 100000), "--threads 100000: must lie between 0", "256")
