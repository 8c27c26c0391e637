"""The subscriptions of the detector node: they exist while it is active."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from sensor_msgs.msg import Image

from textdifuse_ros.msg import PromptState
from textdifuse_ros.nodes import qos

IMAGES = "fused/image_raw"


class DetectorInputs:
    """Images, best effort like every listener to a camera here, and the latched prompt."""

    def __init__(
        self,
        node: Node,
        prompt_topic: str,
        receive: Callable[[Image], None],
        hear: Callable[[PromptState], None],
        incompatible: Callable[[str, int], None],
        group: CallbackGroup,
    ) -> None:
        self._node = node
        name = node.resolve_topic_name(IMAGES)
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: incompatible(name, qos.policy_of(event))
        )
        self._images = node.create_subscription(
            Image,
            IMAGES,
            receive,
            qos.camera_input(),
            callback_group=group,
            event_callbacks=events,
            qos_overriding_options=qos.overridable(),
        )
        self._prompt = node.create_subscription(
            PromptState, prompt_topic, hear, qos.latched(), callback_group=group
        )

    def publishers(self) -> int:
        """Publishers of images that are matched: right topic, type and QoS."""
        try:
            return int(self._images.get_publisher_count())
        except InvalidHandle:  # being destroyed by a transition at this moment
            return 0

    def destroy(self) -> None:
        for subscription in (self._images, self._prompt):
            self._node.destroy_subscription(subscription)
