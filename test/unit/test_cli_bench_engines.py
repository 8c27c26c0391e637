"""`textdifuse bench --engines`: what is remembered, whose memory is counted, and what is said meanwhile."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from engine_samples import tiny_network
from small_networks import save_network

from textdifuse_ros.cli import bench_engines
from textdifuse_ros.cli.main import main
from textdifuse_ros.engines import compare as comparing
from textdifuse_ros.engines import progress, registry
from textdifuse_ros.engines.base import Bytes, Engine, Floats
from textdifuse_ros.engines.compare import Result, compare
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.evaluation import peak
from textdifuse_ros.model.controls import Controls

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "cache"))
    return save_network(tmp_path / "tiny.safetensors")


def common(weights: Path) -> list[str]:
    return ["--weights", str(weights), "--size", "32x32", "--runs", "1", "--device", "cpu"]


@pytest.mark.parametrize(
    ("wrong", "remembered"),
    [((), "eager bf16"), ((1,), "eager fp32"), ((2, 4), "eager fp32"), ((4,), "eager fp32")],
)
def test_only_what_is_right_with_every_number_of_steps_is_remembered(
    weights: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, wrong: tuple[int, ...], remembered: str
) -> None:
    def bf16_is_quick(
        engines: list[Engine], height: int, width: int, steps: int, rounds: int
    ) -> list[Result]:
        full, half = compare(engines, height, width, steps, rounds)
        full.total_ms, half.total_ms = [9.0], [1.0]
        half.off_p99 = 3.0 if steps in wrong else 1.0
        return [full, half]

    monkeypatch.setattr(comparing, "compare", bf16_is_quick)
    arguments = [*common(weights), "--engines", "eager:bf16", "--steps", "1,2,4", "--remember", "--json"]
    assert main(["bench", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["remembered"] == remembered


def test_the_fastest_over_all_numbers_of_steps_is_remembered(
    weights: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mixed(engines: list[Engine], height: int, width: int, steps: int, rounds: int) -> list[Result]:
        full, half = compare(engines, height, width, steps, rounds)
        full.total_ms, half.total_ms = [2.0 * steps], [3.0]
        return [full, half]

    monkeypatch.setattr(comparing, "compare", mixed)
    arguments = [*common(weights), "--engines", "eager:bf16", "--remember", "--json"]
    for steps, best in (("1", "eager fp32"), ("1,4", "eager bf16")):
        assert main(["bench", *arguments, "--steps", steps]) == 0
        assert json.loads(capsys.readouterr().out)["remembered"] == best


class WrongWithRelevance(EagerEngine):
    """Leaves the map out."""

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        image, model_ms = super().run(rgb, thermal, relevance, steps, controls)
        return (image if relevance is None else 255 - image), model_ms


def test_engines_are_held_against_the_first_with_relevance_too() -> None:
    network = tiny_network()
    engines = [EagerEngine(network, "cpu", "fp32"), WrongWithRelevance(network, "cpu", "fp32")]
    full, wrong = compare(engines, 32, 48, steps=1, rounds=1)
    assert full.is_right and full.off_most == 0
    assert not wrong.is_right and len(wrong.total_ms) == 1


def test_the_weights_count_as_memory_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [1000.0]

    def making(*_arguments: object) -> Engine:
        held[0] += 40.0
        return EagerEngine(tiny_network(), "cpu", "fp32")

    monkeypatch.setattr(peak, "memory_mb", lambda device: (100.0, held[0]))
    monkeypatch.setattr(registry, "make_engine", making)
    made = bench_engines._built("eager", "fp32", tiny_network(), "cpu", "", (32, 32), [1])
    assert made.memory_mb == (0.0, 40.0)


class Building(EagerEngine):
    """Is built until its progress was asked for."""

    name = "onnx"

    def __init__(self) -> None:
        super().__init__(tiny_network(), "cpu", "fp32")
        self._asked = threading.Event()

    @property
    def progress(self) -> str:
        self._asked.set()
        return "exporting the graph"

    def prepare(self, height: int, width: int, steps: int) -> None:
        assert self._asked.wait(60)


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every engine but eager is one that takes long."""
    real = registry.make_engine

    def make(name: str, *more: object, **options: object) -> Engine:
        return Building() if name == "onnx" else real(name, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(progress, "EVERY", 0.01)
    monkeypatch.setattr(registry, "make_engine", make)
    monkeypatch.setattr("textdifuse_ros.fuser.make_engine", make)


@pytest.mark.parametrize("arguments", [["--engines", "onnx"], ["--engine", "onnx"]], ids=lambda each: each[0])
def test_bench_says_what_it_is_waiting_for(
    weights: Path, capsys: Captured, building: None, arguments: list[str]
) -> None:
    assert main(["bench", *common(weights), *arguments, "--json"]) == 0
    said = capsys.readouterr()
    assert "engine onnx, 0 s: exporting the graph" in said.err
    json.loads(said.out)
