"""Pseudo-labels of the localiser's training: a segmenter's outlines, a detector's boxes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import refused, textdifuse

from textdifuse_ros.detection.detections import Detections
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.localiser_config import LocaliserTraining
from textdifuse_ros.train.localiser_data import HIGH, LocaliserSet, load_set
from textdifuse_ros.train.localiser_examples import prepare
from textdifuse_ros.train.localiser_labels import add_box, empty, here
from textdifuse_ros.train.localiser_teachers import DETECTOR, SEGMENTER, Teachers, load
from textdifuse_ros.train.segmenter import FrozenSegmenter

SHARED = Path(__file__).resolve().parents[3] / "shared"
PAIR = LocaliserSet("pairs", 1.0, ("bicycle",), outlined="pairs")
RGB_ALONE = LocaliserSet("pairs", 1.0, ("bicycle",), ir=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One grey pair of 160x120 with one box around its middle."""
    folder = tmp_path / "data" / "pairs"
    for camera in ("vis", "ir"):
        (folder / camera).mkdir(parents=True)
        cv2.imwrite(str(folder / camera / "a.png"), np.full((120, 160, 3), 90, np.uint8))
    (folder / "boxes").mkdir()
    (folder / "boxes" / "a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (folder / "classes.txt").write_text("person\n")
    return tmp_path / "data"


def outlines(rgb: np.ndarray, thermal: np.ndarray) -> Mapping[str, np.ndarray]:
    """A person in the left half of the box, another at the left edge of the picture."""
    where = np.zeros((480, 640), np.bool_)
    where[120:360, 240:320] = True
    where[200:300, :40] = True
    return {"person": where}


def bicycles(rgb: np.ndarray, confidence: float) -> Detections:
    """One that is sure above, one that is not below."""
    boxes = np.array([[10, 10, 50, 50], [10, 70, 50, 110]], np.float32)
    return Detections(boxes, np.array([1, 1]), np.array([0.9, 0.1], np.float32))


def test_an_outline_that_fills_some_of_a_box_is_its_mask_and_a_speck_is_not() -> None:
    view = np.full((100, 100, 3), 30, np.uint8)
    view[30:70, 40:55] = 220
    for share, masked in ((0.6, True), (0.05, False)):
        labels, outline = empty(100, 100), np.zeros((100, 100), np.bool_)
        outline[25 : 25 + round(share * 50)] = True
        add_box(labels, "person", (35, 25, 60, 75), view, outline)
        there, unknown = here(labels, "person")
        assert there[25:28, 36:59].all() == masked
        assert there[65:68, 43:52].all() != masked
        assert not (there & unknown).any()


def test_what_the_segmenter_sees_outside_every_box_is_unknown(data: Path) -> None:
    (frame,) = load_set(data, PAIR, teachers=Teachers(segmenter=outlines))
    there, unknown = here(frame.labels, "person")
    assert there[70:170, 125:155].all() and not there[70:170, 165:195].any()
    assert unknown[105:145, :15].all() and not unknown[:50, 250:].any()


def test_a_sure_find_becomes_a_box_and_an_unsure_one_is_unknown_and_elsewhere_there_is_none(
    data: Path,
) -> None:
    (frame,) = load_set(data, RGB_ALONE, teachers=Teachers(detector=bicycles))
    there, unknown = here(frame.labels, "bicycle")
    scale = HIGH / 120
    assert there[round(30 * scale), round(30 * scale)] and not there[round(90 * scale), round(30 * scale)]
    assert unknown[round(90 * scale), round(30 * scale)]
    assert not unknown[:, round(80 * scale) :].any()


def test_where_there_is_a_second_camera_what_the_detector_does_not_see_may_be_there_all_the_same(
    data: Path,
) -> None:
    (frame,) = load_set(data, PAIR, teachers=Teachers(detector=bicycles))
    there, unknown = here(frame.labels, "bicycle")
    assert there.any() and (there | unknown).all()


def test_without_teachers_nobody_knows_about_what_has_no_boxes(data: Path) -> None:
    (frame,) = load_set(data, RGB_ALONE)
    there, unknown = here(frame.labels, "bicycle")
    assert unknown.all() and not there.any()


def test_frames_that_were_labelled_otherwise_are_labelled_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textdifuse_ros.train.localiser_examples.SETS", (PAIR,))
    config = LocaliserTraining(simulated=0)
    marked = []
    for teachers in (None, Teachers(segmenter=outlines, told={"it": "1"}), None):
        frames = prepare(data, tmp_path / "out", config, teachers)
        there, _ = here(frames.by_folder["pairs"][0].labels, "person")
        marked.append(int(there.sum()))
    assert marked[0] == marked[2] != marked[1]


def test_a_models_folder_without_a_teacher_is_refused_by_name(tmp_path: Path, data: Path) -> None:
    assert load(None) == Teachers()
    done = textdifuse("train-localiser", "--data", data, "--output", tmp_path / "out", "--models", tmp_path)
    refused(done, f"neither {SEGMENTER} nor {DETECTOR} in it; leave --models out")


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is absent: no detector")
def test_one_teacher_of_the_two_is_enough_and_the_other_is_said_to_be_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / DETECTOR).symlink_to(SHARED / "models" / DETECTOR)
    teachers = load(tmp_path)
    assert teachers.segmenter is None and teachers.detector is not None and list(teachers.told) == [DETECTOR]
    assert f"no {SEGMENTER} in it" in "".join(capsys.readouterr())


def test_a_file_that_is_no_segmenter_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / SEGMENTER).write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match=f"{SEGMENTER}: is not a state dict of MFNet"):
        FrozenSegmenter(tmp_path / SEGMENTER)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is absent: no segmenter, no real night")
def test_the_segmenter_sees_the_persons_of_a_real_night() -> None:
    folder = SHARED / "data" / "msrs"
    segmenter = FrozenSegmenter(SHARED / "models" / SEGMENTER)
    seen, boxes = 0, 0
    for path in sorted((folder / "boxes").glob("*N.txt"))[:6]:
        rgb = cv2.cvtColor(cv2.imread(str(folder / "vis" / f"{path.stem}.png")), cv2.COLOR_BGR2RGB)
        thermal = cv2.imread(str(folder / "ir" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        where = segmenter(rgb, thermal)["person"]
        for line in path.read_text().splitlines():
            name, x, y, w, h = (float(each) for each in line.split())
            if name == 0 and h > 0.1:
                rows = slice(int((y - h / 2) * 480), int((y + h / 2) * 480))
                box = where[rows, int((x - w / 2) * 640) : int((x + w / 2) * 640)]
                boxes, seen = boxes + 1, seen + int(box.mean() > 0.2)
    assert boxes >= 3 and seen >= 0.6 * boxes
