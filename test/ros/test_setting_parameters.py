"""While a parameter is checked images go on, other clients wait their turn, and transitions are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from lifecycle_msgs.srv import ChangeState
from managed_rig import SUCCESS, ManagedRig, managed_rig
from pictures import at, image, rgb_array, stamp_of, thermal_array
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from waiting import DEADLINE, Collector, until

from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.nodes.executor import TransitionExecutor
from textdifuse_ros.nodes.fusion import FusionNode
from textdifuse_ros.text.localiser import CompiledPrompt

pytestmark = pytest.mark.ros

CAMERAS = ("rgb", "thermal")
ARGUMENTS = ["-p", "loss_timeout:=60.0"] + [
    word
    for camera in CAMERAS
    for word in ("-p", f"qos_overrides./{camera}/image_raw.subscription.reliability:=reliable")
]


class HeldLocaliser:
    """Knows everything; what is `slow` it begins to encode, and ends when it is let go."""

    def __init__(self, name: str = "embedded", slow: str = "slow things") -> None:
        self.name, self._slow = name, slow
        self.began, self.go = threading.Event(), threading.Event()

    def compile(self, prompt: Any) -> CompiledPrompt:
        if any(phrase.text == self._slow for phrase in prompt.phrases):
            self.began.set()
            assert self.go.wait(DEADLINE)
        return CompiledPrompt(prompt, self.name)


class Spun:
    """The fusion node with the executor of the real process, and a probe with one of its own."""

    def __init__(self, rig: ManagedRig) -> None:
        self.rig, self.node = rig, rig.node
        self.held = self.stand_in("embedded")
        self.probe = rclpy.create_node("probe", use_global_arguments=False)
        self.status: Collector[FusionStatus] = Collector("status")
        self.probe.create_subscription(FusionStatus, "/textdifuse/status", self.status.add, 50)
        self._cameras = {c: self.probe.create_publisher(Image, f"/{c}/image_raw", 10) for c in CAMERAS}
        self._executors = [
            TransitionExecutor([self.node.transitions, self.node.setting]),
            SingleThreadedExecutor(),
        ]
        self._threads = []
        for executor, node in zip(self._executors, (self.node, self.probe), strict=True):
            executor.add_node(node)
            self._threads.append(threading.Thread(target=executor.spin, daemon=True))
            self._threads[-1].start()
        self._frames = 0

    def close(self) -> None:
        self.held.go.set()
        for executor, thread in zip(self._executors, self._threads, strict=True):
            executor.shutdown(timeout_sec=5.0)
            thread.join(5.0)
        self.probe.destroy_node()

    def stand_in(self, name: str, slow: str = "slow things") -> HeldLocaliser:
        """A localiser of that name whose encoding the test holds."""
        held = HeldLocaliser(name, slow)
        self.node.prompts._localisers[name] = held
        return held

    def activate(self) -> None:
        self.rig.activate().go.set()
        for publisher in self._cameras.values():
            until(lambda p=publisher: p.get_subscription_count() > 0, "the node's subscription")
        until(lambda: self.probe.count_publishers("/textdifuse/status") > 0, "the status")

    def ask(self, kind: Any, service: str, request: Any) -> Any:
        """The future of an answer, by a client of its own."""
        client = self.probe.create_client(kind, f"/textdifuse/{service}")
        assert client.wait_for_service(DEADLINE)
        return client.call_async(request)

    def set(self, **values: Any) -> Any:
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        return self.ask(SetParameters, "set_parameters", SetParameters.Request(parameters=parameters))

    def prompt_of_next_frame(self) -> str:
        """Send both cameras' images by their topics; what the frame says that was made of them."""
        self._frames += 1
        stamp = at(40 * self._frames)
        self._cameras["thermal"].publish(image(thermal_array(self._frames), "mono8", stamp))
        self._cameras["rgb"].publish(image(rgb_array(self._frames), "rgb8", stamp))
        return str(self.status.wait(lambda m: stamp_of(m) == stamp).prompt)


def answer(future: Any) -> Any:
    """The result of the only or last parameter, once it is there."""
    until(future.done, "an answer")
    reply = future.result()
    return reply.results[-1] if hasattr(reply, "results") else reply.result


@pytest.fixture
def spun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spun]:
    with managed_rig(lambda: FusionNode(ARGUMENTS), tmp_path, monkeypatch) as rig:
        spun = Spun(rig)
        try:
            yield spun
        finally:
            spun.close()


def test_frames_go_on_with_the_old_prompt_while_a_new_one_is_encoded(spun: Spun) -> None:
    spun.activate()
    assert answer(spun.set(prompt="warm objects")).successful
    assert spun.prompt_of_next_frame() == "warm objects"
    setting = spun.set(prompt="slow things")
    assert spun.held.began.wait(DEADLINE)
    assert [spun.prompt_of_next_frame() for _ in range(5)] == ["warm objects"] * 5
    question = spun.ask(GetParameters, "get_parameters", GetParameters.Request(names=["prompt"]))
    until(question.done, "the old value")
    assert question.result().values[0].string_value == "warm objects"
    assert not setting.done()
    spun.held.go.set()
    assert answer(setting).successful
    assert spun.prompt_of_next_frame() == "slow things"


def test_two_clients_are_both_answered_and_the_later_prompt_stays(spun: Spun) -> None:
    spun.activate()
    first = spun.set(prompt="slow things")
    assert spun.held.began.wait(DEADLINE)
    later = Parameter("prompt", value="cold objects").to_parameter_msg()
    second = spun.ask(
        SetParametersAtomically,
        "set_parameters_atomically",
        SetParametersAtomically.Request(parameters=[later]),
    )
    assert spun.prompt_of_next_frame() == ""
    assert not first.done() and not second.done()  # one after the other, by whichever service
    spun.held.go.set()
    assert answer(first).successful and answer(second).successful
    assert spun.prompt_of_next_frame() == "cold objects"
    assert spun.node.get_parameter("prompt").value == spun.node.prompts.current.text == "cold objects"


def test_a_transition_is_made_while_a_prompt_is_encoded_which_then_is_in_force(spun: Spun) -> None:
    spun.activate()
    setting = spun.set(prompt="slow things")
    assert spun.held.began.wait(DEADLINE)
    request = ChangeState.Request()
    request.transition.label = "deactivate"
    transition = spun.ask(ChangeState, "change_state", request)
    until(transition.done, "the transition")
    assert transition.result().success and not setting.done()
    spun.held.go.set()
    assert answer(setting).successful
    spun.activate()
    assert spun.prompt_of_next_frame() == "slow things"
    assert spun.node.prompts.current.in_force


def test_what_activate_reads_is_refused_when_the_node_was_activated_meanwhile(spun: Spun) -> None:
    assert spun.node.trigger_configure() == SUCCESS
    assert answer(spun.set(prompt="warm objects")).successful
    heat = spun.stand_in("heat", slow="warm objects")
    setting = spun.set(localiser="heat")
    assert heat.began.wait(DEADLINE)
    spun.activate()
    heat.go.set()
    refused = answer(setting)
    assert not refused.successful and "while the node is active" in refused.reason
    assert spun.prompt_of_next_frame() == "warm objects"
    assert spun.node.prompts.current.localiser == "embedded"
