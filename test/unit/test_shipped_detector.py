"""The detector that ships: a safe and small file that finds people and cars in every kind of image."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from textdifuse_ros.detection.detections import Detections, Wanted
from textdifuse_ros.detection.model_file import SHIPPED, SHIPPED_FILE, locate
from textdifuse_ros.detection.ultralytics_yolo import UltralyticsDetector
from textdifuse_ros.evaluation.average_precision import overlaps
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.nodes.detector_parameters import DETECTOR_PARAMETERS
from textdifuse_ros.simulation.sequence import StreetSequence

SHARED = Path(__file__).resolve().parents[3] / "shared"
UNSEEN_STREET = 900  # a seed that does not train
pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("ultralytics", "onnxruntime")),
    reason="needs ultralytics and onnxruntime: pip install --no-deps -r requirements-detector.txt",
)


@pytest.fixture(scope="module")
def detector() -> UltralyticsDetector:
    return UltralyticsDetector(SHIPPED, "cpu")


@pytest.fixture(scope="module")
def fuser() -> Fuser:
    return Fuser()


def persons(found: Detections) -> int:
    return int((found.classes == 0).sum())


def test_it_is_the_default_model_and_an_onnx_file_of_at_most_12_megabytes(
    detector: UltralyticsDetector,
) -> None:
    assert {row.name: row.default for row in DETECTOR_PARAMETERS}["model"] == SHIPPED
    assert locate(SHIPPED) == SHIPPED_FILE and SHIPPED_FILE.suffix == ".onnx"
    assert SHIPPED_FILE.stat().st_size <= 12_000_000
    assert detector.names == {0: "person", 1: "bicycle", 2: "car"}


def test_its_threads_are_as_many_as_asked_and_do_not_spin_on_the_cores_that_fusion_needs() -> None:
    detector = UltralyticsDetector(SHIPPED, "cpu", threads=1)
    options = detector._yolo.predictor.model.backend.session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_its_card_states_the_terms() -> None:
    card = SHIPPED_FILE.with_suffix(".md").read_text(encoding="utf-8")
    assert "AGPL-3.0" in card and "ultralytics" in card


def test_it_finds_people_and_cars_of_a_rendered_street_in_the_fused_image(
    detector: UltralyticsDetector, fuser: Fuser
) -> None:
    street = StreetSequence(640, 480, UNSEEN_STREET, smoke=1.0)
    found = {"person": 0, "car": 0}
    for time in (2.0, 5.0, 8.0):
        shot = street.render(time)
        low, high = np.percentile(shot.temperature, (0.5, 99.8))
        warm = np.clip((shot.temperature - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        seen = detector.detect(fuser.fuse(shot.rgb, warm).image, Wanted())
        for index, name in ((0, "person"), (2, "car")):
            boxes = seen.boxes[seen.classes == index]
            truth = np.array([o.box for o in shot.objects if o.class_name == name], np.float64)
            if len(boxes) and len(truth):
                found[name] += int((overlaps(truth, boxes.astype(np.float64)).max(axis=1) > 0.5).sum())
    assert found["person"] >= 2 and found["car"] >= 2


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the folder ../shared beside the repository")
def test_people_behind_smoke_are_found_in_thermal_and_fused_images(
    detector: UltralyticsDetector, fuser: Fuser
) -> None:
    clips = {}
    for camera in ("vis", "ir"):
        clip = cv2.VideoCapture(str(SHARED / "data" / "clips" / f"0117_1605_{camera}.mp4"))
        clip.set(cv2.CAP_PROP_POS_FRAMES, 200)
        there, picture = clip.read()
        assert there
        clips[camera] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    thermal = np.ascontiguousarray(clips["ir"][..., 0])
    fused = fuser.fuse(clips["vis"], thermal).image
    assert persons(detector.detect(clips["ir"], Wanted())) >= 1
    assert persons(detector.detect(fused, Wanted())) >= 1
