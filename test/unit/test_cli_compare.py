"""`textdifuse compare` and the one-line errors of the command."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import save

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.labelled import frames, labelled_sets, read_truth

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
        (["compare", "--set", "a", "--detector", "d", "--every", "5"], "--every: is for clips"),
        (
            ["compare", "--set", "a", "--detector", "d", "--confidence", "nan"],
            "--confidence nan: must lie above",
        ),
        (
            ["compare", "--set", "a", "--detector", "d", "--confidence=-3"],
            "--confidence -3: must lie above 0",
        ),
        (["compare", "--set", "a", "--detector", "d", "--confidence", "1.5"], "up to 1"),
        (
            ["compare", "--rgb", "a.mp4", "--thermal", "b.mp4", "--detector", "d", "--boxes", "c"],
            "--boxes: is for folders of images, and a.mp4 is a clip; leave it out",
        ),
        (
            ["compare", "--rgb", "a.mp4", "--thermal", "b.mp4", "--detector", "d", "--only", "c"],
            "--only: is for",
        ),
        (["locate", "--data", ".", "--limit", "-3"], "--limit -3: must be 0 or more"),
        (["locate", "--data", ".", "--threads", "100000"], "--threads 100000: must lie between 0"),
        (["compare", "--detector", "d"], "give --rgb and --thermal, or --set"),
        (["compare", "--rgb", "a", "--detector", "d"], "--rgb and --thermal: give both"),
        (["compare", "--set", "a", "--steps", "1,3", "--detector", "d"], "--steps 3"),
        (["compare", "--set", "a", "--detector", "./gone.onnx"], "gone.onnx: no such file"),
        (["compare", "--set", "a", "--detector", "picture.png"], "'picture.png' is neither shipped"),
        (["compare", "--set", "a", "--detector", "d", "--spoil", "fire"], "--spoil 'fire': use smoke"),
        (["compare", "--set", "a", "--detector", "d", "--spoil", "smoke:2"], "above 0 and up to 1"),
        (["train-detector", "--data", "gone", "--output", "o", "--judge", "j"], "--data gone"),
        (
            ["train-detector", "--data", ".", "--output", "o", "--judge", "j", "--set", "size=3"],
            "size: no such field",
        ),
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
        "--every", "20", "--method", "rgb,thermal,fused", "--json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    persons = {name: row["person"] for name, row in report["methods"].items()}
    assert report["frames"] == 21
    assert persons["rgb"] < persons["thermal"] <= persons["fused"]
    ratio = report["methods"]["fused"]["persons of the better camera"]
    assert ratio == round(persons["fused"] / persons["thermal"], 4)


@pytest.mark.skipif(
    not (HAVE_LITERT and SHARED.is_dir()),
    reason="needs ai-edge-litert and the folder ../shared beside the repository",
)
def test_folders_make_one_table_by_light_and_one_each(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("msrs/00002D\nmsrs/00014N\nllvip/010005\n")
    result = textdifuse(
        "compare", "--set", str(SHARED / "data" / "msrs"), "--set", str(SHARED / "data" / "llvip"), "--only",
        str(listed), "--detector", str(SHARED / "models" / "yolov8n_int8.tflite"), "--method", "rgb,mean",
        "--json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["frames"] == 3 and list(report["sets"]) == ["msrs", "llvip"]
    labelled = {light: part["labelled"] for light, part in report["light"].items()}
    assert labelled["all"] == 3 and labelled["day"] + labelled["night"] == 3 and labelled["day"] >= 1
    assert report["sets"]["llvip"]["methods"]["rgb"]["car AP@.5"] is None  # only persons are labelled there
    assert 0 < report["methods"]["mean"]["mAP@.5"] <= 1


def test_a_frame_without_a_label_file_is_not_labelled_and_an_empty_one_is(tmp_path: Path) -> None:
    assert read_truth(tmp_path / "gone.txt", ["person", "car"], (100, 200, 3)) == {}
    (tmp_path / "empty.txt").write_text("")
    empty = read_truth(tmp_path / "empty.txt", ["People", "Lamp"], (100, 200, 3))
    assert list(empty) == ["person"] and empty["person"].shape == (0, 4)
    (tmp_path / "one.txt").write_text("1 0.5 0.5 0.1 0.2\n0 0.5 0.5 0.5 0.5\n")
    truth = read_truth(tmp_path / "one.txt", ["Lamp", "Car"], (100, 200, 3))
    assert list(truth) == ["car"] and truth["car"][0] == pytest.approx([90, 40, 110, 60])
    (tmp_path / "two_words.txt").write_text("2 0.5 0.5 0.5 0.5\n")
    truth = read_truth(tmp_path / "two_words.txt", ["person", "traffic light", "car"], (100, 200, 3))
    assert truth["person"].shape == (0, 4) and truth["car"].shape == (1, 4)


@pytest.mark.parametrize(
    "line", ["0 0.5 0.5", "0 nan nan nan nan", "1 0.5 0.5 0.1 0.1", "-1 0.5 0.5 0.1 0.1"]
)
def test_what_is_no_box_is_not_judged_as_one(tmp_path: Path, line: str) -> None:
    (tmp_path / "bad.txt").write_text(f"{line}\n")
    with pytest.raises(CliError, match=r"bad\.txt, line 1: not a box: it takes class x y w h"):
        read_truth(tmp_path / "bad.txt", ["person"], (100, 200, 3))


@pytest.mark.parametrize("name", ["boxes/one.txt", "classes.txt", "list.txt"])
def test_labels_and_lists_that_are_no_text_cost_one_line(tmp_path: Path, name: str) -> None:
    for camera in ("vis", "ir"):
        save(tmp_path / camera / "one.png", np.full((64, 96, 3), 90, np.uint8))
    (tmp_path / "boxes").mkdir()
    for text in ("boxes/one.txt", "classes.txt", "list.txt"):
        (tmp_path / text).write_text("")
    (tmp_path / "list.txt").write_text(f"{tmp_path.name}/one\n")
    (tmp_path / name).write_bytes(b"\x89PNG\xff\xfe")
    args = argparse.Namespace(rgb=None, thermal=None, set=[tmp_path], boxes=None, every=None)
    args.only = tmp_path / "list.txt"
    with pytest.raises(CliError, match=rf"{name}: is not a text file"):
        list(frames(args, labelled_sets(args)))


@pytest.mark.skipif(
    not (HAVE_LITERT and SHARED.is_dir()),
    reason="needs ai-edge-litert and the folder ../shared beside the repository",
)
def test_a_prompt_is_judged_beside_the_same_network_without_it(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("msrs/00006N\n")
    result = textdifuse(
        "compare", "--set", str(SHARED / "data" / "msrs"), "--only", str(listed), "--detector",
        str(SHARED / "models" / "yolov8n_int8.tflite"), "--method", "rgb,fused", "--prompt", "warm objects*2",
        "--localiser", "heat", "--json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert list(report["methods"]) == ["rgb", "fused", "fused, no prompt"]
    assert report["prompt"] == "warm objects*2"
    assert report["methods"]["fused"] != report["methods"]["fused, no prompt"]
