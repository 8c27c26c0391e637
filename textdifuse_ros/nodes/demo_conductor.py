"""The demo's own node: waits for events, changes parameters through the service, shows progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.nodes.qos import status_output

SECOND = 1_000_000_000


@dataclass
class Change:
    """A change of parameters as it went: times in seconds since the first fused picture."""

    parameters: dict[str, Any]
    note: str
    asked_at: float
    accepted: bool
    reason: str
    answered_ms: float
    frames: int = -1  # fused pictures from the acceptance to the first that shows it, that one included
    shown_ms: float = float("nan")
    first_stamp: int = 0  # stamp [ns] of the first picture that shows it


@dataclass
class Seen:
    """What the conductor has heard of the fusion so far."""

    statuses: int = 0
    latest: Any = None
    ages: list[float] = field(default_factory=list)
    diagnosis: str = ""


class Conductor:
    """Drives the fusion node `textdifuse` from outside, as an operator would."""

    def __init__(self, domain: int, check: Callable[[], None]) -> None:
        """domain: ROS domain id; check: called while waiting, raises when a child process has died."""
        self._check = check
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("demo_conductor", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._client = self._node.create_client(
            SetParametersAtomically, "textdifuse/set_parameters_atomically"
        )
        self._subscriptions = (
            self._node.create_subscription(
                FusionStatus, "textdifuse/status", self._on_status, status_output()
            ),
            self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10),
        )
        self.seen = Seen()
        self._watch: Callable[[Any], None] | None = None
        self._extra: list[Any] = []
        self._listeners: list[Callable[[Any], None]] = []

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.remove_node(self._node)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _on_status(self, status: Any) -> None:
        self.seen.statuses += 1
        self.seen.latest = status
        if np.isfinite(status.age_ms):
            self.seen.ages.append(float(status.age_ms))
        for listener in self._listeners:
            listener(status)
        if self._watch is not None:
            self._watch(status)

    def _on_diagnostics(self, message: Any) -> None:
        texts = [s.message for s in message.status if int.from_bytes(s.level, "little") > 0 and s.message]
        self.seen.diagnosis = "; ".join(dict.fromkeys(texts))

    def spin_until(
        self, done: Callable[[], bool], timeout: float, waiting: Callable[[float], None] = lambda _: None
    ) -> bool:
        """Handle events until `done` or the time-out [s]; tells `waiting` the seconds gone now and then."""
        began = told = time.monotonic()
        while not done():
            now = time.monotonic()
            if now - began > timeout:
                return False
            if now - told > 0.5:
                told = now
                self._check()
                waiting(now - began)
            self._executor.spin_once(timeout_sec=0.1)
        return True

    def listen(
        self, kind: Any, topic: str, qos: Any, callback: Callable[[Any], None], raw: bool = False
    ) -> None:
        """Subscribe to another topic; the callback runs while this object waits."""
        self._extra.append(self._node.create_subscription(kind, topic, callback, qos, raw=raw))

    def on_status(self, callback: Callable[[Any], None]) -> None:
        """Also hand every status message to a callback."""
        self._listeners.append(callback)

    def subscribers(self, topic: str) -> int:
        """How many subscriptions a topic has."""
        return int(self._node.count_subscribers(topic))

    def publishers(self, topic: str) -> int:
        """How many publishers a topic has."""
        return int(self._node.count_publishers(topic))

    def change(self, parameters: Mapping[str, Any], note: str, since: float) -> Change:
        """Set parameters through the service and wait until a fused picture shows them.

        since: monotonic time of the first fused picture. Raises TimeoutError without an answer.
        """
        request = SetParametersAtomically.Request()
        request.parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in parameters.items()
        ]
        began = time.monotonic()
        future = self._client.call_async(request)
        if not self.spin_until(future.done, 10.0):
            raise TimeoutError("the fusion node does not answer its parameter service")
        result = future.result().result
        answered = time.monotonic()
        change = Change(
            dict(parameters), note, began - since, bool(result.successful), str(result.reason),
            (answered - began) * 1e3,
        )  # fmt: skip
        if change.accepted:
            self._await_effect(change, answered)
        return change

    def _await_effect(self, change: Change, answered: float) -> None:
        count = 0

        def watch(status: Any) -> None:
            nonlocal count
            if change.frames >= 0:
                return
            count += 1
            if all(getattr(status, name, value) == value for name, value in change.parameters.items()):
                change.frames = count
                change.shown_ms = (time.monotonic() - answered) * 1e3
                change.first_stamp = status.header.stamp.sec * SECOND + status.header.stamp.nanosec

        self._watch = watch
        self.spin_until(lambda: change.frames >= 0, 10.0)
        self._watch = None
