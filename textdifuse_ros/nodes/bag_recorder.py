"""Node `bag_recorder`: the cameras, the fused camera and all that explains it, into a rosbag2."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from textdifuse_ros.nodes.bag_types import TypeMissing
from textdifuse_ros.nodes.bag_writer import BagWriter, RecordError
from textdifuse_ros.nodes.command_line import Program
from textdifuse_ros.nodes.parameters import START, ParameterSpec
from textdifuse_ros.nodes.process import StartError, run_alone
from textdifuse_ros.nodes.sim_options import declare

PROGRAM = Program("bag_recorder", "Records what a fusion node takes and gives.")
DEFAULT_TOPICS = (
    "rgb/image_raw",
    "rgb/image_raw/compressed",
    "rgb/camera_info",
    "thermal/image_raw",
    "thermal/image_raw/compressed",
    "thermal/camera_info",
    "fused/image_raw",
    "fused/camera_info",
    "fused/salience",
    "textdifuse/status",
    "textdifuse/prompt",
    "ground_truth/boxes",
    "/diagnostics",
    "/parameter_events",
)

RECORDER_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec("output", str, "", "Folder of the bag; it must not exist yet", START),
    ParameterSpec("storage", str, "mcap", "Storage of the bag", START, choices=("mcap", "sqlite3")),
    ParameterSpec(
        "min_free", float, 200.0, "Stop, and close the bag, before the disk has less", START, "MB", 0.0, 1e9
    ),
)

_LOOK_S = 0.1
_DEPTH = 100
_INFINITE = QosTime(9223372036, 854775807)


class BagRecorder(Node):
    """Subscribes to each wanted topic as soon as somebody publishes it, and writes the bytes as they come."""

    def __init__(self) -> None:
        super().__init__("bag_recorder")
        self.finished, self.failure = threading.Event(), ""
        options = declare(self, RECORDER_PARAMETERS)
        descriptor = ParameterDescriptor(
            description="Topics to record, relative to the namespace", read_only=True
        )
        wanted = self.declare_parameter("topics", list(DEFAULT_TOPICS), descriptor).value
        if not options["output"]:
            raise StartError("parameter output is empty: it names the folder of the bag")
        try:
            self._bag = BagWriter(options["output"], options["storage"], options["min_free"])
        except RecordError as error:
            raise StartError(str(error)) from None
        self._waiting = {self.resolve_topic_name(str(name)) for name in wanted}
        self._subscriptions_kept: dict[str, Any] = {}
        self._timer = self.create_timer(_LOOK_S, self._look)
        self.get_logger().info(f"recording into {self._bag.path}")

    def close(self) -> None:
        """Finish the bag, with what has arrived and was not written yet."""
        self._timer.cancel()
        for topic, subscription in self._subscriptions_kept.items():
            self._drain(topic, subscription)
        state = self._bag.close()
        self.get_logger().info(state)

    def _look(self) -> None:
        """Subscribe to the wanted topics that have a publisher by now."""
        if not self._waiting or self.finished.is_set():
            return
        present = dict(self.get_topic_names_and_types())
        for topic in sorted(self._waiting & present.keys()):
            offers = self.get_publishers_info_by_topic(topic)
            if offers:
                self._waiting.discard(topic)
                self._subscribe(topic, present[topic][0], offers)

    def _subscribe(self, topic: str, msgtype: str, offers: Sequence[Any]) -> None:
        try:
            kind = _message_class(msgtype)
            self._bag.add_topic(topic, msgtype, [_as_rosbag(offer.qos_profile) for offer in offers])
        except (TypeMissing, ImportError, AttributeError) as error:
            self.get_logger().warning(f"{topic} is not recorded: {error}")
            return

        def keep(data: bytes) -> None:
            self._keep(topic, data)

        subscription = self.create_subscription(kind, topic, keep, _matching(offers), raw=True)
        self._subscriptions_kept[topic] = subscription

    def _drain(self, topic: str, subscription: Any) -> None:
        """Write what waits in the subscription's queue: its sender believes that it is recorded. Whoever
        still sends could go on for ever, so no more than the queue holds is taken.
        """
        with subscription.handle:
            for _ in range(_DEPTH):
                taken = subscription.handle.take_message(subscription.msg_type, True)
                if taken is None:
                    return
                self._keep(topic, taken[0])

    def _keep(self, topic: str, data: bytes) -> None:
        if self.finished.is_set():
            return
        try:
            self._bag.write(topic, int(self.get_clock().now().nanoseconds), data)
        except RecordError as error:
            self.failure = str(error)
            self.finished.set()


def _message_class(msgtype: str) -> Any:
    """The class of a type such as sensor_msgs/msg/Image; raises ImportError or AttributeError."""
    package, _, name = msgtype.rpartition("/")
    return getattr(importlib.import_module(package.replace("/", ".")), name)


def _matching(offers: Sequence[Any]) -> QoSProfile:
    """A subscription that every present publisher satisfies, as strict as they all allow."""
    profiles = [offer.qos_profile for offer in offers]
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _as_rosbag(profile: QoSProfile) -> Qos:
    """An offered profile as `ros2 bag play` needs it to offer the same again.

    DDS does not tell the depth of a remote publisher; a player needs a valid one.
    """
    return Qos(
        QosHistory.KEEP_LAST,
        max(int(profile.depth), 1),
        QosReliability(int(profile.reliability)),
        QosDurability(int(profile.durability)),
        _INFINITE,
        _INFINITE,
        QosLiveliness.AUTOMATIC,
        _INFINITE,
        False,
    )


def main(args: Sequence[str] | None = None) -> int:
    """Entry point of `python -m textdifuse_ros.nodes.bag_recorder`."""
    return run_alone(PROGRAM, BagRecorder, args)


if __name__ == "__main__":
    raise SystemExit(main())
