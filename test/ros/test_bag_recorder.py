"""The recorder: a bag with everything, latched prompt included, that independent readers understand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import LATCHED, RELIABLE, Rig
from pictures import at, put_stamp, rgb_array
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import Image
from waiting import until

from textdifuse_ros.imaging.encodings import fill_image
from textdifuse_ros.msg import PromptPhrase, PromptState
from textdifuse_ros.nodes.bag_types import ensure_type, jazzy_types

pytestmark = pytest.mark.ros
RECORDER = "textdifuse_ros.nodes.bag_recorder"


def picture(k: int) -> Image:
    message = put_stamp(Image(), at(k), "camera")
    fill_image(message, rgb_array(k), "rgb8")
    return message


def record(rig: Rig, folder: Path, storage: str = "mcap") -> Path:
    """Publish a latched prompt before, and ten images after, the recorder starts."""
    prompt = rig.publisher("/textdifuse/prompt", PromptState, LATCHED)
    prompt.publish(
        PromptState(prompt="warm objects", phrases=[PromptPhrase(text="warm objects", weight=1.0)])
    )
    rig.publisher("/rgb/image_raw", Image)
    process = rig.start({"output": str(folder), "storage": storage, "min_free": 0.0}, module=RECORDER)
    images = rig.wait_subscribed("/rgb/image_raw", Image)
    until(lambda: prompt.get_subscription_count() > 0, "the recorder to subscribe to the prompt")
    for k in range(10):
        images.publish(picture(k))
    # What was acknowledged is in the recorder's hands.
    assert images.wait_for_all_acked() and prompt.wait_for_all_acked()
    assert process.stop() == 0
    assert "is complete" in process.output()
    return folder


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_bag_holds_every_message_and_the_latched_one(rig: Rig, tmp_path: Path, storage: str) -> None:
    bag = record(rig, tmp_path / "bag", storage)
    store = jazzy_types()
    ensure_type(store, "textdifuse_ros/msg/PromptState")
    with Reader(bag) as reader:
        found = reader.messages()
        messages: list[Any] = [(c, store.deserialize_cdr(raw, c.msgtype)) for c, _, raw in found]
    prompts = [m for c, m in messages if c.topic == "/textdifuse/prompt"]
    images = [(c, m) for c, m in messages if c.topic == "/rgb/image_raw"]
    assert [p.phrases[0].text for p in prompts] == ["warm objects"]
    assert len(images) == 10
    assert np.array_equal(images[4][1].data, np.frombuffer(bytes(picture(4).data), np.uint8))
    qos = next(c.ext.offered_qos_profiles[0] for c, _ in messages if c.topic == "/textdifuse/prompt")
    assert qos.durability.name == "TRANSIENT_LOCAL" and qos.reliability.name == "RELIABLE"


def test_the_mcap_package_reads_the_same(rig: Rig, tmp_path: Path) -> None:
    mcap = pytest.importorskip("mcap.reader")
    bag = record(rig, tmp_path / "bag")
    with open(bag / "bag.mcap", "rb") as file:
        reader = mcap.make_reader(file, validate_crcs=True)
        topics = [channel.topic for _, channel, _ in reader.iter_messages()]
        schemas = {s.name for s in reader.get_summary().schemas.values()}
    assert topics.count("/rgb/image_raw") == 10 and topics.count("/textdifuse/prompt") == 1
    assert {"sensor_msgs/msg/Image", "textdifuse_ros/msg/PromptState"} <= schemas


def test_what_was_recorded_plays_again(rig: Rig, tmp_path: Path) -> None:
    thermal = rig.publisher("/thermal/image_raw", Image)
    bag = record_both(rig, tmp_path / "bag", thermal)
    seen = rig.listen("/again/thermal/image_raw", Image)
    rig.listen("/again/rgb/image_raw", Image)
    options = {
        "bag": str(bag), "wait_for_subscribers": True,
        "qos_overrides./again/thermal/image_raw.publisher.reliability": "reliable",
        "qos_overrides./again/rgb/image_raw.publisher.reliability": "reliable",
    }  # fmt: skip
    process = rig.start(options, "-r", "__ns:=/again", module="textdifuse_ros.nodes.playback")
    assert process.wait() == 0
    assert len(seen.wait_count(5)) == 5


def record_both(rig: Rig, folder: Path, thermal: object) -> Path:
    rgb = rig.publisher("/rgb/image_raw", Image, RELIABLE)
    process = rig.start({"output": str(folder), "min_free": 0.0}, module=RECORDER)
    publishers = [rig.wait_subscribed(f"/{name}/image_raw", Image) for name in ("rgb", "thermal")]
    assert rgb in publishers and thermal in publishers
    for k in range(5):
        for publisher in publishers:
            publisher.publish(picture(k))
    assert all(publisher.wait_for_all_acked() for publisher in publishers)
    assert process.stop() == 0
    return folder


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "parameter output is empty"),
        ({"output": "/proc/nowhere/bag"}, "cannot record into /proc/nowhere/bag"),
        ({"output": "."}, "exists already"),
        ({"output": "{tmp}/bag", "min_free": 1e9}, "left on the disk"),
    ],
)
def test_an_unusable_place_is_refused(
    rig: Rig, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    given = {k: v.replace("{tmp}", str(tmp_path)) if isinstance(v, str) else v for k, v in options.items()}
    process = rig.start(given, module=RECORDER)
    process.expected_code = 2  # type: ignore[attr-defined]
    assert process.wait() == 2
    assert words in process.output()
