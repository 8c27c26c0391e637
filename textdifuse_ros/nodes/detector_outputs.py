"""The publishers of the detector node, and the messages that they send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.exceptions import InvalidHandle
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from textdifuse_ros.detection.detections import Bytes, Detections
from textdifuse_ros.detection.drawing import annotated
from textdifuse_ros.nodes import qos
from textdifuse_ros.nodes.outputs import age, image_message

DETECTIONS, PICTURE = "fused/detections", "fused/detections_image"


class DetectorOutputs:
    """Created by configure, destroyed by cleanup. Lifecycle publishers: silent while the node is inactive."""

    def __init__(self, node: Any, incompatible: Callable[[str, int], None]) -> None:
        self._node = node

        def publisher(kind: type, topic: str, profile: Any) -> Any:
            name = node.resolve_topic_name(topic)
            events = PublisherEventCallbacks(
                incompatible_qos=lambda event: incompatible(name, qos.policy_of(event))
            )
            return node.create_lifecycle_publisher(
                kind, topic, profile, event_callbacks=events, qos_overriding_options=qos.overridable()
            )

        self.detections = publisher(Detection2DArray, DETECTIONS, qos.detections_output())
        self.picture = publisher(Image, PICTURE, qos.image_output())

    def destroy(self) -> None:
        for publisher in (self.detections, self.picture):
            self._node.destroy_lifecycle_publisher(publisher)

    def subscribers(self) -> int:
        """Subscribers to the detections that are matched."""
        return _matched(self.detections)

    def publish(self, header: Any, picture: Bytes, found: Detections, names: Mapping[int, str]) -> float:
        """Send the detections first, then the annotated image if anybody wants it. Runs in the worker's
        thread. Returns the age of the detections [ms]."""
        self.detections.publish(detections_message(header, found, names))
        age_ms = age(self._node.get_clock().now(), header.stamp)
        if _matched(self.picture) > 0:
            self.picture.publish(image_message(annotated(picture, found, names), "rgb8", header))
        return age_ms


def detections_message(header: Any, found: Detections, names: Mapping[int, str]) -> Detection2DArray:
    """Boxes by centre and size in pixels, one hypothesis each, all under the header of the image."""
    message = Detection2DArray(header=header)
    for box, index, score in zip(found.boxes, found.classes, found.scores, strict=True):
        left, top, right, bottom = (float(value) for value in box)
        one = Detection2D(header=header)
        one.bbox.center.position.x, one.bbox.center.position.y = (left + right) / 2, (top + bottom) / 2
        one.bbox.size_x, one.bbox.size_y = right - left, bottom - top
        what = ObjectHypothesisWithPose()
        what.hypothesis.class_id = names.get(int(index), str(int(index)))
        what.hypothesis.score = float(score)
        one.results = [what]
        message.detections.append(one)
    return message


def _matched(publisher: Any) -> int:
    try:
        return int(publisher.get_subscription_count())
    except InvalidHandle:  # being destroyed by a transition at this moment
        return 0
