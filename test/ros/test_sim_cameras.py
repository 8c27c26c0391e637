"""The simulated cameras behave like drivers: stamps, encodings, ground truth, faults, clean exit."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest
from harness import RELIABLE, Rig
from pictures import stamp_of
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String
from waiting import until

from textdifuse_ros.imaging.encodings import to_array

pytestmark = pytest.mark.ros
SIM = "textdifuse_ros.nodes.sim_cameras"
SMALL = {"width": 96, "height": 72, "rate": 20.0, "wait_for_subscribers": True, "max_frames": 12}
EVERY_IMAGE = {
    f"qos_overrides./{camera}/{topic}.publisher.{policy}": value
    for camera in ("rgb", "thermal")
    for topic in ("image_raw", "camera_info")
    for policy, value in (("reliability", "reliable"), ("depth", 200))
}


def test_both_cameras_are_synchronized_and_described(rig: Rig) -> None:
    infos = rig.listen("/rgb/camera_info", CameraInfo)
    thermal = rig.listen("/thermal/image_raw", Image)
    rgb = rig.listen("/rgb/image_raw", Image)
    process = rig.start({**SMALL, **EVERY_IMAGE}, module=SIM)
    assert process.wait() == 0
    assert [stamp_of(m) for m in rgb.wait_count(12)] == [stamp_of(m) for m in thermal.wait_count(12)]
    steps = np.diff([stamp_of(m) for m in rgb.messages])
    assert np.allclose(steps, 50_000_000, atol=1)
    assert (rgb.messages[0].encoding, thermal.messages[0].encoding) == ("rgb8", "mono8")
    assert rgb.messages[0].header.frame_id == "rgb_optical"
    info = infos.wait_count(12)[0]
    assert (info.width, info.height) == (96, 72) and info.k[0] > 0 and info.k[2] == 48.0


def test_radiometric_output_at_its_own_rate_size_and_offset(rig: Rig) -> None:
    thermal = rig.listen("/thermal/image_raw", Image)
    rgb = rig.listen("/rgb/image_raw", Image)
    options = {
        "thermal.encoding": "mono16", "thermal.width": 40, "thermal.height": 32, "thermal.rate": 10.0,
        "thermal.time_offset": 0.25,
    }  # fmt: skip
    assert rig.start({**SMALL, **EVERY_IMAGE, **options}, module=SIM).wait() == 0
    assert len(rgb.wait_count(12)) == 12 and len(thermal.wait_count(6)) == 6
    counts = to_array(thermal.messages[0])
    assert counts.shape == (32, 40) and counts.dtype == np.uint16
    assert 260.0 < np.median(counts) / 100.0 < 300.0  # kelvin
    assert stamp_of(thermal.messages[0]) - stamp_of(rgb.messages[0]) == 250_000_000


def test_a_flat_field_correction_repeats_one_picture(rig: Rig) -> None:
    thermal = rig.listen("/thermal/image_raw", Image)
    rig.listen("/rgb/image_raw", Image)
    options = {"thermal.freeze_period": 0.2, "thermal.freeze_duration": 0.13, "max_frames": 8}
    assert rig.start({**SMALL, **EVERY_IMAGE, **options}, module=SIM).wait() == 0
    pictures = [bytes(m.data) for m in thermal.wait_count(8)]
    same = [pictures[k] == pictures[k + 1] for k in range(7)]
    assert same == [False, False, False, False, True, True, False]  # 4, 5 and 6 are one picture


def test_ground_truth_comes_with_the_stamp_of_its_picture(rig: Rig) -> None:
    boxes = rig.listen("/ground_truth/boxes", String)
    rgb = rig.listen("/rgb/image_raw", Image)
    rig.listen("/thermal/image_raw", Image)
    rig.start({**SMALL, **EVERY_IMAGE, "max_frames": 0, "width": 320, "height": 240}, module=SIM)
    truth = json.loads(boxes.wait(lambda m: '"person"' in m.data).data)
    stamp = truth["stamp"]["sec"] * 10**9 + truth["stamp"]["nanosec"]
    picture = rgb.wait(lambda m: stamp_of(m) == stamp)
    for item in truth["objects"]:
        x0, y0, x1, y1 = item["box"]
        assert 0 <= x0 < x1 <= picture.width and 0 <= y0 < y1 <= picture.height


def test_the_same_seed_sends_the_same_pictures_and_a_loop_repeats(rig: Rig) -> None:
    rgb = rig.listen("/rgb/image_raw", Image)
    rig.listen("/thermal/image_raw", Image)
    options = {**SMALL, **EVERY_IMAGE, "seed": 5, "prerender": 0.2}
    assert rig.start(options, module=SIM).wait() == 0
    first = [bytes(m.data) for m in rgb.wait_count(12)]
    assert first[0] == first[4] == first[8] and first[0] != first[1]
    until(lambda: rig.probe.count_publishers("/rgb/image_raw") == 0, "the first node to leave")
    assert rig.start({**options, "prerender": 0.0}, module=SIM).wait() == 0
    second = [bytes(m.data) for m in rgb.wait_count(24)[12:]]
    assert second[:4] == first[:4]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_on_a_signal(rig: Rig, number: signal.Signals) -> None:
    process = rig.start({"width": 96, "height": 72}, module=SIM)
    rig.wait_publishers("/rgb/image_raw")
    assert process.stop(number) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": 5000.0}, "rate"),
        ({"thermal.encoding": "jpeg"}, "mono16"),
        ({"thermal.rate": 90.0}, "thermal.rate"),
        ({"thermal.range_min": 50.0}, "thermal.range_max"),
    ],
)
def test_a_bad_parameter_is_refused_with_the_reason(rig: Rig, options: dict[str, object], words: str) -> None:
    process = rig.start({**SMALL, **options}, module=SIM)
    process.expected_code = 2  # type: ignore[attr-defined]
    assert process.wait() == 2
    assert "error: parameter" in process.output() and words in process.output()


def test_reliable_is_not_the_default_of_a_camera(rig: Rig) -> None:
    rig.start({**SMALL, "wait_for_subscribers": False, "max_frames": 0}, module=SIM)
    rig.wait_publishers("/rgb/image_raw")
    offered = rig.probe.get_publishers_info_by_topic("/rgb/image_raw")[0].qos_profile
    assert offered.reliability != RELIABLE.reliability


@pytest.mark.parametrize("module", [SIM, "textdifuse_ros.nodes.playback"])
@pytest.mark.parametrize("words", [("--params-file", "/nowhere.yaml"), ("-p", "rate is missing")])
def test_arguments_that_ros_cannot_read_are_refused_in_words(
    rig: Rig, module: str, words: tuple[str, str]
) -> None:
    process = rig.start({}, *words, module=module)
    process.expected_code = 2  # type: ignore[attr-defined]
    assert process.wait() == 2
    last = process.output().strip().splitlines()[-1]
    assert last.startswith("error:") and words[1] in last
    assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(("--rate", "5"), 2, "--ros-args -p rate:=5"), (("--help",), 0, "usage: sim_cameras [--ros-args")],
)
def test_words_that_are_no_arguments_start_nothing(
    rig: Rig, words: tuple[str, ...], code: int, said: str
) -> None:
    process = rig.start({}, "--", *words, module=SIM)
    process.expected_code = code  # type: ignore[attr-defined]
    assert process.wait() == code
    assert said in process.output() and "Traceback" not in process.output()
