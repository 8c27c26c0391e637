"""What the managed nodes of this package share: states, autostart, parameters, explained failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node

from textdifuse_ros.nodes import qos
from textdifuse_ros.nodes.diagnostics_publisher import DiagnosticsPublisher
from textdifuse_ros.nodes.executor import setting_group
from textdifuse_ros.nodes.model_holder import ModelError, ModelHolder
from textdifuse_ros.nodes.parameter_server import ParameterServer
from textdifuse_ros.nodes.settings import S

STOP_TIMEOUT = 30.0  # seconds that a worker has for its present image
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class TransitionRefused(RuntimeError):
    """A transition cannot be made for now; the text says what to set right."""


class ManagedNode(LifecycleNodeMixin, Node, Generic[S]):  # type: ignore[misc]
    """Needs an executor that runs the groups ``transitions`` and ``setting`` in a thread each: a transition
    waits for the model there, and parameters are checked, while images and diagnostics are served.

    A node's constructor makes its parts, registers them with ``parameters`` and calls ``begin``. Its table
    must have MANAGED_ROWS.
    """

    session: Any  # what works on images while the node is active: stop(timeout) -> bool
    inputs: Any  # its subscriptions, all in the group ``frames``: destroy()
    outputs: Any  # the publishers, from configure to cleanup: destroy()
    model: ModelHolder[S, Any]

    def __init__(
        self, name: str, defaults: S, model: ModelHolder[S, Any], arguments: Sequence[str] = ()
    ) -> None:
        """arguments: ROS arguments for this node alone, besides those of the process."""
        self.arguments = tuple(arguments)
        Node.__init__(self, name, cli_args=["--ros-args", *arguments] if arguments else None)
        self.session = self.inputs = self.outputs = None
        self._ending: Any = None  # a session that was told to stop and has not yet
        self.model = model
        self.transitions = MutuallyExclusiveCallbackGroup()
        self.setting = setting_group(self)  # a prompt may take as long as an image
        self.frames = MutuallyExclusiveCallbackGroup()
        self.stopping = threading.Event()
        self.incompatible: dict[str, str] = {}
        self.trouble = ""  # why the last transition failed
        self.activated: Callable[[Any], None] = lambda node: None  # told of each activation
        self._attempted = ""  # the transition that reads the parameters at this moment
        self.parameters: ParameterServer[S] = ParameterServer(self, defaults, self._hindrance)

    def is_active(self) -> bool:
        """Whether images are being worked on."""
        return self.session is not None

    def loading_transition(self) -> str:
        """The one that loads the model next: a transition that failed leaves the state as it was."""
        state = self._state_machine.current_state[1]
        return "activate" if state in ("inactive", "activating") else "configure"

    def begin(self, diagnostics: DiagnosticsPublisher) -> None:
        """Declare the parameters, offer the lifecycle services, start the timers: diagnostics once a period,
        and the node's own first transitions if it starts by itself.

        Raises ParameterError when a parameter given at start is refused.
        """
        self.diagnostics = diagnostics
        self.parameters.declare()
        LifecycleNodeMixin.__init__(self, callback_group=self.transitions)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # diagnostics go on while a simulated clock stands
        period = self.parameters.settings.number("diagnostics_period")
        self._diagnostics_timer = self.create_timer(
            period, self._diagnose, callback_group=MutuallyExclusiveCallbackGroup(), clock=steady
        )
        self._autostart_timer = None
        if self.parameters.settings.flag("autostart"):
            self._autostart_timer = self.create_timer(
                0.0, self._autostart, callback_group=self.transitions, clock=steady
            )

    def request_stop(self) -> None:
        """The process ends: a transition that waits for the model gives up."""
        self.stopping.set()

    def close(self) -> bool:
        """Stop everything; False when a thread is still inside native code. Called by main, not by ROS."""
        self.request_stop()
        idle = self.release(timeout=3.0)
        return idle and not self.model.busy()

    def qos_conflict(self, topic: str, matched: int, *, incoming: bool) -> str:
        """The sentence on incompatible QoS, "" when the peer that it was about is gone. DDS tells of each
        conflict once and never of its end, so the graph is asked whether anybody is left unmatched."""
        text = self.incompatible.get(topic, "")
        if not text:
            return ""
        peers = (
            self.get_publishers_info_by_topic(topic)
            if incoming
            else self.get_subscriptions_info_by_topic(topic)
        )
        return text if len(peers) > matched else ""

    def input_incompatible(self, topic: str, policy_kind: int) -> None:
        """A publisher of ``topic`` offers what the subscription cannot take."""
        self.incompatible[topic] = qos.explain_incompatible(topic, policy_kind, incoming=True)

    def output_incompatible(self, topic: str, policy_kind: int) -> None:
        """A subscriber to ``topic`` asks for what the publisher does not offer."""
        text = qos.explain_incompatible(topic, policy_kind, incoming=False)
        self.incompatible[topic] = text
        self.diagnostics.event(f"incompatible/{topic}", text)

    # -- lifecycle --------------------

    def prepare(self, state: LifecycleState) -> TransitionCallbackReturn:
        """What configure does: load the model, create the publishers; it may raise with the reason."""
        return super().on_configure(state)

    def start(self, state: LifecycleState) -> TransitionCallbackReturn:
        """What activate does: load the model again if it was released, subscribe; it may raise as well."""
        return super().on_activate(state)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Fails with the reason when the model cannot be loaded."""
        return self._attempt("configure", lambda: self.prepare(state))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Fails with the reason when the model cannot be loaded again."""
        outcome = self._attempt("activate", lambda: self.start(state))
        if outcome == SUCCESS:
            self.activated(self)
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop, and free the device's memory."""
        self._end_session()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.release()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.release()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.get_logger().error(f"a transition from {state.label} failed: back to unconfigured")
        self.release()
        return SUCCESS

    def _attempt(
        self, name: str, transition: Callable[[], TransitionCallbackReturn]
    ) -> TransitionCallbackReturn:
        """Run a transition; what goes wrong is logged and kept for the diagnostics (rclpy drops it)."""
        self.trouble, self._attempted = "", name
        try:
            if not self._has_ended(timeout=0.0):
                raise TransitionRefused(
                    "the worker of the last activation is still busy with an image, and the model with it: "
                    "try again later, or start the node anew"
                )
            return transition()
        except ModelError as error:
            self.trouble = f"{name} failed: the model cannot be loaded: {error}"
            outcome = FAILURE
        except TransitionRefused as error:
            self.trouble = f"{name} failed: {error}"
            outcome = FAILURE
        except Exception as error:  # for example a qos_overrides parameter that means nothing
            self.trouble = f"{name} failed: {one_line(error)}"
            outcome = TransitionCallbackReturn.ERROR
        finally:
            self._attempted = ""
        if not self.stopping.is_set():
            self.get_logger().error(self.trouble)
        return outcome

    def release(self, timeout: float = STOP_TIMEOUT) -> bool:
        """End what activate and configure have begun; False while the worker has not ended."""
        ended = self._end_session(timeout)
        if ended:
            self.model.release()
        if self.outputs is not None:
            self.outputs.destroy()
            self.outputs = None
        return ended

    def _end_session(self, timeout: float = STOP_TIMEOUT) -> bool:
        """Unsubscribe, stop the worker, release the model; False while the worker has not ended."""
        if self.session is not None:
            self._ending, self.session = self.session, None
        self._unsubscribe()
        if self._has_ended(timeout):
            return True
        self.get_logger().error(f"the worker is still busy after {timeout:g} s: the model is not released")
        return False

    def _unsubscribe(self) -> None:
        inputs, self.inputs = self.inputs, None
        if inputs is not None:
            inputs.destroy()
        for subscription in list(self.subscriptions):  # of inputs that could not be made whole
            if subscription.callback_group is self.frames:
                self.destroy_subscription(subscription)

    def _has_ended(self, timeout: float) -> bool:
        """Whether no worker is left that uses the model, which is released with the last one."""
        if self._ending is None:
            return True
        if not self._ending.stop(timeout):
            return False
        self._ending = None
        self.model.release()
        return True

    def _hindrance(self) -> str:
        if self.is_active():
            return "cannot change while the node is active: deactivate it, set the parameter, activate it"
        if self._attempted:
            return (
                f"cannot change while the transition {self._attempted} runs: try again when the node is "
                "active or inactive"
            )
        return ""

    def _LifecycleNodeMixin__on_change_state(self, request: Any, response: Any) -> Any:
        """The service ~/change_state. A transition that the present state does not have raises in rclpy, and
        the caller would wait for ever: it is refused instead, as rclcpp does."""
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)  # type: ignore[misc]
        except Exception as error:
            wanted = request.transition.label or f"transition {request.transition.id}"
            state = self._state_machine.current_state[1]
            self.get_logger().error(f"{wanted} is not possible in the state {state}: {one_line(error)}")
            response.success = False
            return response

    def _autostart(self) -> None:
        assert self._autostart_timer is not None
        self._autostart_timer.cancel()
        if self.stopping.is_set() or self._state_machine.current_state[1] != "unconfigured":
            return  # somebody was faster with the lifecycle services
        if self.trigger_configure() == SUCCESS and not self.stopping.is_set():
            self.trigger_activate()

    def _diagnose(self) -> None:
        if not self.stopping.is_set():
            self.diagnostics.publish()


def one_line(error: Exception) -> str:
    """What an exception says, on one line."""
    return " ".join(str(error).split()) or repr(error)
