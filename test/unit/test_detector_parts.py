"""The parts of the detector node that decide something, without ROS."""

from __future__ import annotations

import importlib.util
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textdifuse_ros.detection.detections import Detections, DetectorError, Wanted
from textdifuse_ros.imaging.encodings import ImageError, fill_image
from textdifuse_ros.nodes import detector_health, reference
from textdifuse_ros.nodes.class_filter import ALL, PARAMETER, PROMPT, Chosen, ClassFilter
from textdifuse_ros.nodes.detector_health import DetectionFacts, ImageFacts
from textdifuse_ros.nodes.detector_parameters import DETECTOR_PARAMETERS, MODEL_KEYS, DetectorSettings
from textdifuse_ros.nodes.detector_session import IMAGE, DetectorSession, to_picture
from textdifuse_ros.nodes.health import ERROR, OK, STALE, WARN, Report
from textdifuse_ros.nodes.latest import Latest
from textdifuse_ros.nodes.parameter_spec import ParameterError
from textdifuse_ros.nodes.tally import MODEL

NAMES = {0: "person", 1: "car", 2: "bus"}
WAIT = 20.0

# -- the table --------------------


def test_every_default_of_the_detectors_table_is_allowed_and_explained() -> None:
    assert DetectorSettings().changed(dict(DetectorSettings())) == DetectorSettings()
    for spec in DETECTOR_PARAMETERS:
        assert spec.description.endswith("."), spec.name
    assert set(MODEL_KEYS) <= set(DetectorSettings())


def test_a_device_that_is_none_is_refused_for_the_detector_too() -> None:
    with pytest.raises(ParameterError, match="cuda:N"):
        DetectorSettings().changed({"device": "gpu"})


def test_the_two_nodes_tables_are_written_down_apart() -> None:
    assert "fused_detector" in reference.yaml_text("detector")
    assert "pairing.max_dt" not in reference.markdown("detector")
    assert "classes_from_prompt" not in reference.markdown()


def test_without_vision_msgs_the_node_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from textdifuse_ros.nodes.detector_node import make_node
    from textdifuse_ros.nodes.node_main import StartRefused

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StartRefused, match=r"apt install ros-\$ROS_DISTRO-vision-msgs"):
        make_node()


# -- the newest image --------------------


def test_a_newer_item_takes_the_place_of_one_that_waits() -> None:
    box: Latest[int] = Latest()
    for item in range(5):
        box.put(item)
    assert box.take() == 4
    assert box.superseded == 4
    box.put(7)
    box.close()
    assert box.take() is None


# -- the class filter --------------------


def phrase(text: str, weight: float = 1.0, suppressed: bool = False, kind: str = "object") -> Any:
    return SimpleNamespace(text=text, weight=weight, suppressed=suppressed, kind=kind)


def prompt(text: str, *phrases: Any) -> Any:
    return SimpleNamespace(prompt=text, phrases=phrases)


@pytest.fixture
def linked() -> ClassFilter:
    """A filter that follows the prompt and knows the model."""
    classes = ClassFilter()
    classes.apply(DetectorSettings().changed({"classes_from_prompt": True}), {"classes_from_prompt"})
    classes.learn(NAMES)
    return classes


def test_without_anything_set_all_classes_are_reported() -> None:
    classes = ClassFilter()
    classes.learn(NAMES)
    assert classes.current == Chosen((), ALL)


def test_names_are_refused_live_once_the_model_is_known() -> None:
    classes, wrong = ClassFilter(), DetectorSettings().changed({"classes": "person, lorry"})
    classes.vet(wrong, {"classes"})  # nothing is known yet
    classes.learn(NAMES)
    with pytest.raises(ParameterError, match="classes: 'lorry' is not a class of this model"):
        classes.vet(wrong, {"classes"})
    right = DetectorSettings().changed({"classes": "car"})
    classes.vet(right, {"classes"})
    classes.apply(right, {"classes"})
    assert classes.current == Chosen((1,), PARAMETER)


def test_names_that_the_loaded_model_does_not_have_are_reported_and_nothing_is_known_then() -> None:
    classes = ClassFilter()
    classes.apply(DetectorSettings().changed({"classes": "unicorn"}), {"classes"})
    with pytest.raises(DetectorError, match="unicorn"):
        classes.learn(NAMES)
    assert classes.names == {}
    classes.apply(DetectorSettings().changed({"classes": "bus"}), {"classes"})
    classes.learn(NAMES)
    assert classes.current.indices == (2,)


def test_names_are_not_held_against_the_old_model_when_another_one_is_chosen_with_them() -> None:
    classes = ClassFilter()
    classes.learn(NAMES)
    both = DetectorSettings().changed({"model": "animals.pt", "classes": "dog"})
    classes.vet(both, {"model", "classes"})
    same = DetectorSettings().changed({"model": "shipped", "classes": "dog"})
    with pytest.raises(ParameterError, match="'dog' is not a class"):
        classes.vet(same, {"model", "classes"})


@pytest.mark.parametrize(("key", "value"), [("model", "animals.pt"), ("image_size", 320)])
def test_the_names_of_a_model_are_forgotten_when_another_one_is_chosen(key: str, value: Any) -> None:
    classes = ClassFilter()
    classes.learn(NAMES)
    classes.apply(DetectorSettings().changed({"classes": "car"}), {"classes"})
    other = DetectorSettings().changed({key: value, "classes": "car"})
    classes.apply(other, {key})
    assert classes.names == {} and classes.current == Chosen()
    dogs = other.changed({"classes": "dog"})
    classes.vet(dogs, {"classes"})
    classes.apply(dogs, {"classes"})
    classes.learn({0: "cat", 1: "dog"})
    assert classes.current == Chosen((1,), PARAMETER)


def test_what_is_forgotten_at_the_end_of_an_activation_is_the_model_and_the_prompt(
    linked: ClassFilter,
) -> None:
    linked.hear(prompt("people", phrase("people")))
    linked.forget()
    assert linked.names == {}
    linked.learn(NAMES)
    assert linked.current == Chosen((), ALL)


def test_the_prompt_sets_the_filter_and_an_empty_one_lifts_it(linked: ClassFilter) -> None:
    linked.hear(prompt("people, no buses", phrase("people"), phrase("buses", suppressed=True)))
    assert linked.current == Chosen((0,), PROMPT, "people, no buses")
    linked.hear(prompt("vehicles, no buses", phrase("vehicles"), phrase("buses", suppressed=True)))
    assert linked.current.indices == (1,)
    linked.hear(prompt(""))
    assert linked.current == Chosen((), ALL, "")


@pytest.mark.parametrize(
    "phrases",
    [
        (phrase("warm objects"),),
        (phrase("people", weight=0.0),),
        (phrase("remove the noise", kind="restoration"),),
        (phrase("cars", suppressed=True),),  # what shall stay calm must not hide the rest
    ],
)
def test_a_prompt_that_asks_for_no_class_filters_nothing(linked: ClassFilter, phrases: Any) -> None:
    linked.hear(prompt("something", *phrases))
    assert (linked.current.indices, linked.current.source) == ((), ALL)


def test_the_parameter_holds_while_the_prompt_names_no_class(linked: ClassFilter) -> None:
    settings = DetectorSettings().changed({"classes": "car", "classes_from_prompt": True})
    linked.apply(settings, {"classes"})
    linked.hear(prompt("warm objects", phrase("warm objects")))
    assert linked.current == Chosen((1,), PARAMETER, "warm objects", ("warm objects",))
    linked.hear(prompt("people", phrase("people")))
    assert linked.current.source == PROMPT


def test_without_the_link_a_prompt_changes_nothing() -> None:
    classes = ClassFilter()
    classes.learn(NAMES)
    classes.hear(prompt("people", phrase("people")))
    assert classes.current == Chosen((), ALL)
    classes.apply(DetectorSettings().changed({"classes_from_prompt": True}), {"classes_from_prompt"})
    assert classes.current.indices == (0,)  # the latest prompt counts from here on


# -- one activation --------------------


def message(encoding: str = "rgb8", stamp: int = 0) -> Any:
    image = SimpleNamespace(header=SimpleNamespace(stamp=stamp, frame_id="camera"))
    fill_image(image, np.full((16, 16, 3), 50, np.uint8), "rgb8")
    image.encoding = encoding
    return image


class SlowDetector:
    """Finds one person in each image, when it is let."""

    names, device, engine, dtype, weights_id = NAMES, "cpu", "test", "fp32", "none"

    def __init__(self) -> None:
        self.go, self.began = threading.Semaphore(0), threading.Semaphore(0)
        self.asked: list[Wanted] = []
        self.fail = False

    def detect(self, rgb: np.ndarray, wanted: Wanted, on_device: Any = None) -> Detections:
        self.began.release()
        assert self.go.acquire(timeout=WAIT)
        self.asked.append(wanted)
        if self.fail:
            raise RuntimeError("CUDA error:\n out of memory")
        return Detections(np.zeros((1, 4), np.float32), np.zeros(1, np.int64), np.ones(1, np.float32))

    def enter_thread(self) -> None: ...

    def close(self) -> None: ...


class Run:
    """A session with such a detector, and what came out of it."""

    def __init__(self) -> None:
        self.detector, self.wanted = SlowDetector(), Wanted()
        self.stamps: list[int] = []
        self.drops: list[str] = []
        self.out = threading.Semaphore(0)
        self.session = DetectorSession(self.detector, lambda: self.wanted, self._publish, self._drop)

    def _publish(self, image: Any, picture: np.ndarray, found: Detections) -> float:
        self.stamps.append(image.header.stamp)
        self.out.release()
        return 5.0

    def _drop(self, drop: Any) -> None:
        self.drops.append(drop.text)
        self.out.release()


@pytest.fixture
def run():  # type: ignore[no-untyped-def]
    running = Run()
    yield running
    running.detector.go.release(20)
    assert running.session.stop(WAIT)


def test_the_worker_takes_the_newest_image_and_counts_those_it_skipped(run: Run) -> None:
    run.session.receive(message(stamp=0))
    assert run.detector.began.acquire(timeout=WAIT)
    for stamp in range(1, 6):
        run.session.receive(message(stamp=stamp))
    run.wanted = Wanted(confidence=0.9)
    run.detector.go.release(2)
    assert run.out.acquire(timeout=WAIT) and run.out.acquire(timeout=WAIT)
    assert run.stamps == [0, 5]
    assert run.session.images.superseded == 4
    # taken over between two images
    assert [wanted.confidence for wanted in run.detector.asked] == [0.25, 0.9]


def test_an_image_that_is_no_picture_is_explained_and_the_next_one_works(run: Run) -> None:
    run.session.receive(message("16UC1"))
    assert run.out.acquire(timeout=WAIT)
    assert "raw values with no agreed brightness" in run.drops[0]
    assert run.session.refused_since is not None
    run.detector.go.release()
    run.session.receive(message())
    assert run.out.acquire(timeout=WAIT)
    assert run.session.tally.by_cause(IMAGE) == {"encoding": 1}
    assert run.session.refused_since is None


def test_a_model_that_fails_costs_one_image(run: Run) -> None:
    run.detector.fail = True
    run.detector.go.release()
    run.session.receive(message())
    assert run.out.acquire(timeout=WAIT)
    assert run.drops == ["the model failed on an image: CUDA error: out of memory"]
    run.detector.fail = False
    run.detector.go.release()
    run.session.receive(message(stamp=1))
    assert run.out.acquire(timeout=WAIT)
    assert run.stamps == [1] and run.session.tally.total(MODEL) == 1


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_raw_values_are_refused_with_what_to_remap(encoding: str) -> None:
    with pytest.raises(ImageError, match="remap fused/image_raw"):
        to_picture(message(encoding))


# -- the sentences --------------------


def image(**facts: Any) -> Report:
    return detector_health.image_report(ImageFacts("/fused/image_raw", **{"active": True, **facts}))


def test_silence_on_the_input_is_explained() -> None:
    assert image(active=False).level == STALE
    assert image().message == "waiting for the first image on /fused/image_raw"
    never = image(silent_for=3.0, hint="check the topic name")
    assert never.level == ERROR
    assert never.message == "no image on /fused/image_raw yet: 0 publishers; check the topic name"
    gone = image(silent_for=3.0, received=9, publishers=1, hint="it is there but sends nothing")
    assert "for 3.0 s: 1 publisher; it is there" in gone.message
    conflict = image(silent_for=3.0, incompatible="incompatible QoS with a publisher")
    assert (conflict.level, conflict.cause) == (ERROR, "incompatible_qos")


def test_refused_images_are_a_warning_and_an_error_when_no_other_come() -> None:
    facts = {"received": 4, "latest_refusal": "the images are '16UC1'", "refused": {"encoding": 3}}
    assert image(**facts).level == WARN
    only = image(**facts, refused_for=2.0)
    assert only.level == ERROR and "no usable image for 2.0 s: the images are" in only.message
    assert only.values["refused_encoding"] == "3"
    assert image(received=4, rate=9.9).message == "9.9 Hz"


def output(*why: Report, **facts: Any) -> Report:
    return detector_health.detections_report(
        DetectionFacts("/fused/detections", **{"active": True, **facts}), why
    )


def test_silence_on_the_output_names_every_cause() -> None:
    loading = Report(WARN, "model loading for 4 s")
    assert output(loading, silent_for=4.0).message == (
        "nothing has been published for 4.0 s: model loading for 4 s"
    )
    assert "the model has been at one image for 7.0 s" in output(silent_for=9.0, busy_for=7.0).message
    assert "out of memory" in output(silent_for=9.0, latest_failure="out of memory").message
    assert output(active=False, trouble="configure failed: x").level == ERROR
    assert output(active=False).level == STALE


def test_a_working_detector_says_rate_latency_and_count() -> None:
    report = output(published=5, rate=10.0, total_p50=41.2, total_p95=55.0, latest_count=3, superseded=2)
    assert (report.level, report.message) == (OK, "10.0 Hz, latency 41 ms (p95 55 ms), 3 in the latest image")
    assert report.values["dropped_superseded"] == "2"


@pytest.mark.parametrize(
    ("chosen", "link", "level", "words"),
    [
        (Chosen(), False, OK, "all 3 classes"),
        (Chosen((1,), PARAMETER), False, OK, "car"),
        (Chosen(), True, WARN, "no prompt has come on /textdifuse/prompt yet"),
        (Chosen((), ALL, ""), True, OK, "the prompt is empty"),
        (Chosen((), ALL, "hot spots", ("hot spots",)), True, WARN, "names no class of the model"),
        (Chosen((0,), PROMPT, "people, smoke", ("smoke",)), True, OK, "(no class for smoke)"),
    ],
)
def test_the_filter_says_where_it_comes_from(chosen: Chosen, link: bool, level: int, words: str) -> None:
    report = detector_health.classes_report(chosen, NAMES, link, "/textdifuse/prompt")
    assert report.level == level and words in report.message
