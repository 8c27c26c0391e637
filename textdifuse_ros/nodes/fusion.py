"""The fusion node: wires parameters, topics and lifecycle states to the session that does the work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from textdifuse_ros.msg import PromptState
from textdifuse_ros.nodes import qos
from textdifuse_ros.nodes.diagnostics import Diagnostics
from textdifuse_ros.nodes.frames import Drop, Outcome
from textdifuse_ros.nodes.inputs import Inputs
from textdifuse_ros.nodes.loss import Action
from textdifuse_ros.nodes.model_holder import ModelError, ModelHolder
from textdifuse_ros.nodes.outputs import Outputs, prompt_message
from textdifuse_ros.nodes.parameter_server import ParameterServer
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.prompts import PromptKeeper, PromptRecord
from textdifuse_ros.nodes.registration_keeper import RegistrationKeeper
from textdifuse_ros.nodes.session import Session

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class FusionNode(LifecycleNodeMixin, Node):  # type: ignore[misc]
    """``textdifuse``. Needs an executor that runs the group ``transitions`` in a thread of its own: a
    transition waits for the model there while images, parameters and diagnostics are served. No executor
    thread ever runs the network. Raises ParameterError when a parameter given at start is refused.
    """

    def __init__(self) -> None:
        Node.__init__(self, "textdifuse")
        self.transitions = MutuallyExclusiveCallbackGroup()
        self._frames = MutuallyExclusiveCallbackGroup()
        self._stopping = threading.Event()
        self.session: Session | None = None
        self.incompatible: dict[str, str] = {}
        self.trouble = ""  # why the last transition failed
        self._inputs: Inputs | None = None
        self._outputs: Outputs | None = None
        self.model = ModelHolder()
        self.registration = RegistrationKeeper()
        self._prompt_publisher = self.create_publisher(PromptState, "~/prompt", qos.latched())
        self.prompts = PromptKeeper(self._announce_prompt)
        self.parameters = ParameterServer(self, lambda: self.session is not None)
        self.parameters.add_vet(self.prompts.vet)
        self.parameters.add_vet(self.registration.vet)
        self.parameters.add_hear(self.prompts.hear)
        self.parameters.add_apply(self.registration.apply)
        self.parameters.add_apply(self.prompts.apply)
        self.parameters.add_apply(self._apply)
        self.parameters.declare()
        LifecycleNodeMixin.__init__(self, callback_group=self.transitions)
        self._diagnostics = Diagnostics(self)
        self._start_timers()
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False
        )
        self._jump_handle = self.get_clock().create_jump_callback(threshold, post_callback=self._clock_jumped)

    # -- what the diagnostics ask --------------------

    def has_camera_info(self, camera: str) -> bool:
        return self._outputs is not None and camera in self._outputs.camera_infos

    def matched_publishers(self, camera: str) -> int:
        inputs = self._inputs
        return 0 if inputs is None else inputs.publishers(camera)

    def matched_subscribers(self) -> int:
        outputs = self._outputs
        return 0 if outputs is None else outputs.subscribers()

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

    # -- lifecycle --------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Create the publishers and load the model; fails with the reason when it cannot be loaded."""
        return self._attempt("configure", lambda: self._configure(state))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and begin to fuse; loads the model again when deactivate has released it."""
        return self._attempt("activate", lambda: self._activate(state))

    def _LifecycleNodeMixin__on_change_state(self, request: Any, response: Any) -> Any:
        """The service ~/change_state. A transition that the present state does not have raises in rclpy, and
        the caller would wait for ever: it is refused instead, as rclcpp does."""
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)  # type: ignore[misc]
        except Exception as error:
            wanted = request.transition.label or f"transition {request.transition.id}"
            state = self._state_machine.current_state[1]
            self.get_logger().error(f"{wanted} is not possible in the state {state}: {_one_line(error)}")
            response.success = False
            return response

    def _attempt(
        self, name: str, transition: Callable[[], TransitionCallbackReturn]
    ) -> TransitionCallbackReturn:
        """Run a transition; what goes wrong is logged and kept for the diagnostics (rclpy drops it)."""
        self.trouble = ""
        try:
            return transition()
        except ModelError as error:
            self.trouble = f"{name} failed: the model cannot be loaded: {error}"
            outcome = FAILURE
        except Exception as error:  # for example a qos_overrides parameter that means nothing
            self.trouble = f"{name} failed: {_one_line(error)}"
            outcome = TransitionCallbackReturn.ERROR
        if not self._stopping.is_set():
            self.get_logger().error(self.trouble)
        return outcome

    def _configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.model.ensure(self.parameters.settings, self._stopping)
        self._outputs = Outputs(self, self._output_incompatible)
        return super().on_configure(state)

    def _activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        outputs, parameters = self._outputs, self.parameters
        assert outputs is not None
        fuser = self.model.ensure(parameters.settings, self._stopping)
        result = super().on_activate(state)
        if result != SUCCESS:
            return result
        session = Session(
            fuser,
            lambda: parameters.settings,
            lambda: self.registration.current,
            lambda: self.prompts.current,
            outputs.salience_wanted,
            self._publish,
            self._dropped,
        )
        self.incompatible.clear()
        self.session = session
        self._inputs = Inputs(
            self,
            parameters.settings,
            session.receive,
            self._receive_info,
            self._input_incompatible,
            self._frames,
        )
        self.get_logger().info(f"active: fusing on {fuser.device} with {fuser.engine}, {fuser.dtype}")
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop, and free the device's memory."""
        self._end_session()
        self.prompts.withdraw()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.get_logger().error(f"a transition from {state.label} failed: back to unconfigured")
        self._release()
        return SUCCESS

    def request_stop(self) -> None:
        """The process ends: a transition that waits for the model gives up."""
        self._stopping.set()

    def close(self) -> bool:
        """Stop everything; False when a thread is still inside native code. Called by main, not by ROS."""
        self.request_stop()
        idle = self._end_session(timeout=3.0)
        self._release()
        return idle and not self.model.busy()

    def _start_timers(self) -> None:
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

    def _autostart(self) -> None:
        assert self._autostart_timer is not None
        self._autostart_timer.cancel()
        if self._stopping.is_set() or self._state_machine.current_state[1] != "unconfigured":
            return  # somebody was faster with the lifecycle services
        if self.trigger_configure() == SUCCESS and not self._stopping.is_set():
            self.trigger_activate()

    def _end_session(self, timeout: float = 30.0) -> bool:
        """Unsubscribe, stop the worker, release the model; True when the worker has ended."""
        session, self.session = self.session, None
        if self._inputs is not None:
            self._inputs.destroy()
            self._inputs = None
        if session is None:
            return True
        ended = session.stop(timeout)
        if ended:
            self.model.release()
        else:
            self.get_logger().error(
                f"the worker is still busy after {timeout:g} s: the model is not released"
            )
        return ended

    def _release(self) -> None:
        if self._end_session():
            self.model.release()
        self.prompts.withdraw()
        if self._outputs is not None:
            self._outputs.destroy()
            self._outputs = None

    # -- parameters, clock, events --------------------

    def _apply(self, settings: Settings, changed: set[str]) -> None:
        session = self.session
        if session is not None:
            session.apply(settings)

    def _clock_jumped(self, jump: Any) -> None:
        session = self.session
        if session is not None:
            session.time_jumped_back()

    def _input_incompatible(self, topic: str, policy_kind: int) -> None:
        self.incompatible[topic] = qos.explain_incompatible(topic, policy_kind, incoming=True)

    def _output_incompatible(self, topic: str, policy_kind: int) -> None:
        text = qos.explain_incompatible(topic, policy_kind, incoming=False)
        self.incompatible[topic] = text
        self._diagnostics.event(f"incompatible/{topic}", text)

    def _receive_info(self, camera: str, message: CameraInfo) -> None:
        if self._outputs is not None:
            self._outputs.camera_infos[camera] = message

    def _announce_prompt(self, record: PromptRecord) -> None:
        self._prompt_publisher.publish(prompt_message(record))

    def _diagnose(self) -> None:
        if not self._stopping.is_set():
            self._diagnostics.publish()

    # -- in the worker's thread --------------------

    def _publish(self, outcome: Outcome, settings: Settings, prompt: PromptRecord) -> None:
        outputs, session = self._outputs, self.session
        if outputs is None or session is None:
            return
        outputs.publish(outcome, settings.text("output_encoding"), session, self.model.state())
        if outcome.action is Action.FUSE:
            self.prompts.shown(prompt, outcome.header)

    def _dropped(self, drop: Drop) -> None:
        if drop.camera != "policy":
            self._diagnostics.event(
                f"{drop.camera}/{drop.cause}", f"{drop.camera}: one image dropped: {drop.text}"
            )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or repr(error)
