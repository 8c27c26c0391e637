"""The fusion node: wires parameters, topics and lifecycle states to the session that does the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo

from textdifuse_ros.msg import PromptState
from textdifuse_ros.nodes import qos
from textdifuse_ros.nodes.box_input import BoxInput
from textdifuse_ros.nodes.box_keeper import SHARPEN, BoxKeeper
from textdifuse_ros.nodes.diagnostics import Diagnostics
from textdifuse_ros.nodes.frames import Drop, Outcome
from textdifuse_ros.nodes.handover import Handover
from textdifuse_ros.nodes.inputs import Inputs
from textdifuse_ros.nodes.log_bridge import forward
from textdifuse_ros.nodes.loss import Action
from textdifuse_ros.nodes.managed_node import STOP_TIMEOUT, SUCCESS, ManagedNode
from textdifuse_ros.nodes.model_holder import ModelHolder, build_fuser
from textdifuse_ros.nodes.outputs import IMAGE_TOPICS, Outputs, prompt_message
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.prompts import PromptKeeper, PromptRecord
from textdifuse_ros.nodes.registration_keeper import RegistrationKeeper
from textdifuse_ros.nodes.session import Session

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser


class FusionNode(ManagedNode[Settings]):
    """``textdifuse``. See ManagedNode for the executor that it needs. No executor thread ever runs the
    network. Raises ParameterError when a parameter given at start is refused.
    """

    session: Session | None
    inputs: Inputs | None
    outputs: Outputs | None
    model: ModelHolder[Settings, Fuser]

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """arguments: ROS arguments for this node alone, besides those of the process."""
        super().__init__("textdifuse", Settings(), ModelHolder(build_fuser), arguments)
        forward(self.get_logger())
        topic = self.resolve_topic_name(IMAGE_TOPICS[0])
        self.handover = Handover(self.get_fully_qualified_name(), topic, self.is_active)
        self.registration = RegistrationKeeper()
        self.boxes = BoxKeeper()
        self._prompt_publisher = self.create_publisher(PromptState, "~/prompt", qos.latched())
        self.prompts = PromptKeeper(self._announce_prompt, self.get_logger().warning)
        self.parameters.add_topic("detections_topic")
        self.parameters.add_vet(self.prompts.vet)
        self.parameters.add_vet(self.registration.vet)
        self.parameters.add_vet(self.boxes.vet)
        self.parameters.add_hear(self.prompts.hear)
        self.parameters.add_apply(self.registration.apply)
        self.parameters.add_apply(self.prompts.apply)
        self.parameters.add_apply(self._apply)
        self.begin(Diagnostics(self))
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False
        )
        self._jump_handle = self.get_clock().create_jump_callback(threshold, post_callback=self._clock_jumped)

    # -- what the diagnostics ask --------------------

    def has_camera_info(self, camera: str) -> bool:
        return self.outputs is not None and camera in self.outputs.camera_infos

    def matched_publishers(self, camera: str) -> int:
        inputs = self.inputs
        return 0 if inputs is None else inputs.publishers(camera)

    def matched_subscribers(self) -> int:
        outputs = self.outputs
        return 0 if outputs is None else outputs.subscribers()

    # -- lifecycle --------------------

    def prepare(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.model.ensure(self.parameters.settings, self.stopping)
        self.outputs = Outputs(self, self.output_incompatible)
        return super().prepare(state)

    def start(self, state: LifecycleState) -> TransitionCallbackReturn:
        outputs, parameters = self.outputs, self.parameters
        assert outputs is not None
        fuser = self.model.ensure(parameters.settings, self.stopping)
        result = super().start(state)
        if result != SUCCESS:
            return result
        session = Session(
            fuser,
            lambda: parameters.settings,
            lambda: self.registration.current,
            lambda: self.prompts.for_frame(fuser.ready),
            outputs.salience_wanted,
            self._publish,
            self._dropped,
            self.boxes.hints,
            self.handover.is_open,
        )
        self.incompatible.clear()
        self.session = session
        topic = parameters.settings.text("detections_topic")
        boxes = BoxInput(self, topic, self.boxes.hear, self.frames)
        self.inputs = Inputs(
            self,
            parameters.settings,
            session.receive,
            self._receive_info,
            self.input_incompatible,
            self.frames,
            boxes,
        )
        boxes.want(parameters.settings.number(SHARPEN) > 0)
        self.get_logger().info(
            f"active: fusing on {fuser.device} with {self.model.state().engine}, {fuser.dtype}"
        )
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop, and free the device's memory."""
        result = super().on_deactivate(state)
        self.boxes.forget()
        self.prompts.withdraw()
        return result

    def release(self, timeout: float = STOP_TIMEOUT) -> bool:
        ended = super().release(timeout)
        self.prompts.withdraw()
        return ended

    # -- parameters, clock, events --------------------

    def _apply(self, settings: Settings, changed: set[str]) -> None:
        session, inputs = self.session, self.inputs
        if session is not None:
            session.apply(settings)
        if inputs is not None:
            inputs.boxes.want(settings.number(SHARPEN) > 0)

    def _clock_jumped(self, jump: Any) -> None:
        session = self.session
        if session is not None:
            session.time_jumped_back()
            self.boxes.forget()

    def _receive_info(self, camera: str, message: CameraInfo) -> None:
        if self.outputs is not None:
            self.outputs.camera_infos[camera] = message

    def _announce_prompt(self, record: PromptRecord) -> None:
        self._prompt_publisher.publish(prompt_message(record))

    # -- in the worker's thread --------------------

    def _publish(self, outcome: Outcome, settings: Settings, prompt: PromptRecord) -> None:
        outputs, session = self.outputs, self.session
        if outputs is None or session is None:
            return
        encoding = settings.text("output_encoding")
        assert outcome.image is not None
        self.handover.give(outcome.image, encoding, outcome.header, outcome.on_device)
        outcome.on_device = None  # the outcome may be held
        outputs.publish(outcome, encoding, session, self.model.state())
        if outcome.action is Action.FUSE:
            self.prompts.shown(prompt, outcome.header)

    def _dropped(self, drop: Drop) -> None:
        if drop.camera != "policy":
            self.diagnostics.event(
                f"{drop.camera}/{drop.cause}", f"{drop.camera}: one image dropped: {drop.text}"
            )
