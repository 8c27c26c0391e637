"""Engine tensorrt with stand-ins for its libraries: built once, kept, checked, left out where missing.

The libraries themselves need a GPU, see test_engine_gpu.py.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from engine_samples import off, relevance, tiny_network
from fake_device import FakeAccelerator
from fake_tensorrt import FakeTensorRt
from torch.export import ExportedProgram

from textdifuse_ros.engines import background, cache, program, progress, registry, tensorrt_plan
from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.compare import TOLERANCE, scene
from textdifuse_ros.engines.cuda import CudaEngine
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.program import Size, export_program
from textdifuse_ros.engines.registry import make_engine, on_accelerator
from textdifuse_ros.engines.tensorrt_operators import operators, unsupported, versions
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL
from textdifuse_ros.model.network import FusionNetwork


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tensorrt"


def installed(monkeypatch: pytest.MonkeyPatch, fake: FakeTensorRt) -> FakeTensorRt:
    monkeypatch.setitem(sys.modules, "tensorrt", fake.tensorrt)
    monkeypatch.setitem(sys.modules, "torch_tensorrt", fake.torch_tensorrt)
    return fake


_exported: dict[tuple[str, int, str, Size], ExportedProgram] = {}


def export_once(
    network: FusionNetwork, steps: int, dtype: str, size: Size, as_bytes: bool
) -> ExportedProgram:
    """In place of the export, which takes seconds: each network and size is exported once in this file."""
    key = (tensorrt_plan.weights_digest(network), steps, dtype, size)
    if key not in _exported:
        _exported[key] = export_program(network, steps, dtype, size, as_bytes)
    return _exported[key]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeTensorRt:
    monkeypatch.setattr(program, "export_program", export_once)
    return installed(monkeypatch, FakeTensorRt())


def made(dtype: str = "fp32", seed: int = 3, records: bool = False) -> CudaEngine:
    engine = on_accelerator("tensorrt", tiny_network(seed), FakeAccelerator(records=records), dtype)
    assert isinstance(engine, CudaEngine)
    return engine


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_image_is_that_of_eager_with_and_without_a_prompt(fake: FakeTensorRt, steps: int) -> None:
    engine, eager = made("fp16"), EagerEngine(tiny_network(), "cpu", "fp32")
    for prompt in (False, True):
        assert off(engine, eager, 29, 43, steps, prompt) <= TOLERANCE
    assert len(fake.builds) == 1 and set(fake.streams) == {4711}


@pytest.mark.parametrize("explicit", [False, True])
def test_the_graphs_own_types_are_kept_and_nothing_is_left_to_torch(
    monkeypatch: pytest.MonkeyPatch, folder: Path, explicit: bool
) -> None:
    fake = installed(monkeypatch, FakeTensorRt(explicit))
    made().prepare(32, 32, 1)
    assert fake.builds[0]["require_full_compilation"]
    assert fake.builds[0].get("use_explicit_typing", not explicit) or not explicit


def test_a_plan_is_built_once_and_then_taken_from_the_cache(fake: FakeTensorRt, folder: Path) -> None:
    eager = EagerEngine(tiny_network(), "cpu", "fp32")
    for _ in range(2):
        assert off(made(), eager, 32, 48, 1, prompt=True) <= 1
    assert len(fake.builds) == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    (plan,) = folder.glob("*.plan")
    header = json.loads(plan.read_bytes().partition(b"\n")[0])
    assert header["gpu"] == "Fake GPU 9.9" and header["steps"] == 1 and len(header["weights"]) == 64


def _shorten(plan: Path) -> None:
    plan.write_bytes(plan.read_bytes()[:-1])


def _other_gpu(plan: Path) -> None:
    _rewrite(plan, "gpu", "NVIDIA Something Else 8.0")


def _other_weights(plan: Path) -> None:
    _rewrite(plan, "weights", "0" * 64)


def _rewrite(plan: Path, name: str, value: str) -> None:
    """A whole entry with its checksum, made for something else and put under this name."""
    line, _, content = plan.read_bytes().partition(b"\n")
    header = json.loads(line) | {name: value}
    cache.write(f"tensorrt/{plan.name}", json.dumps(header).encode() + b"\n" + content)


def _no_plan(plan: Path) -> None:
    """TensorRT itself does not take it, though all else fits."""
    key = tensorrt_plan.PlanKey(
        **{
            name: value
            for name, value in json.loads(plan.read_bytes().partition(b"\n")[0]).items()
            if name not in ("format", "sha256")
        }
    )
    tensorrt_plan.store(key, b"not what TensorRT wrote")


def _no_header(plan: Path) -> None:
    cache.write(f"tensorrt/{plan.name}", b"\x80\x04pickle")


def _open_folder(plan: Path) -> None:
    plan.parent.chmod(0o777)


@pytest.mark.parametrize("harm", [_shorten, _other_gpu, _other_weights, _no_plan, _no_header, _open_folder])
def test_a_broken_or_foreign_plan_is_built_again(
    fake: FakeTensorRt, folder: Path, harm: Callable[[Path], None]
) -> None:
    made().prepare(32, 32, 1)
    harm(next(folder.glob("*.plan")))
    assert off(made(), EagerEngine(tiny_network(), "cpu", "fp32"), 32, 32, 1, prompt=False) <= 1
    assert len(fake.builds) == 2


def test_each_size_number_of_steps_precision_network_library_and_state_of_the_code_has_a_plan_of_its_own(
    fake: FakeTensorRt, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made().prepare(32, 32, 1)
    made().prepare(30, 20, 1)  # padded to the same
    made().prepare(48, 32, 1)
    made().prepare(32, 32, 2)
    made("fp16").prepare(32, 32, 1)
    made(seed=4).prepare(32, 32, 1)
    monkeypatch.setattr(fake.tensorrt, "__version__", "11.2.0")
    made().prepare(32, 32, 1)
    monkeypatch.setattr(tensorrt_plan, "code_id", lambda: "sources of another state of this version")
    made().prepare(32, 32, 1)
    assert len(fake.builds) == 7 and len(list(folder.glob("*.plan"))) == 7


def test_a_plan_is_built_and_loaded_on_its_own_device_not_on_the_current_one(
    fake: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerator, chosen, runtime = FakeAccelerator(records=False), [], fake.tensorrt.Runtime
    fake.before_build = lambda: chosen.append(accelerator.is_chosen)

    def noting(logger: object) -> object:
        chosen.append(accelerator.is_chosen)
        return runtime(logger)

    monkeypatch.setattr(fake.tensorrt, "Runtime", noting)
    on_accelerator("tensorrt", tiny_network(), accelerator, "fp32").prepare(32, 32, 1)
    assert chosen == [True, True]


def test_a_cache_that_cannot_be_written_costs_only_the_next_build(
    fake: FakeTensorRt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "file"))
    made().run(*scene(32, 32), None, 1, ALL)
    made().run(*scene(32, 32), None, 1, ALL)
    assert len(fake.builds) == 2


def test_eager_fuses_until_the_plan_is_built_and_the_log_and_the_name_say_how_far_it_is(
    fake: FakeTensorRt, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.01)
    building, go, reported = threading.Event(), threading.Event(), threading.Event()
    fake.before_build = lambda: (building.set(), go.wait(60))[0]
    caplog.set_level(logging.INFO, background._log.name)
    network = tiny_network()
    engine = BackgroundEngine(EagerEngine(network, "cpu", "fp32"), made())
    engine.run(*scene(32, 32), None, 1, ALL)
    assert building.wait(60)
    engine.run(*scene(32, 32), None, 1, ALL)
    says = "eager, tensorrt is being built for 0 s (TensorRT is choosing its kernels)"
    assert engine.name.partition(" for ")[0] == says.partition(" for ")[0] and "choosing" in engine.name

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            reported.set()

    handler = Seen()
    background._log.addHandler(handler)
    assert reported.wait(60)
    background._log.removeHandler(handler)
    go.set()
    engine.prepare(32, 32, 1)
    engine.run(*scene(32, 32), None, 1, ALL)
    assert engine.name == "tensorrt"
    said = [record.getMessage() for record in caplog.records]
    assert "tensorrt is built for 32x32, 1 steps" in said and any("choosing" in line for line in said)


def test_where_building_fails_eager_goes_on_and_says_tensorrts_reason(
    fake: FakeTensorRt, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("\n  [TRT] no kernel image\nmore")

    fake.before_build = fail
    engine = BackgroundEngine(EagerEngine(tiny_network(), "cpu", "fp32"), made())
    engine.prepare(32, 32, 1)
    engine.run(*scene(32, 32), None, 1, ALL)
    assert engine.name == "eager, engine tensorrt could not be built: [TRT] no kernel image"
    assert "eager goes on: engine tensorrt could not be built" in caplog.text


def test_libraries_that_are_for_another_torch_are_as_good_as_missing(
    fake: FakeTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mismatched:
        def find_spec(self, name: str, *_more: object) -> None:
            if name == "torch_tensorrt":
                raise AttributeError("module 'torch' has no attribute '_moved'\nmore")

    monkeypatch.delitem(sys.modules, "torch_tensorrt")
    monkeypatch.setattr(sys, "meta_path", [Mismatched(), *sys.meta_path])
    with pytest.raises(
        EngineError, match=r"needs torch_tensorrt: pip install .*attribute '_moved'\)$"
    ) as caught:
        made()
    release = ".".join(torch.__version__.split(".")[:2])
    assert f"torch-tensorrt=={release}.0" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["tensorrt", "torch_tensorrt"])
def test_without_the_libraries_one_line_says_what_to_install(
    fake: FakeTensorRt, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EngineError, match=f"needs {missing}: pip install torch-tensorrt") as caught:
        made()
    assert "\n" not in str(caught.value)


def test_without_the_libraries_a_node_goes_on_with_eager(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)
    network = tiny_network()

    def missing(name: str, *_arguments: object) -> EagerEngine:
        if name == "tensorrt":
            on_accelerator("tensorrt", network, FakeAccelerator(), "fp32")
        return EagerEngine(network, "cpu", "fp32")

    monkeypatch.setattr(registry, "_make", missing)
    engine = make_engine("tensorrt", network, "cpu", background=True)
    image, _ = engine.run(*scene(32, 32), None, 1, ALL)
    assert image.shape == (32, 32, 3)
    assert engine.name.startswith("eager, engine tensorrt needs ") and "pip install" in engine.name
    assert caplog.text.count("eager goes on") == 1
    engine.prepare(32, 32, 1)
    engine.close()


def test_on_the_cpu_tensorrt_is_refused_and_a_node_goes_on(folder: Path) -> None:
    with pytest.raises(EngineError, match="needs a CUDA device"):
        make_engine("tensorrt", tiny_network(), "cpu")
    engine = make_engine("tensorrt", tiny_network(), "cpu", "fp32", background=True)
    assert engine.name == "eager, engine tensorrt needs a CUDA device; use engine auto on the CPU"


def test_a_teacher_has_no_plan(fake: FakeTensorRt) -> None:
    with pytest.raises(EngineError, match="teacher"):
        on_accelerator("tensorrt", tiny_network(start_noise=0.1), FakeAccelerator(), "fp32")


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "dtype"), [(1, "fp16"), (2, "fp32"), (4, "bf16")])
def test_every_operator_of_the_shipped_network_has_a_converter(steps: int, dtype: str) -> None:
    graph = export_program(weights.load(), steps, dtype, (480, 640), as_bytes=False)
    assert unsupported(graph) == {}
    assert len(versions()) == 2 and operators(graph)["aten.convolution.default"] > 40 * steps


@pytest.mark.slow
def test_every_operator_has_a_converter_at_every_size_from_one_graph() -> None:
    assert unsupported(export_program(tiny_network(), 1, "fp32", None, as_bytes=False)) == {}


def test_a_program_for_a_device_takes_nothing_from_the_host() -> None:
    """The meta device stands for a GPU: a tensor of the host beside one of its own is an error there, too."""
    meta = torch.device("meta")
    graph = program.export_on(tiny_network(), 2, "fp16", (32, 48), meta)
    assert {value.device for value in (*graph.state_dict.values(), *graph.constants.values())} == {meta}
    with torch.inference_mode():
        fused = graph.module()(*(each.to(meta) for each in program.example(32, 48)))
    assert fused.device == meta and fused.shape == (1, 3, 32, 48)


def test_an_operator_without_a_converter_is_named() -> None:
    graph = export_program(tiny_network(), 1, "fp32", (32, 32), as_bytes=True)
    assert unsupported(graph) == {"aten._to_copy.default to uint8": 1}


def test_relevance_reaches_the_plan(fake: FakeTensorRt) -> None:
    engine = made()
    with_map, _ = engine.run(*scene(32, 32), relevance(32, 32), 1, ALL)
    without, _ = engine.run(*scene(32, 32), None, 1, ALL)
    assert (with_map != without).any()
