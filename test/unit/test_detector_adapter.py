"""The adapter for ultralytics: real small models of its own kinds, and files that are none."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

# Not importorskip: the adapter must be the one that imports it.
if importlib.util.find_spec("ultralytics") is None:
    pytest.skip("ultralytics is not installed: requirements-detector.txt", allow_module_level=True)

from tiny_models import NAMES, SIDE, tiny_classifier, tiny_detector, tiny_onnx

from textdifuse_ros.detection.detections import DetectorError, Wanted
from textdifuse_ros.detection.drawing import annotated
from textdifuse_ros.detection.ultralytics_yolo import UltralyticsDetector

SHARED = Path(__file__).resolve().parents[3] / "shared"
REAL = SHARED / "models" / "yolov8n_int8.tflite"
PEOPLE = SHARED / "data" / "llvip" / "ir" / "010001.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    return tiny_detector(folder / "tiny.pt")


@pytest.fixture(scope="module")
def detector(file: Path) -> UltralyticsDetector:
    return UltralyticsDetector(str(file), "cpu", threads=1, image_size=SIDE)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def test_boxes_lie_in_the_image_and_scores_fall(detector: UltralyticsDetector, picture: np.ndarray) -> None:
    found = detector.detect(picture, Wanted())
    assert found.boxes.dtype == found.scores.dtype == np.float32 and found.classes.dtype == np.int64
    assert len(found.boxes) == len(found.classes) == len(found.scores) > 3
    assert (np.diff(found.scores) <= 0).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert found.boxes.min() >= 0 and (found.boxes.max(axis=0) <= (64, 48, 64, 48)).all()
    assert set(found.classes.tolist()) == set(NAMES)


def test_a_model_says_what_it_is(detector: UltralyticsDetector, file: Path) -> None:
    assert detector.names == NAMES
    assert (detector.device, detector.engine, detector.dtype) == ("cpu", "pt", "fp32")
    assert detector.weights_id == str(file)


def test_what_is_wanted_is_obeyed(detector: UltralyticsDetector, picture: np.ndarray) -> None:
    everything = detector.detect(picture, Wanted())
    strong = detector.detect(picture, Wanted(confidence=0.7))
    assert set(strong.classes.tolist()) == {0, 1} and strong.scores.min() > 0.7
    assert len(detector.detect(picture, Wanted(confidence=0.99)).boxes) == 0
    cars = detector.detect(picture, Wanted(classes=(1,)))
    assert set(cars.classes.tolist()) == {1}
    assert len(detector.detect(picture, Wanted(most=2)).boxes) == 2
    apart = detector.detect(picture, Wanted(overlap=0.1))
    assert 0 < len(apart.boxes) < len(everything.boxes)


def test_one_model_serves_all_images_without_being_set_up_again(
    detector: UltralyticsDetector, picture: np.ndarray
) -> None:
    before = detector._yolo.predictor
    detector.detect(picture, Wanted(confidence=0.5, classes=(2,)))
    detector.detect(picture[:32], Wanted(most=1))
    assert detector._yolo.predictor is before


def test_importing_ultralytics_leaves_the_process_as_it_was(detector: UltralyticsDetector) -> None:
    assert os.environ["YOLO_AUTOINSTALL"] == "false" and os.environ["YOLO_OFFLINE"] == "true"
    assert cv2.getNumThreads() > 1 or os.cpu_count() == 1
    assert torch.get_num_threads() == 1  # as asked for by the fixture
    torchvision = sys.modules.get("torchvision")
    assert torchvision is None or torchvision.__spec__ is not None  # no stand-in is left behind


def test_an_onnx_model_finds_the_same(detector: UltralyticsDetector, file: Path, picture: np.ndarray) -> None:
    exported = UltralyticsDetector(str(tiny_onnx(file)), "cpu")
    assert (exported.engine, exported.names) == ("onnx", NAMES)
    square = np.full((SIDE, SIDE, 3), 114, np.uint8)
    square[8:56] = picture  # a .pt model sees 64x48 as it is, an exported one within a square
    everything = Wanted(overlap=1.0)  # what suppression keeps hangs on the last digit
    ours, theirs = exported.detect(square, everything), detector.detect(square, everything)
    assert np.bincount(ours.classes).tolist() == np.bincount(theirs.classes).tolist()
    for index in NAMES:
        got, expected = ours.boxes[ours.classes == index], theirs.boxes[theirs.classes == index]
        np.testing.assert_allclose(np.sort(got, axis=0), np.sort(expected, axis=0), atol=0.05)


def test_a_real_model_finds_the_people(tmp_path: Path) -> None:
    if not (REAL.is_file() and PEOPLE.is_file()):
        pytest.skip(f"{REAL} and {PEOPLE} are not on this machine")
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    detector = UltralyticsDetector(str(REAL), "cpu")
    assert len(detector.names) == 80 and detector.engine == "litert"
    rgb = cv2.cvtColor(cv2.imread(str(PEOPLE)), cv2.COLOR_BGR2RGB)
    found = detector.detect(rgb, Wanted(confidence=0.6))
    assert [detector.names[index] for index in found.classes.tolist()] == ["person"] * 4
    tall = found.boxes[:, 3] - found.boxes[:, 1] > found.boxes[:, 2] - found.boxes[:, 0]
    assert tall.all()


# -- refusals --------------------


def refusal(model: object, device: str = "cpu") -> str:
    with pytest.raises(DetectorError) as refused:
        UltralyticsDetector(str(model), device)
    text = str(refused.value)
    assert "\n" not in text
    return text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.pt: no such file" in refusal(tmp_path / "nowhere.pt")


def test_another_kind_of_file_is_refused_with_the_kinds_there_are(tmp_path: Path) -> None:
    assert ".pt, .onnx, .tflite, .engine" in refusal(tmp_path / "model.safetensors")
    assert "yolo11n.pt" in refusal("")


def test_a_name_that_ultralytics_does_not_offer_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path))
    assert "did you mean yolo11n.pt?" in refusal("yolo11nn")


@pytest.mark.parametrize("suffix", [".pt", ".onnx", ".tflite"])
def test_a_broken_file_is_refused_by_its_path(tmp_path: Path, suffix: str) -> None:
    module = {".onnx": "onnxruntime", ".tflite": "ai_edge_litert"}.get(suffix, "torch")
    pytest.importorskip(module, reason=f"{module} is not installed")
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(b"this is no model" * 40)
    text = refusal(broken)
    assert f"broken{suffix}" in text
    assert "not a PyTorch model" in text or "download it again" in text


def test_a_file_that_was_cut_short_is_refused(file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pt"
    cut.write_bytes(file.read_bytes()[:5000])
    assert "cut short" in refusal(cut)


def test_a_checkpoint_with_code_in_it_is_refused_unread(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"model": Trap()}, tmp_path / "trap.pt")
    assert "ULTRALYTICS_SAFE_LOAD=false" in refusal(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_classifier_is_refused_for_what_it_is(folder: Path) -> None:
    text = refusal(tiny_classifier(folder / "classifier.pt"))
    assert "a model for classification, which gives no boxes" in text


@pytest.mark.parametrize(("suffix", "install"), [(".onnx", "onnxruntime"), (".tflite", "ai-edge-litert")])
def test_a_missing_runtime_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, install: str
) -> None:
    (tmp_path / f"model{suffix}").touch()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert f"pip install {install}" in refusal(tmp_path / f"model{suffix}")


def test_without_ultralytics_the_requirements_file_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "ultralytics" else find(name, *rest)
    )
    assert "requirements-detector.txt" in refusal(file)


def test_a_device_that_is_not_there_is_refused(file: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert "cuda" in refusal(file, "cuda:0")


# -- the annotated image --------------------


def test_boxes_and_labels_are_drawn_into_a_copy(detector: UltralyticsDetector) -> None:
    grey = np.full((120, 160, 3), 90, np.uint8)
    found = detector.detect(grey, Wanted(most=1))
    drawn = annotated(grey, found, {0: "Fußgänger", 1: "car", 2: "x"})
    assert (grey == 90).all()
    assert drawn.shape == grey.shape and (drawn != 90).any()
    nothing = annotated(grey, detector.detect(grey, Wanted(confidence=1.0)), NAMES)
    assert (nothing == grey).all()


@pytest.mark.parametrize("kind", ["pt", "onnx"])
@pytest.mark.parametrize("size", [(48, 64), (64, 64), (33, 64), (64, 40)])
def test_an_image_on_the_device_gives_what_the_one_on_the_host_gives(
    folder: Path, kind: str, size: tuple[int, int]
) -> None:
    file = tiny_detector(folder / "seeing.pt", gain=3e4)
    detector = UltralyticsDetector(str(file if kind == "pt" else tiny_onnx(file)), "cpu", 1, SIDE)
    picture = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    expected = detector.detect(picture, Wanted())
    assert len(expected.scores)
    # another image on the host: only its size may count
    found = detector.detect(np.zeros_like(picture), Wanted(), torch.from_numpy(picture))
    for name in ("boxes", "classes", "scores"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    blank = detector.detect(np.zeros_like(picture), Wanted())
    assert not np.array_equal(blank.scores, expected.scores)


def test_an_image_on_the_device_that_would_have_to_be_scaled_is_taken_from_the_host(folder: Path) -> None:
    detector = UltralyticsDetector(str(tiny_detector(folder / "seeing.pt", gain=3e4)), "cpu", 1, SIDE)
    picture = np.random.default_rng(2).integers(0, 255, (97, 131, 3), dtype=np.uint8)
    expected = detector.detect(picture, Wanted())
    found = detector.detect(picture, Wanted(), torch.zeros(97, 131, 3, dtype=torch.uint8))
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.boxes, expected.boxes)


def test_an_image_on_another_device_is_taken_from_the_host(
    detector: UltralyticsDetector, picture: np.ndarray
) -> None:
    elsewhere = torch.zeros(48, 64, 3, dtype=torch.uint8, device="meta")
    expected = detector.detect(picture, Wanted())
    np.testing.assert_array_equal(detector.detect(picture, Wanted(), elsewhere).boxes, expected.boxes)
