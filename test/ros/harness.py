"""Real nodes in separate processes, seen from a probe node in the test: nothing is mocked, nothing sleeps."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from gate import Gate
from lifecycle_msgs.srv import ChangeState, GetState
from node_process import ROOT, NodeProcess
from pictures import image, rgb_array, thermal_array
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters, SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from waiting import DEADLINE, Collector, DiagnosticsView, M, until

RELIABLE = QoSProfile(depth=200, reliability=ReliabilityPolicy.RELIABLE)

BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)

LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)

HISTORY = QoSProfile(
    depth=200, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)

# the node's own default, which the rig overrides
BEST_EFFORT_INPUT = {
    f"qos_overrides./{camera}/image_raw.subscription.reliability": "best_effort"
    for camera in ("rgb", "thermal")
}


class Rig:
    """One ROS domain with a probe node, cameras to publish with, and the node under test."""

    def __init__(self, domain: int, folder: Path, node: str = "/textdifuse") -> None:
        self.domain, self.folder, self.target = domain, folder, node
        self.context = rclpy.Context()
        self.context.init(domain_id=domain)
        self.probe = rclpy.create_node("probe", context=self.context, use_global_arguments=False)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.probe)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self._publishers: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        self._diagnostics: DiagnosticsView | None = None
        self.namespace = ""
        self.listened: list[str] = []
        self.processes: list[NodeProcess] = []

    def _spin(self) -> None:
        with contextlib.suppress(Exception):
            self._executor.spin()

    def close(self) -> None:
        for process in self.processes:
            if process.process.poll() is None:
                process.kill(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.process.kill()
                process.process.wait()
        self._executor.shutdown()
        self._thread.join(5)
        self.probe.destroy_node()
        self.context.try_shutdown()

    # -- the node under test --------------------

    def start(
        self,
        parameters: dict[str, Any] | None = None,
        *arguments: str,
        module: str = "textdifuse_ros.nodes.fusion_node",
        threads: int = 1,
        gate: Gate | None = None,
    ) -> NodeProcess:
        """Start a node; parameters are given as on a command line.

        So that no test depends on how busy the machine is, a camera counts as lost only after a minute (tests
        about loss set loss_timeout themselves), and images are taken reliably: best effort may lose one.
        gate: its model is not loaded before that is opened.
        """
        given = {"threads": threads, "diagnostics_period": 0.2, "loss_timeout": 60.0}
        for topic in ("rgb/image_raw", "thermal/image_raw"):
            for suffix in ("", "/compressed"):
                given[f"qos_overrides.{self.namespace}/{topic}{suffix}.subscription.reliability"] = "reliable"
        given.update(parameters or {})
        words = ["--ros-args"]
        for name, value in given.items():
            words += ["-p", f"{name}:={_yaml(value)}"]
        environment = dict(os.environ)
        environment.update(
            ROS_DOMAIN_ID=str(self.domain),
            ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
            PYTHONPATH=os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
            ROS_LOG_DIR=str(self.folder / "ros_log"),
            PYTHONUNBUFFERED="1",
        )
        if gate is not None:
            environment.update(gate.environment(environment["PYTHONPATH"]))
        log = self.folder / f"node{len(self.processes)}.log"
        process = NodeProcess(module, [*words, *arguments], environment, log)
        self.processes.append(process)
        return process

    def gate(self) -> Gate:
        """To be given to `start`."""
        return Gate(self.folder / f"gate{len(self.processes)}")

    # -- topics --------------------

    def listen(self, topic: str, kind: type[M], qos: QoSProfile = RELIABLE) -> Collector[M]:
        collector: Collector[M] = Collector(topic)
        self.listened.append(topic)
        self.probe.create_subscription(kind, topic, collector.add, qos)
        return collector

    def diagnostics(self) -> DiagnosticsView:
        if self._diagnostics is None:
            self._diagnostics = DiagnosticsView(self.listen("/diagnostics", DiagnosticArray), self.target)
        return self._diagnostics

    def publisher(self, topic: str, kind: type, qos: QoSProfile = RELIABLE) -> Any:
        if topic not in self._publishers:
            self._publishers[topic] = self.probe.create_publisher(kind, topic, qos)
        return self._publishers[topic]

    def wait_subscribed(self, topic: str, kind: type, qos: QoSProfile = RELIABLE) -> Any:
        """The publisher of ``topic``, once somebody has subscribed to it."""
        publisher = self.publisher(topic, kind, qos)
        until(lambda: publisher.get_subscription_count() > 0, f"a subscription to {topic}")
        return publisher

    def wait_unsubscribed(self, *topics: str) -> None:
        """Until a node that ended is forgotten: what is sent before that may be meant for nobody."""
        for topic in topics:
            publisher = self._publishers[topic]
            until(lambda p=publisher: p.get_subscription_count() == 0, f"the subscriber of {topic} to leave")

    def wait_publishers(self, *topics: str) -> None:
        for topic in topics:
            until(lambda topic=topic: self.probe.count_publishers(topic) > 0, f"a publisher of {topic}")

    # -- services --------------------

    def call(self, service: str, kind: Any, request: Any, tries: int = 1) -> Any:
        """The reply. Questions may be asked again: Fast DDS loses a reply when the server has not discovered
        the client yet, and a request when the only server known is one that was killed a moment ago."""
        if service not in self._clients:
            self._clients[service] = self.probe.create_client(kind, service)
        client = self._clients[service]
        assert client.wait_for_service(DEADLINE), f"no service {service}"
        for _ in range(tries):
            done = threading.Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _, done=done: done.set())
            if done.wait(DEADLINE / tries):
                return future.result()
        raise AssertionError(f"{service} did not answer")

    def set(self, **values: Any) -> Any:
        """Set one parameter (dots as two underscores); the result with ``successful`` and ``reason``."""
        return self.set_all({name.replace("__", "."): value for name, value in values.items()})[0]

    def set_all(self, values: dict[str, Any]) -> list[Any]:
        request = SetParameters.Request(parameters=_messages(values))
        return list(self.call(f"{self.target}/set_parameters", SetParameters, request).results)

    def set_atomically(self, values: dict[str, Any]) -> Any:
        request = SetParametersAtomically.Request(parameters=_messages(values))
        return self.call(f"{self.target}/set_parameters_atomically", SetParametersAtomically, request).result

    def get(self, name: str) -> Any:
        request = GetParameters.Request(names=[name])
        value = self.call(f"{self.target}/get_parameters", GetParameters, request, tries=6).values[0]
        return rclpy.parameter.parameter_value_to_python(value)

    def describe(self, *names: str) -> list[Any]:
        request = DescribeParameters.Request(names=list(names))
        return list(self.call(f"{self.target}/describe_parameters", DescribeParameters, request).descriptors)

    def change_state(self, transition: str) -> bool:
        request = ChangeState.Request()
        request.transition.label = transition
        return bool(self.call(f"{self.target}/change_state", ChangeState, request).success)

    def state(self) -> str:
        reply = self.call(f"{self.target}/get_state", GetState, GetState.Request(), tries=6)
        return str(reply.current_state.label)

    def wait_state(self, label: str) -> None:
        until(lambda: self.state() == label, f"state {label}")


def _messages(values: dict[str, Any]) -> list[Any]:
    return [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return '"' + value + '"' if isinstance(value, str) else str(value)


class Cameras:
    """The two cameras of a rig: publishes what a test wants when it wants it."""

    def __init__(self, rig: Rig, namespace: str = "", qos: QoSProfile = RELIABLE) -> None:
        self._rig, self._namespace, self._qos = rig, namespace, qos
        self.count = 0

    def ready(self) -> Cameras:
        """Wait until both sides of every connection know each other: this side by asking the publishers,
        the node's side by what its diagnostics say of its publishers and subscribers."""
        for camera in ("rgb", "thermal"):
            self._rig.wait_subscribed(f"{self._namespace}/{camera}/image_raw", Image, self._qos)
        diagnostics = self._rig.diagnostics()
        for camera in ("rgb", "thermal"):
            diagnostics.wait(camera, publishers="1")
        listeners = sum(topic.endswith("fused/image_raw") for topic in self._rig.listened)
        diagnostics.wait("output", subscribers=str(listeners))
        return self

    def rgb(
        self, stamp: int, array: np.ndarray | None = None, encoding: str = "rgb8", message: Any = None
    ) -> Any:
        self.count += 1
        array = rgb_array(self.count) if array is None else array
        message = message or image(array, encoding, stamp, "rgb_optical_frame")
        self._rig.publisher(f"{self._namespace}/rgb/image_raw", Image, self._qos).publish(message)
        return message

    def thermal(
        self, stamp: int, array: np.ndarray | None = None, encoding: str = "mono8", message: Any = None
    ) -> Any:
        self.count += 1
        array = thermal_array(self.count) if array is None else array
        message = message or image(array, encoding, stamp, "thermal_optical_frame")
        self._rig.publisher(f"{self._namespace}/thermal/image_raw", Image, self._qos).publish(message)
        return message

    def pair(self, stamp: int, **arrays: Any) -> None:
        """Both cameras at the same stamp."""
        self.thermal(stamp, arrays.get("thermal"))
        self.rgb(stamp, arrays.get("rgb"))
