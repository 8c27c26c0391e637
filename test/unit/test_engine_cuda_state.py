"""What a device's engine keeps, and the state that it shares with libraries, on a device that is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import torch
from engine_samples import tiny_network
from fake_device import FakeAccelerator
from torch import Tensor, backends

from textdifuse_ros.engines import cuda
from textdifuse_ros.engines.compare import scene
from textdifuse_ros.engines.cuda import CudaEngine, EagerMaker
from textdifuse_ros.engines.graph import Graph
from textdifuse_ros.model.controls import ALL
from textdifuse_ros.model.network import FusionNetwork


def made(accelerator: FakeAccelerator) -> CudaEngine:
    return CudaEngine(EagerMaker(), tiny_network(), accelerator, "fp32")


def test_the_buffers_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "MOST_PATHS", 2)
    accelerator = FakeAccelerator()
    engine = made(accelerator)
    for width in (32, 33, 32, 34, 32, 35, 32):
        engine.run(*scene(16, width), None, 1, ALL)
    assert [each.launched for each in accelerator.replays] == [4, 1, 1, 1]


class Slow(EagerMaker):
    """One that says that it takes long."""

    name, quick = "compile", False


def test_an_engine_that_was_prepared_for_a_size_stays_ready_whatever_else_it_is_used_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuda, "MOST_PATHS", 2)
    engine = CudaEngine(Slow(), tiny_network(), FakeAccelerator(), "fp32")
    assert not engine.ready(16, 32, 1)
    engine.prepare(16, 32, 1)
    for width in (33, 34, 35):
        engine.run(*scene(16, width), None, 1, ALL)
        assert not engine.ready(16, width, 1)
    assert engine.ready(16, 32, 1)
    engine.close()
    assert not engine.ready(16, 32, 1)


def test_the_graphs_that_were_used_last_are_kept_and_a_size_without_one_is_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuda, "MOST_PATHS", 4)
    engine = CudaEngine(Slow(), tiny_network(), FakeAccelerator(), "fp32")
    widths = [16 * each for each in range(2, 8)]
    for width in widths:
        engine.prepare(16, width, 1)
        engine.run(*scene(16, widths[0]), None, 1, ALL)
    assert len(engine._graphs) == 4
    assert [engine.ready(16, width, 1) for width in widths] == [True, False, False, True, True, True]
    engine.prepare(16, widths[1], 1)
    assert engine.ready(16, widths[1], 1) and not engine.ready(16, widths[3], 1)


@pytest.fixture
def flags() -> Iterator[None]:
    """The process's own, as they are before anything ran on a device."""
    places = [
        (backends.cudnn, "allow_tf32"),
        (backends.cuda.matmul, "allow_tf32"),
        (backends.cudnn, "benchmark"),
    ]
    before = [getattr(*place) for place in places]
    backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32, backends.cudnn.benchmark = True, True, False
    yield
    for place, value in zip(places, before, strict=True):
        setattr(*place, value)


def test_what_one_thread_builds_takes_no_bits_from_what_another_one_computes(flags: None) -> None:
    """One engine is built and recorded while another one's frame is half done."""
    accelerator, half_way, go = FakeAccelerator(records=False), threading.Event(), threading.Event()
    maker = Watched(accelerator)
    engine = CudaEngine(maker, tiny_network(), accelerator, "fp32")
    engine.prepare(32, 48, 1)

    def pause() -> None:
        half_way.set()
        assert go.wait(60)

    maker.before = pause
    worker = threading.Thread(target=lambda: engine.run(*scene(32, 48), None, 1, ALL))
    worker.start()
    assert half_way.wait(60)
    builder = made(FakeAccelerator())
    builder.prepare(32, 32, 1)
    builder.close()
    go.set()
    worker.join(60)
    assert maker.exact and all(maker.exact)
    assert not backends.cuda.matmul.allow_tf32 and backends.cudnn.benchmark


class Watched(EagerMaker):
    """Notes whether TF32 is off and the device chosen: when it makes a graph, and when that runs."""

    def __init__(self, accelerator: FakeAccelerator) -> None:
        self.accelerator, self.making, self.exact = accelerator, [], []
        self.making: list[bool]
        self.exact: list[bool]
        self.before: Callable[[], None] = lambda: None  # each time that a graph runs

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        self.making.append(self.accelerator.is_chosen)
        graph = super().make(network, height, width, steps)

        def run(*sources: Tensor) -> Tensor:
            self.before()
            self.exact.append(not torch.backends.cudnn.allow_tf32)
            return graph(*sources)

        return run


def test_fp32_has_all_its_bits_where_nothing_could_be_recorded_too() -> None:
    accelerator = FakeAccelerator(records=False)
    maker = Watched(accelerator)
    engine = CudaEngine(maker, tiny_network(), accelerator, "fp32")
    before = torch.backends.cudnn.allow_tf32
    for _ in range(2):
        engine.run(*scene(32, 48), None, 1, ALL)
    assert len(maker.exact) > 3 and all(maker.exact)
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_graph_is_made_with_its_device_chosen_whichever_is_the_current_one() -> None:
    accelerator = FakeAccelerator()
    maker = Watched(accelerator)
    CudaEngine(maker, tiny_network(), accelerator, "fp32").run(*scene(32, 48), None, 1, ALL)
    assert maker.making == [True] and not accelerator.is_chosen


def test_what_is_kept_lies_in_memory_of_the_stream_that_fills_it() -> None:
    accelerator = FakeAccelerator((True, True))
    engine = made(accelerator)
    engine.keep = True
    engine.run(*scene(32, 48), None, 1, ALL)
    main, uploads = accelerator.streams
    assert main.made == [engine.kept] and uploads.made == []
