"""Both managed nodes in the test's own process, with stand-ins for their models and no executor: every call
returns when it is done, and a test may stop what it likes in the middle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rclpy
from node_process import ros_domain
from pictures import at, image, rgb_array, thermal_array
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from waiting import DEADLINE

from textdifuse_ros.nodes import fusion
from textdifuse_ros.nodes.managed_node import ManagedNode

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR


class Model:
    """A network or a detector; `fuse_cameras` says that it has begun, and waits to be let go."""

    device, engine, dtype, weights_id = "cpu", "stand-in", "fp32", "none"
    steps = (1, 2, 4)

    def __init__(self) -> None:
        self.names = {0: "person", 1: "car"}
        self.began, self.go = threading.Event(), threading.Event()
        self.closed = False

    def enter_thread(self) -> None: ...

    def ready(self, prompt: Any) -> bool:
        return True

    def fuse_cameras(self, cameras: Any, *_: Any, **__: Any) -> Any:
        self.began.set()
        assert self.go.wait(DEADLINE)
        rgb, _ = cameras.registered()
        return SimpleNamespace(
            image=rgb, salience=None, on_device=None, register_ms=0.0, model_ms=1.0, repaired={}
        )

    def close(self) -> None:
        self.closed = True


class ManagedRig:
    """One node, unconfigured. ``while_building``: called by the loader's thread for each model."""

    def __init__(self, make: Callable[[], ManagedNode]) -> None:
        self.built: list[Model] = []
        self.while_building: Callable[[], None] = lambda: None
        self.node: Any = make()
        self.node.model._build = self._build

    def _build(self, settings: Any) -> Model:
        self.while_building()
        self.built.append(Model())
        return self.built[-1]

    def set(self, **values: Any) -> Any:
        """Parameters one by one, dots as two underscores; the result of the last one."""
        parameters = [Parameter(name.replace("__", "."), value=value) for name, value in values.items()]
        return self.node.set_parameters(parameters)[-1]

    def activate(self) -> Model:
        """Configure if need be, and activate; the model that is used from now on."""
        if self.node._state_machine.current_state[1] == "unconfigured":
            assert self.node.trigger_configure() == SUCCESS
        assert self.node.trigger_activate() == SUCCESS
        return self.built[-1]

    def pair(self, milliseconds: float) -> None:
        """Both cameras' images, as if they had come by their topics."""
        stamp = at(milliseconds)
        self.node.session.receive("thermal", image(thermal_array(), "mono8", stamp), False)
        self.node.session.receive("rgb", image(rgb_array(), "rgb8", stamp), False)

    def subscribed(self) -> list[str]:
        """Topics of its own that it listens to."""
        return [
            each.topic_name for each in self.node.subscriptions if each.callback_group is self.node.frames
        ]


@contextmanager
def managed_rig(
    make: Callable[[], ManagedNode], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ManagedRig]:
    monkeypatch.setenv("ROS_LOG_DIR", str(folder / "ros_log"))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setattr(fusion, "forward", lambda log: None)  # the log of the tests stays as it is
    with ros_domain() as domain:
        rclpy.init(args=["test", "--ros-args", "-p", "autostart:=false"], domain_id=domain)
        try:
            rig = ManagedRig(make)
            yield rig
            for model in rig.built:
                model.go.set()
            assert rig.node.close()
            rig.node.destroy_node()
        finally:
            rclpy.shutdown()
