"""The device path's logic on a device that is none: order, buffers, recorded graphs.

The real one needs a GPU, see test_engine_gpu.py."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_samples import SOME, off, relevance, tiny_network
from fake_device import FakeAccelerator, FakeEvent, FakeStream, Work
from torch import Tensor

from textdifuse_ros.engines import cuda
from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.compare import TOLERANCE, difference, scene, streamed_fps
from textdifuse_ros.engines.constants import DeviceConstants
from textdifuse_ros.engines.cuda import CudaEngine, EagerMaker
from textdifuse_ros.engines.device_path import FRAMES
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.graph import FusionGraph, Graph
from textdifuse_ros.engines.registry import on_accelerator
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL, NONE
from textdifuse_ros.model.network import FusionNetwork

ORDERS = list(itertools.product([False, True], repeat=2))


@pytest.fixture(scope="module")
def eager() -> EagerEngine:
    return EagerEngine(tiny_network(), "cpu", "fp32")


def made(
    accelerator: FakeAccelerator, dtype: str = "fp32", network: FusionNetwork | None = None
) -> CudaEngine:
    return CudaEngine(EagerMaker(), network or tiny_network(), accelerator, dtype)


@pytest.mark.parametrize("early", ORDERS, ids=["late late", "late early", "early late", "early early"])
@pytest.mark.parametrize("prompt", [False, True], ids=["plain", "prompt"])
def test_the_image_is_that_of_eager_in_whatever_order_the_device_works(
    eager: EagerEngine, early: tuple[bool, bool], prompt: bool
) -> None:
    engine = made(FakeAccelerator(early))
    for height, width in ((61, 83), (64, 80), (61, 83)):
        assert off(engine, eager, height, width, 1, prompt) <= 1


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_half_precision_gives_the_image_of_fp32(eager: EagerEngine, dtype: str, steps: int) -> None:
    engine = made(FakeAccelerator(), dtype)
    assert off(engine, eager, 37, 53, steps, prompt=True) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_half_precision_gives_the_image_of_the_shipped_weights(dtype: str) -> None:
    network = weights.load()
    engine, reference = made(FakeAccelerator(), dtype, network), EagerEngine(network, "cpu", "fp32")
    for steps, prompt in itertools.product((1, 2, 4), (False, True)):
        assert off(engine, reference, 61, 83, steps, prompt) <= TOLERANCE


def test_a_recorded_graph_sees_each_frames_images_relevance_and_controls(eager: EagerEngine) -> None:
    accelerator = FakeAccelerator()
    engine = made(accelerator)
    for seed, controls, where in ((0, ALL, 1), (1, NONE, -1), (2, SOME, 0.5)):
        rgb, thermal = scene(32, 48, seed)
        map_ = relevance(32, 48) * np.float32(where)
        image, _ = engine.run(rgb, thermal, map_, 2, controls)
        expected, _ = eager.run(rgb, thermal, map_, 2, controls)
        assert difference(image, expected)[1] <= 1
    assert [each.launched for each in accelerator.replays] == [3]


def test_a_graph_is_recorded_for_each_size_number_of_steps_and_relevance_and_again_after_a_change() -> None:
    accelerator = FakeAccelerator()
    engine = made(accelerator)
    for height, width, steps, prompt in (
        (32, 48, 1, False), (32, 48, 1, True), (32, 48, 2, False), (48, 32, 1, False), (32, 48, 1, False),
    ):  # fmt: skip
        rgb, thermal = scene(height, width)
        engine.run(rgb, thermal, relevance(height, width) if prompt else None, steps, ALL)
    assert [each.launched for each in accelerator.replays] == [2, 1, 1, 1]


def test_preparing_records_with_and_without_relevance_so_that_a_prompt_costs_no_pause() -> None:
    accelerator = FakeAccelerator()
    engine = made(accelerator)
    engine.prepare(32, 48, 1)
    assert [each.launched for each in accelerator.replays] == [0, 0]
    engine.run(*scene(32, 48), relevance(32, 48), 1, ALL)
    engine.run(*scene(32, 48), None, 1, ALL)
    assert [each.launched for each in accelerator.replays] == [1, 1]


@pytest.mark.parametrize("early", ORDERS, ids=["late late", "late early", "early late", "early early"])
def test_the_next_frame_is_uploaded_while_one_is_computed(
    eager: EagerEngine, early: tuple[bool, bool]
) -> None:
    engine = made(FakeAccelerator(early))
    frames = [scene(32, 48, seed) for seed in range(5)]
    expected = [eager.run(*frame, None, 1, ALL)[0] for frame in frames]
    images, under_way = [], [engine.start(*frames[0], None, 1, ALL)]
    for rgb, thermal in frames[1:]:
        rgb, thermal = rgb.copy(), thermal.copy()
        under_way.append(engine.start(rgb, thermal, None, 1, ALL))
        rgb[:], thermal[:] = 0, 0  # the caller's again
        images.append(engine.finish(under_way.pop(0))[0])
    images.append(engine.finish(under_way.pop())[0])
    assert [difference(*pair)[1] <= 1 for pair in zip(images, expected, strict=True)] == [True] * 5


def test_the_rate_is_measured_with_two_frames_under_way_where_the_engine_can(eager: EagerEngine) -> None:
    accelerator = FakeAccelerator()
    rate = streamed_fps(made(accelerator), 32, 48, 1, frames=4)
    assert rate is not None and rate > 0
    assert [each.launched for each in accelerator.replays] == [4]
    assert streamed_fps(eager, 32, 48, 1, frames=4) is None


def test_a_third_frame_has_to_wait_for_the_first() -> None:
    engine = made(FakeAccelerator())
    first = engine.start(*scene(32, 48), None, 1, ALL)
    engine.start(*scene(32, 48), None, 1, ALL)
    with pytest.raises(EngineError, match="2 frames are under way"):
        engine.start(*scene(32, 48), None, 1, ALL)
    engine.finish(first)
    engine.start(*scene(32, 48), None, 1, ALL)


@pytest.mark.parametrize("early", ORDERS, ids=["late late", "late early", "early late", "early early"])
def test_frames_that_find_no_memory_for_what_is_kept_cost_no_other_frame(
    eager: EagerEngine, early: tuple[bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = made(FakeAccelerator(early))
    engine.keep = True
    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty_like", out_of_memory)
        for _ in range(2 * FRAMES):
            with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
                engine.run(*scene(32, 48), None, 1, ALL)
    for seed in range(3):
        image, _ = engine.run(*scene(32, 48, seed), None, 1, ALL)
        expected, _ = eager.run(*scene(32, 48, seed), None, 1, ALL)
        assert difference(image, expected)[1] <= 1 and engine.kept is not None


@pytest.mark.parametrize("early", ORDERS, ids=["late late", "late early", "early late", "early early"])
@pytest.mark.parametrize("works", range(4))
def test_a_frame_that_fails_half_way_leaves_its_buffers_to_the_next(
    eager: EagerEngine, early: tuple[bool, bool], works: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """works: how many pieces of it were queued before."""
    engine = made(FakeAccelerator(early))
    under_way = engine.start(*scene(32, 48, 7), None, 1, ALL)
    queue = FakeStream.do
    for _ in range(FRAMES):
        queued: list[Work] = []

        def fail(stream: FakeStream, work: Work, queued: list[Work] = queued) -> None:
            if len(queued) == works:
                raise RuntimeError("CUDA error: launch failure")
            queued.append(work)
            queue(stream, work)

        with monkeypatch.context() as patch:
            patch.setattr(FakeStream, "do", fail)
            with pytest.raises(RuntimeError, match="launch failure"):
                engine.start(*scene(32, 48, 8), None, 1, ALL)
    following = engine.start(*scene(32, 48, 9), None, 1, ALL)
    for ticket, seed in ((under_way, 7), (following, 9)):
        expected, _ = eager.run(*scene(32, 48, seed), None, 1, ALL)
        assert difference(engine.finish(ticket)[0], expected)[1] <= 1


def test_frames_whose_end_brings_an_error_are_not_under_way_any_more(
    eager: EagerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = made(FakeAccelerator())
    engine.run(*scene(32, 48), None, 1, ALL)
    with monkeypatch.context() as patch:
        patch.setattr(FakeEvent, "wait", out_of_memory)
        for _ in range(2 * FRAMES):
            ticket = engine.start(*scene(32, 48), None, 1, ALL)
            with pytest.raises(torch.OutOfMemoryError):
                engine.finish(ticket)
    assert off(engine, eager, 32, 48, 1, prompt=False) <= 1


def out_of_memory(*_arguments: object, **_more: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_the_image_is_the_callers_own_and_no_buffer_is_made_for_a_frame() -> None:
    accelerator = FakeAccelerator()
    engine = made(accelerator)
    first, model_ms = engine.run(*scene(32, 48, 0), None, 1, ALL)
    kept, buffers = first.copy(), len(accelerator.pinned_buffers)
    second, _ = engine.run(*scene(32, 48, 1), None, 1, ALL)
    engine.run(*scene(32, 48, 2), None, 1, ALL)
    assert model_ms > 0 and len(accelerator.pinned_buffers) == buffers
    assert np.array_equal(first, kept) and not np.array_equal(first, second)


def test_where_recording_fails_one_line_says_so_and_the_kernels_are_launched(
    eager: EagerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine = made(FakeAccelerator(records=False))
    with caplog.at_level(logging.WARNING):
        assert off(engine, eager, 32, 48, 1, prompt=False) <= 1
        assert off(engine, eager, 32, 48, 1, prompt=False) <= 1
    assert [record.getMessage() for record in caplog.records] == [
        "no CUDA graph, each frame launches its kernels one by one: CUDA error: out of memory"
    ]


def test_a_teacher_is_not_recorded_and_gives_its_image() -> None:
    accelerator, teacher = FakeAccelerator(), tiny_network(start_noise=0.1)
    image, _ = made(accelerator, network=teacher).run(*scene(32, 48), None, 25, ALL)
    expected, _ = EagerEngine(teacher, "cpu", "fp32").run(*scene(32, 48), None, 25, ALL)
    assert difference(image, expected)[1] <= 1 and accelerator.replays == []


@pytest.mark.slow
def test_what_is_compiled_for_a_device_gives_the_image_of_eager(
    eager: EagerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path))
    engine = on_accelerator("compile", tiny_network(), FakeAccelerator(records=False), "bf16")
    assert not engine.ready(29, 43, 1)
    for prompt in (False, True):
        assert off(engine, eager, 29, 43, 1, prompt) <= TOLERANCE
    assert engine.ready(29, 43, 1) and engine.name == "compile"


def test_only_so_many_sizes_keep_their_buffers(eager: EagerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "MOST_PATHS", 2)
    engine = made(FakeAccelerator())
    for width in (32, 33, 34, 32):
        engine.run(*scene(16, width), None, 1, ALL)
    assert len(engine._paths) == 2
    assert off(engine, eager, 16, 32, 1, prompt=False) <= 1


def test_a_closed_engine_says_so_and_gives_its_memory_back() -> None:
    accelerator = FakeAccelerator()
    engine = made(accelerator)
    engine.run(*scene(32, 48), None, 1, ALL)
    engine.close()
    assert accelerator.released
    with pytest.raises(EngineError, match="closed"):
        engine.run(*scene(32, 48), None, 1, ALL)


def test_constants_are_made_once_and_each_use_has_its_own_copy() -> None:
    constants = DeviceConstants()
    with constants:
        first = torch.tensor((1.0, 2.0)).mul_(5)
        second = torch.tensor((1.0, 2.0))
        other = torch.tensor((1.0, 2.0), dtype=torch.float64)
    assert second.tolist() == [1, 2] and first.tolist() == [5, 10] and other.dtype == torch.float64


class Bare:
    """The graph without anything around it."""

    name, quick, progress = "eager", True, ""

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        graph = FusionGraph(network, steps)

        def run(rgb: Tensor, thermal: Tensor, relevance: Tensor, controls: Tensor) -> Tensor:
            fused: Tensor = graph(rgb, thermal, relevance, controls)
            return fused

        return run


def test_a_graph_that_takes_values_from_the_host_is_not_recorded(caplog: pytest.LogCaptureFixture) -> None:
    """What `DeviceConstants` is for: the bare graph makes its colour matrices on the host in every frame."""
    accelerator = FakeAccelerator()
    CudaEngine(Bare(), tiny_network(), accelerator, "fp32").run(*scene(32, 48), None, 1, ALL)
    assert accelerator.replays == [] and "not permitted when stream is capturing" in caplog.text


@pytest.mark.parametrize("early", ORDERS, ids=["late late", "late early", "early late", "early early"])
def test_an_image_that_is_kept_on_the_device_outlives_the_frames_that_follow(
    early: tuple[bool, bool],
) -> None:
    engine = made(FakeAccelerator(early))
    engine.run(*scene(32, 48, 0), None, 1, ALL)
    assert engine.kept is None  # nobody has asked for it
    engine.keep = True
    image, _ = engine.run(*scene(32, 48, 1), None, 1, ALL)
    kept = engine.kept
    assert kept is not None and kept.dtype == torch.uint8
    for seed in (2, 3):
        following, _ = engine.run(*scene(32, 48, seed), None, 1, ALL)
        assert (following != image).any()
    np.testing.assert_array_equal(kept.numpy(), image)
    engine.keep = False
    engine.run(*scene(32, 48, 4), None, 1, ALL)
    assert engine.kept is None


def test_whoever_runs_in_the_background_is_asked_to_keep_it_too() -> None:
    first, second = (made(FakeAccelerator((True, True))) for _ in range(2))
    engine = BackgroundEngine(first, second)
    engine.keep = True
    image, _ = engine.run(*scene(32, 48, 1), None, 1, ALL)
    assert engine.kept is not None
    np.testing.assert_array_equal(engine.kept.numpy(), image)
    on_cpu = BackgroundEngine(EagerEngine(tiny_network(), "cpu", "fp32"), None)
    on_cpu.keep = True
    on_cpu.run(*scene(32, 48, 1), None, 1, ALL)
    assert on_cpu.kept is None
