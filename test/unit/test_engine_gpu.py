"""The engines on a real CUDA device, against eager fp32 on the CPU. Skipped where there is none."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_samples import off
from test_engine_parity import ODD_SIZES

from textdifuse_ros.engines.base import Engine, Keeps, TakesCameras
from textdifuse_ros.engines.compare import TOLERANCE, Overlapping, difference, scene
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.registry import make_engine
from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.imaging.registration import Homography, Registration
from textdifuse_ros.imaging.thermal import ThermalNormaliser
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def eager() -> EagerEngine:
    return EagerEngine(weights.load(), "cpu", "fp32")


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    name, dtype = request.param
    if name == "tensorrt" and importlib.util.find_spec("torch_tensorrt") is None:
        pytest.skip("needs torch-tensorrt, see docs/engines.md")
    if name == "onnx":
        onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime-gpu, see docs/engines.md")
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            pytest.skip("needs onnxruntime-gpu, see docs/engines.md")
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path))
    return make_engine(name, weights.load(), "cuda", dtype)


EVERY = [(name, dtype) for name in ("eager", "compile", "tensorrt") for dtype in ("fp16", "bf16", "fp32")]
EVERY += [("onnx", "fp16"), ("onnx", "fp32")]
QUICK = [("eager", "fp16"), ("eager", "fp32")]


@pytest.mark.parametrize("engine", EVERY, ids=lambda each: "-".join(each), indirect=True)
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_image_is_that_of_eager_fp32_on_the_cpu(engine: Engine, eager: EagerEngine, steps: int) -> None:
    for prompt in (False, True):
        assert off(engine, eager, 119, 161, steps, prompt) <= TOLERANCE


@pytest.mark.parametrize("engine", QUICK, ids=lambda each: "-".join(each), indirect=True)
@pytest.mark.parametrize("size", ODD_SIZES, ids=lambda size: f"{size[1]}x{size[0]}")
def test_every_size_is_right(engine: Engine, eager: EagerEngine, size: tuple[int, int]) -> None:
    assert off(engine, eager, *size, 1, prompt=True) <= TOLERANCE


@pytest.mark.parametrize(
    "engine", [("eager", "fp16"), ("compile", "fp16"), ("tensorrt", "fp16")], ids=lambda each: each[0],
    indirect=True,
)  # fmt: skip
def test_the_graph_is_recorded_and_overlapping_frames_are_the_same(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(engine, Overlapping)
    with caplog.at_level(logging.WARNING, "textdifuse_ros"):
        engine.prepare(480, 640, 2)
    assert caplog.records == []  # it would say that nothing was recorded
    frames = [scene(480, 640, seed) for seed in range(6)]
    expected = [engine.run(*frame, None, 2, ALL)[0] for frame in frames]
    waiting = engine.start(*frames[0], None, 2, ALL)
    for number, frame in enumerate(frames[1:]):
        following = engine.start(*frame, None, 2, ALL)
        assert difference(engine.finish(waiting)[0], expected[number])[1] == 0
        waiting = following
    assert difference(engine.finish(waiting)[0], expected[-1])[1] == 0


@pytest.mark.parametrize("engine", [("tensorrt", "fp16")], ids=["tensorrt"], indirect=True)
def test_a_plan_is_taken_from_the_cache_the_second_time(engine: Engine, tmp_path: Path) -> None:
    engine.prepare(120, 160, 1)
    (plan,) = tmp_path.glob("tensorrt/*.plan")
    built = plan.stat().st_mtime_ns
    again = make_engine("tensorrt", weights.load(), "cuda", "fp16")
    again.prepare(120, 160, 1)
    assert plan.stat().st_mtime_ns == built
    image, _ = again.run(*scene(120, 160), None, 1, ALL)
    assert difference(image, engine.run(*scene(120, 160), None, 1, ALL)[0])[1] == 0


@pytest.mark.parametrize("engine", QUICK, ids=lambda each: "-".join(each), indirect=True)
def test_an_image_that_is_kept_on_the_device_is_the_one_that_comes_out(engine: Engine) -> None:
    assert isinstance(engine, Keeps)
    engine.keep = True
    image, _ = engine.run(*scene(119, 161, 1), None, 1, ALL)
    kept = engine.kept
    engine.run(*scene(119, 161, 2), None, 1, ALL)
    assert kept is not None and kept.is_cuda
    np.testing.assert_array_equal(kept.cpu().numpy(), image)


@pytest.mark.parametrize("engine", QUICK, ids=lambda each: "-".join(each), indirect=True)
@pytest.mark.parametrize("reference", ["rgb", "thermal"])
def test_a_pair_as_it_comes_gives_the_image_of_one_that_the_host_registered(
    engine: Engine, reference: str
) -> None:
    assert isinstance(engine, TakesCameras)
    matrix = np.array([[2.0, 0.05, 4.0], [-0.03, 1.9, -6.0], [1e-5, 2e-5, 1.0]])
    registration = Registration(Homography(matrix, (160, 128), (320, 240)))
    remap = registration.prepare((320, 240), (160, 128), reference)
    for seed in range(3):  # the second and third replay what the first recorded
        rgb, _ = scene(240, 320, seed)
        counts = scene(128, 160, seed)[1].astype(np.uint16) * 20 + 30_000
        cameras = Cameras(rgb, ThermalNormaliser().windowed(counts, 0), remap)
        image, _ = engine.run_cameras(cameras, 1, ALL)
        registered = cameras.registered()
        expected = cameras.restored(engine.run(*registered, None, 1, ALL)[0], *registered)
        assert difference(image, expected)[0] <= TOLERANCE
