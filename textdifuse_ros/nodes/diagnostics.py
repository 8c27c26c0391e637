"""The six statuses of the fusion node: collects its facts for the reports in `health`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textdifuse_ros.nodes import health, wiring
from textdifuse_ros.nodes.diagnostics_publisher import DiagnosticsPublisher
from textdifuse_ros.nodes.graph_hint import hint_for_silence
from textdifuse_ros.nodes.health import CameraFacts, OutputFacts, Report
from textdifuse_ros.nodes.inputs import image_topic
from textdifuse_ros.nodes.loss import CAMERAS, RGB, THERMAL
from textdifuse_ros.nodes.model_holder import LOADING
from textdifuse_ros.nodes.seen import fault_of, share_of
from textdifuse_ros.nodes.session import Session
from textdifuse_ros.nodes.tally import MODEL

if TYPE_CHECKING:
    from textdifuse_ros.nodes.fusion import FusionNode


class Diagnostics(DiagnosticsPublisher):
    """Collects the facts of the node once a period and publishes the six statuses."""

    def __init__(self, node: FusionNode) -> None:
        super().__init__(node)
        self._node = node

    def reports(self, now: float) -> dict[str, tuple[str, Report]]:
        """Hardware id and report by status name."""
        node, session = self._node, self._node.session
        settings = node.parameters.settings
        rgb, thermal = self._camera(RGB, session, now), self._camera(THERMAL, session, now)
        if rgb.loss is not None and thermal.loss is not None:
            rgb, thermal = replace(rgb, both_lost=True), replace(thermal, both_lost=True)
        model = node.model.state()
        model_report = health.model_report(model, settings.text("weights"), node.loading_transition())
        camera_reports = health.camera_report(rgb), health.camera_report(thermal)
        output = self._output(session, now)
        pairing = self._pairing(session, rgb, thermal, output)
        why: tuple[Report, ...] = (model_report, *camera_reports, pairing)
        if model.phase == LOADING:
            why = (model_report,)
        hardware = node.get_fully_qualified_name()
        fusing = session is not None and output.action.value == "fused" and output.silent_for < output.timeout
        return {
            "rgb": (rgb.topic, camera_reports[0]),
            "thermal": (thermal.topic, camera_reports[1]),
            "pairing": (hardware, pairing),
            "model": (model.device or settings.text("device"), model_report),
            "prompt": (hardware, health.prompt_report(node.prompts.current, fusing, now, node.boxes.said)),
            "output": (hardware, health.output_report(output, (rgb, thermal), why)),
        }

    def _camera(self, camera: str, session: Session | None, now: float) -> CameraFacts:
        node = self._node
        settings = node.parameters.settings
        topics = {each: image_topic(node, settings, each) for each in CAMERAS}
        topic = topics[camera]
        if session is None:
            return CameraFacts(camera, topic, active=False)
        loss, reference = session.monitor.loss(camera, now), settings.text("reference")
        compressed = settings.text(f"{camera}.transport") == "compressed"
        publishers, hint = node.matched_publishers(camera), ""
        if loss is not None and loss.kind in ("never", "silent"):
            hint = hint_for_silence(node, topic, compressed, f"{camera}.transport")
        return CameraFacts(
            camera,
            topic,
            active=True,
            rate=session.arrivals[camera].rate(now),
            received=session.arrivals[camera].total,
            loss=loss,
            policy=settings.text(f"on_{camera}_loss"),
            publishers=publishers,
            hint=hint,
            incompatible=node.qos_conflict(topic, publishers, incoming=True),
            refused=session.tally.by_cause(camera),
            latest_refusal=session.tally.recent(camera, now, health.RECENT),
            frame_id=session.frame_ids.get(camera),
            precision=session.precision if camera == THERMAL else "",
            covers=share_of(session.seen, camera, reference),
            fault=fault_of(session.seen, camera, reference, settings.text("registration.mode")),
            has_info=node.has_camera_info(camera),
            waited=now - session.started,
            timeout=settings.number("loss_timeout"),
            spacing=session.monitor.spacing(camera, now),
            wiring=wiring.wrong_input(camera, topics, wiring.own_images(node)),
        )

    def _pairing(
        self, session: Session | None, rgb: CameraFacts, thermal: CameraFacts, output: OutputFacts
    ) -> Report:
        max_dt = self._node.parameters.settings.number("pairing.max_dt")
        if session is None:
            return health.pairing_report(False, rgb, thermal, "", None, max_dt, 0, {}, 0.0)
        view = session.mailbox.view()
        return health.pairing_report(
            True,
            rgb,
            thermal,
            view.explanation,
            view.nearest_dt_ns,
            max_dt,
            view.taken_pairs,
            view.counters,
            output.silent_for,
            view.stale_since_pair,
        )

    def _output(self, session: Session | None, now: float) -> OutputFacts:
        node = self._node
        topic = node.resolve_topic_name("fused/image_raw")
        if session is None:
            return OutputFacts(topic, active=False, trouble=node.trouble)
        unanswered = session.unanswered
        latest, subscribers = session.last_published, node.matched_subscribers()
        return OutputFacts(
            topic,
            active=True,
            action=session.last_action,
            repaired=session.repaired,
            silent_for=now - (session.started if latest is None else latest),
            unanswered_for=0.0 if unanswered is None else now - unanswered,
            rate=session.published.rate(now),
            published=session.published.total,
            counters=session.mailbox.view().counters,
            invalid=session.dropped_invalid(),
            by_policy=session.dropped_by_policy,
            latest_failure=session.tally.recent(MODEL, now, health.RECENT),
            age_p50=session.ages.p50(),
            age_p95=session.ages.p95(),
            total_p50=session.totals.p50(),
            total_p95=session.totals.p95(),
            model_p50=session.models.p50(),
            model_p95=session.models.p95(),
            overhead_p50=session.overheads.p50(),
            subscribers=subscribers,
            incompatible=node.qos_conflict(topic, subscribers, incoming=False),
            shared=wiring.shared_output(topic, wiring.publishers_of(node, topic)),
            timeout=node.parameters.settings.number("loss_timeout"),
        )
