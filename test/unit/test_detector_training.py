"""The data and the training of the detector that ships: what trains, what does not, what comes out."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from textdifuse_ros.cli import train_detector
from textdifuse_ros.cli.main import main
from textdifuse_ros.detection.model_file import SHIPPED_FILE
from textdifuse_ros.model import weights
from textdifuse_ros.train import yolo, yolo_data
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.yolo_data import CLASSES, DetectorSet, build, frames, held_out, judged, read_boxes

HELD_OUT, FREE = "00002D", "00001D"
NOBODY = np.zeros((0, 5), np.float32)
needs_ultralytics = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("ultralytics", "psutil", "onnx", "onnxruntime")),
    reason="needs ultralytics, psutil, onnx and onnxruntime",
)


def plain(rgb: np.ndarray, thermal: np.ndarray, steps: int) -> np.ndarray:
    return np.maximum(rgb, thermal[..., None])


def blind(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return NOBODY, np.zeros(0, np.float32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two MSRS pairs of 64x48, one of them on the validation list, with a person and a dog each."""
    folder = tmp_path / "data" / "msrs"
    rng = np.random.default_rng(0)
    for camera in ("vis", "ir", "boxes"):
        (folder / camera).mkdir(parents=True)
    (folder / "classes.txt").write_text("dog\nPeople\n")
    for stem in (HELD_OUT, FREE):
        for camera in ("vis", "ir"):
            picture = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            assert cv2.imwrite(str(folder / camera / f"{stem}.png"), picture)
        (folder / "boxes" / f"{stem}.txt").write_text("0 0.5 0.5 0.2 0.2\n1 0.25 0.5 0.2 0.4\n")
    return tmp_path / "data"


def test_what_is_on_the_validation_list_does_not_train_in_any_folder(root: Path) -> None:
    each = DetectorSet("msrs")
    trains = [views.name for views in frames(root, each, plain, blind, validation=False)]
    checks = [views.name for views in frames(root, each, plain, blind, validation=True)]
    assert trains == [f"msrs/{FREE}"] and checks == [f"msrs/{HELD_OUT}"]
    assert {f"msrs_thermal/{HELD_OUT}", f"msrs128/{HELD_OUT}"} <= held_out()


def test_a_pair_gives_both_cameras_and_fused_views_under_the_same_boxes(root: Path) -> None:
    (views,) = frames(root, DetectorSet("msrs"), plain, blind, validation=False)
    assert set(views.images) == {"rgb", "thermal", "fused", "hard"}
    assert all(image.shape == (48, 64, 3) and image.dtype == np.uint8 for image in views.images.values())
    assert np.allclose(views.boxes, [[0, 0.25, 0.5, 0.2, 0.4]])  # the person; nobody asked for dogs


def test_a_line_that_is_no_box_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n7 0.5 0.5 0.1 0.1\n")
    with pytest.raises(TrainingError, match=r"a\.txt, line 2"):
        read_boxes(tmp_path / "a.txt", ["person"])


def test_the_judge_labels_only_what_nobody_labelled_and_each_thing_once() -> None:
    car, bicycle, person = CLASSES.index("car"), CLASSES.index("bicycle"), CLASSES.index("person")
    given = np.array([[person, 0.2, 0.2, 0.1, 0.1], [car, 0.8, 0.8, 0.2, 0.2]], np.float32)
    seen = np.array(
        [
            [car, 0.81, 0.8, 0.2, 0.2],  # labelled already
            [car, 0.3, 0.3, 0.2, 0.2],
            [car, 0.31, 0.3, 0.2, 0.2],  # the same again
            [bicycle, 0.3, 0.3, 0.2, 0.2],  # not asked for
            [car, 0.6, 0.2, 0.1, 0.1],  # not sure
        ],
        np.float32,
    )
    scores = np.array([0.9, 0.8, 0.7, 0.9, 0.2], np.float32)
    found = judged([np.zeros((4, 4, 3), np.uint8)] * 2, lambda _: (seen, scores), ("car",), given)
    assert np.allclose(found, [[car, 0.3, 0.3, 0.2, 0.2]])


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="none of msrs"):
        build(tmp_path, tmp_path / "out", plain, blind, lambda text: None)


@needs_ultralytics
def test_a_training_ends_in_a_file_that_the_detector_loads_and_is_not_given_for_another(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from textdifuse_ros.detection.detections import Wanted
    from textdifuse_ros.detection.ultralytics_yolo import UltralyticsDetector
    from textdifuse_ros.train.yolo import YoloTraining, export, train

    told: list[str] = []
    build(root, tmp_path / "images", plain, blind, told.append, streets=range(1))
    assert told[0] == "msrs: 4 + 3 images" and told[-1] == "13 images train, 3 do not"
    config = YoloTraining(epochs=1, batch=4, imgsz=64, workers=0)
    checkpoint = train(tmp_path / "images", tmp_path / "run", config, "cpu")
    export(checkpoint, tmp_path / "detector.onnx", size=64)
    detector = UltralyticsDetector(str(tmp_path / "detector.onnx"), "cpu")
    assert detector.names == dict(enumerate(CLASSES))
    detector.detect(np.zeros((96, 64, 3), np.uint8), Wanted())  # of another shape than it trained on

    capsys.readouterr()
    same = replace(config, workers=2)  # changes nothing in the result
    assert train(tmp_path / "images", tmp_path / "run", same, "cpu") == checkpoint
    assert "run: holds a finished training; take another --output" in capsys.readouterr().err
    longer = replace(config, epochs=99)
    with pytest.raises(TrainingError, match="finished training with epochs 1, now it is 99; take another"):
        train(tmp_path / "images", tmp_path / "run", longer, "cpu")
    (tmp_path / "run" / "trained").unlink()  # as if it had been stopped
    with pytest.raises(TrainingError, match="holds a training with epochs 1, now it is 99; take another"):
        train(tmp_path / "images", tmp_path / "run", longer, "cpu")


@needs_ultralytics
def test_a_training_goes_on_from_an_exported_detector(root: Path, tmp_path: Path) -> None:
    import torch

    from textdifuse_ros.train.yolo import YoloTraining, train

    build(root, tmp_path / "images", plain, blind, lambda text: None, streets=range(0))
    exported = {
        each.name: each for each in importlib.import_module("onnx").load(str(SHIPPED_FILE)).graph.initializer
    }
    first = importlib.import_module("onnx").numpy_helper.to_array(exported["model.0.conv.weight"])
    config = YoloTraining(
        epochs=1, batch=4, imgsz=64, workers=0, lr0=1e-6, warmup_epochs=0.0, weight_decay=0.0
    )
    checkpoint = train(tmp_path / "images", tmp_path / "run", config, "cpu", initial=SHIPPED_FILE)
    state = torch.load(checkpoint, weights_only=False)["model"].float().state_dict()
    assert np.allclose(state["model.0.conv.weight"].numpy(), first, atol=2e-3)


@pytest.fixture
def command(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`train-detector` on images that a stand-in writes, by a trainer that only reads what was noted."""
    judge = tmp_path / "judge.tflite"
    judge.write_bytes(b"judge")
    monkeypatch.setattr(train_detector, "TfliteYolo", lambda path: blind)
    monkeypatch.setattr(
        yolo_data, "build", lambda root, folder, *more: (folder / "images").mkdir(parents=True)
    )
    monkeypatch.setattr(yolo, "check", lambda *given: None)
    monkeypatch.setattr(yolo, "export", lambda checkpoint, target: None)
    return ["train-detector", "--data", str(root), "--output", str(tmp_path / "run"), "--judge", str(judge)]


@pytest.mark.parametrize("changed", ["fusion weights", "data", "judge"])
def test_images_made_of_something_else_are_not_trained_on(
    command: list[str], changed: str, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(yolo, "train", lambda images, *more: images)
    assert main(command) == 0 and main(command) == 0
    assert "holds images" not in capsys.readouterr().err
    if changed == "fusion weights":
        other = tmp_path / "other.safetensors"
        other.write_bytes(b"other")
        monkeypatch.setattr(weights, "SHIPPED", other)
    elif changed == "data":
        (root / "msrs" / "boxes" / f"{FREE}.txt").write_text("1 0.25 0.5 0.2 0.4\n")
    else:
        (tmp_path / "judge.tflite").write_bytes(b"another judge")
    assert main(command) == 2
    said = capsys.readouterr().err
    assert f"run/data: holds images with {changed} " in said and said.endswith("; take another --output\n")


def test_what_an_earlier_version_left_is_taken_and_said_to_be(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / "data").mkdir(parents=True)
    (tmp_path / "run" / "data" / "complete").touch()
    (tmp_path / "run" / "trained").touch()
    assert main(command) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith(
        "run/data: holds images, and no word of what it was made with; it is taken as it is"
    )
    assert "run: holds a finished training, and no word of" in said[1]
    assert "run: holds a finished training; take another --output" in said[2]


@needs_ultralytics
@pytest.mark.parametrize(("option", "reason"), [("teacher", "no such file"), ("initial", "not a readable")])
def test_what_a_training_cannot_start_from_is_named_before_any_image_is_written(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, reason: str
) -> None:
    judge = tmp_path / "judge.tflite"
    judge.touch()
    given = ["--data", str(root), "--output", str(tmp_path / "run"), "--judge", str(judge)]
    assert main(["train-detector", *given, f"--{option}", str(tmp_path / "gone.bin")]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "gone.bin") in said and reason in said
    assert not (tmp_path / "run").exists()
