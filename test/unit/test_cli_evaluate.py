"""`textdifuse evaluate` and `textdifuse bench` as a person runs them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import refused, save, scene, textdifuse
from small_networks import TEACHER, save_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.evaluation import metrics
from textdifuse_ros.evaluation.baselines import baseline_luminance, luminance
from textdifuse_ros.evaluation.report import MethodScores, distillation, distillation_table, table


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for seed, name in enumerate(("one", "two")):
        colour, thermal = scene(seed=seed)
        save(tmp_path / "rgb" / f"{name}.png", colour)
        save(tmp_path / "ir" / f"{name}.png", cv2.resize(thermal, (48, 32)))
    return tmp_path / "rgb", tmp_path / "ir"


def test_baselines_are_scored_without_any_network(folders: tuple[Path, Path]) -> None:
    rgb, ir = folders
    result = textdifuse("evaluate", "--rgb", rgb, "--thermal", ir, "--method", "max,mean", "--json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    report = json.loads(result.stdout)
    assert (report["method"], report["count"], report["unmatched"]) == ("max", 2, [])
    assert [row["name"] for row in report["images"]] == ["one", "two"]
    visible = luminance(
        np.asarray(cv2.cvtColor(cv2.imread(str(rgb / "one.png")), cv2.COLOR_BGR2RGB), np.uint8)
    )
    thermal = cv2.resize(cv2.imread(str(ir / "one.png"), cv2.IMREAD_GRAYSCALE), (96, 64))
    expected = metrics.evaluate(baseline_luminance("max", visible, thermal), visible, thermal)
    for name in metrics.NAMES:
        assert report["images"][0][name] == pytest.approx(expected[name], abs=1e-3)
        mean = (report["images"][0][name] + report["images"][1][name]) / 2
        assert report["mean"][name] == pytest.approx(mean, abs=1e-3)
    assert [other["method"] for other in report["others"]] == ["mean"]


def test_fused_files_are_scored_and_missing_ones_reported(folders: tuple[Path, Path], tmp_path: Path) -> None:
    rgb, ir = folders
    save(tmp_path / "fused" / "two.png", cv2.imread(str(rgb / "two.png")))
    arguments = ("evaluate", "--rgb", rgb, "--thermal", ir, "--fused", tmp_path / "fused")
    report = json.loads(textdifuse(*arguments, "--json").stdout)
    assert [row["name"] for row in report["images"]] == ["two"]
    assert report["unmatched"] == [str(rgb / "one.png")]
    assert report["mean"]["VIF"] > 0.99  # the visible image as it is carries all of its own information
    lines = textdifuse(*arguments, "--method", "all").stdout.splitlines()
    assert lines[0].split() == ["method", *metrics.NAMES]
    assert [line.split()[0] for line in lines[1:5]] == ["fused", "mean", "max", "detail"]
    assert lines[-1] == f"no partner: {rgb / 'one.png'}"


def test_without_fused_files_the_network_makes_them(folders: tuple[Path, Path]) -> None:
    rgb, ir = folders
    result = textdifuse("evaluate", "--rgb", rgb, "--thermal", ir, "--steps", 2, "--prompt", "hot", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["method"] == "fused" and "2 steps" in report["fused_by"]
    assert all(math.isfinite(report["mean"][name]) for name in metrics.NAMES)


def test_students_are_scored_beside_their_teacher(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = save_network(tmp_path / "student.safetensors")
    teacher = save_network(tmp_path / "teacher.safetensors", TEACHER, seed=4)
    words = ["evaluate", "--rgb", str(folders[0]), "--thermal", str(folders[1]), "--dtype", "fp32",
             "--weights", str(student), "--teacher", str(teacher), "--steps", "1,2,teacher"]  # fmt: skip
    assert main([*words, "--method", "all", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    rows = {row["method"]: row for row in (report, *report["others"])}
    assert list(rows) == ["1 step", "2 steps", "teacher", "mean", "max", "detail"]
    for name, bar in (("1 step", 5), ("2 steps", 2)):
        compared = rows[name]["to_teacher"]
        for metric in metrics.NAMES:
            ours, theirs = rows[name]["mean"][metric], rows["teacher"]["mean"][metric]
            percent = 100 * (ours - theirs) / abs(theirs)
            assert compared["percent"][metric] == pytest.approx(percent, abs=0.1)
        assert compared["bar_percent"] == bar
        assert compared["kept"] is (min(compared["percent"].values()) >= -bar)
    assert all("to_teacher" not in rows[name] for name in ("teacher", "mean", "max", "detail"))
    assert "25 steps" in rows["teacher"]["fused_by"] and "1 step" in report["fused_by"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()[:2]) for line in lines[5:8]] == ["to the", "1 step", "2 steps"]


def test_what_cannot_be_scored_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    rgb, ir = folders
    common = ("evaluate", "--rgb", rgb, "--thermal", ir)
    refused(textdifuse(*common, "--method", "median"), "'median'", "fused, mean, max, detail or all")
    refused(textdifuse(*common, "--method", "max,max"), "twice")
    listed = textdifuse(*common, "--fused", tmp_path, "--steps", "1,2")
    refused(listed, "--steps 1,2", "--fused holds the images of one method")
    refused(textdifuse(*common, "--fused", tmp_path / "none"), tmp_path / "none", "no such")
    unread = textdifuse(*common, "--fused", tmp_path / "none", "--method", "mean")
    refused(unread, "--fused", "--method mean does not look at it; name fused there as well")
    save(tmp_path / "list.png", np.zeros((4, 4), np.uint8))
    refused(textdifuse(*common, "--only", tmp_path / "list.png"), "list.png: is not a text file", "set/stem")
    odd = save(tmp_path / "odd" / "one.png", np.zeros((10, 10), np.uint8))
    refused(textdifuse(*common, "--fused", tmp_path / "odd"), odd, "10x10", "96x64")
    small = save(tmp_path / "small.png", np.zeros((20, 90, 3), np.uint8))
    refused(textdifuse("evaluate", "--rgb", small, "--thermal", small, "--method", "max"), small, "too small")


def test_bench_reports_times_and_counts() -> None:
    result = textdifuse("bench", "--json", "--size", "96x64", "--runs", 2, "--threads", 1, "--steps", 2)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    report = json.loads(result.stdout)
    assert (report["size"], report["steps"], report["threads"], report["runs"]) == ("96x64", 2, 1, 2)
    assert 0 < report["model_ms"]["p50"] <= report["model_ms"]["p95"]
    assert report["total_ms"]["p50"] >= report["model_ms"]["p50"]
    assert report["fps"] == pytest.approx(1e3 / report["total_ms"]["p50"], rel=0.01)
    assert report["machine"] and report["engine"] and report["dtype"] and report["weights"]
    assert report["parameters"] > 10_000 and report["macs"] > report["parameters"]


def test_multiply_accumulates_grow_with_pixels_and_steps() -> None:
    from textdifuse_ros.evaluation.cost import count
    from textdifuse_ros.model.config import ModelConfig
    from textdifuse_ros.model.network import FusionNetwork

    small, wide, twice = (
        count(FusionNetwork(ModelConfig()), height, width, steps)
        for height, width, steps in ((64, 64, 1), (64, 128, 1), (64, 64, 2))
    )
    assert (
        small.parameters
        == wide.parameters
        == sum(p.numel() for p in FusionNetwork(ModelConfig()).parameters())
    )
    assert wide.macs / small.macs == pytest.approx(2, rel=0.02)
    assert twice.macs / small.macs == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize(
    ("extra", "word"),
    [(("--size", "big"), "640x480"), (("--size", "8x8"), "16 pixels"), (("--runs", "0"), "--runs 0"),
     (("--steps", "3"), "--steps 3"), (("--threads", "-1"), "--threads -1"),
     (("--size", "99999x99999"), "--size 99999x99999: 16 megapixels at most"),
     (("--engines", "eager", "--threads", "100000"), "--threads 100000: must lie between 0"),
     (("--engines", "eager", "--prompt", "nonsense"), "--prompt: is not looked at with --engines; leave it"),
     (("--engines", "eager", "--dtype", "bf16"), "--dtype: is not looked at with --engines"),
     (("--engines", "eager", "--localiser-model", "x"), "--localiser-model: is not looked at"),
     (("--engines", "eager", "--curve"), "--curve: is not looked at with --engines"),
     (("--curve", "--size", "64x64"), "--size: is not looked at with --curve")],
)  # fmt: skip
def test_a_benchmark_that_makes_no_sense_is_refused(extra: tuple[str, ...], word: str) -> None:
    refused(textdifuse("bench", *extra), word)


def test_a_report_averages_and_lays_out_in_columns() -> None:
    scores = MethodScores("mean")
    scores.add("a", dict.fromkeys(metrics.NAMES, 1.0))
    scores.add("b", dict.fromkeys(metrics.NAMES, 2.0))
    assert scores.mean() == dict.fromkeys(metrics.NAMES, 1.5)
    assert scores.as_dict()["images"][1] == {"name": "b", **dict.fromkeys(metrics.NAMES, 2.0)}
    assert table([scores]).splitlines()[1].split() == ["mean", *["1.50"] * 6]


def test_a_student_below_its_teacher_misses_the_bar_and_one_above_keeps_it() -> None:
    def scored(name: str, value: float, steps: int = 0, is_teacher: bool = False) -> MethodScores:
        scores = MethodScores(name, {}, "", steps, is_teacher)
        scores.add("a", {**dict.fromkeys(metrics.NAMES, 2.0), "VIF": value})
        return scores

    rows = [
        scored("1 step", 1.92, 1),
        scored("2 steps", 1.94, 2),
        scored("4 steps", 9.0, 4),
        scored("mean", 1.0),
    ]
    assert distillation(rows) == {}
    compared = distillation([*rows, scored("teacher", 2.0, is_teacher=True)])
    assert list(compared) == ["1 step", "2 steps", "4 steps"]
    assert compared["1 step"].percent["VIF"] == pytest.approx(-4)
    assert (compared["1 step"].kept, compared["2 steps"].kept, compared["4 steps"].kept) == (
        True,
        False,
        None,
    )
    lines = distillation_table(compared).splitlines()
    assert lines[1].endswith("-5 % or better: kept")
    assert lines[2].endswith("-2 % or better: missed (VIF)") and "%" not in lines[3]


def test_a_list_narrows_the_pairs_down(folders: tuple[Path, Path], tmp_path: Path) -> None:
    rgb, ir = folders
    listed = tmp_path / "list.txt"
    listed.write_text(f"{tmp_path.name}/two\nother/one\n")
    arguments = ("evaluate", "--rgb", rgb, "--thermal", ir, "--method", "mean", "--json", "--only", listed)
    assert [row["name"] for row in json.loads(textdifuse(*arguments).stdout)["images"]] == ["two"]
    listed.write_text("other/one\n")
    refused(textdifuse(*arguments), listed, "lists no pair")
