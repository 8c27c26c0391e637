"""Folders of labelled stills: names of classes, boxes, and what tells one folder from another."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from textdifuse_ros.train import data, stills, yolo_data
from textdifuse_ros.train.errors import TrainingError

COCO = "person\ntraffic light\n\nCar \n"  # as COCO's own are, of two words, and one that nobody has named


def a_folder(root: Path, classes: str = COCO, boxes: str = "3 0.5 0.5 0.2 0.4\n") -> Path:
    """A pair of msrs with a car."""
    for camera in ("vis", "ir", "boxes"):
        (root / "msrs" / camera).mkdir(parents=True)
    for camera in ("vis", "ir"):
        cv2.imwrite(str(root / "msrs" / camera / "a.png"), np.full((48, 64, 3), 80, np.uint8))
    (root / "msrs" / "boxes" / "a.txt").write_text(boxes)
    (root / "msrs" / "classes.txt").write_text(classes)
    return root / "msrs"


def test_a_name_of_two_words_and_an_empty_line_take_one_number_each(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    assert stills.class_names(folder / "classes.txt") == ["person", "traffic light", "", "Car"]
    assert stills.class_names(folder / "gone.txt") == []
    ((_, (pair,)),) = data.load_training(tmp_path)
    assert np.allclose(pair.boxes, [[data.COCO_OF["car"], 0.5, 0.5, 0.2, 0.4]])
    (views,) = yolo_data.frames(
        tmp_path, yolo_data.DetectorSet("msrs"), lambda rgb, thermal, steps: rgb, nobody, validation=False
    )
    assert np.allclose(views.boxes, [[yolo_data.CLASSES.index("car"), 0.5, 0.5, 0.2, 0.4]])


def nobody(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 5), np.float32), np.zeros(0, np.float32)


@pytest.mark.parametrize(
    "line",
    [
        "-1 0.5 0.5 0.1 0.1", "4 0.5 0.5 0.1 0.1", "0.5 0.5 0.5 0.1 0.1", "inf 0.5 0.5 0.1 0.1",
        "0 nan nan nan nan", "0 0.5 0.5 inf 0.1", "0 0.5 0.5", "0 0.5 0.5 0.1 0.1 0.9", "car 0.5 0.5 0.1 0.1",
    ],
)  # fmt: skip
def test_what_is_no_box_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    folder = a_folder(tmp_path, boxes=f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(TrainingError, match=r"a\.txt, line 2: not a box: .* among the 4 of classes\.txt"):
        data.load_training(tmp_path)
    names = stills.class_names(folder / "classes.txt")
    with pytest.raises(TrainingError, match=r"a\.txt, line 2"):
        yolo_data.read_boxes(folder / "boxes" / "a.txt", names)


@pytest.mark.parametrize("name", ["classes.txt", "boxes/a.txt"])
def test_a_file_that_is_no_text_is_named(tmp_path: Path, name: str) -> None:
    path = a_folder(tmp_path) / name
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(TrainingError, match=rf"{name}: is not a text file; it takes .* one a line"):
        data.load_training(tmp_path)


def test_folders_are_known_again_until_anything_in_them_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, seen = a_folder(tmp_path), set()

    def is_new() -> bool:
        digest, before = stills.digest([folder, tmp_path / "none"]), len(seen)
        seen.add(digest)
        return len(seen) > before

    assert is_new() and not is_new()
    (folder / "boxes" / "a.txt").write_text("3 0.5 0.5 0.2 0.5\n")
    assert is_new()
    (folder / "classes.txt").write_text(COCO.replace("Car", "Cat"))
    assert is_new()
    cv2.imwrite(str(folder / "vis" / "a.png"), np.full((24, 32, 3), 80, np.uint8))
    assert is_new()
    held = tmp_path / "validation.txt"
    held.write_text("msrs/a\n")
    monkeypatch.setattr(stills, "VALIDATION_LIST", held)
    assert is_new() and not is_new()
