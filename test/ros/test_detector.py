"""The detector node: what it publishes, live changes, the prompt that filters, images that are none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

if importlib.util.find_spec("ultralytics") is None:
    pytest.skip("ultralytics is not installed: requirements-detector.txt", allow_module_level=True)
pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for: make setup")

from detector_rig import DetectorRig, classes_of, picture
from harness import LATCHED, Rig
from pictures import at, stamp_of
from sensor_msgs.msg import Image
from tiny_models import NAMES, tiny_detector
from waiting import keep_doing, values_of

from textdifuse_ros.msg import PromptPhrase, PromptState
from textdifuse_ros.nodes.detector_parameters import DETECTOR_PARAMETERS
from textdifuse_ros.nodes.parameter_spec import START

pytestmark = pytest.mark.ros

OK, WARN = 0, 1
SHARED = Path(__file__).resolve().parents[3] / "shared"
REAL = SHARED / "models" / "yolov8n_int8.tflite"
PEOPLE = SHARED / "data" / "llvip" / "ir" / "010001.jpg"


@pytest.fixture(scope="module")
def node(shared_rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> DetectorRig:
    """An active detector with a tiny model; every test leaves its parameters as they were."""
    detector = DetectorRig(shared_rig)
    detector.start(tiny_detector(tmp_path_factory.mktemp("model") / "tiny.pt"))
    return detector.ready()


def test_every_row_of_the_table_is_declared(node: DetectorRig) -> None:
    described = node.rig.describe(*(spec.name for spec in DETECTOR_PARAMETERS))
    for spec, got in zip(DETECTOR_PARAMETERS, described, strict=True):
        assert (got.name, got.read_only) == (spec.name, spec.when == START)
        assert spec.description in got.description


def test_detections_carry_names_scores_and_boxes_under_the_images_header(node: DetectorRig) -> None:
    message = node.detect(at(0))
    assert message.header.frame_id == "rgb_optical_frame"
    assert set(classes_of(message)) == set(NAMES.values())
    scores = [one.results[0].hypothesis.score for one in message.detections]
    assert scores == sorted(scores, reverse=True) and 0.25 <= scores[-1] <= scores[0] <= 1
    for one in message.detections:
        assert one.header == message.header
        assert len(one.results) == 1
        centre, box = one.bbox.center.position, one.bbox
        assert box.size_x > 0 and box.size_y > 0 and box.center.theta == 0
        assert centre.x - box.size_x / 2 >= -1e-3 and centre.x + box.size_x / 2 <= 64 + 1e-3
        assert centre.y - box.size_y / 2 >= -1e-3 and centre.y + box.size_y / 2 <= 48 + 1e-3


def test_an_image_with_nothing_in_it_is_answered_too(node: DetectorRig) -> None:
    assert node.rig.set(confidence=1.0).successful
    assert classes_of(node.detect(at(100))) == []
    assert node.rig.set(confidence=0.25).successful


def test_live_changes_take_effect_with_the_next_image(node: DetectorRig) -> None:
    same = picture(1)
    everything = node.detect(at(200), same)
    assert node.rig.set(confidence=0.7).successful
    assert set(classes_of(node.detect(at(210)))) == {"person", "car"}
    assert node.rig.set(classes="Car, traffic light").successful
    assert set(classes_of(node.detect(at(220)))) == {"car"}
    assert node.rig.set_atomically({"confidence": 0.25, "max_detections": 1}).successful
    assert classes_of(node.detect(at(230))) == ["car"]
    assert node.rig.set_atomically({"classes": "", "max_detections": 300, "iou": 0.1}).successful
    assert 0 < len(classes_of(node.detect(at(240), same))) < len(everything.detections)
    assert node.rig.set(iou=0.7).successful


def test_an_unknown_class_is_refused_with_the_nearest_ones_and_the_old_filter_stays(
    node: DetectorRig,
) -> None:
    assert node.rig.set(classes="car").successful
    refused = node.rig.set(classes="car, persn")
    assert not refused.successful
    assert refused.reason == "classes: 'persn' is not a class of this model: the nearest are person"
    assert node.rig.get("classes") == "car"
    assert set(classes_of(node.detect(at(300)))) == {"car"}
    assert node.rig.set(classes="").successful


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("model", "other.pt", "cannot change while the node is active"),
        ("confidence", 1.5, "range"),
        ("max_detections", 0, "range"),
        ("device", "toaster", "cuda:N"),
        ("classes", 5, "quote it twice"),
    ],
)
def test_a_bad_value_is_refused_with_a_reason(
    node: DetectorRig, name: str, value: object, words: str
) -> None:
    refused = node.rig.set_all({name: value})[0]
    assert not refused.successful and words in refused.reason


def test_the_annotated_image_is_drawn_while_somebody_listens(node: DetectorRig) -> None:
    grey = np.full((120, 160, 3), 90, np.uint8)
    node.detect(at(400), grey)
    for round_ in range(2):  # a listener that leaves, and one that comes back
        drawn = node.rig.listen("/fused/detections_image", Image)
        node.annotated_subscribers(1)
        got = keep_doing(
            lambda i, r=round_: node.send(at(1000 * (r + 1) + 10 * i), grey), drawn, lambda m: True
        )
        assert (got.width, got.height, got.encoding) == (160, 120, "rgb8")
        assert got.header.frame_id == "rgb_optical_frame"
        assert node.found.wait(lambda m, g=got: m.header == g.header).detections
        pixels = np.frombuffer(bytes(got.data), np.uint8)
        assert 0 < (pixels != 90).mean() < 1
        subscription = next(s for s in node.rig.probe.subscriptions if s.topic_name == drawn.topic)
        node.rig.probe.destroy_subscription(subscription)
        node.annotated_subscribers(0)
        count = drawn.mark()
        assert node.detect(at(5000 + round_), grey).detections
        assert drawn.mark() == count


def test_a_prompt_changes_the_filter_in_mid_stream(node: DetectorRig) -> None:
    diagnostics = node.rig.diagnostics()
    assert node.rig.set(classes_from_prompt=True).successful
    diagnostics.wait("classes", "no prompt has come on /textdifuse/prompt yet", level=WARN)
    assert set(classes_of(node.detect(at(6000)))) == set(NAMES.values())
    prompts = node.rig.wait_subscribed("/textdifuse/prompt", PromptState, LATCHED)

    def ask(text: str, *phrases: PromptPhrase) -> None:
        prompts.publish(PromptState(prompt=text, phrases=list(phrases)))
        diagnostics.wait("classes", prompt=text)

    def phrase(text: str, suppressed: bool = False) -> PromptPhrase:
        return PromptPhrase(text=text, weight=1.0, suppressed=suppressed, kind="object")

    ask("parked cars", phrase("parked cars"))
    assert set(classes_of(node.detect(at(6010)))) == {"car"}
    ask("pedestrians, smoke", phrase("pedestrians"), phrase("smoke"))
    assert set(classes_of(node.detect(at(6020)))) == {"person"}
    assert values_of(diagnostics.wait("classes", level=OK))["unmatched"] == "smoke"
    ask("warm objects", phrase("warm objects"))
    assert set(classes_of(node.detect(at(6030)))) == set(NAMES.values())
    diagnostics.wait("classes", "names no class of the model, so it filters nothing", level=WARN)
    ask("")
    diagnostics.wait("classes", "the prompt is empty", level=OK)
    assert set(classes_of(node.detect(at(6040)))) == set(NAMES.values())
    assert node.rig.set(classes_from_prompt=False).successful


def test_an_image_that_is_no_picture_is_explained_and_the_next_one_is_detected(node: DetectorRig) -> None:
    diagnostics = node.rig.diagnostics()
    before = int(values_of(diagnostics.wait("image"))["refused"])
    node.send(at(7000), np.full((48, 64), 30_000, np.uint16), "16UC1")
    refused = diagnostics.wait("image", "raw values with no agreed brightness", refused=str(before + 1))
    assert refused.level == bytes([WARN])
    assert values_of(refused)["encoding"] == "16UC1"
    assert node.detect(at(7010)).detections


def test_grey_images_are_pictures(node: DetectorRig) -> None:
    node.send(at(7100), np.full((48, 64), 90, np.uint8), "mono8")
    assert node.found.wait(lambda m: stamp_of(m) == at(7100)).detections


def test_rates_latencies_and_drops_are_values(node: DetectorRig) -> None:
    diagnostics = node.rig.diagnostics()
    for k in range(40):
        node.send(at(8000 + k))
    node.found.wait(lambda m: stamp_of(m) == at(8039))  # the newest one is never dropped
    arrived = sum(at(8000) <= stamp_of(m) <= at(8039) for m in node.found.messages)
    status = diagnostics.wait("output", "latency", level=OK)
    values = values_of(status)
    assert int(values["published"]) >= arrived
    assert 0 < float(values["model_ms_p50"]) <= float(values["total_ms_p95"])
    assert float(values["total_ms_p50"]) <= float(values["total_ms_p95"])
    received = int(values_of(diagnostics.wait("image"))["received"])
    counted = sum(int(values[f"dropped_{why}"]) for why in ("superseded", "invalid", "failed"))
    assert received == int(values["published"]) + counted


def test_a_real_model_finds_the_people(rig: Rig) -> None:
    if not (REAL.is_file() and PEOPLE.is_file()):
        pytest.skip(f"{REAL} and {PEOPLE} are not on this machine")
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    detector = DetectorRig(rig)
    detector.start(REAL, confidence=0.6)
    detector.ready()
    rgb = cv2.cvtColor(cv2.imread(str(PEOPLE)), cv2.COLOR_BGR2RGB)
    message = detector.detect(at(0), rgb)
    assert classes_of(message) == ["person"] * 4
    for one in message.detections:
        assert one.bbox.size_y > one.bbox.size_x > 40  # upright people of about 250 pixels
