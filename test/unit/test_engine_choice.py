"""What `auto` takes, and engines that are built while another one works."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_samples import need_onnx, tiny_network

from textdifuse_ros.engines import cache, choice, cpu_threads, device, registry
from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.engines.compare import Result, compare, difference, scene
from textdifuse_ros.engines.device import cpu_has_int8
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.registry import make_engine
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL, Controls


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and a process that has chosen nothing yet."""
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path))
    monkeypatch.setattr(choice, "_made", {})
    return tmp_path


def measured(
    monkeypatch: pytest.MonkeyPatch, fp32_ms: float, bf16_ms: float, off: float = 1.0, guess: bool = True
) -> list[int]:
    """Let a measurement say this; returns a list that grows with every measurement."""
    calls: list[int] = []

    def stand_in(engines: list[EagerEngine], *_sizes: int) -> list[Result]:
        calls.append(1)
        full, half = engines
        return [
            Result(full, model_ms=[9 * fp32_ms, fp32_ms]),
            Result(half, model_ms=[bf16_ms, 9 * bf16_ms], off_p99=off),
        ]

    monkeypatch.setattr(choice, "compare", stand_in)
    monkeypatch.setattr(choice, "cpu_has_fast_bf16", lambda: guess)
    return calls


@pytest.mark.parametrize(
    ("fp32_ms", "bf16_ms", "guess", "expected"),
    [(50, 30, True, "bf16"), (30, 50, True, "fp32"), (30, 50, False, "fp32"), (50, 30, False, "bf16"),
     (50, 51, True, "bf16"), (50, 49, False, "fp32")],
)  # fmt: skip
def test_the_faster_precision_is_taken_and_the_guess_where_both_are_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fp32_ms: float, bf16_ms: float, guess: bool, expected: str
) -> None:
    measured(monkeypatch, fp32_ms, bf16_ms, guess=guess)
    assert make_engine("auto", tiny_network(), "cpu").dtype == expected
    assert make_engine("eager", tiny_network(), "cpu").dtype == expected


def test_a_precision_that_is_off_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 50, 10, off=3.0)
    assert choice.for_cpu(tiny_network()).dtype == "fp32"


def test_where_measuring_fails_the_processor_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> list[Result]:
        raise RuntimeError("could not create a primitive")

    monkeypatch.setattr(choice, "compare", fail)
    monkeypatch.setattr(choice, "cpu_has_fast_bf16", lambda: True)
    assert choice.faster_dtype(tiny_network()) == "bf16"


def test_a_real_measurement_picks_one_of_both(folder: Path) -> None:
    assert choice.faster_dtype(tiny_network()) in ("fp32", "bf16")


def test_a_choice_is_measured_once_for_all_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = measured(monkeypatch, 30, 50)
    choice.for_cpu(tiny_network())
    choice.for_cpu(tiny_network(seed=4))  # of the same shape
    monkeypatch.setattr(choice, "_made", {})  # another process
    assert choice.for_cpu(tiny_network()).dtype == "fp32"
    assert len(calls) == 1
    (key,) = json.loads((folder / choice.ENTRY).read_text())
    assert "torch" in key


def test_what_other_code_measured_is_measured_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = measured(monkeypatch, 50, 30)
    for code in ("before", "after"):
        monkeypatch.setattr(choice, "_made", {})
        monkeypatch.setattr(choice, "code_id", lambda code=code: code)
        choice.for_cpu(tiny_network())
    assert len(calls) == 2


@pytest.mark.parametrize("flags", ["fma avx2", "fma avx2 avx512f", "fma avx2 avx512f avx512_bf16 amx_bf16"])
def test_a_processor_of_the_same_name_that_shows_less_measures_for_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch, flags: str
) -> None:
    """Virtual machines call many processors by one name."""
    network = tiny_network()
    choice.keep(choice._key(network), choice.Choice("bf16", "compile", "int8"))
    says = {"model name": "Intel(R) Xeon(R) Processor", "flags": f"fpu sse2 {flags}", "Features": ""}
    monkeypatch.setattr(device, "_cpu_line", lambda name: says[name])
    assert f"| {' '.join(sorted(flags.split()))} |" in choice._key(network)
    calls = measured(monkeypatch, 30, 50)
    assert choice.for_cpu(network) == choice.Choice("fp32", "eager", "fp32") and len(calls) == 1


def test_another_number_of_threads_is_measured_for_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = measured(monkeypatch, 30, 50)
    for threads in (1, 3, 1):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        choice.for_cpu(tiny_network())
    assert len(calls) == 2


@pytest.mark.parametrize(
    "content", [b"not json", b"[]", b'{"KEY": {"engine": "eager"}}', b'{"KEY": 3}',
                b'{"KEY": {"engine": "warp", "dtype": "fp32", "eager_dtype": "fp32"}}'],
)  # fmt: skip
def test_a_file_that_says_nothing_sensible_is_measured_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    calls = measured(monkeypatch, 30, 50)
    network = tiny_network()
    cache.write(choice.ENTRY, content.replace(b"KEY", choice._key(network).encode()))
    assert choice.for_cpu(network) == choice.Choice("fp32", "eager", "fp32")
    assert len(calls) == 1
    monkeypatch.setattr(choice, "_made", {})  # another process, which finds what this one has written
    assert choice.for_cpu(network) == choice.Choice("fp32", "eager", "fp32") and len(calls) == 1
    assert not (folder / f"{choice.ENTRY}.sha256").exists()


def test_what_was_remembered_is_built_only_where_something_else_can_run_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, 50, 30)
    network = tiny_network()
    assert choice.remember(network, "compile", "bf16")
    monkeypatch.setattr(choice, "_made", {})  # another process
    assert isinstance(make_engine("auto", network, "cpu"), EagerEngine)
    assert isinstance(make_engine("auto", network, "cpu", background=True), BackgroundEngine)
    assert isinstance(make_engine("auto", network, "cpu", "fp32", background=True), EagerEngine)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert isinstance(make_engine("auto", network, "cpu", background=True), EagerEngine)


def test_int8_is_not_taken_unless_it_was_remembered_and_these_weights_can_do_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, 30, 50)
    network = weights.load()
    assert make_engine("auto", network, "cpu", background=True).dtype == "fp32"
    assert choice.remember(network, "eager", "int8")
    monkeypatch.setattr(choice, "_made", {})  # another process
    taken = make_engine("auto", network, "cpu", background=True)
    assert taken.dtype == ("int8" if cpu_has_int8() else "fp32")
    assert make_engine("auto", network, "cpu", "fp32", background=True).dtype == "fp32"
    network.ranges = {}
    assert make_engine("auto", network, "cpu", background=True).dtype == "fp32"


def test_an_engine_that_cannot_be_is_refused_at_once_in_the_background_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, 50, 30)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(EngineError, match="no-such-compiler"):
        make_engine("compile", tiny_network(), "cpu", background=True)


def test_engines_take_turns_and_are_held_against_the_first() -> None:
    network = tiny_network()
    engines = [EagerEngine(network, "cpu", dtype) for dtype in ("fp32", "bf16")]
    full, half = compare(engines, 32, 48, steps=1, rounds=2)
    assert full.off_most == 0 and full.is_right and half.is_right
    assert len(full.model_ms) == len(half.total_ms) == 2


class Grey:
    """An engine that answers one grey level; it is ready once it was prepared."""

    device, dtype, steps = "cpu", "fp32", (1, 2, 4)

    def __init__(self, name: str, level: int, error: Exception | None = None, at_once: bool = False) -> None:
        self.name, self.level, self.error, self.at_once = name, level, error, at_once
        self.breaks: Exception | None = None  # at every frame
        self.prepared: list[tuple[int, int, int]] = []
        self.prepared_with: list[int] = []  # threads
        self.go = threading.Event()
        self.closed = threading.Event()

    def ready(self, height: int, width: int, steps: int) -> bool:
        return self.at_once or (height, width, steps) in self.prepared

    def prepare(self, height: int, width: int, steps: int) -> None:
        assert self.go.wait(60)
        if self.error is not None:
            raise self.error
        self.prepared_with.append(torch.get_num_threads())
        self.prepared.append((height, width, steps))

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        if self.breaks is not None:
            raise self.breaks
        return np.full_like(rgb, self.level), 1.0

    def close(self) -> None:
        self.closed.set()


def level(engine: BackgroundEngine, height: int = 16) -> int:
    image, _ = engine.run(*scene(height, 16), None, 1, ALL)
    return int(image[0, 0, 0])


def test_the_second_engine_takes_over_when_it_is_built_for_the_size() -> None:
    second = Grey("compile", 2)
    engine = BackgroundEngine(Grey("eager", 1, at_once=True), second)
    assert level(engine) == 1 and level(engine) == 1
    assert engine.name == "eager, compile is being built for 0 s"
    second.go.set()
    engine.prepare(16, 16, 1)
    assert level(engine) == 2 and engine.name == "compile"
    second.go.clear()
    assert level(engine, 32) == 1  # another size: built anew, and nobody waits
    second.go.set()
    engine.prepare(32, 16, 1)
    assert level(engine, 32) == 2 and level(engine) == 2
    assert second.prepared == [(16, 16, 1), (32, 16, 1)]


@pytest.fixture
def others_threads() -> Iterator[None]:
    """Another network of the process has set a number of threads of its own, last."""
    before = torch.get_num_threads()
    torch.set_num_threads(before + 4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["onnx", "auto"])
@pytest.mark.parametrize("threads", [3, 0])
def test_an_engine_is_built_with_the_threads_of_its_own_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch, others_threads: None, name: str, threads: int
) -> None:
    second = Grey("onnx", 2)
    second.go.set()
    engines = {"eager": Grey("eager", 1, at_once=True), "onnx": second}
    monkeypatch.setattr(registry, "_make", lambda name, *_: engines[name])
    monkeypatch.setattr(choice, "for_cpu", lambda network: choice.Choice("fp32", "onnx", "fp32"))
    engine = make_engine(name, tiny_network(), "cpu", background=True, threads=threads)
    engine.prepare(16, 16, 1)
    assert second.prepared_with == [threads or cpu_threads._DEFAULT]


@pytest.mark.parametrize(
    ("error", "says"),
    [(EngineError("compile: no compiler"), "eager, compile: no compiler"),
     (ValueError("two\nlines"), "eager, compile failed: two lines")],
)  # fmt: skip
def test_where_building_fails_the_first_engine_goes_on_and_says_why(error: Exception, says: str) -> None:
    second = Grey("compile", 2, error)
    engine = BackgroundEngine(Grey("eager", 1, at_once=True), second)
    second.go.set()
    assert level(engine) == 1
    engine.prepare(16, 16, 1)
    assert level(engine) == 1 and engine.name == says
    assert f"eager, {engine.trouble}" == says
    assert second.prepared == []


def test_a_size_that_cannot_be_built_leaves_what_was_built_alone() -> None:
    second = Grey("tensorrt", 2)
    second.go.set()
    engine = BackgroundEngine(Grey("eager", 1, at_once=True), second)
    engine.prepare(16, 16, 1)
    second.error = EngineError("tensorrt: too large")
    engine.prepare(32, 16, 1)
    assert level(engine, 32) == 1 and engine.name == "eager, tensorrt: too large"
    assert engine.trouble == "tensorrt: too large"
    assert level(engine) == 2 and engine.name == "tensorrt" and engine.trouble == ""
    second.error = None
    engine.prepare(48, 16, 1)
    assert level(engine, 48) == 2


@pytest.mark.parametrize(
    ("error", "says"),
    [(EngineError("tensorrt: out of memory"), "tensorrt: out of memory"),
     (torch.OutOfMemoryError("CUDA\nout of memory"), "tensorrt failed: CUDA out of memory"),
     (RuntimeError(), "tensorrt failed: RuntimeError")],
)  # fmt: skip
def test_where_the_second_engine_breaks_the_first_takes_the_same_frame_and_says_why(
    caplog: pytest.LogCaptureFixture, error: Exception, says: str
) -> None:
    second = Grey("tensorrt", 2, at_once=True)
    engine = BackgroundEngine(Grey("eager", 1, at_once=True), second)
    assert level(engine) == 2
    second.breaks = error
    assert level(engine) == 1 and level(engine) == 1
    assert engine.name == f"eager, {says}" and engine.trouble == says
    assert caplog.text.count(f"eager goes on: {says}") == 1


def test_a_frame_that_no_engine_can_take_is_refused_and_held_against_none() -> None:
    second = Grey("tensorrt", 2, at_once=True)
    engine = BackgroundEngine(Grey("eager", 1, at_once=True), second)
    second.breaks = ValueError("rgb is (16, 16) and thermal (8, 8)")
    with pytest.raises(ValueError, match="rgb is"):
        level(engine)
    second.breaks = None
    assert level(engine) == 2 and engine.trouble == ""


def test_where_the_first_engine_breaks_its_reason_is_raised() -> None:
    first = Grey("eager", 1, at_once=True)
    first.breaks = EngineError("eager: out of memory")
    engine = BackgroundEngine(first, Grey("compile", 2))
    with pytest.raises(EngineError, match="eager: out of memory"):
        level(engine)


def test_the_engine_that_runs_meanwhile_has_the_precision_asked_for(folder: Path) -> None:
    network = tiny_network()
    assert make_engine("compile", network, "cpu", "fp32", background=True).dtype == "fp32"
    assert make_engine("compile", network, "cpu", "bf16", background=True).dtype == "bf16"


@pytest.mark.slow
@pytest.mark.timeout(1800)  # it compiles beside a loop of frames
@pytest.mark.parametrize("name", ["compile", "onnx"])
def test_eager_keeps_its_image_to_a_grey_level_while_another_is_built_beside_it(name: str) -> None:
    if name == "onnx":
        need_onnx()
    network, frames = tiny_network(), scene(61, 83)
    expected, _ = EagerEngine(network, "cpu", "fp32").run(*frames, None, 1, ALL)
    engine = BackgroundEngine(EagerEngine(network, "cpu", "fp32"), make_engine(name, network, "cpu", "fp32"))
    image = expected
    while engine.name != name and "failed" not in engine.name:
        # Not to the bit: while torch traces, it computes with other kernels in every thread.
        assert difference(image, expected)[1] <= 1
        image, _ = engine.run(*frames, None, 1, ALL)
    assert engine.name == name
    assert difference(image, expected)[1] <= 1


def test_closing_does_not_wait_for_what_is_being_built() -> None:
    first, second = Grey("eager", 1, at_once=True), Grey("compile", 2)
    engine = BackgroundEngine(first, second)
    level(engine)
    engine.close()
    assert first.closed.is_set() and not second.closed.is_set()
    second.go.set()
    assert second.closed.wait(60)


def test_what_is_built_already_is_closed_by_who_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread can live on for a moment after its last word."""
    first, second = Grey("eager", 1, at_once=True), Grey("compile", 2)
    engine = BackgroundEngine(first, second)
    second.go.set()
    level(engine)
    engine.prepare(16, 16, 1)
    assert engine._builder is not None
    engine._builder.join(60)  # its last word is said: until then closing is its own affair
    monkeypatch.setattr(threading.Thread, "is_alive", lambda thread: True)
    engine.close()
    assert first.closed.is_set() and second.closed.is_set()


def test_a_closed_engine_builds_nothing_more() -> None:
    second = Grey("compile", 2)
    second.go.set()
    engine = BackgroundEngine(Grey("eager", 1, at_once=True), second)
    engine.close()
    engine.prepare(16, 16, 1)
    assert level(engine) == 1 and second.prepared == []
