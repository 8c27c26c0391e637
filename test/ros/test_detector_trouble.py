"""The detector node where something is missing: models, images, and the way back."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path

import pytest

if importlib.util.find_spec("ultralytics") is None:
    pytest.skip("ultralytics is not installed: requirements-detector.txt", allow_module_level=True)
pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for: make setup")

from detector_rig import IMAGES, DetectorRig, classes_of, picture
from harness import Rig
from pictures import at
from sensor_msgs.msg import CompressedImage, Image
from tiny_models import tiny_classifier, tiny_detector, tiny_onnx
from waiting import until

pytestmark = pytest.mark.ros

OK, WARN, ERROR, STALE = 0, 1, 2, 3


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "broken.pt").write_bytes(b"this is no model" * 40)
    return {
        "missing": folder / "nowhere.pt",
        "broken": folder / "broken.pt",
        "classifier": tiny_classifier(folder / "classifier.pt"),
        "tiny": tiny_detector(folder / "tiny.pt"),
    }


def test_a_model_that_cannot_be_used_fails_configure_with_what_to_do_and_the_node_lives_on(
    rig: Rig, models: dict[str, Path]
) -> None:
    detector, diagnostics = DetectorRig(rig), rig.diagnostics()
    process = detector.start(models["missing"])
    diagnostics.wait("model", "nowhere.pt: no such file; set the parameter `model`", level=ERROR)
    diagnostics.wait("output", "configure failed", level=ERROR)
    assert rig.state() == "unconfigured"
    for name, words in (("broken", "not a PyTorch model"), ("classifier", "which gives no boxes")):
        assert rig.set(model=str(models[name])).successful
        assert not rig.change_state("configure")
        diagnostics.wait("model", words, level=ERROR)
    assert rig.set_atomically({"model": str(models["tiny"]), "classes": "persn"}).successful
    assert not rig.change_state("configure")
    refused = "configure failed: classes: 'persn' is not a class of this model: the nearest are person"
    diagnostics.wait("output", refused, level=ERROR)
    assert rig.set(classes="person").successful
    assert rig.change_state("configure") and rig.change_state("activate")
    detector.ready()
    assert set(classes_of(detector.detect(at(0)))) == {"person"}
    assert "Traceback" not in process.output()

    # and again, after the device's memory was given back
    assert rig.change_state("deactivate")
    diagnostics.wait("model", "released", level=STALE)
    rig.wait_unsubscribed(IMAGES)
    assert rig.change_state("activate")
    detector.ready()
    assert detector.detect(at(100)).detections


def test_silence_is_explained_while_no_image_comes(rig: Rig, models: dict[str, Path]) -> None:
    detector, diagnostics = DetectorRig(rig), rig.diagnostics()
    rig.publisher("/camera/image_raw", Image)
    gate = rig.gate()
    process = detector.start(models["tiny"], gate, loss_timeout=0.2)
    diagnostics.wait("model", "loading", level=WARN, since=0)
    gate.open()
    diagnostics.wait("image", f"no image on {IMAGES} yet: 0 publishers", level=ERROR)
    diagnostics.wait("image", "published images: /camera/image_raw", level=ERROR)
    diagnostics.wait("output", "nothing has been published for ", level=ERROR)
    diagnostics.wait("output", f"no image on {IMAGES} yet", level=ERROR)
    rig.publisher(f"{IMAGES}/compressed", CompressedImage)
    diagnostics.wait("image", "republish it raw", level=ERROR)
    assert process.output().count("no image on") == 1


def test_a_parameter_that_is_refused_at_start_ends_the_node_with_one_line(rig: Rig) -> None:
    process = DetectorRig(rig).start("tiny.pt", confidence=2.0)
    rig.processes.remove(process)  # it must not end with 0
    assert process.wait() == 2
    lines = process.output().strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("fused_detector: refused to start: confidence")


def test_a_signal_while_the_model_loads_ends_the_node_in_order(rig: Rig, models: dict[str, Path]) -> None:
    detector, diagnostics = DetectorRig(rig), rig.diagnostics()
    process = detector.start(models["tiny"], rig.gate(), diagnostics_period=0.1)
    diagnostics.wait("model", "loading", since=0)
    assert process.stop(signal.SIGTERM) == 0
    assert "Traceback" not in process.output()


def test_a_model_for_one_size_takes_images_of_any(rig: Rig, models: dict[str, Path]) -> None:
    detector = DetectorRig(rig)
    process = detector.start(tiny_onnx(models["tiny"]), image_size=0)
    detector.ready()
    for k, (width, height) in enumerate(((64, 48), (31, 97), (640, 480))):
        assert detector.detect(at(40 * k), picture(k, width, height)).detections
    until(lambda: "active" in process.output(), "the log")
