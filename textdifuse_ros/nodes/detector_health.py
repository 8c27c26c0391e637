"""The detector's diagnostics as text: from facts to a level, a sentence and values. No ROS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from textdifuse_ros.nodes.class_filter import PROMPT, Chosen
from textdifuse_ros.nodes.health import ERROR, OK, STALE, WARN, Report


@dataclass(frozen=True)
class ImageFacts:
    """What is known of the topic that images are taken from, or of the node that hands them over."""

    topic: str
    active: bool
    giver: str = ""  # the node of the process that hands images over, "" where they come by the topic
    giver_active: bool = False
    rate: float = 0.0
    received: int = 0
    silent_for: float = 0.0  # seconds since the latest image, or since activation
    refused_for: float = 0.0  # seconds since every image has been refused, 0 while they are usable
    publishers: int = 0
    hint: str = ""  # what the graph suggests while nothing arrives
    incompatible: str = ""  # a sentence, "" while the QoS fits
    refused: Mapping[str, int] = field(default_factory=dict)
    latest_refusal: str = ""  # of the last seconds
    encoding: str = ""
    frame_id: str | None = None
    timeout: float = 1.0


@dataclass(frozen=True)
class DetectionFacts:
    """What leaves the node."""

    topic: str
    active: bool
    trouble: str = ""  # why the last transition failed
    silent_for: float = 0.0  # seconds without published detections
    busy_for: float = 0.0  # seconds for which the model has been at one image
    rate: float = 0.0
    published: int = 0
    subscribers: int = 0
    latest_count: int = 0
    superseded: int = 0
    invalid: int = 0
    failed: int = 0
    latest_failure: str = ""
    age_p50: float = math.nan
    age_p95: float = math.nan
    total_p50: float = math.nan
    total_p95: float = math.nan
    model_p50: float = math.nan
    model_p95: float = math.nan
    incompatible: str = ""
    timeout: float = 1.0


def image_report(facts: ImageFacts) -> Report:
    """Why images are, or are not, there."""
    values = {
        "topic": facts.topic,
        "handed_over_by": facts.giver,
        "rate_hz": f"{facts.rate:.1f}",
        "received": str(facts.received),
        "publishers": str(facts.publishers),
        "encoding": facts.encoding,
        "frame_id": facts.frame_id or "",
        "refused": str(sum(facts.refused.values())),
    }
    values.update({f"refused_{cause}": str(n) for cause, n in facts.refused.items()})
    if not facts.active:
        return Report(STALE, "the node is not active: no images are taken", values)
    silent = facts.silent_for > facts.timeout
    if facts.incompatible and (silent or not facts.received):
        return Report(ERROR, facts.incompatible, values, "incompatible_qos")
    if silent and not facts.received:
        return Report(ERROR, f"no image {_source(facts)} yet: {_why_silent(facts)}", values, "never")
    if silent:
        text = f"no image {_source(facts)} for {facts.silent_for:.1f} s: {_why_silent(facts)}"
        return Report(ERROR, text, values, "silent")
    if facts.refused_for > facts.timeout:
        text = f"no usable image for {facts.refused_for:.1f} s: {facts.latest_refusal}"
        return Report(ERROR, text, values, "refused")
    if not facts.received:
        return Report(OK, f"waiting for the first image {_source(facts)}", values)
    if facts.latest_refusal:
        return Report(WARN, f"an image was refused: {facts.latest_refusal}", values, "refused")
    inside = f", {_source(facts)}" if facts.giver else ""
    return Report(OK, f"{facts.rate:.1f} Hz{inside}", values)


def _source(facts: ImageFacts) -> str:
    return f"handed over by {facts.giver} in this process" if facts.giver else f"on {facts.topic}"


def _why_silent(facts: ImageFacts) -> str:
    if not facts.giver:
        return f"{facts.publishers} publisher{'' if facts.publishers == 1 else 's'}; {facts.hint}"
    state = (
        "it publishes nothing, and its own diagnostics say why" if facts.giver_active else "it is not active"
    )
    others = f"; {facts.hint}" if facts.hint else ""
    return f"{state}{others}"


def classes_report(chosen: Chosen, names: Mapping[int, str], link: bool, prompt_topic: str) -> Report:
    """What is reported, and what the prompt has to do with it."""
    listed = ", ".join(names[index] for index in chosen.indices if index in names)
    values = {
        "classes": listed,
        "source": chosen.source,
        "known": str(len(names)),
        "prompt": chosen.prompt or "",
        "prompt_topic": prompt_topic,
        "unmatched": ", ".join(chosen.lost),
    }
    if not names:
        return Report(STALE, "no model is loaded: its classes are not known", values)
    what = listed or f"all {len(names)} classes of the model"
    if not link:
        return Report(OK, what, values)
    if chosen.prompt is None:
        return Report(WARN, f"{what}: no prompt has come on {prompt_topic} yet", values, "no_prompt")
    if not chosen.prompt:
        return Report(OK, f"{what}: the prompt is empty", values)
    if chosen.source != PROMPT:
        text = f"{what}: the prompt {chosen.prompt!r} names no class of the model, so it filters nothing"
        return Report(WARN, text, values, "no_match")
    also = f" (no class for {', '.join(chosen.lost)})" if chosen.lost else ""
    return Report(OK, f"{what}: from the prompt {chosen.prompt!r}{also}", values)


def detections_report(facts: DetectionFacts, why: tuple[Report, ...]) -> Report:
    """What is published; if nothing is, why: every cause that explains the silence."""
    values = {
        "topic": facts.topic,
        "rate_hz": f"{facts.rate:.1f}",
        "published": str(facts.published),
        "subscribers": str(facts.subscribers),
        "detections": str(facts.latest_count),
        "dropped_superseded": str(facts.superseded),
        "dropped_invalid": str(facts.invalid),
        "dropped_failed": str(facts.failed),
        "age_ms_p50": f"{facts.age_p50:.1f}",
        "age_ms_p95": f"{facts.age_p95:.1f}",
        "total_ms_p50": f"{facts.total_p50:.1f}",
        "total_ms_p95": f"{facts.total_p95:.1f}",
        "model_ms_p50": f"{facts.model_p50:.1f}",
        "model_ms_p95": f"{facts.model_p95:.1f}",
    }
    if not facts.active and facts.trouble:
        return Report(ERROR, f"the node is not active: {facts.trouble}", values, "trouble")
    if not facts.active:
        return Report(STALE, "the node is not active: nothing is published", values)
    if facts.silent_for > facts.timeout:
        reason = _reason(facts, why)
        text = f"nothing has been published for {facts.silent_for:.1f} s: {reason}"
        return Report(ERROR, text, values, "silent")
    if facts.incompatible:
        return Report(WARN, facts.incompatible, values, "incompatible_qos")
    if facts.latest_failure:
        return Report(WARN, facts.latest_failure, values, "model_failed")
    if not facts.published:
        return Report(OK, "waiting for the first image", values)
    latency = f"latency {facts.total_p50:.0f} ms (p95 {facts.total_p95:.0f} ms)"
    return Report(OK, f"{facts.rate:.1f} Hz, {latency}, {facts.latest_count} in the latest image", values)


def _reason(facts: DetectionFacts, why: tuple[Report, ...]) -> str:
    if facts.latest_failure:
        return facts.latest_failure
    reasons = [report.message for report in why if report.level in (WARN, ERROR)]
    if reasons:
        return " | ".join(reasons)
    if facts.busy_for > 0:
        return f"the model has been at one image for {facts.busy_for:.1f} s, longer than loss_timeout"
    return "the images come further apart than loss_timeout"
