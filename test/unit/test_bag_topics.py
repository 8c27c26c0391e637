"""Finding the two cameras in a bag: by name, by encoding, as told; and clear refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("rosbags", reason="rosbags is not installed")
sys.path.insert(0, str(Path(__file__).parent))

from bag_samples import write_bag

from textdifuse_ros.nodes.bag_topics import BagError, plan


@pytest.mark.parametrize(
    ("topics", "rgb", "thermal"),
    [
        ({"/rgb/image_raw": "rgb8", "/thermal/image_raw": "mono8"}, "/rgb/image_raw", "/thermal/image_raw"),
        ({"/cam0/image": "bgr8", "/flir_boson/image_raw": "mono16"}, "/cam0/image", "/flir_boson/image_raw"),
        ({"/left": "bgr8", "/right": "16UC1"}, "/left", "/right"),
        (
            {"/camera/depth/image": "16UC1", "/camera/color/image": "rgb8", "/ir/image": "mono8"},
            "/camera/color/image",
            "/ir/image",
        ),
        (
            {"/rgb/image_raw/compressed": "jpeg", "/lwir/image_raw": "mono16"},
            "/rgb/image_raw/compressed",
            "/lwir/image_raw",
        ),
        (
            {"/fused/image_raw": "rgb8", "/thermal/image_raw": "mono8", "/rgb/image_raw": "rgb8"},
            "/rgb/image_raw",
            "/thermal/image_raw",
        ),
    ],
)
def test_the_cameras_are_guessed(tmp_path: Path, topics: dict[str, str], rgb: str, thermal: str) -> None:
    found = plan(write_bag(tmp_path / "bag", topics))
    assert (found.rgb.topic, found.thermal.topic) == (rgb, thermal)
    assert rgb in found.describe() and thermal in found.describe()


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_both_storages_are_read(tmp_path: Path, storage: str) -> None:
    topics = {"/a/rgb": "rgb8", "/a/thermal": "mono16", "/a/camera_info": "info"}
    found = plan(write_bag(tmp_path / "bag", topics, storage=storage))
    assert found.thermal.topic == "/a/thermal" and found.rgb.info_topic == "/a/camera_info"


def test_names_that_were_given_win(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {"/rgb/image": "rgb8", "/thermal/image": "mono8", "/other": "mono8"})
    found = plan(bag, thermal_topic="/other")
    assert found.thermal.topic == "/other" and found.thermal.why == "as told"


@pytest.mark.parametrize(
    ("topics", "given", "reason"),
    [
        ({"/chatter": "text"}, {}, "holds no image topic"),
        ({"/rgb/image": "rgb8"}, {}, "none of its image topics looks like the thermal camera"),
        ({"/thermal/image": "mono8"}, {}, "none of its image topics looks like the rgb camera"),
        ({"/rgb/image": "rgb8", "/ir/image": "mono8"}, {"rgb_topic": "/nope"}, "no image topic /nope"),
        ({"/rgb/i": "rgb8", "/ir/i": "mono8"}, {"rgb_topic": "/ir/i"}, "cannot be both"),
    ],
)
def test_bags_that_cannot_be_used_are_refused(
    tmp_path: Path, topics: dict[str, str], given: dict[str, str], reason: str
) -> None:
    with pytest.raises(BagError, match=reason):
        plan(write_bag(tmp_path / "bag", topics), **given)


def test_what_is_no_bag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="does not exist"):
        plan(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BagError, match=r"metadata\.yaml"):
        plan(tmp_path / "folder")
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0")
    with pytest.raises(BagError, match="rosbags-convert"):
        plan(tmp_path / "old.bag")
    broken = write_bag(tmp_path / "broken", {"/rgb": "rgb8", "/ir": "mono8"})
    (broken / "broken.mcap").write_bytes(b"\x89MCAP0\r\n")
    with pytest.raises(BagError, match="not a readable rosbag2"):
        plan(broken)
