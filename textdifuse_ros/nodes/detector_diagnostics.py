"""The four statuses of the detector node: collects its facts for the reports in `detector_health`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textdifuse_ros.nodes import detector_health, health
from textdifuse_ros.nodes.detector_health import DetectionFacts, ImageFacts
from textdifuse_ros.nodes.detector_inputs import IMAGES
from textdifuse_ros.nodes.detector_outputs import DETECTIONS
from textdifuse_ros.nodes.detector_session import IMAGE, DetectorSession
from textdifuse_ros.nodes.diagnostics_publisher import DiagnosticsPublisher
from textdifuse_ros.nodes.graph_hint import hint_for_silence
from textdifuse_ros.nodes.health import Report
from textdifuse_ros.nodes.model_holder import LOADING
from textdifuse_ros.nodes.tally import MODEL

if TYPE_CHECKING:
    from textdifuse_ros.nodes.detector import DetectorNode


class DetectorDiagnostics(DiagnosticsPublisher):
    """Collects the facts of the node once a period."""

    def __init__(self, node: DetectorNode) -> None:
        super().__init__(node)
        self._node = node

    def reports(self, now: float) -> dict[str, tuple[str, Report]]:
        node, session = self._node, self._node.session
        settings = node.parameters.settings
        model = node.model.state()
        images = self._images(session, now)
        image_report = detector_health.image_report(images)
        model_report = health.model_report(model, settings.text("model"), node.loading_transition())
        prompt_topic = node.resolve_topic_name(settings.text("prompt_topic"))
        classes_report = detector_health.classes_report(
            node.classes.current, node.classes.names, settings.flag("classes_from_prompt"), prompt_topic
        )
        why = (model_report,) if model.phase == LOADING else (model_report, image_report)
        output = detector_health.detections_report(self._output(session, now), why)
        hardware = node.get_fully_qualified_name()
        return {
            "image": (images.topic, image_report),
            "model": (model.device or settings.text("device"), model_report),
            "classes": (hardware, classes_report),
            "output": (hardware, output),
        }

    def _images(self, session: DetectorSession | None, now: float) -> ImageFacts:
        node = self._node
        topic, handover = node.resolve_topic_name(IMAGES), node.handover
        giver = "" if handover is None else handover.giver
        if session is None:
            return ImageFacts(topic, active=False, giver=giver)
        timeout = node.parameters.settings.number("loss_timeout")
        silent_for = now - (session.started if session.last_arrival is None else session.last_arrival)
        publishers = node.matched_publishers()
        refused_since = session.refused_since
        silent = silent_for > timeout
        return ImageFacts(
            topic,
            active=True,
            giver=giver,
            giver_active=handover is not None and handover.is_active(),
            rate=session.arrivals.rate(now),
            received=session.arrivals.total,
            silent_for=silent_for,
            refused_for=0.0 if refused_since is None else now - refused_since,
            publishers=publishers,
            hint=self._hint(topic) if silent else "",
            incompatible="" if giver else node.qos_conflict(topic, publishers, incoming=True),
            refused=session.tally.by_cause(IMAGE),
            latest_refusal=session.tally.recent(IMAGE, now, health.RECENT),
            encoding=session.encoding,
            frame_id=session.frame_id,
            timeout=timeout,
        )

    def _hint(self, topic: str) -> str:
        """What the graph suggests while no image comes."""
        node = self._node
        if node.handover is None:
            return hint_for_silence(node, topic, compressed=False)
        # A fusion node creates its publisher with configure and keeps it while inactive.
        others = [
            info for info in node.get_publishers_info_by_topic(topic)
            if f"{info.node_namespace.rstrip('/')}/{info.node_name}" != node.handover.giver
        ]  # fmt: skip
        if not others:
            return ""
        return (
            f"{topic} has another publisher, which is not listened to: start fused_detector by itself for it"
        )

    def _output(self, session: DetectorSession | None, now: float) -> DetectionFacts:
        node = self._node
        topic = node.resolve_topic_name(DETECTIONS)
        if session is None:
            return DetectionFacts(topic, active=False, trouble=node.trouble)
        latest, busy, subscribers = session.last_published, session.busy_since, node.matched_subscribers()
        return DetectionFacts(
            topic,
            active=True,
            silent_for=now - (session.started if latest is None else latest),
            busy_for=0.0 if busy is None else now - busy,
            rate=session.published.rate(now),
            published=session.published.total,
            subscribers=subscribers,
            latest_count=session.latest_count,
            superseded=session.images.superseded,
            invalid=session.tally.total(IMAGE),
            failed=session.tally.total(MODEL),
            latest_failure=session.tally.recent(MODEL, now, health.RECENT),
            age_p50=session.ages.p50(),
            age_p95=session.ages.p95(),
            total_p50=session.totals.p50(),
            total_p95=session.totals.p95(),
            model_p50=session.models.p50(),
            model_p95=session.models.p95(),
            incompatible=node.qos_conflict(topic, subscribers, incoming=False),
            timeout=node.parameters.settings.number("loss_timeout"),
        )
