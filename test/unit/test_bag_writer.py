"""The bag writer: what it leaves is readable by others, also when the disk fills."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rosbags", reason="rosbags is not installed")
sys.path.insert(0, str(Path(__file__).parent))

from bag_samples import STORE, image
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Reader

from textdifuse_ros.nodes.bag_types import TypeMissing, ensure_type, jazzy_types
from textdifuse_ros.nodes.bag_writer import BagWriter, RecordError

ROOT = Path(__file__).resolve().parents[2]
FOREVER = QosTime(9223372036, 854775807)
LATCHED = Qos(
    QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL, FOREVER, FOREVER,
    QosLiveliness.AUTOMATIC, FOREVER, False,
)  # fmt: skip
IMAGE = "sensor_msgs/msg/Image"
PROMPT = "textdifuse_ros/msg/PromptState"


def picture(k: int) -> bytes:
    return bytes(STORE.serialize_cdr(image(1000 + k, "mono8", k), IMAGE))


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_is_written_is_read_back(tmp_path: Path, storage: str) -> None:
    writer = BagWriter(tmp_path / "bag", storage, min_free_mb=0.0)
    writer.add_topic("/a", IMAGE)
    for k in range(5):
        writer.write("/a", 5000 + k, picture(k))
    assert "5 messages and is complete" in writer.close()
    with Reader(tmp_path / "bag") as reader:
        found = [(c.topic, at, bytes(raw)) for c, at, raw in reader.messages()]
    assert found == [("/a", 5000 + k, picture(k)) for k in range(5)]


def test_an_independent_reader_understands_the_mcap(tmp_path: Path) -> None:
    mcap = pytest.importorskip("mcap.reader")
    writer = BagWriter(tmp_path / "bag", min_free_mb=0.0)
    writer.add_topic("/textdifuse/prompt", PROMPT, [LATCHED])
    writer.add_topic("/a", IMAGE)
    writer.write("/a", 7, picture(1))
    writer.close()
    with open(tmp_path / "bag" / "bag.mcap", "rb") as file:
        summary = mcap.make_reader(file).get_summary()
        channels = {c.topic: c for c in summary.channels.values()}
        schemas = {s.name: s.data.decode() for s in summary.schemas.values()}
    assert set(channels) == {"/textdifuse/prompt", "/a"}
    assert "transient_local" in channels["/textdifuse/prompt"].metadata["offered_qos_profiles"]
    assert all(c.message_encoding == "cdr" for c in channels.values())
    # A definition must carry those that it is made of.
    assert (
        "PromptPhrase[] phrases" in schemas[PROMPT] and "MSG: textdifuse_ros/PromptPhrase" in schemas[PROMPT]
    )


def test_metadata_is_what_ros2_bag_of_jazzy_reads(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    writer = BagWriter(tmp_path / "bag", min_free_mb=0.0)
    writer.add_topic("/textdifuse/prompt", PROMPT, [LATCHED])
    writer.add_topic("/a", IMAGE)
    writer.write("/a", 7, picture(1))
    writer.close()
    content = yaml.safe_load((tmp_path / "bag" / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert content["version"] == 9 and content["storage_identifier"] == "mcap"
    assert content["relative_file_paths"] == ["bag.mcap"] and content["message_count"] == 1
    topics = {t["topic_metadata"]["name"]: t["topic_metadata"] for t in content["topics_with_message_count"]}
    qos = topics["/textdifuse/prompt"]["offered_qos_profiles"]
    assert (qos[0]["durability"], qos[0]["reliability"]) == ("transient_local", "reliable")
    assert qos[0]["history"] == "keep_last" and qos[0]["liveliness"] == "automatic"
    assert all(t["type_description_hash"].startswith("RIHS01_") for t in topics.values())


@pytest.mark.parametrize("name", ["FusionStatus", "PromptState", "PromptPhrase"])
def test_our_messages_have_the_hash_that_the_nodes_announce(name: str) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    messages = pytest.importorskip("textdifuse_ros.msg", reason="the messages are not built")
    store = jazzy_types()
    ensure_type(store, f"textdifuse_ros/msg/{name}")
    fields = getattr(messages, name).get_fields_and_field_types()
    assert [field for field, _ in store.fielddefs[f"textdifuse_ros/msg/{name}"][1]] == list(fields)
    assert store.hash_rihs01(f"textdifuse_ros/msg/{name}").startswith("RIHS01_")


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(TypeMissing, match="nobody_msgs/msg/Nothing"):
        ensure_type(jazzy_types(), "nobody_msgs/msg/Nothing")


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    with pytest.raises(RecordError, match="exists already"):
        BagWriter(tmp_path / "bag", min_free_mb=0.0)


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot record into"):
        BagWriter(tmp_path / "file" / "bag", min_free_mb=0.0)


def test_a_disk_that_fills_ends_in_a_complete_bag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = BagWriter(tmp_path / "bag", min_free_mb=0.0)
    writer.add_topic("/a", IMAGE)
    writer.write("/a", 1, picture(0))
    monkeypatch.setattr(writer, "_min_free", 1e18)  # from now on the disk is "full"
    big = bytes(STORE.serialize_cdr(image(1, "mono8", 0), IMAGE)) + bytes(9 * 2**20)
    with pytest.raises(RecordError, match=r"left on the disk.*holds 1 messages and is complete"):
        writer.write("/a", 2, big)
    with Reader(tmp_path / "bag") as reader:
        assert reader.message_count == 1


@pytest.mark.parametrize(("storage", "reason"), [("mcap", "File too large"), ("sqlite3", "disk I/O error")])
def test_a_write_that_fails_is_reported_and_the_data_is_kept(
    tmp_path: Path, storage: str, reason: str
) -> None:
    code = f"""
import resource, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(ROOT)!r}]
from bag_samples import STORE, image
from textdifuse_ros.nodes.bag_writer import BagWriter, RecordError
resource.setrlimit(resource.RLIMIT_FSIZE, (25 * 2**20, 25 * 2**20))
writer = BagWriter({str(tmp_path / "bag")!r}, {storage!r}, min_free_mb=0.0)
writer.add_topic("/a", "sensor_msgs/msg/Image")
data = bytes(STORE.serialize_cdr(image(1, "mono8", 0), "sensor_msgs/msg/Image")) + bytes(2**20)
try:
    for k in range(50):
        writer.write("/a", k + 1, data)
except RecordError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"recording stopped: {reason}" in done.stdout
    assert "reindex" in done.stdout and "is complete" not in done.stdout
    file = next((tmp_path / "bag").glob("bag.*"))
    assert file.stat().st_size > 8 * 2**20
    if storage == "sqlite3":
        with contextlib.closing(sqlite3.connect(file)) as bag:
            left = bag.execute("SELECT count(*) FROM messages").fetchone()[0]
        assert left >= 7
        assert f"holds the first {left} messages" in done.stdout


def test_an_empty_bag_is_dated_now(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "bag", min_free_mb=0.0)
    writer.close()
    with Reader(tmp_path / "bag") as reader:
        assert reader.message_count == 0
    assert "9223372036854775807" not in (tmp_path / "bag" / "metadata.yaml").read_text()
