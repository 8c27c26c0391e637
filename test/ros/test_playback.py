"""Playing clips and bags: what arrives is what was recorded, stamps move or stay, errors are clear."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from harness import Rig
from pictures import stamp_of
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

from bag_samples import BEGIN, PERIOD, write_bag  # type: ignore[import-not-found]

from textdifuse_ros.imaging.encodings import to_array

pytestmark = pytest.mark.ros
PLAYBACK = "textdifuse_ros.nodes.playback"
RELIABLE_OUT = {
    f"qos_overrides./{camera}/{topic}.publisher.{policy}": value
    for camera in ("rgb", "thermal")
    for topic in ("image_raw", "camera_info", "image_raw/compressed")
    for policy, value in (("reliability", "reliable"), ("depth", 200))
}
BASE = {**RELIABLE_OUT, "wait_for_subscribers": True}


def write_folder(path: Path, frames: int, dtype: type = np.uint8, channels: int = 1) -> str:
    path.mkdir()
    shape = (24, 32) if channels == 1 else (24, 32, channels)
    for k in range(frames):
        cv2.imwrite(str(path / f"{k:03d}.png"), np.full(shape, 20 + k, dtype))
    return str(path)


def test_a_pair_of_folders_is_played_to_the_shorter_end(rig: Rig, tmp_path: Path) -> None:
    rgb = rig.listen("/rgb/image_raw", Image)
    thermal = rig.listen("/thermal/image_raw", Image)
    options = {
        "rgb": write_folder(tmp_path / "vis", 7, channels=3),
        "thermal": write_folder(tmp_path / "ir", 5, np.uint16),
        "rate": 50.0,
    }
    process = rig.start({**BASE, **options}, module=PLAYBACK)
    assert process.wait() == 0
    assert len(rgb.wait_count(5)) == len(thermal.wait_count(5)) == 5
    assert "the last 2 of vis are not played" in process.output()
    assert [stamp_of(m) for m in rgb.messages] == [stamp_of(m) for m in thermal.messages]
    assert (rgb.messages[0].encoding, thermal.messages[0].encoding) == ("bgr8", "mono16")
    assert [int(to_array(m)[0, 0]) for m in thermal.messages] == [20, 21, 22, 23, 24]


def test_a_loop_goes_on_with_growing_stamps(rig: Rig, tmp_path: Path) -> None:
    thermal = rig.listen("/thermal/image_raw", Image)
    rig.listen("/rgb/image_raw", Image)
    options = {
        "rgb": write_folder(tmp_path / "vis", 2, channels=3), "thermal": write_folder(tmp_path / "ir", 2),
        "rate": 50.0, "loop": True,
    }  # fmt: skip
    rig.start({**BASE, **options}, module=PLAYBACK)
    messages = thermal.wait_count(7)[:7]
    assert [int(to_array(m)[0, 0]) for m in messages] == [20, 21, 20, 21, 20, 21, 20]
    assert np.all(np.diff([stamp_of(m) for m in messages]) == 20_000_000)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_bag_keeps_pixels_spacing_and_camera_info(rig: Rig, tmp_path: Path, storage: str) -> None:
    rgb = rig.listen("/rgb/image_raw", Image)
    thermal = rig.listen("/thermal/image_raw", Image)
    infos = rig.listen("/rgb/camera_info", CameraInfo)
    topics = {"/cam/rgb/image": "rgb8", "/cam/rgb/camera_info": "info", "/cam/lwir/image": "mono16"}
    bag = write_bag(tmp_path / "bag", topics, storage=storage)
    process = rig.start({**BASE, "bag": str(bag)}, module=PLAYBACK)
    assert process.wait() == 0
    assert "/cam/lwir/image (its name)" in process.output()
    stamps = [stamp_of(m) for m in rgb.wait_count(6)]
    assert stamps == [stamp_of(m) for m in thermal.wait_count(6)]
    assert np.all(np.diff(stamps) == PERIOD) and stamps[0] > BEGIN + 10**16
    assert to_array(thermal.messages[3])[0, 0] == 13 * 257
    assert list(infos.wait_count(6)[0].k) == list(np.arange(9.0))


@pytest.mark.parametrize("speed", [4.0, 0.5])
def test_moved_stamps_are_as_far_apart_as_the_images_are_played(
    rig: Rig, tmp_path: Path, speed: float
) -> None:
    rgb = rig.listen("/rgb/image_raw", Image)
    thermal = rig.listen("/thermal/image_raw", Image)
    bag = write_bag(tmp_path / "bag", {"/rgb": "rgb8", "/thermal": "mono8"})
    rig.start({**BASE, "bag": str(bag), "speed": speed}, module=PLAYBACK)
    stamps = [stamp_of(m) for m in rgb.wait_count(6)]
    assert stamps == [stamp_of(m) for m in thermal.wait_count(6)]
    assert np.all(np.diff(stamps) == PERIOD / speed)


def test_stamps_stay_as_recorded_when_told(rig: Rig, tmp_path: Path) -> None:
    rgb = rig.listen("/rgb/image_raw", Image)
    rig.listen("/thermal/image_raw", Image)
    bag = write_bag(tmp_path / "bag", {"/rgb": "rgb8", "/thermal": "mono8"}, count=3)
    rig.start({**BASE, "bag": str(bag), "restamp": False, "loop": True}, module=PLAYBACK)
    stamps = [stamp_of(m) for m in rgb.wait_count(6)[:6]]
    assert stamps == 2 * [BEGIN, BEGIN + PERIOD, BEGIN + 2 * PERIOD]


def test_compressed_images_are_passed_on_as_they_are(rig: Rig, tmp_path: Path) -> None:
    rgb = rig.listen("/rgb/image_raw/compressed", CompressedImage)
    rig.listen("/thermal/image_raw", Image)
    bag = write_bag(tmp_path / "bag", {"/rgb/compressed": "jpeg", "/ir": "mono8"})
    process = rig.start({**BASE, "bag": str(bag)}, module=PLAYBACK)
    assert process.wait() == 0
    content = np.frombuffer(bytes(rgb.wait_count(6)[2].data), np.uint8)
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))
    assert decoded.shape == (24, 32, 3) and abs(float(decoded.mean()) - 12.0) < 2.0
    assert "rgb.transport:=compressed" in process.output()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "give either rgb and thermal"),
        ({"rgb": "/nowhere.mp4"}, "the thermal clip is missing"),
        ({"rgb": "/nowhere.mp4", "thermal": "/nowhere.mp4"}, "/nowhere.mp4 does not exist"),
        ({"bag": "/nowhere"}, "/nowhere does not exist"),
    ],
)
def test_what_cannot_be_played_is_refused(rig: Rig, options: dict[str, str], words: str) -> None:
    process = rig.start(dict(options), module=PLAYBACK)
    process.expected_code = 2  # type: ignore[attr-defined]
    assert process.wait() == 2
    assert f"error: {words}" in process.output() or words in process.output()


def test_a_bag_without_a_thermal_camera_is_refused(rig: Rig, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {"/rgb": "rgb8"})
    process = rig.start({"bag": str(bag)}, module=PLAYBACK)
    process.expected_code = 2  # type: ignore[attr-defined]
    assert process.wait() == 2
    assert "looks like the thermal camera" in process.output()
