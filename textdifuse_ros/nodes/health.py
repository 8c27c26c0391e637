"""The diagnostics as text: from facts to a level, a sentence that says what to do, and values. No ROS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from textdifuse_ros.nodes.loss import RGB, THERMAL, Action, Loss, other
from textdifuse_ros.nodes.model_holder import FAILED, LOADING, READY, ModelState
from textdifuse_ros.nodes.prompts import PromptRecord
from textdifuse_ros.nodes.seen import Fault

OK, WARN, ERROR, STALE = 0, 1, 2, 3
NAMES = ("rgb", "thermal", "pairing", "model", "prompt", "output")
RECENT = 5.0  # seconds for which a drop keeps its status at WARN
SHOW_WITHIN = 3.0  # seconds within which an accepted prompt should be seen
STALE_RUN = 5  # stamps that came too late or twice without a pair in between: more than disorder
_STARTING = 3.0  # times the time-out: after so long, two cameras that send must have come to something
OWN = frozenset({"slow", "no_job", "shared"})  # causes of the output that no other status has


@dataclass(frozen=True)
class Report:
    """One diagnostic status. ``cause`` is a short stable word: the log speaks when it changes."""

    level: int
    message: str
    values: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""


@dataclass(frozen=True)
class CameraFacts:
    """What is known of one camera's topic."""

    camera: str
    topic: str
    active: bool
    rate: float = 0.0
    received: int = 0
    loss: Loss | None = None
    policy: str = "pass"
    publishers: int = 0
    hint: str = ""  # what the graph suggests while nothing arrives
    incompatible: str = ""  # a sentence, "" while the QoS fits
    refused: Mapping[str, int] = field(default_factory=dict)
    latest_refusal: str = ""  # of the last RECENT seconds
    frame_id: str | None = None
    precision: str = ""  # what its transport does to its values, "" while nothing
    covers: float | None = None  # share of the reference camera's image, None for that one itself
    fault: Fault | None = None  # seen in the images, though they arrive in good order
    has_info: bool = False
    waited: float = 0.0  # seconds since activation
    timeout: float = 1.0
    both_lost: bool = False
    spacing: float | None = None  # seconds between its images, where that is more than the time-out
    wiring: str = ""  # a sentence while its topic is one that it cannot be


@dataclass(frozen=True)
class OutputFacts:
    """What leaves the node."""

    topic: str
    active: bool
    trouble: str = ""  # why the last transition failed
    action: Action = Action.NOTHING
    repaired: Mapping[str, float] = field(default_factory=dict)  # faults of the latest images
    silent_for: float = 0.0  # seconds without a published image
    unanswered_for: float = 0.0  # of these, since the worker took something to do
    rate: float = 0.0
    published: int = 0
    subscribers: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    invalid: int = 0
    by_policy: int = 0
    latest_failure: str = ""
    age_p50: float = math.nan
    age_p95: float = math.nan
    total_p50: float = math.nan
    total_p95: float = math.nan
    model_p50: float = math.nan
    model_p95: float = math.nan
    overhead_p50: float = math.nan
    incompatible: str = ""
    shared: str = ""  # a sentence while others publish its topic as well
    timeout: float = 1.0


def camera_report(facts: CameraFacts) -> Report:
    """Why images of this camera are, or are not, there."""
    values = {
        "topic": facts.topic,
        "rate_hz": f"{facts.rate:.1f}",
        "received": str(facts.received),
        "publishers": str(facts.publishers),
        "refused": str(sum(facts.refused.values())),
        "camera_info": "received" if facts.has_info else "none",
        "frame_id": facts.frame_id or "",
    }
    if facts.covers is not None:
        values["covers_percent"] = f"{100 * facts.covers:.1f}"
    values.update({f"refused_{cause}": str(n) for cause, n in facts.refused.items()})
    if not facts.active:
        return Report(STALE, "the node is not active: nothing is subscribed", values)
    if facts.incompatible and (facts.loss is not None or facts.received == 0):
        return Report(ERROR, facts.incompatible, values, "incompatible_qos")
    if facts.wiring:  # before what it does to the images
        return Report(WARN, facts.wiring, values, "wiring")
    if _seldom(facts):
        return _sends_seldom(facts, values)
    if facts.loss is not None:
        return _lost(facts, facts.loss, values)
    if facts.received == 0:
        return Report(OK, f"waiting for the first image on {facts.topic}", values)
    if facts.latest_refusal:
        return Report(WARN, f"an image was refused: {facts.latest_refusal}", values, "refused")
    if facts.fault is not None:
        level = ERROR if facts.fault.grave else WARN
        return Report(level, f"{facts.rate:.1f} Hz, but {facts.fault.text}", values, facts.fault.cause)
    if facts.precision:
        return Report(WARN, f"{facts.rate:.1f} Hz, but {facts.precision}", values, "lost_precision")
    if not facts.frame_id:
        return Report(
            WARN,
            f"{facts.rate:.1f} Hz, but the images carry no frame_id: set it in the camera's driver, "
            "or nobody can look their transform up",
            values,
            "no_frame_id",
        )
    return Report(OK, f"{facts.rate:.1f} Hz", values)


def _seldom(facts: CameraFacts) -> bool:
    """Whether its images come, and the time between two of them is all that makes it count as lost."""
    return facts.spacing is not None and (facts.loss is None or facts.loss.kind == "silent")


def _sends_seldom(facts: CameraFacts, values: dict[str, str]) -> Report:
    assert facts.spacing is not None
    text = (
        f"{facts.camera} sends {1 / facts.spacing:.2g} Hz, further apart than loss_timeout "
        f"{facts.timeout:g} s: raise loss_timeout to have its images fused, at that rate"
    )
    if facts.policy != "stop":  # then nothing goes on alone, and what pairs is fused
        text += f"; {_consequence(facts.camera, facts.policy)}"
    return Report(WARN, text, values, "seldom")


def _lost(facts: CameraFacts, loss: Loss, values: dict[str, str]) -> Report:
    consequence = (
        "both cameras are lost: nothing is published"
        if facts.both_lost
        else _consequence(facts.camera, facts.policy)
    )
    values["lost_s"] = f"{loss.seconds:.1f}"
    if loss.kind == "frozen":
        return Report(
            WARN,
            f"the {facts.camera} image has been frozen for {loss.seconds:.1f} s (flat-field correction?); "
            f"{consequence}",
            values,
            "frozen",
        )
    if loss.kind == "unusable":
        return Report(
            ERROR,
            f"no usable {facts.camera} image for {loss.seconds:.1f} s: {loss.detail}; {consequence}",
            values,
            "unusable",
        )
    peers = f"{facts.publishers} publisher{'' if facts.publishers == 1 else 's'}"
    if loss.kind == "never":
        text = f"no {facts.camera} image on {facts.topic} yet: {peers}; {facts.hint}"
    else:
        text = f"no {facts.camera} image on {facts.topic} for {loss.seconds:.1f} s: {peers}; {facts.hint}"
    return Report(ERROR, f"{text}; {consequence}", values, loss.kind)


def _consequence(camera: str, policy: str) -> str:
    left = "RGB" if other(camera) == RGB else "thermal"
    what = {
        "pass": f"the {left} image goes through",
        "hold": "the last fused image is repeated",
        "stop": "nothing is published",
    }[policy]
    return f"on_{camera}_loss is {policy}: {what}"


def pairing_report(
    active: bool,
    rgb: CameraFacts,
    thermal: CameraFacts,
    explanation: str,
    nearest_dt_ns: int | None,
    max_dt: float,
    taken: int,
    counters: Mapping[str, int],
    silent_for: float,
    stale: int = 0,
) -> Report:
    """Rates and the nearest dt when nothing matches. ``stale``: images since the latest pair whose stamp was
    there before or was passed."""
    values = {
        "pairs": str(taken),
        "max_dt_ms": f"{max_dt * 1e3:.0f}",
        "nearest_dt_ms": "" if nearest_dt_ns is None else f"{nearest_dt_ns / 1e6:.1f}",
        "rgb_rate_hz": f"{rgb.rate:.1f}",
        "thermal_rate_hz": f"{thermal.rate:.1f}",
    }
    values.update({name: str(n) for name, n in counters.items()})
    if not active:
        return Report(STALE, "the node is not active", values)
    seldom = [f.camera for f in (rgb, thermal) if _seldom(f) and f.policy != "stop"]
    if seldom:
        return Report(OK, f"nothing to pair: {' and '.join(seldom)} sends too seldom", values)
    missing = [f.camera for f in (rgb, thermal) if f.received == 0 or (f.loss and f.loss.kind == "silent")]
    if missing:
        return Report(OK, f"nothing to pair: no image from {' and '.join(missing)}", values)
    if nearest_dt_ns is not None and abs(nearest_dt_ns) > max_dt * 1e9 and silent_for > rgb.timeout:
        return Report(ERROR, f"both cameras send, but nothing pairs: {explanation}", values, "no_match")
    if stale >= STALE_RUN and silent_for > rgb.timeout:
        text = (
            f"both cameras send, but nothing pairs: since the latest pair {stale} images had the stamp of an "
            "earlier one (duplicate) or one that was passed already (late); see to the drivers' stamps"
        )
        return Report(ERROR, text, values, "stale_stamps")
    return Report(OK, explanation, values)


def model_report(state: ModelState, weights: str, transition: str = "configure") -> Report:
    """Whether the network is there, and why not. ``transition``: the one that loads it next."""
    values = {
        "phase": state.phase,
        "device": state.device,
        "engine": state.engine,
        "dtype": state.dtype,
        "weights": state.weights or weights,
    }
    if state.phase == READY:
        ready = f"ready: {state.engine} on {state.device}, {state.dtype}"
        if state.trouble:
            return Report(WARN, f"{ready}, but not as was asked: {state.trouble}", values, "fell_back")
        return Report(OK, ready, values)
    if state.phase == LOADING:
        return Report(
            WARN, f"model loading for {state.seconds:.0f} s: nothing is published before it is ready", values
        )
    if state.phase == FAILED:  # without a cause: the transition that failed has logged it
        text = f"the model cannot be loaded: {state.reason}; set the parameter right and {transition} again"
        return Report(ERROR, text, values)
    return Report(STALE, "not loaded (released, if it was): configure or activate loads it", values)


def prompt_report(record: PromptRecord, fusing: bool, now: float, boxes: str = "") -> Report:
    """The prompt in force and the latest refusal; ``boxes``: what the detections did to the latest image."""
    values = {
        "prompt": record.text,
        "strength": f"{record.strength:g}",
        "localiser": record.localiser,
        "in_force": str(record.in_force).lower(),
        "last_refused": record.last_refused,
        "last_reason": record.last_reason,
        "localiser_reason": record.stands_in,
        "boxes": boxes,
    }
    name = f'"{record.text}"' if record.text else "no prompt (plain fusion)"
    if record.in_force:
        return Report(OK, f"in force: {name}", values)
    waited = now - record.accepted
    if fusing and waited > SHOW_WITHIN:
        return Report(
            WARN, f"accepted {waited:.0f} s ago, but no fused image shows it yet: {name}", values, "not_shown"
        )
    return Report(OK, f"accepted, in force with the next fused image: {name}", values)


# What faults that an image gives away by itself are called.
_FAULTS = {
    "low_light": "low light", "over_exposure": "over-exposure", "visible_contrast": "low contrast",
    "colour_cast": "colour cast", "fog": "fog", "veil": "smoke or fog",
    "thermal_contrast": "low thermal contrast", "thermal_saturation": "thermal saturation",
}  # fmt: skip


def _in_words(repaired: Mapping[str, float]) -> str:
    return ", ".join(f"{_FAULTS[name]} {level:.2f}" for name, level in repaired.items()) or "none"


def _who_shows(repaired: Mapping[str, float]) -> str:
    thermal = {name: level for name, level in repaired.items() if name.startswith("thermal")}
    rgb = {name: level for name, level in repaired.items() if name not in thermal}
    shown = (("RGB", rgb), ("thermal", thermal))
    return " and ".join(f"the {camera} image shows {_in_words(found)}" for camera, found in shown if found)


def output_report(
    facts: OutputFacts, cameras: tuple[CameraFacts, CameraFacts], why: tuple[Report, ...]
) -> Report:
    """What is published; if nothing is, why: the first cause that explains the silence."""
    values = {
        "topic": facts.topic,
        "mode": facts.action.value,
        "repaired": _in_words(facts.repaired),
        "rate_hz": f"{facts.rate:.1f}",
        "published": str(facts.published),
        "subscribers": str(facts.subscribers),
        "dropped_invalid": str(facts.invalid),
        "dropped_by_policy": str(facts.by_policy),
        "age_ms_p50": f"{facts.age_p50:.1f}",
        "age_ms_p95": f"{facts.age_p95:.1f}",
        "total_ms_p50": f"{facts.total_p50:.1f}",
        "total_ms_p95": f"{facts.total_p95:.1f}",
        "model_ms_p50": f"{facts.model_p50:.1f}",
        "model_ms_p95": f"{facts.model_p95:.1f}",
        "overhead_ms_p50": f"{facts.overhead_p50:.1f}",
    }
    values.update(
        {f"dropped_{name}": str(n) for name, n in facts.counters.items() if name not in ("reset", "invalid")}
    )
    values["resets"] = str(facts.counters.get("reset", 0))
    if not facts.active and facts.trouble:
        return Report(ERROR, f"the node is not active: {facts.trouble}", values, "trouble")
    if not facts.active:
        return Report(STALE, "the node is not active: nothing is published", values)
    if facts.silent_for > facts.timeout:
        return _silence(facts, why, values)
    if facts.incompatible:
        return Report(WARN, facts.incompatible, values, "incompatible_qos")
    if facts.shared:
        return Report(WARN, facts.shared, values, "shared")
    if not facts.published:
        return Report(OK, "waiting for the first pair", values)
    if facts.action is not Action.FUSE:
        text = f"{facts.action.value} at {facts.rate:.1f} Hz: {_who_is_lost(facts.action, cameras)}"
        return Report(WARN, text, values, facts.action.value)
    if facts.latest_failure:
        return Report(WARN, facts.latest_failure, values, "model_failed")
    age = "" if math.isnan(facts.age_p50) else f", age {facts.age_p50:.0f} ms (p95 {facts.age_p95:.0f} ms)"
    repaired = f"; {_who_shows(facts.repaired)}, which is repaired" if facts.repaired else ""
    return Report(OK, f"{facts.rate:.1f} Hz{age}{repaired}", values)


def _who_is_lost(action: Action, cameras: tuple[CameraFacts, CameraFacts]) -> str:
    for facts in cameras:
        if _seldom(facts):
            return f"{facts.camera} sends too seldom"
    lost = next((f.camera for f in cameras if f.loss is not None), "")  # none: it is just coming back
    passed = {Action.PASS_RGB: THERMAL, Action.PASS_THERMAL: RGB}.get(action, "a camera")
    return f"{lost or passed} is lost"


def _silence(facts: OutputFacts, why: tuple[Report, ...], values: dict[str, str]) -> Report:
    if facts.latest_failure:
        return Report(ERROR, f"nothing is published: {facts.latest_failure}", values, "model_failed")
    text = f"nothing has been published for {facts.silent_for:.1f} s"
    reasons = [report.message for report in why if report.level in (WARN, ERROR)]
    if reasons:
        return Report(ERROR, f"{text}: {' | '.join(reasons)}", values, "silent")
    cause = "silent" if facts.silent_for < _STARTING * facts.timeout else "no_job"
    reason = "both cameras send, but no image has come to the network"
    if facts.unanswered_for > 0:
        patience = facts.timeout * (1 if facts.published else _STARTING)  # the first image takes longest
        cause = "slow" if facts.unanswered_for > patience else "silent"
        reason = f"the network has been at work for {facts.unanswered_for:.1f} s without completing an image"
    if facts.model_p50 > facts.timeout * 1e3:
        cause = "slow"
        reason = (
            f"the network takes {facts.model_p50 / 1e3:.1f} s an image, longer than loss_timeout "
            f"{facts.timeout:g} s: take smaller images, or another engine, dtype or device"
        )
    return Report(ERROR, f"{text}: {reason}", values, cause)
