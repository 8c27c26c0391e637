"""The subscriptions of the fusion node: they exist while it is active."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from textdifuse_ros.nodes import qos
from textdifuse_ros.nodes.box_input import BoxInput
from textdifuse_ros.nodes.loss import CAMERAS
from textdifuse_ros.nodes.parameters import Settings

Receive = Callable[[str, Any, bool], None]  # camera, message, compressed
ReceiveInfo = Callable[[str, CameraInfo], None]
Incompatible = Callable[[str, int], None]  # topic, policy kind


def image_topic(node: Node, settings: Settings, camera: str) -> str:
    """The topic that this camera's images are taken from, with its full name.

    Compressed ones lie below the topic of the raw ones, wherever that is remapped to, as image_transport has
    it; a remap of their own goes first.
    """
    raw = f"{camera}/image_raw"
    if settings.text(f"{camera}.transport") != "compressed":
        return node.resolve_topic_name(raw)
    compressed = f"{raw}/compressed"
    remapped = node.resolve_topic_name(compressed)
    if remapped != node.resolve_topic_name(compressed, only_expand=True):
        return remapped
    return f"{node.resolve_topic_name(raw)}/compressed"


class Inputs:
    """Subscriptions to both cameras' images and CameraInfos; and those of ``boxes``, which end with these."""

    def __init__(
        self,
        node: Node,
        settings: Settings,
        receive: Receive,
        receive_info: ReceiveInfo,
        incompatible: Incompatible,
        group: CallbackGroup,
        boxes: BoxInput,
    ) -> None:
        self._node = node
        self.boxes = boxes
        self._group = group
        self._subscriptions: list[Any] = []
        self._images: dict[str, Any] = {}
        for camera in CAMERAS:
            self._subscribe_images(settings, camera, receive, incompatible)
            self._subscribe_info(camera, receive_info)

    def publishers(self, camera: str) -> int:
        """Publishers of this camera's images that are matched: right topic, type and QoS."""
        try:
            return int(self._images[camera].get_publisher_count())
        except (KeyError, InvalidHandle):  # being destroyed by a transition at this moment
            return 0

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self.boxes.destroy()

    def _subscribe_images(
        self, settings: Settings, camera: str, receive: Receive, incompatible: Incompatible
    ) -> None:
        compressed = settings.text(f"{camera}.transport") == "compressed"
        topic = image_topic(self._node, settings, camera)
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: incompatible(topic, qos.policy_of(event))
        )
        subscription = self._node.create_subscription(
            CompressedImage if compressed else Image,
            topic,
            lambda message: receive(camera, message, compressed),
            qos.camera_input(),
            callback_group=self._group,
            event_callbacks=events,
            qos_overriding_options=qos.overridable(),
        )
        self._images[camera] = subscription
        self._subscriptions.append(subscription)

    def _subscribe_info(self, camera: str, receive_info: ReceiveInfo) -> None:
        self._subscriptions.append(
            self._node.create_subscription(
                CameraInfo,
                f"{camera}/camera_info",
                lambda message: receive_info(camera, message),
                qos.camera_input(),
                callback_group=self._group,
                qos_overriding_options=qos.overridable(),
            )
        )
