"""Silence is explained: /diagnostics say in words why nothing is published, and the log says it once."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import pytest
from harness import BEST_EFFORT, BEST_EFFORT_INPUT, Cameras, Rig
from pictures import at, image, put_stamp, rgb_array, thermal_array
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from waiting import keep_doing, until, values_of

pytestmark = pytest.mark.ros

OK, WARN, ERROR, STALE = 0, 1, 2, 3
NAMES = ("rgb", "thermal", "pairing", "model", "prompt", "output")


def test_the_six_statuses_have_stable_names_and_hardware_ids(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.start()
    array = diagnostics.collector.wait(lambda m: True)
    assert [s.name for s in array.status] == [f"/textdifuse: {name}" for name in NAMES]
    assert all(s.hardware_id and s.message for s in array.status)
    assert diagnostics.wait("rgb").hardware_id == "/rgb/image_raw"


def test_the_model_is_reported_as_loading_while_the_node_answers(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    gate = rig.gate()
    rig.start({"diagnostics_period": 0.1}, gate=gate)
    loading = diagnostics.wait("model", "model loading", level=WARN, since=0)
    assert values_of(loading)["phase"] == "loading"
    assert rig.get("steps") == 1  # the parameter service answers while torch is imported
    gate.open()
    ready = diagnostics.wait("model", "ready", level=OK)
    assert values_of(ready)["device"] == "cpu"


def test_an_engine_that_this_machine_cannot_have_is_a_warning_in_a_sentence(rig: Rig) -> None:
    process = rig.start({"engine": "tensorrt", "device": "cpu"})
    report = rig.diagnostics().wait("model", "engine tensorrt needs a CUDA device", level=WARN)
    assert report.message.startswith("ready: eager on cpu, ")
    assert values_of(report)["engine"] == "eager"
    until(lambda: "active: fusing on cpu with eager, " in process.output(), "the line about the engine")


def test_a_thermal_camera_that_nobody_publishes_is_named_with_what_there_is_instead(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.publisher("/boson/image", Image)
    process = rig.start({"loss_timeout": 0.2})
    report = diagnostics.wait("thermal", "no thermal image on /thermal/image_raw yet", level=ERROR)
    assert "0 publishers" in report.message
    diagnostics.wait("thermal", "published images: /boson/image", level=ERROR)
    output = diagnostics.wait("output", "nothing has been published", level=ERROR)
    assert "no thermal image on /thermal/image_raw" in output.message
    assert "no rgb image on /rgb/image_raw" in output.message
    for _ in range(5):
        diagnostics.wait("thermal", level=ERROR)
    assert process.output().count("no thermal image") == 1


def test_a_camera_that_is_only_there_compressed_leads_to_the_transport_parameter(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.publisher("/thermal/image_raw/compressed", CompressedImage)
    rig.start({"loss_timeout": 0.2})
    diagnostics.wait("thermal", "set thermal.transport to compressed", level=ERROR)


def test_a_topic_of_the_wrong_type_is_named(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.publisher("/rgb/image_raw", CompressedImage)
    rig.start({"loss_timeout": 0.2})
    diagnostics.wait("rgb", "published as sensor_msgs/msg/CompressedImage", level=ERROR)


def test_rates_and_the_nearest_dt_are_named_when_nothing_matches(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.start({"loss_timeout": 1.0, "pairing.max_dt": 0.01})
    cameras = Cameras(rig).ready()

    def send(i: int) -> None:
        cameras.rgb(at(100 * i))
        cameras.thermal(at(100 * i + 50))

    def no_match(array: object) -> bool:
        return any("nothing pairs" in status.message for status in array.status)  # type: ignore[attr-defined]

    array = keep_doing(send, diagnostics.collector, no_match)
    pairing = next(s for s in array.status if s.name.endswith("pairing"))
    assert pairing.level == bytes([ERROR])
    assert "rgb 10.0 Hz, thermal 10.0 Hz, nearest dt 50 ms > pairing.max_dt 10 ms" in pairing.message
    assert values_of(pairing)["nearest_dt_ms"] in ("50.0", "-50.0")


def test_an_incompatible_publisher_is_named_with_the_policy(rig: Rig) -> None:
    """The subscription is made reliable by an override; the camera is best effort."""
    diagnostics = rig.diagnostics()
    rig.publisher("/rgb/image_raw", Image, BEST_EFFORT)
    process = rig.start({"loss_timeout": 0.2})
    report = diagnostics.wait("rgb", "incompatible QoS with a publisher of /rgb/image_raw", level=ERROR)
    assert "RELIABILITY" in report.message
    assert "qos_overrides./rgb/image_raw.subscription.reliability" in report.message
    for _ in range(4):
        diagnostics.wait("rgb", level=ERROR)
    assert process.output().count("incompatible QoS") == 1


def test_an_incompatible_subscriber_is_named_with_the_policy(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    latched = QoSProfile(
        depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
    )
    process = rig.start()
    cameras = Cameras(rig).ready()
    rig.probe.create_subscription(Image, "/fused/image_raw", lambda m: None, latched)

    def told(array: object) -> bool:
        return any(
            status.name.endswith("output")
            and "a subscriber to /fused/image_raw: policy DURABILITY" in status.message
            for status in array.status  # type: ignore[attr-defined]
        )

    keep_doing(lambda i: cameras.pair(at(40 * i)), diagnostics.collector, told)
    assert process.output().count("incompatible QoS") == 1


def test_latencies_rates_and_counters_are_values(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.start()
    cameras = Cameras(rig).ready()
    clock = rig.probe.get_clock()

    def ten(array: object) -> bool:
        for status in array.status:  # type: ignore[attr-defined]
            if status.name.endswith("output"):
                return int(values_of(status)["published"]) >= 10
        return False

    array = keep_doing(lambda i: cameras.pair(clock.now().nanoseconds), diagnostics.collector, ten)
    values = values_of(next(s for s in array.status if s.name.endswith("output")))
    assert 0 < float(values["age_ms_p50"]) <= float(values["age_ms_p95"]) < 30_000
    assert 0 < float(values["model_ms_p50"]) <= float(values["total_ms_p50"])
    assert float(values["overhead_ms_p50"]) > 0
    assert float(values["rate_hz"]) > 0
    camera = values_of(diagnostics.wait("rgb", publishers="1"))
    assert int(camera["received"]) >= 10


def test_a_refused_image_is_logged_once_however_many_come(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start()
    cameras = Cameras(rig).ready()
    for k in range(20):
        bad = put_stamp(image(rgb_array(k), "rgb8", 0), at(40 * k), "camera")
        bad.encoding = "yuv9"
        cameras.thermal(at(40 * k), thermal_array(k))
        cameras.rgb(at(40 * k), message=bad)
        diagnostics.wait("rgb", "yuv9", level=WARN, refused=str(k + 1))
    until(lambda: "yuv9" in process.output(), "the warning")
    assert process.output().count("yuv9") <= 2  # the image, and the status of the camera


def test_a_node_without_cameras_uses_hardly_any_cpu(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    process = rig.start({"diagnostics_period": 1.0, **BEST_EFFORT_INPUT})
    diagnostics.wait("model", level=OK)  # the work of starting up is over

    def cpu_seconds() -> float:
        fields = Path(f"/proc/{process.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100.0

    used, began = cpu_seconds(), time.monotonic()
    for _ in range(5):
        diagnostics.wait("rgb")
    assert (cpu_seconds() - used) / (time.monotonic() - began) < 0.05


def test_an_incompatible_publisher_that_is_gone_is_not_blamed_any_more(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    publisher = rig.probe.create_publisher(Image, "/rgb/image_raw", BEST_EFFORT)
    rig.start({"loss_timeout": 0.2})
    diagnostics.wait("rgb", "incompatible QoS", level=ERROR)
    rig.probe.destroy_publisher(publisher)
    diagnostics.wait("rgb", "no rgb image on /rgb/image_raw yet: 0 publishers", level=ERROR)


def test_16_bits_that_come_as_jpeg_are_a_warning(rig: Rig) -> None:
    diagnostics = rig.diagnostics()
    rig.start({"thermal.transport": "compressed"})
    publisher = rig.wait_subscribed("/thermal/image_raw/compressed", CompressedImage)
    data = cv2.imencode(".jpg", thermal_array(0))[1].tobytes()

    def send(i: int) -> None:
        publisher.publish(
            put_stamp(CompressedImage(format="mono16; jpeg compressed ", data=data), at(40 * i), "t")
        )

    def warned(array: object) -> bool:
        return any("set the publisher's compressed format to png" in s.message for s in array.status)  # type: ignore[attr-defined]

    keep_doing(send, diagnostics.collector, warned)
