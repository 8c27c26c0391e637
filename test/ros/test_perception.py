"""Fusion and detection in one process: as if they were apart, and the image never leaves the process."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path

import numpy as np
import pytest

if importlib.util.find_spec("ultralytics") is None:
    pytest.skip("ultralytics is not installed: requirements-detector.txt", allow_module_level=True)
pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for: make setup")

from detector_rig import IMAGES, classes_of, picture
from diagnostic_msgs.msg import DiagnosticArray
from harness import LATCHED, Rig
from perception_rig import DETECTOR, FUSION, PerceptionRig, contents
from pictures import at, image, rgb_array, stamp_of
from sensor_msgs.msg import Image
from tiny_models import NAMES, SIDE, tiny_detector
from vision_msgs.msg import Detection2DArray
from waiting import DiagnosticsView, keep_doing, until, values_of

from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.text.sentence import PACKAGE

pytestmark = pytest.mark.ros

OK, WARN, ERROR, STALE = 0, 1, 2, 3
needs_encoder = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason="needs requirements-words.txt"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_detector(tmp_path_factory.mktemp("model") / "tiny.pt")


@pytest.fixture(scope="module")
def both(shared_rig: Rig, model: Path) -> PerceptionRig:
    """Both nodes, active; every test leaves their parameters and states as they were."""
    rig = PerceptionRig(shared_rig)
    rig.start(model)
    return rig.ready()


# -- one process, for tests that leave it as it was --------------------


def test_both_nodes_answer_under_their_names_with_parameters_of_their_own(both: PerceptionRig) -> None:
    with both.node(FUSION) as fusion:
        assert (fusion.state(), fusion.get("steps")) == ("active", 1)
        assert fusion.set(threads=1).successful
    with both.node(DETECTOR) as detector:
        assert (detector.state(), detector.get("image_size")) == ("active", SIDE)
        assert detector.set(confidence=0.5).successful and detector.set(confidence=0.25).successful
        assert not detector.set(confidence=1.5).successful


def test_detections_come_under_the_fused_images_header_and_nothing_subscribes_to_it(
    both: PerceptionRig,
) -> None:
    message = both.detect(at(100))
    assert message.header.frame_id == "rgb_optical_frame"
    assert message.detections and all(one.header == message.header for one in message.detections)
    assert both.rig.probe.get_subscriptions_info_by_topic(IMAGES) == []
    status = both.detector.wait("image", "handed over by /textdifuse in this process", level=OK)
    assert values_of(status)["handed_over_by"] == FUSION
    assert int(values_of(status)["received"]) >= 1


def test_the_fused_image_is_still_published_for_whoever_listens(both: PerceptionRig) -> None:
    both.detect(at(200))  # while nobody listens
    fused = both.rig.listen(IMAGES, Image)
    both.fusion.wait("output", subscribers="1")
    found = both.detect(at(240))
    assert fused.wait(lambda m: stamp_of(m) == at(240)).header == found.header


def test_the_detector_is_deactivated_and_activated_by_itself(both: PerceptionRig) -> None:
    status = both.rig.listen("/textdifuse/status", FusionStatus)
    with both.node(DETECTOR) as detector:
        assert detector.change_state("deactivate")
        both.detector.wait("image", "no images are taken", level=STALE)
        before = both.found.mark()
        both.cameras.pair(at(300))
        status.wait(lambda m: stamp_of(m) == at(300))  # fusion goes on
        assert detector.change_state("activate")
        both.detector.wait("image", "waiting for the first image", level=OK)
    assert both.found.mark() == before  # what was fused meanwhile was not kept
    assert both.detect(at(340)).detections


def test_the_fusion_is_deactivated_and_activated_by_itself(both: PerceptionRig) -> None:
    with both.node(DETECTOR) as detector:
        assert detector.set(loss_timeout=0.3).successful
    with both.node(FUSION) as fusion:
        assert fusion.change_state("deactivate")
        silent = both.detector.wait("image", "by /textdifuse in this process for ", level=ERROR)
        assert "it is not active" in silent.message and values_of(silent)["publishers"] == "0"
        assert fusion.change_state("activate")
    both.cameras.ready()
    with both.node(DETECTOR) as detector:
        assert detector.set(loss_timeout=60.0).successful
        assert detector.state() == "active"
    assert both.detect(at(440)).detections


@needs_encoder
def test_a_prompt_that_changes_the_filter_in_mid_stream(both: PerceptionRig) -> None:
    with both.node(DETECTOR) as detector:
        assert detector.set(classes_from_prompt=True).successful
    for k, (prompt, names) in enumerate(
        (("pedestrians", {"person"}), ("parked cars", {"car"}), ("", set(NAMES.values())))
    ):
        with both.node(FUSION) as fusion:
            assert fusion.set(prompt=prompt).successful
        both.detector.wait("classes", prompt=prompt)
        assert set(classes_of(both.detect(at(500 + 40 * k)))) == names
    with both.node(DETECTOR) as detector:
        assert detector.set(classes_from_prompt=False).successful


@needs_encoder
def test_boxes_sharpen_the_relevance_of_the_images_that_follow(both: PerceptionRig) -> None:
    salience = both.rig.listen("/fused/salience", Image)
    topic = "/fused/detections"

    def listeners() -> list[str]:
        return [info.node_name for info in both.rig.probe.get_subscriptions_info_by_topic(topic)]

    def relevance(stamp: int) -> float:
        message = salience.wait(lambda m: stamp_of(m) == stamp)
        return float(np.frombuffer(bytes(message.data), np.uint8).mean())

    with both.node(FUSION) as fusion:
        assert fusion.set(prompt="pedestrians").successful
    until(lambda: both.rig.probe.count_subscribers("/fused/salience") == 1, "the listener to be known")
    keep_doing(lambda i: both.cameras.pair(at(700 + 10 * i)), salience, lambda m: True)
    both.detect(at(3000))
    plain = relevance(at(3000))
    assert "textdifuse" not in listeners()
    with both.node(FUSION) as fusion:
        assert fusion.set(boxes_sharpen=1.0).successful
    until(lambda: "textdifuse" in listeners(), "the fusion to listen")
    stamps = iter(range(4000, 100_000, 20))
    used = keep_doing(
        lambda _: both.cameras.pair(at(next(stamps))),
        both.fusion.collector,
        lambda array: any(
            pair.key == "boxes" and " used, " in pair.value for one in array.status for pair in one.values
        ),
    )
    assert used.status
    both.detect(last := at(next(stamps)))
    assert relevance(last) > plain + 100  # the model finds persons everywhere
    with both.node(FUSION) as fusion:
        assert fusion.set_atomically({"boxes_sharpen": 0.0, "prompt": ""}).successful
    until(lambda: "textdifuse" not in listeners(), "the fusion to listen no more")


def test_a_camera_that_dies_leaves_the_detector_with_the_image_that_goes_through(
    both: PerceptionRig,
) -> None:
    fused = both.rig.listen(IMAGES, Image)
    with both.node(FUSION) as fusion:
        assert fusion.set(loss_timeout=0.2).successful
    rgb = rgb_array(7)

    def only_rgb(index: int) -> None:
        both.cameras.rgb(at(200_000 + 30 * index), rgb)

    passed = keep_doing(only_rgb, both.found, lambda m: stamp_of(m) >= at(200_000))
    shown = fused.wait(lambda m: stamp_of(m) == stamp_of(passed))
    assert passed.header == shown.header and bytes(shown.data) == rgb.tobytes()
    with both.node(FUSION) as fusion:
        assert fusion.set(loss_timeout=60.0).successful
    recovered = keep_doing(
        lambda i: both.cameras.pair(at(300_000 + 30 * i)), both.found, lambda m: stamp_of(m) >= at(300_000)
    )
    assert recovered.detections


# -- processes of their own --------------------


def test_it_finds_what_a_detector_of_its_own_finds_in_the_published_image(rig: Rig, model: Path) -> None:
    model = tiny_detector(model.with_name("seeing.pt"), gain=3e4)
    both = PerceptionRig(rig)
    both.start(model)
    both.ready()
    apart = rig.listen("/apart/detections", Detection2DArray)
    reliable = f"qos_overrides.{IMAGES}.subscription.reliability"
    rules = ("__node:=apart", "fused/detections:=/apart/detections", "fused/detections_image:=/apart/image")
    rig.start(
        {"model": str(model), "device": "cpu", "image_size": SIDE, reliable: "reliable"},
        *(word for rule in rules for word in ("-r", rule)),
        module="textdifuse_ros.nodes.detector_node",
    )
    outside_view = DiagnosticsView(rig.listen("/diagnostics", DiagnosticArray), "/apart")
    outside_view.wait("image", publishers="1")
    outside_view.wait("output", subscribers="1")
    both.fusion.wait("output", subscribers="1")
    seen = set()
    for k, encoding in enumerate(("rgb8", "bgr8", "mono8")):
        with both.node(FUSION) as fusion:
            assert fusion.set(output_encoding=encoding, prompt="warm objects").successful
        for stamp in (at(80 * k), at(80 * k + 40)):
            inside = both.detect(stamp)
            outside = apart.wait(lambda m, stamp=stamp: stamp_of(m) == stamp)
            assert inside.header == outside.header
            assert contents(inside) == contents(outside) != []
            seen.add(tuple(contents(inside)))
    assert len(seen) == 6  # other images, other boxes
    assert [info.node_name for info in rig.probe.get_subscriptions_info_by_topic(IMAGES)] == ["apart"]


def test_a_detector_whose_input_is_remapped_subscribes_as_usual(rig: Rig, model: Path) -> None:
    both = PerceptionRig(rig)
    reliable = ("-p", "fused_detector:qos_overrides./other.subscription.reliability:=reliable")
    both.start(model, "-r", "fused_detector:fused/image_raw:=/other", *reliable)
    other = rig.wait_subscribed("/other", Image)
    both.ready()
    both.cameras.pair(at(0))
    other.publish(image(picture(3), "rgb8", at(777), "another_camera"))
    message = both.found.wait(lambda m: True)
    assert (stamp_of(message), message.header.frame_id) == (at(777), "another_camera")
    assert values_of(both.detector.wait("image", topic="/other"))["handed_over_by"] == ""


def test_a_fusion_whose_output_is_remapped_takes_the_detector_along_only_with_its_topic(
    rig: Rig, model: Path
) -> None:
    both = PerceptionRig(rig)
    both.start(
        model, "-r", "textdifuse:fused/image_raw:=/night", "-r", "fused_detector:fused/image_raw:=/night"
    )
    both.ready()
    assert both.detect(at(0)).detections
    assert values_of(both.detector.wait("image", topic="/night"))["handed_over_by"] == FUSION


def test_a_model_that_cannot_be_had_leaves_the_fusion_alone_and_can_be_mended(rig: Rig, model: Path) -> None:
    both = PerceptionRig(rig)
    fused = rig.listen(IMAGES, Image)
    process = both.start(Path("/nowhere/at_all.pt"))
    both.detector.wait("model", "at_all.pt: no such file", level=ERROR)
    both.cameras.ready()
    both.cameras.pair(at(0))
    fused.wait(lambda m: stamp_of(m) == at(0))
    with both.node(DETECTOR) as detector:
        assert detector.state() == "unconfigured"
        assert detector.set(model=str(model)).successful
        assert detector.change_state("configure") and detector.change_state("activate")
    both.ready()
    assert both.detect(at(40)).detections
    assert "Traceback" not in process.output()


def test_a_fusion_that_cannot_be_had_leaves_the_detector_alone(rig: Rig, model: Path) -> None:
    both = PerceptionRig(rig)
    both.start(model, "-p", "textdifuse:weights:=/nowhere.safetensors", loss_timeout=0.2)
    both.fusion.wait("model", "nowhere.safetensors", level=ERROR)
    both.detector.wait("model", "ready", level=OK)
    rig.publisher(IMAGES, Image)
    silent = both.detector.wait("image", "has another publisher, which is not listened to", level=ERROR)
    assert "no image handed over by /textdifuse in this process yet: it is not active" in silent.message


def test_an_image_for_those_who_come_later_is_kept_though_nobody_listens(rig: Rig, model: Path) -> None:
    both = PerceptionRig(rig)
    both.start(model, "-p", f"textdifuse:qos_overrides.{IMAGES}.publisher.durability:=transient_local")
    both.ready().detect(at(0))
    late = rig.listen(IMAGES, Image, LATCHED)
    assert stamp_of(late.wait(lambda m: True)) == at(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_while_it_works(rig: Rig, model: Path, number: int) -> None:
    both = PerceptionRig(rig)
    process = both.start(model)
    both.ready()
    keep_doing(lambda i: both.cameras.pair(at(20 * i)), both.found, lambda m: True)
    assert process.stop(number) == 0
    assert "Traceback" not in process.output()


def test_a_signal_ends_it_while_both_models_load(rig: Rig, model: Path) -> None:
    process = PerceptionRig(rig).start(model)
    until(process.handles_sigterm, "the handlers")
    assert process.stop(signal.SIGTERM) == 0
    assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-p", "fused_detector:confidence:=2.0"), "fused_detector: confidence"),
        (("-p", "textdifuse:steps:=3"), "textdifuse: steps"),
        (("-r", "__node:=front"), "both nodes are called /front"),
        (("--", "fusion"), "'fusion' is for neither node"),
    ],
)
def test_what_is_refused_at_start_is_said_in_one_line_that_names_the_node(
    rig: Rig, model: Path, words: tuple[str, ...], said: str
) -> None:
    process = PerceptionRig(rig).start(model, *words)
    rig.processes.remove(process)  # it must not end with 0
    assert process.wait() == 2
    # rcl may warn of two nodes of one name before that
    assert process.output().strip().splitlines()[-1].startswith(f"perception: refused to start: {said}")
    assert "Traceback" not in process.output()
