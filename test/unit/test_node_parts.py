"""The ROS-free parts of the fusion node: loss, stamps, CameraInfo, meters, mailbox, model holder, words."""

from __future__ import annotations

import copy
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from textdifuse_ros import fuser
from textdifuse_ros.imaging.evidence import FAULTS
from textdifuse_ros.imaging.repair import VEIL
from textdifuse_ros.imaging.thermal_evidence import FAULTS as THERMAL_FAULTS
from textdifuse_ros.nodes import camera_info, health, pipeline
from textdifuse_ros.nodes.frames import Frame
from textdifuse_ros.nodes.loss import RGB, THERMAL, Action, Loss, LossMonitor, action_for
from textdifuse_ros.nodes.mailbox import Mailbox
from textdifuse_ros.nodes.meters import CauseLog, RateMeter, Window, percentile
from textdifuse_ros.nodes.model_holder import FAILED, NONE, READY, ModelHolder
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.stamps import StampGuard, stamp_ns

S = 1_000_000_000


# -- loss


@pytest.mark.parametrize(
    ("lost", "thermal_policy", "rgb_policy", "action"),
    [
        (set(), "stop", "stop", Action.FUSE),
        ({THERMAL}, "pass", "stop", Action.PASS_RGB),
        ({RGB}, "stop", "pass", Action.PASS_THERMAL),
        ({THERMAL}, "hold", "pass", Action.HOLD),
        ({RGB}, "pass", "stop", Action.NOTHING),
        ({RGB, THERMAL}, "pass", "pass", Action.NOTHING),
    ],
)
def test_policy(lost: set[str], thermal_policy: str, rgb_policy: str, action: Action) -> None:
    assert action_for(lost, thermal_policy, rgb_policy) is action


def test_a_camera_is_lost_after_the_time_out_and_back_with_its_next_image() -> None:
    monitor = LossMonitor(1.0, now=100.0)
    for t in (100.0, 100.5):
        monitor.arrived(RGB, t)
        monitor.arrived(THERMAL, t)
    monitor.arrived(RGB, 101.4)
    assert monitor.loss(THERMAL, 101.5) is None
    lost = monitor.loss(THERMAL, 101.6)
    assert lost is not None
    assert (lost.kind, round(lost.seconds, 1)) == ("silent", 1.1)
    assert monitor.action(101.6, "pass", "pass") is Action.PASS_RGB
    monitor.arrived(THERMAL, 101.7)
    assert monitor.action(101.7, "pass", "pass") is Action.FUSE


def test_a_camera_that_never_came_is_lost_after_the_time_out() -> None:
    monitor = LossMonitor(1.0, now=0.0)
    monitor.arrived(RGB, 0.9)
    assert monitor.loss(THERMAL, 0.9) is None
    lost = monitor.loss(THERMAL, 1.1)
    assert lost is not None and lost.kind == "never"


def test_a_camera_whose_images_are_refused_is_lost_although_they_arrive() -> None:
    monitor = LossMonitor(1.0, now=0.0)
    monitor.arrived(THERMAL, 0.0)
    for tenth in range(1, 15):
        monitor.refused(THERMAL, "no finite value")
        monitor.arrived(THERMAL, tenth / 10)
    lost = monitor.loss(THERMAL, 1.4)
    assert lost is not None
    assert (lost.kind, lost.detail) == ("unusable", "no finite value")
    assert not monitor.goes_alone(RGB, 1.4)
    monitor.used(THERMAL, 1.4)
    assert monitor.loss(THERMAL, 1.4) is None


def test_stale_images_count_for_nothing_but_say_why() -> None:
    monitor = LossMonitor(1.0, now=0.0)
    monitor.arrived(RGB, 0.0)
    monitor.stale(RGB, "its stamp stands still")
    assert monitor.loss(RGB, 0.9) is None
    lost = monitor.loss(RGB, 1.1)
    assert lost is not None and (lost.kind, lost.detail) == ("unusable", "its stamp stands still")
    assert monitor.goes_alone(THERMAL, 1.1)
    monitor.arrived(RGB, 1.2)
    assert monitor.loss(RGB, 1.2) is None


def test_a_frozen_camera_is_lost_at_once_and_back_when_it_moves() -> None:
    monitor = LossMonitor(1.0, now=0.0)
    monitor.arrived(THERMAL, 0.0)
    monitor.frozen(THERMAL, True, 0.2)
    lost = monitor.loss(THERMAL, 0.5)
    assert lost is not None and lost.kind == "frozen" and lost.seconds == pytest.approx(0.3)
    monitor.frozen(THERMAL, False, 0.6)
    assert monitor.loss(THERMAL, 0.6) is None


# -- stamps


def test_one_wild_stamp_is_refused_and_the_next_good_one_believed() -> None:
    guard = StampGuard()
    assert guard.check(1000 * S, 0.0) == ""
    assert "ahead" in guard.check(5000 * S, 0.03)
    assert guard.check(1000 * S + S // 30, 0.07) == ""
    assert "back" in guard.check(5 * S, 0.1)
    assert guard.check(1000 * S + S // 10, 0.1) == ""


@pytest.mark.parametrize("to", [5000 * S, 10 * S], ids=["ahead", "back"])
def test_a_jump_that_the_next_image_confirms_is_followed(to: int) -> None:
    guard = StampGuard()
    assert guard.check(1000 * S, 0.0) == ""
    assert guard.check(to, 0.03) != ""
    assert guard.check(to + S // 30, 0.07) == ""
    assert guard.check(to + S // 15, 0.1) == ""


def test_a_pause_is_no_jump() -> None:
    guard = StampGuard()
    assert guard.check(1000 * S, 0.0) == ""
    assert guard.check(4600 * S, 3600.0) == ""


def test_going_on_from_a_stamp_that_stood_still_is_no_jump() -> None:
    guard = StampGuard()
    for k in range(61):
        assert guard.check(1000 * S, float(k)) == ""
    assert guard.check(1061 * S, 61.0) == ""


@pytest.mark.parametrize(("sec", "nanosec"), [(0, 0), (-1, 5), (3, 1_000_000_000)])
def test_stamps_that_mean_nothing(sec: int, nanosec: int) -> None:
    with pytest.raises(ValueError, match="stamp"):
        stamp_ns(sec, nanosec)


def test_a_stamp_in_nanoseconds() -> None:
    assert stamp_ns(7, 5) == 7 * S + 5


# -- CameraInfo


def info(width: int = 640, height: int = 480, **changes: Any) -> Any:
    base = SimpleNamespace(
        header="old",
        width=width,
        height=height,
        k=[500.0, 0, 320, 0, 510, 240, 0, 0, 1],
        p=[500.0, 0, 320, 7, 0, 510, 240, 3, 0, 0, 1, 0],
        d=[0.1],
        binning_x=0,
        binning_y=0,
        roi=SimpleNamespace(width=0, height=0),
    )
    base.__dict__.update(changes)
    return base


def test_camera_info_of_the_same_size_is_untouched_but_for_the_header() -> None:
    original = info()
    before = copy.deepcopy(original.__dict__)
    out = camera_info.for_image(original, "new", 640, 480)
    assert out.header == "new"
    assert {**out.__dict__, "header": "old"} == before == original.__dict__


def test_camera_info_is_scaled_to_the_image() -> None:
    out = camera_info.for_image(info(), "new", 320, 120)
    assert (out.width, out.height) == (320, 120)
    assert out.k == [250, 0, 160, 0, 127.5, 60, 0, 0, 1]
    assert out.p == [250, 0, 160, 3.5, 0, 127.5, 60, 0.75, 0, 0, 1, 0]


def test_camera_info_of_a_binned_or_cropped_image_is_already_right() -> None:
    binned = info(1280, 960, binning_x=2, binning_y=2)
    assert camera_info.for_image(binned, "new", 640, 480).k == binned.k
    telemetry = info(640, 514)
    out = camera_info.for_image(telemetry, "new", 640, 512)
    assert (out.height, out.k) == (512, telemetry.k)


# -- meters


def test_a_rate_falls_off_when_nothing_comes() -> None:
    meter = RateMeter(window=5.0)
    for k in range(31):
        meter.tick(k / 10)
    assert meter.rate(3.0) == pytest.approx(10.0)
    assert meter.rate(5.0) == pytest.approx(1.0)
    assert meter.rate(20.0) == 0.0
    assert meter.total == 31


def test_percentiles() -> None:
    window = Window(100)
    for value in range(1, 201):
        window.add(value)
    assert (window.p50(), window.p95()) == (151, 196)  # the latest hundred
    assert percentile([], 0.5) != percentile([], 0.5)  # NaN


def test_a_cause_is_said_when_it_comes_and_when_it_goes() -> None:
    said: list[str] = []
    log = CauseLog(lambda m: said.append("W " + m), lambda m: said.append("I " + m), quiet=10.0)
    for t in range(5):
        log.raised("lost", "lost", t)
    log.cleared("lost", "back", 5.0)
    log.cleared("lost", "back", 6.0)
    assert said == ["W lost", "I back"]
    for t in range(7, 13):  # it flickers
        log.raised("lost", "lost", t)
        log.cleared("lost", "back", t + 0.5)
    assert said == ["W lost", "I back"]
    for t in range(30, 33):
        log.raised("lost", "lost", t)
    assert said == ["W lost", "I back", "W lost"]


# -- mailbox


def frame(camera: str, stamp_ms: int) -> Frame:
    return Frame(camera, f"{camera}{stamp_ms}", stamp_ms * 1_000_000, 0.0)


def test_never_more_than_one_pair_waits_and_the_newest_wins() -> None:
    mailbox = Mailbox(Settings())
    for k in range(1, 6):
        mailbox.put(frame(RGB, 100 * k))
        mailbox.put(frame(THERMAL, 100 * k))
    assert mailbox.view().waiting == 1
    job = mailbox.take()
    assert job is not None and job.rgb is not None
    assert job.rgb.message == "rgb500"
    assert mailbox.view().counters["superseded"] == 4


def test_a_pair_takes_the_place_of_a_single_image() -> None:
    mailbox = Mailbox(Settings())
    mailbox.put_single(frame(RGB, 100))
    mailbox.put_single(frame(RGB, 140))
    mailbox.put(frame(RGB, 200))
    mailbox.put(frame(THERMAL, 200))
    job = mailbox.take()
    assert job is not None and job.thermal is not None
    assert mailbox.view().counters["superseded"] == 2


def test_a_worker_that_waits_is_woken_by_a_pair_and_by_the_end() -> None:
    mailbox = Mailbox(Settings())
    taken: list[Any] = []

    def work() -> None:
        while (job := mailbox.take()) is not None:
            taken.append(job)

    worker = threading.Thread(target=work)
    worker.start()
    mailbox.put(frame(THERMAL, 100))
    mailbox.put(frame(RGB, 100))
    for _ in range(2000):
        if taken:
            break
        worker.join(0.005)
    mailbox.close()
    worker.join(10)
    assert not worker.is_alive()
    assert len(taken) == 1


# -- model holder


class FakeFuser:
    """Stands for a loaded network; only whether it is closed matters here."""

    device, engine, dtype, weights_id = "cpu", "eager", "fp32", "test"

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_model_is_loaded_once_released_and_loaded_again() -> None:
    built: list[FakeFuser] = []

    def build(settings: Settings) -> Any:
        built.append(FakeFuser())
        return built[-1]

    holder, never = ModelHolder(build), threading.Event()
    first = holder.ensure(Settings(), never)
    assert holder.ensure(Settings(), never) is first
    assert holder.state().phase == READY
    holder.release()
    assert built[0].closed
    assert holder.state().phase == NONE
    holder.ensure(Settings(), never)
    other = holder.ensure(Settings().changed({"device": "cpu"}), never)  # another device: another network
    assert other is built[2]
    assert [fuser.closed for fuser in built] == [True, True, False]


def test_a_model_that_cannot_be_loaded_says_why_and_may_be_tried_again() -> None:
    outcomes: list[Any] = [RuntimeError("no such  file"), FakeFuser()]

    def build(settings: Settings) -> Any:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    holder = ModelHolder(build)
    with pytest.raises(RuntimeError, match="no such file"):
        holder.ensure(Settings(), threading.Event())
    assert (holder.state().phase, holder.state().reason) == (FAILED, "no such file")
    holder.ensure(Settings(), threading.Event())
    assert holder.state().phase == READY


def test_a_model_that_nobody_waits_for_any_more_is_closed_when_it_comes() -> None:
    begin, fuser = threading.Event(), FakeFuser()

    def build(settings: Settings) -> Any:
        begin.wait(10)
        return fuser

    holder, give_up = ModelHolder(build), threading.Event()
    give_up.set()
    with pytest.raises(RuntimeError, match="shutting down"):
        holder.ensure(Settings(), give_up)
    assert holder.busy()
    begin.set()
    assert holder._loader is not None
    holder._loader.join(10)
    assert fuser.closed


# -- words of the diagnostics


def facts(**changes: Any) -> health.CameraFacts:
    base: dict[str, Any] = {"camera": THERMAL, "topic": "/t", "active": True, "received": 5, "frame_id": "t"}
    return health.CameraFacts(**{**base, **changes})


def test_a_lost_camera_says_since_when_and_what_follows() -> None:
    report = health.camera_report(facts(loss=Loss("silent", 3.21), policy="hold", hint="check the cable"))
    assert report.level == health.ERROR
    assert "no thermal image on /t for 3.2 s: 0 publishers; check the cable" in report.message
    assert "on_thermal_loss is hold: the last fused image is repeated" in report.message


def test_output_names_every_cause_of_silence() -> None:
    why = (
        health.Report(health.OK, "fine"),
        health.Report(health.ERROR, "no rgb"),
        health.Report(health.WARN, "hm"),
    )
    report = health.output_report(
        health.OutputFacts("/f", active=True, silent_for=2.0, timeout=1.0), (facts(), facts()), why
    )
    assert report.level == health.ERROR
    assert report.message == "nothing has been published for 2.0 s: no rgb | hm"


@pytest.mark.parametrize(
    ("repaired", "said"),
    [({}, "none"), ({"low_light": 0.804, "colour_cast": 0.3}, "low light 0.80, colour cast 0.30")],
)
def test_what_is_repaired_without_a_wish_is_said(repaired: dict[str, float], said: str) -> None:
    output = health.OutputFacts("/f", True, action=Action.FUSE, published=1, repaired=repaired)
    report = health.output_report(output, (facts(), facts()), ())
    assert report.values["repaired"] == said
    assert (f"the RGB image shows {said}, which is repaired" in report.message) == bool(repaired)


def test_every_fault_that_a_picture_gives_away_has_a_name_for_people() -> None:
    assert set(health._FAULTS) == {*FAULTS, *THERMAL_FAULTS, VEIL}


def test_the_smallest_image_of_the_node_is_that_of_the_network() -> None:
    assert pipeline.SMALLEST_SIDE == fuser.SMALLEST_SIDE


def test_bits_that_the_transport_throws_away_are_a_warning_with_the_mend() -> None:
    sentence = "the thermal camera's mono16 was compressed as JPEG: set png"
    report = health.camera_report(facts(received=9, rate=9.0, frame_id="t", precision=sentence))
    assert (report.level, report.cause) == (health.WARN, "lost_precision")
    assert report.message == f"9.0 Hz, but {sentence}"
