"""`textdifuse export`, and what `textdifuse bench` compares and draws."""

from __future__ import annotations

import json
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from engine_samples import need_onnx
from small_networks import TEACHER, save_network

from textdifuse_ros.cli import bench_curve
from textdifuse_ros.cli.main import main
from textdifuse_ros.engines import choice, program, progress, registry, tensorrt_operators
from textdifuse_ros.engines.compare import difference, scene
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.onnx_export import operators
from textdifuse_ros.evaluation.curve_plot import svg
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL, AUTO, CONTROLS

ROOT = Path(__file__).resolve().parents[2]
Captured = pytest.CaptureFixture[str]


def refused(captured: Captured, arguments: list[object], *words: str) -> None:
    assert main([str(word) for word in arguments]) == 2
    said = captured.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    for word in words:
        assert word in said.err


@pytest.mark.slow
def test_an_exported_file_runs_alone_and_says_what_it_is(tmp_path: Path, capsys: Captured) -> None:
    need_onnx()
    import onnx
    import onnxruntime

    path = save_network(tmp_path / "tiny.safetensors")
    output = tmp_path / "new" / "fusion.onnx"
    assert main(["export", "--output", str(output), "--weights", str(path), "--steps", "2"]) == 0
    said = capsys.readouterr().out
    assert str(output) in said and "onnxruntime.InferenceSession" in said
    assert "restore auto: 0.25, 0.25, 0, 0, 0.25, 1, " in said
    assert [file.name for file in output.parent.iterdir()] == ["fusion.onnx"]

    session = onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    assert about["textdifuse.weights"] == weights.identity(path) and about["textdifuse.steps"] == "2"
    assert [float(value) for value in about["textdifuse.restore_auto"].split(",")] == list(AUTO)
    shapes = {each.name: each.shape for each in (*session.get_inputs(), *session.get_outputs())}
    assert shapes["rgb"] == shapes["fused"] == [1, 3, "height", "width"]
    assert shapes["thermal"] == shapes["relevance"] == [1, 1, "height", "width"]
    assert shapes["controls"] == [1, len(CONTROLS)]

    rgb, thermal = scene(48, 64)
    given = {
        "rgb": np.ascontiguousarray(rgb.transpose(2, 0, 1))[None],
        "thermal": thermal[None, None],
        "relevance": np.zeros((1, 1, 48, 64), np.float32),
        "controls": np.ones((1, len(CONTROLS)), np.float32),
    }
    fused = session.run(None, given)[0][0].transpose(1, 2, 0)
    expected, _ = EagerEngine(weights.load(path), "cpu", "fp32").run(rgb, thermal, None, 2, ALL)
    assert difference(fused, expected)[1] <= 1

    model = onnx.load(str(output))
    assert [each.version for each in model.opset_import] == [18]
    assert str(ROOT).encode() not in output.read_bytes()  # no paths of this machine inside
    documented = (ROOT / "docs" / "engines.md").read_text().partition("<!-- operators -->")[2]
    assert set(operators(output.read_bytes())) == set(
        documented.partition("<!--")[0].replace(",", " ").split()
    )


@pytest.mark.slow
def test_a_fixed_size_is_rounded_up_and_half_precision_keeps_the_inputs(
    tmp_path: Path, capsys: Captured
) -> None:
    need_onnx("onnx", "onnxscript")
    import onnx

    path, output = save_network(tmp_path / "tiny.safetensors"), tmp_path / "fusion.onnx"
    arguments = ["--weights", str(path), "--size", "50x40", "--dtype", "fp16"]
    assert main(["export", "--output", str(output), *arguments]) == 0
    assert "(1, 3, 48, 64)" in capsys.readouterr().out
    model = onnx.load(str(output))
    sizes = [[each.dim_value for each in value.type.tensor_type.shape.dim] for value in model.graph.input]
    assert sizes == [[1, 3, 48, 64], [1, 1, 48, 64], [1, 1, 48, 64], [1, len(CONTROLS)]]
    kinds = {each.data_type for each in model.graph.initializer if each.name.startswith("network.")}
    assert kinds == {onnx.TensorProto.FLOAT16}
    assert model.graph.input[2].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--engine", "warp"], "--engine warp"),
        (["--steps", "3"], "--steps 3"),
        (["--dtype", "bf16"], "--dtype bf16"),
        (["--engine", "tensorrt", "--size", "64x48"], "leave this out"),
        (["--size", "big"], "--size big"),
        (["--output", "fusion.bin"], "ends in .onnx"),
        (["--weights", "none.safetensors"], "none.safetensors: no such file"),
    ],
)
def test_an_export_that_cannot_be_is_refused(
    arguments: list[str], word: str, tmp_path: Path, capsys: Captured
) -> None:
    refused(capsys, ["export", "--output", tmp_path / "fusion.onnx", *arguments], word)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--output"]),
        (["--engine", "tensorrt"], ["--size"]),
        (["--engine", "tensorrt", "--size", "64x48", "--dtype", "int8"], ["--dtype int8", "bf16"]),
        (["--engine", "tensorrt", "--size", "64x48", "--device", "cpu"], ["tensorrt needs a CUDA device"]),
    ],
)
def test_a_plan_that_cannot_be_built_is_refused(
    arguments: list[object], words: list[str], capsys: Captured
) -> None:
    refused(capsys, ["export", *arguments], *words)


def test_a_plan_is_built_ahead_into_the_cache_and_progress_is_said(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.01)
    engine = Building()
    monkeypatch.setattr(registry, "make_engine", lambda name, *_rest: engine if name == "tensorrt" else None)
    path = save_network(tmp_path / "tiny.safetensors")
    arguments = ["--weights", str(path), "--engine", "tensorrt", "--size", "50x40", "--steps", "2"]
    assert main(["export", *arguments]) == 0
    said = capsys.readouterr()
    assert "engine tensorrt is ready for 50x40, 2 steps, fp16, cuda:0" in said.out
    assert "s: TensorRT is choosing its kernels" in said.err
    assert engine.prepared == [(40, 50, 2)] and engine.closed


class Building:
    """An engine whose building goes on until its progress was asked for."""

    dtype, device = "fp16", "cuda:0"

    def __init__(self) -> None:
        self.prepared: list[tuple[int, int, int]] = []
        self.closed = False
        self._asked = threading.Event()

    @property
    def progress(self) -> str:
        self._asked.set()
        return "TensorRT is choosing its kernels"

    def prepare(self, height: int, width: int, steps: int) -> None:
        assert self._asked.wait(60)
        self.prepared.append((height, width, steps))

    def close(self) -> None:
        self.closed = True


def test_the_operators_of_the_graph_are_checked_without_a_gpu(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_network(tmp_path / "tiny.safetensors")
    arguments = ["export", "--check-operators", "--weights", str(path), "--size", "64x48"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "aten.convolution.default" in said and "a converter for each, 1 steps, fp16, 64x48" in said
    monkeypatch.setattr(program, "export_program", lambda *_arguments, **_more: None)
    monkeypatch.setattr(tensorrt_operators, "operators", lambda _program: {"aten.warp.default": 1})
    assert main(arguments) == 2
    assert "no converter for aten.warp.default" in capsys.readouterr().err


def test_a_teacher_is_not_exported(tmp_path: Path, capsys: Captured) -> None:
    path = save_network(tmp_path / "teacher.safetensors", TEACHER)
    refused(capsys, ["export", "--output", tmp_path / "f.onnx", "--weights", path], "one of (25,)")


def test_engines_are_compared_in_one_run_and_the_best_is_remembered(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "no-such-compiler")
    path = save_network(tmp_path / "tiny.safetensors")
    common = ["bench", "--weights", str(path), "--size", "50x40", "--runs", "2", "--device", "cpu"]
    assert main([*common, "--engines", "eager:bf16,compile", "--remember", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    full, half, compiled = report["engines"]
    assert (full["engine"], full["dtype"], full["off_most"], full["speed_up"]) == ("eager", "fp32", 0, 1)
    assert (half["dtype"], half["right"]) == ("bf16", True) and half["speed_up"] > 0
    assert "C++ compiler" in compiled["refused"]
    fastest = min((full, half), key=lambda row: row["total_ms"]["p50"])
    assert report["remembered"] == f"eager {fastest['dtype']}"
    kept = json.loads((tmp_path / "cache" / choice.ENTRY).read_text())
    assert [(each["engine"], each["dtype"]) for each in kept.values()] == [("eager", fastest["dtype"])]

    assert main([*common, "--engines", "eager:bf16"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[-1].startswith("eager    bf16") and table[-2].startswith("eager    fp32")


def test_several_numbers_of_steps_are_compared_in_one_run_and_make_a_table(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path / "cache"))
    path = save_network(tmp_path / "tiny.safetensors")
    arguments = ["bench", "--weights", str(path), "--size", "50x40", "--runs", "2", "--device", "cpu"]
    arguments += ["--engines", "eager:bf16,tensorrt", "--steps", "1,2"]
    assert main([*arguments, "--json"]) == 0
    *rows, left_out = json.loads(capsys.readouterr().out)["engines"]
    assert [(row["dtype"], row["steps"]) for row in rows] == [
        ("fp32", 1), ("bf16", 1), ("fp32", 2), ("bf16", 2),
    ]  # fmt: skip
    assert "needs a CUDA device" in left_out["refused"]
    assert rows[2]["macs"] > 1.9 * rows[0]["macs"] > 0
    for row in rows:
        assert row["gmac_s"] == pytest.approx(row["macs"] / row["model_ms"]["p50"] / 1e6, abs=0.01)
        assert row["peak_gmac_s"] > 0 and row["fps"] > 0 and "streamed_fps" not in row

    assert main([*arguments, "--markdown"]) == 0
    said = capsys.readouterr().out.splitlines()
    lines = [line for line in said if line.startswith("| `eager`")]
    assert [line.split(" | ")[:2] for line in lines] == [
        ["| `eager` fp32", "1"], ["| `eager` bf16", "1"], ["| `eager` fp32", "2"], ["| `eager` bf16", "2"],
    ]  # fmt: skip
    assert len({line.count("|") for line in said if line.startswith("|")}) == 1
    assert said[-1].startswith("`tensorrt` not here: engine tensorrt needs a CUDA device")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engines", "warp"], ["--engines", "'warp'"]),
        (["--remember"], ["--remember", "--engines"]),
        (["--markdown"], ["--markdown", "--engines"]),
        (["--engines", "eager", "--steps", "1,3"], ["--steps 1,3"]),
        (["--plot", "p.svg"], ["--plot", "--curve"]),
        (["--curve", "--plot", "p.png"], ["p.png", ".svg"]),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(
    arguments: list[object], words: list[str], capsys: Captured
) -> None:
    refused(capsys, ["bench", "--device", "cpu", *arguments], *words)


def test_bench_says_how_much_of_the_machine_is_used(tmp_path: Path, capsys: Captured) -> None:
    path = save_network(tmp_path / "tiny.safetensors")
    arguments = ["--weights", str(path), "--size", "50x40", "--runs", "2", "--dtype", "fp32", "--json"]
    assert main(["bench", "--device", "cpu", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["gmac_s"] == pytest.approx(report["macs"] / report["model_ms"]["p50"] / 1e6, abs=0.01)
    assert report["peak_share"] == pytest.approx(report["gmac_s"] / report["peak_gmac_s"], rel=0.1, abs=1e-3)
    assert report["peak_memory_mb"] > 50


def test_the_curve_is_measured_and_drawn(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_curve, "SIZES", ((32, 16), (48, 32)))
    path, plot = save_network(tmp_path / "tiny.safetensors"), tmp_path / "docs" / "curve.svg"
    arguments = ["--weights", str(path), "--runs", "1", "--dtype", "fp32", "--device", "cpu", "--json"]
    assert main(["bench", "--curve", "--plot", str(plot), *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    rows = report["rows"]
    assert set(report["growth"]) == {"pixels", "steps"}
    assert [(row["size"], row["steps"]) for row in rows] == [
        (size, steps) for size in ("32x16", "48x32") for steps in (1, 2, 4)
    ]
    assert plot.read_text() == svg(rows)
    for size, each in report["ns_per_pixel"].items():
        times = [row["model_ms"]["p50"] / row["steps"] for row in rows if row["size"] == size]
        pixels = np.prod([int(side) for side in size.split("x")])
        assert len(times) == 3 and each == pytest.approx(np.mean(times) * 1e6 / pixels, abs=0.06)


def test_the_drawing_has_a_line_for_each_number_of_steps_within_its_frame() -> None:
    rows = [
        {"size": size, "steps": steps, "total_ms": {"p50": each * steps}, "engine": "eager", "dtype": "fp32",
         "threads": 2, "machine": "<A & B>"}
        for size, each in (("160x120", 4.0), ("640x480", 70.0), ("1280x1024", 300.0))
        for steps in (1, 2, 4)
    ]  # fmt: skip
    root = ET.fromstring(svg(rows))
    names = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1 step", "2 steps", "4 steps", "640x480", "<A & B>"} & set(names) >= {"4 steps", "640x480"}
    lines = list(root.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 3
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        assert len(points) == 3
        assert all(0 < x < 640 and 0 < y < 400 for x, y in points)
        assert points[0][0] < points[1][0] < points[2][0] and points[0][1] > points[2][1]


def test_the_drawing_says_how_linear_growth_would_go_on_from_its_middle() -> None:
    rows = [
        {"size": size, "steps": 1, "total_ms": {"p50": time}, "engine": "eager", "dtype": "fp32",
         "threads": 2, "machine": "a machine"}
        for size, time in (("100x100", 10.0), ("200x200", 80.0), ("400x400", 320.0))
    ]  # fmt: skip
    root = ET.fromstring(svg(rows))
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    measured = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    (dashed,) = [
        each for each in root.iter("{http://www.w3.org/2000/svg}path") if "stroke-dasharray" in each.attrib
    ]
    left, right = (tuple(map(float, end.split())) for end in dashed.attrib["d"][1:].split("L"))
    assert right == measured[2]  # four times the pixels of the middle one in four times its time
    assert left[0] == measured[0][0] and left[1] < measured[0][1]  # a quarter of them might take 20 ms
