"""`textdifuse compare` and the one-line errors of the command."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
HAVE_LITERT = importlib.util.find_spec("ai_edge_litert") is not None


def textdifuse(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "textdifuse_ros.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=170, check=False)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "COMMAND"),
        (["defuse"], "invalid choice: 'defuse'"),
        (["fuse", "--rgb", "x"], "--thermal"),
        (
            ["compare", "--rgb", "a", "--thermal", "b", "--detector", "gone.tflite"],
            "gone.tflite: no such file",
        ),
        (["compare", "--rgb", "a", "--thermal", "b", "--detector", "d", "--every", "0"], "--every 0"),
    ],
)
def test_wrong_words_cost_one_line_and_status_2(words: list[str], reason: str) -> None:
    result = textdifuse(*words)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and reason in result.stderr


@pytest.mark.skipif(not HAVE_LITERT, reason="needs ai-edge-litert")
def test_file_that_is_no_detector_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.tflite").write_bytes(b"not a model")
    result = textdifuse("compare", "--rgb", "a", "--thermal", "b", "--detector", str(tmp_path / "d.tflite"))
    assert result.returncode == 2 and "d.tflite: not a .tflite model" in result.stderr


@pytest.mark.skipif(
    not (HAVE_LITERT and SHARED.is_dir()),
    reason="needs ai-edge-litert and the folder ../shared beside the repository",
)
def test_fused_image_shows_persons_behind_smoke_as_well_as_the_better_camera() -> None:
    clip = str(SHARED / "data" / "clips" / "0117_1605_")
    detector = str(SHARED / "models" / "yolov8n_int8.tflite")
    result = textdifuse(
        "compare", "--rgb", clip + "vis.mp4", "--thermal", clip + "ir.mp4", "--detector", detector,
        "--every", "20", "--json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    persons = {name: row["person"] for name, row in report["methods"].items()}
    assert report["frames"] == 21
    assert persons["rgb"] < persons["thermal"] <= persons["fused"]
