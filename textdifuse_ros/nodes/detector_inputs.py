"""Where the detector node gets its images and the prompt from: open while it is active."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from sensor_msgs.msg import Image

from textdifuse_ros.msg import PromptState
from textdifuse_ros.nodes import qos
from textdifuse_ros.nodes.handover import Handover

IMAGES = "fused/image_raw"


class DetectorInputs:
    """Images, best effort like every listener to a camera here, and the latched prompt.

    With a handover nothing is subscribed to for the images: they come through the process.
    """

    def __init__(
        self,
        node: Node,
        prompt_topic: str,
        receive: Callable[[Any], None],
        hear: Callable[[PromptState], None],
        incompatible: Callable[[str, int], None],
        group: CallbackGroup,
        handover: Handover | None = None,
    ) -> None:
        self._node = node
        self._handover = handover
        self._images: Any = None
        if handover is None:
            self._images = self._subscribe(receive, incompatible, group)
        self._prompt = node.create_subscription(
            PromptState, prompt_topic, hear, qos.latched(), callback_group=group
        )
        if handover is not None:
            handover.open(receive)

    def publishers(self) -> int:
        """Publishers of images that are matched: right topic, type and QoS; or 1 while a node of the process
        hands them over."""
        if self._handover is not None:
            return int(self._handover.is_active())
        try:
            return int(self._images.get_publisher_count())
        except InvalidHandle:  # being destroyed by a transition at this moment
            return 0

    def destroy(self) -> None:
        if self._handover is not None:
            self._handover.close()
        for subscription in (self._images, self._prompt):
            if subscription is not None:
                self._node.destroy_subscription(subscription)

    def _subscribe(
        self,
        receive: Callable[[Any], None],
        incompatible: Callable[[str, int], None],
        group: CallbackGroup,
    ) -> Any:
        node = self._node
        name = node.resolve_topic_name(IMAGES)
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: incompatible(name, qos.policy_of(event))
        )
        return node.create_subscription(
            Image,
            IMAGES,
            receive,
            qos.camera_input(),
            callback_group=group,
            event_callbacks=events,
            qos_overriding_options=qos.overridable(),
        )
