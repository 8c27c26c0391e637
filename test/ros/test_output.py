"""What the node publishes for a pair: image, header, CameraInfo, status, salience, names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from harness import BEST_EFFORT, BEST_EFFORT_INPUT, RELIABLE, Cameras, Rig
from pictures import at, image, put_stamp, rgb_array, stamp_of, thermal_array
from sensor_msgs.msg import CameraInfo, Image
from waiting import keep_doing, until

from textdifuse_ros.imaging.encodings import to_array
from textdifuse_ros.msg import FusionStatus

pytestmark = pytest.mark.ros


def camera_info(width: int, height: int, frame_id: str) -> CameraInfo:
    info = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.1, -0.05, 0.0, 0.0, 0.0])
    info.k = [200.0, 0.0, 79.5, 0.0, 210.0, 59.5, 0.0, 0.0, 1.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [200.0, 0.0, 79.5, 0.0, 0.0, 210.0, 59.5, 0.0, 0.0, 0.0, 1.0, 0.0]
    return put_stamp(info, at(0), frame_id)


def test_a_pair_becomes_one_fused_image_with_the_rgb_header(rig: Rig) -> None:
    fused, status = rig.listen("/fused/image_raw", Image), rig.listen("/textdifuse/status", FusionStatus)
    rig.start()
    cameras = Cameras(rig).ready()
    cameras.thermal(at(3))
    sent = cameras.rgb(at(0))
    got = fused.wait(lambda m: stamp_of(m) == at(0))
    assert (got.width, got.height, got.encoding, got.step) == (160, 120, "rgb8", 480)
    assert got.header == sent.header
    assert np.ptp(to_array(got)) > 20  # a picture, not a flat field
    state = status.wait(lambda m: stamp_of(m) == at(0))
    assert state.mode == FusionStatus.FUSED
    assert state.steps == 1
    assert state.frames_published == 1
    assert state.pair_dt_ms == pytest.approx(3.0)
    assert 0 < state.model_ms <= state.total_ms
    assert (state.engine, state.device) == ("eager", "cpu")


def test_with_the_thermal_camera_as_reference_its_header_size_and_camera_info_are_used(rig: Rig) -> None:
    fused, infos = rig.listen("/fused/image_raw", Image), rig.listen("/fused/camera_info", CameraInfo)
    rig.start({"reference": "thermal"})
    cameras = Cameras(rig).ready()
    info = camera_info(80, 60, "thermal_optical_frame")
    publisher = rig.wait_subscribed("/thermal/camera_info", CameraInfo)

    def send(i: int) -> None:
        publisher.publish(info)
        cameras.rgb(at(50 * i + 5))
        cameras.thermal(at(50 * i), thermal_array(i, 80, 60))

    got_info = keep_doing(send, infos, lambda m: True)
    got = fused.wait(lambda m: stamp_of(m) == stamp_of(got_info))
    assert got.header.frame_id == "thermal_optical_frame"
    assert (got.width, got.height) == (80, 60)
    assert stamp_of(got) % 50_000_000 == 0  # the thermal stamps, untouched
    assert (list(got_info.k), got_info.width, got_info.header) == (list(info.k), 80, got.header)


def test_camera_info_goes_through_and_is_scaled_where_sizes_differ(rig: Rig) -> None:
    infos = rig.listen("/fused/camera_info", CameraInfo)
    rig.start()
    cameras = Cameras(rig).ready()
    publisher = rig.wait_subscribed("/rgb/camera_info", CameraInfo)
    original, double = camera_info(160, 120, "rgb"), camera_info(320, 240, "rgb")

    def send(info: CameraInfo) -> CameraInfo:
        def one(i: int) -> None:
            publisher.publish(info)
            cameras.pair(at(40 * cameras.count))

        wanted_fx = info.k[0] * 160 / info.width
        return keep_doing(one, infos, lambda m: m.k[0] == pytest.approx(wanted_fx))

    same = send(original)
    assert (list(same.k), list(same.p), list(same.d)) == (
        list(original.k),
        list(original.p),
        list(original.d),
    )
    assert same.header.frame_id == "rgb_optical_frame"
    scaled = send(double)
    assert (scaled.width, scaled.height) == (160, 120)
    assert list(scaled.k) == pytest.approx([100, 0, 39.75, 0, 105, 29.75, 0, 0, 1])
    assert list(scaled.p)[:4] == pytest.approx([100, 0, 39.75, 0])
    assert list(scaled.d) == list(original.d)


def test_no_camera_info_comes_out_when_none_went_in(rig: Rig) -> None:
    fused, infos = rig.listen("/fused/image_raw", Image), rig.listen("/fused/camera_info", CameraInfo)
    rig.start()
    cameras = Cameras(rig).ready()
    for k in range(3):
        cameras.pair(at(40 * k))
        fused.wait(lambda m, k=k: stamp_of(m) == at(40 * k))
    assert infos.messages == []


def test_output_encoding_changes_live_and_holds_the_same_picture(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    rig.start({"thermal.freeze_timeout": 0.0, "thermal.range_mode": "fixed"})
    cameras = Cameras(rig).ready()
    rgb, thermal = rgb_array(1), thermal_array(1)
    pictures = {}
    for k, encoding in enumerate(("rgb8", "bgr8", "mono8")):
        assert rig.set(output_encoding=encoding).successful
        cameras.pair(at(40 * k), rgb=rgb, thermal=thermal)
        message = fused.wait(lambda m, k=k: stamp_of(m) == at(40 * k))
        assert message.encoding == encoding
        pictures[encoding] = to_array(message)
    assert np.array_equal(pictures["bgr8"][..., ::-1], pictures["rgb8"])
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(pictures["mono8"] - pictures["rgb8"] @ weights).max() <= 1.0


def test_salience_is_published_only_while_somebody_listens(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    rig.start({"prompt": "warm objects"})
    cameras = Cameras(rig).ready()
    cameras.pair(at(0))
    fused.wait(lambda m: stamp_of(m) == at(0))
    salience = rig.listen("/fused/salience", Image)
    got = keep_doing(lambda i: cameras.pair(at(40 + 40 * i)), salience, lambda m: True)
    assert (got.encoding, got.width, got.height) == ("mono8", 160, 120)
    picture = to_array(got)
    body, far = picture[45:75, 82:94].mean(), picture[:, :40].mean()
    assert body > far + 50  # the warm body of thermal_array() stands out
    assert stamp_of(salience.messages[0]) > at(0)


def test_with_default_qos_a_best_effort_camera_feeds_best_effort_and_reliable_subscribers(rig: Rig) -> None:
    best_effort = rig.listen("/fused/image_raw", Image, BEST_EFFORT)
    reliable = rig.listen("/fused/image_raw", Image, RELIABLE)
    rig.start(BEST_EFFORT_INPUT)
    cameras = Cameras(rig, qos=BEST_EFFORT).ready()
    keep_doing(lambda i: cameras.pair(at(40 * cameras.count)), best_effort, lambda m: True)
    keep_doing(lambda i: cameras.pair(at(40 * cameras.count)), reliable, lambda m: True)


def test_an_empty_frame_id_is_published_as_it_is_and_explained_once(rig: Rig) -> None:
    fused, diagnostics = rig.listen("/fused/image_raw", Image), rig.diagnostics()
    process = rig.start()
    cameras = Cameras(rig).ready()
    for k in range(4):
        cameras.thermal(at(40 * k))
        cameras.rgb(at(40 * k), message=image(rgb_array(k), "rgb8", at(40 * k), ""))
        assert fused.wait(lambda m, k=k: stamp_of(m) == at(40 * k)).header.frame_id == ""
    diagnostics.wait("rgb", "frame_id", level=1)
    diagnostics.wait("rgb", "frame_id", level=1)
    until(lambda: "frame_id" in process.output(), "the warning")
    assert process.output().count("frame_id") == 1


def test_namespace_remap_and_parameter_file_work_as_in_any_node(rig: Rig, tmp_path: Path) -> None:
    parameters = tmp_path / "fusion.yaml"
    parameters.write_text(
        '/**:\n  ros__parameters:\n    prompt: "warm objects"\n'
        "    thermal.freeze_timeout: 0\n    restore: off\n"
    )
    rig.target = "/rig/eye"
    fused = rig.listen("/rig/fused/image_raw", Image)
    status = rig.listen("/rig/eye/status", FusionStatus)
    rig.start(
        {},
        *("--params-file", str(parameters), "-r", "__ns:=/rig", "-r", "__node:=eye"),
        *("-r", "rgb/image_raw:=/front/color", "-r", "thermal/image_raw:=/front/heat"),
    )
    color, heat = (rig.wait_subscribed(topic, Image) for topic in ("/front/color", "/front/heat"))

    def send(i: int) -> None:
        heat.publish(image(thermal_array(i), "mono8", at(40 * i), "t"))
        color.publish(image(rgb_array(i), "rgb8", at(40 * i), "c"))

    assert keep_doing(send, fused, lambda m: True).header.frame_id == "c"
    assert status.wait(lambda m: True).prompt == "warm objects"
    assert rig.get("restore") == "off"
    assert rig.get("thermal.freeze_timeout") == 0.0
    assert isinstance(rig.get("thermal.freeze_timeout"), float)


def test_the_same_sequence_gives_the_same_images_bit_for_bit(rig: Rig) -> None:
    runs, fused = [], rig.listen("/fused/image_raw", Image)
    for _ in range(2):
        since = fused.mark()
        process = rig.start({"prompt": "warm objects", "steps": 2})
        cameras = Cameras(rig).ready()
        pictures = []
        for k in range(4):
            cameras.pair(at(40 * k), rgb=rgb_array(k), thermal=thermal_array(k))
            pictures.append(bytes(fused.wait(lambda m, k=k: stamp_of(m) == at(40 * k), since).data))
        runs.append(pictures)
        assert process.stop() == 0
        rig.wait_unsubscribed("/rgb/image_raw", "/thermal/image_raw")
    assert runs[0] == runs[1]
