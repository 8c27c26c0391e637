"""The fusion node's subscription to detections: there while their boxes shall count."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from textdifuse_ros.nodes import qos


class BoxInput:
    """Made with an activation, destroyed with it. Any thread may call: parameters come on one, transitions
    on another."""

    def __init__(self, node: Node, topic: str, hear: Callable[[Any], None], group: CallbackGroup) -> None:
        self._node, self._topic, self._hear, self._group = node, topic, hear, group
        self._lock = threading.Lock()
        self._subscription: Any = None
        self._destroyed = False

    def want(self, wanted: bool) -> None:
        """Subscribe, or stop listening."""
        with self._lock:
            if wanted and self._subscription is None and not self._destroyed:
                from vision_msgs.msg import Detection2DArray  # whether it is there was asked before

                self._subscription = self._node.create_subscription(
                    Detection2DArray,
                    self._topic,
                    self._hear,
                    qos.detections_input(),
                    callback_group=self._group,
                    qos_overriding_options=qos.overridable(),
                )
            elif not wanted and self._subscription is not None:
                self._node.destroy_subscription(self._subscription)
                self._subscription = None

    def destroy(self) -> None:
        self.want(False)
        with self._lock:
            self._destroyed = True
