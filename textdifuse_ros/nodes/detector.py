"""The detector node: wires parameters, topics and lifecycle states to the session that does the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from textdifuse_ros.detection.detections import Bytes, Detections, Detector, DetectorError, Wanted
from textdifuse_ros.nodes.class_filter import ClassFilter
from textdifuse_ros.nodes.detector_diagnostics import DetectorDiagnostics
from textdifuse_ros.nodes.detector_inputs import IMAGES, DetectorInputs
from textdifuse_ros.nodes.detector_outputs import DetectorOutputs
from textdifuse_ros.nodes.detector_parameters import MODEL_KEYS, DetectorSettings
from textdifuse_ros.nodes.detector_session import DetectorSession
from textdifuse_ros.nodes.frames import Drop
from textdifuse_ros.nodes.handover import Handover
from textdifuse_ros.nodes.managed_node import STOP_TIMEOUT, SUCCESS, ManagedNode, TransitionRefused
from textdifuse_ros.nodes.model_holder import ModelHolder

if TYPE_CHECKING:
    from textdifuse_ros.detection.ultralytics_yolo import UltralyticsDetector


def build_detector(settings: DetectorSettings) -> UltralyticsDetector:
    """Import torch and ultralytics, load and try the model: seconds. Raises DetectorError with the reason."""
    from textdifuse_ros.detection.ultralytics_yolo import UltralyticsDetector

    return UltralyticsDetector(
        settings.text("model"),
        settings.text("device"),
        settings.integer("threads"),
        settings.integer("image_size"),
    )


class DetectorNode(ManagedNode[DetectorSettings]):
    """``fused_detector``. See ManagedNode for the executor that it needs. No executor thread ever runs the
    model. Raises ParameterError when a parameter given at start is refused.
    """

    session: DetectorSession | None
    inputs: DetectorInputs | None
    outputs: DetectorOutputs | None
    model: ModelHolder[DetectorSettings, UltralyticsDetector]

    def __init__(self, handover: Handover | None = None, arguments: Sequence[str] = ()) -> None:
        """handover: of a fusion node in this process. Its images are taken there when this node would
        otherwise subscribe to the topic where they are published. arguments: ROS arguments for this node
        alone, besides those of the process."""
        model = ModelHolder(build_detector, MODEL_KEYS)
        super().__init__("fused_detector", DetectorSettings(), model, arguments)
        same = handover is not None and handover.topic == self.resolve_topic_name(IMAGES)
        self.handover = handover if same else None
        self.classes = ClassFilter()
        self.parameters.add_topic("prompt_topic")
        self.parameters.add_vet(self.classes.vet)
        self.parameters.add_apply(self.classes.apply)
        self.begin(DetectorDiagnostics(self))

    # -- what the diagnostics ask --------------------

    def matched_publishers(self) -> int:
        inputs = self.inputs
        return 0 if inputs is None else inputs.publishers()

    def matched_subscribers(self) -> int:
        outputs = self.outputs
        return 0 if outputs is None else outputs.subscribers()

    # -- lifecycle --------------------

    def prepare(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._ready()
        self.outputs = DetectorOutputs(self, self.output_incompatible)
        return super().prepare(state)

    def start(self, state: LifecycleState) -> TransitionCallbackReturn:
        detector = self._ready()
        result = super().start(state)
        if result != SUCCESS:
            return result
        self.incompatible.clear()
        self.session = session = DetectorSession(detector, self._wanted, self._publish, self._dropped)
        self.inputs = DetectorInputs(
            self,
            self.parameters.settings.text("prompt_topic"),
            session.receive,
            self.classes.hear,
            self.input_incompatible,
            self.frames,
            self.handover,
        )
        self.get_logger().info(
            f"active: {detector.weights_id} on {detector.device}, {len(detector.names)} classes"
        )
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop, and free the device's memory."""
        result = super().on_deactivate(state)
        self.classes.forget()
        return result

    def release(self, timeout: float = STOP_TIMEOUT) -> bool:
        ended = super().release(timeout)
        self.classes.forget()
        return ended

    def _ready(self) -> Detector:
        """The model, loaded if need be, and the class filter agreed with it."""
        detector = self.model.ensure(self.parameters.settings, self.stopping)
        try:
            self.classes.learn(detector.names)
        except DetectorError as error:
            raise TransitionRefused(f"classes: {error}") from error
        return detector

    # -- in the worker's thread --------------------

    def _wanted(self) -> Wanted:
        settings = self.parameters.settings
        return Wanted(
            settings.number("confidence"),
            settings.number("iou"),
            self.classes.current.indices,
            settings.integer("max_detections"),
        )

    def _publish(self, message: Any, picture: Bytes, found: Detections) -> float:
        outputs = self.outputs
        if outputs is None:
            return float("nan")
        return outputs.publish(message.header, picture, found, self.classes.names)

    def _dropped(self, drop: Drop) -> None:
        self.diagnostics.event(f"{drop.camera}/{drop.cause}", f"one image dropped: {drop.text}")
