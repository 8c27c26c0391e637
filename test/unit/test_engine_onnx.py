"""What engine onnx asks of onnxruntime, on a stand-in for it, and what it says meanwhile."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
import torch
from engine_samples import need_onnx, relevance, tiny_network

from textdifuse_ros.engines import device, onnx_runtime, registry
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.compare import TOLERANCE, difference, scene
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.onnx_export import export_onnx
from textdifuse_ros.engines.onnx_runtime import OnnxEngine
from textdifuse_ros.engines.registry import make_engine
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class FakeRuntime(types.ModuleType):
    """onnxruntime with these providers; notes what its sessions were given."""

    def __init__(self, *providers: str) -> None:
        super().__init__("onnxruntime")
        self.providers = providers
        self.asked: list[list[Any]] = []
        self.doing: list[str] = []
        self.engine: OnnxEngine | None = None

    def get_available_providers(self) -> list[str]:
        return list(self.providers)

    def SessionOptions(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(add_session_config_entry=lambda name, value: None)

    def InferenceSession(self, content: bytes, options: object, providers: list[Any]) -> Any:
        self.asked.append(providers)
        self.doing.append(self.engine.progress if self.engine else "")
        return types.SimpleNamespace(get_providers=lambda: list(self.providers))


def runtime(monkeypatch: pytest.MonkeyPatch, *providers: str, gpus: int = 0) -> FakeRuntime:
    fake = FakeRuntime(*providers)
    monkeypatch.setattr(onnx_runtime, "_runtime", lambda: fake)
    monkeypatch.setattr(onnx_runtime, "export_onnx", lambda *_arguments, **_more: b"graph")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    return fake


@pytest.mark.parametrize(("wanted", "index"), [("auto", 0), ("cuda", 0), ("cuda:1", 1)])
@pytest.mark.parametrize("dtype", ["fp32", "auto"])
def test_fp32_on_cuda_has_all_its_bits(
    monkeypatch: pytest.MonkeyPatch, wanted: str, index: int, dtype: str
) -> None:
    fake = runtime(monkeypatch, CUDA, CPU, gpus=2)
    engine = OnnxEngine(tiny_network(), wanted, dtype)
    engine.prepare(32, 32, 1)
    assert fake.asked == [[(CUDA, {"device_id": index, "use_tf32": "0"}), CPU]]
    assert engine.dtype == ("fp16" if dtype == "auto" else dtype) and engine.device.startswith("cuda")


def test_a_gpu_that_torch_has_and_onnxruntime_has_not_is_not_left_idle_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime(monkeypatch, CPU, gpus=1)
    with pytest.raises(EngineError, match="pip install onnxruntime-gpu, or use cpu"):
        OnnxEngine(tiny_network(), "auto")
    assert OnnxEngine(tiny_network(), "cpu").device == "cpu"


def test_without_a_gpu_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime(monkeypatch, CUDA, CPU)
    engine = OnnxEngine(tiny_network(), "auto")
    assert (engine.device, engine.dtype) == ("cpu", "fp32")


@pytest.mark.parametrize("fast", [False, True], ids=["without bf16", "with bf16"])
def test_while_onnx_is_built_eager_has_its_precision_whatever_auto_means_for_eager(
    monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    runtime(monkeypatch, CPU)
    monkeypatch.setattr(device, "cpu_has_fast_bf16", lambda: fast)
    monkeypatch.setattr(
        registry.choice, "for_cpu", lambda network: registry.choice.Choice("bf16", "eager", "bf16")
    )
    engine = make_engine("onnx", tiny_network(), "cpu", background=True)
    assert engine.dtype == "fp32" and engine.name == "eager"


def test_it_says_what_it_is_doing_while_it_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = runtime(monkeypatch, CPU)
    engine = fake.engine = OnnxEngine(tiny_network(), "cpu")
    seen: list[str] = []

    def export(*_arguments: object, **_more: object) -> bytes:
        seen.append(engine.progress)
        return b"graph"

    monkeypatch.setattr(onnx_runtime, "export_onnx", export)
    assert engine.progress == ""
    engine.prepare(32, 32, 1)
    assert seen == ["exporting the graph"] and fake.doing == ["onnxruntime is loading the graph"]
    assert engine.progress == ""


@pytest.mark.slow
@pytest.mark.timeout(1800)  # onnxruntime takes minutes to prepare half precision for a CPU
@pytest.mark.parametrize("steps", [1, 4])
def test_a_graph_in_half_precision_gives_the_image_of_the_shipped_weights(steps: int) -> None:
    """It is for GPUs; onnxruntime's operators for the CPU round it as well."""
    need_onnx("onnx", "onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime (requirements-dev.txt)")
    network, (rgb, thermal) = weights.load(), scene(64, 80)
    session = onnxruntime.InferenceSession(export_onnx(network, steps, "fp16"), providers=[CPU])
    eager = EagerEngine(network, "cpu", "fp32")
    for where in (None, relevance(64, 80)):
        given = {
            "rgb": np.ascontiguousarray(rgb.transpose(2, 0, 1))[None],
            "thermal": thermal[None, None],
            "relevance": np.zeros((1, 1, 64, 80), np.float32) if where is None else where[None, None],
            "controls": np.array([ALL], np.float32),
        }
        fused = session.run(None, given)[0][0].transpose(1, 2, 0)
        assert difference(fused, eager.run(rgb, thermal, where, steps, ALL)[0])[0] <= TOLERANCE
