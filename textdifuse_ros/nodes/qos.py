"""Quality of service of every topic, and incompatibilities in words."""

from __future__ import annotations

from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)
from rclpy.qos_overriding_options import QoSOverridingOptions


def _keep_last(
    depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy = DurabilityPolicy.VOLATILE
) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability
    )


def camera_output() -> QoSProfile:
    """What camera drivers offer: best effort, five deep."""
    return _keep_last(5, ReliabilityPolicy.BEST_EFFORT)


def camera_input() -> QoSProfile:
    """Best effort takes from every publisher. Five deep: a short stall of the executor must not cost the
    image that the other camera's image pairs with; what is too old is dropped by pairing, so no lag grows."""
    return _keep_last(5, ReliabilityPolicy.BEST_EFFORT)


def image_output() -> QoSProfile:
    """Reliable and volatile: matches best-effort and reliable subscribers alike. Keep-last never waits for a
    slow reader (its oldest image is overwritten); two deep leaves one image to repair while the next is
    sent."""
    return _keep_last(2, ReliabilityPolicy.RELIABLE)


def detections_output() -> QoSProfile:
    """Reliable: small, and a tracker must not miss any; ten deep, so that a short stall of a reader costs
    none."""
    return _keep_last(10, ReliabilityPolicy.RELIABLE)


def detections_input() -> QoSProfile:
    """The newest ones, from any publisher."""
    return _keep_last(1, ReliabilityPolicy.BEST_EFFORT)


def status_output() -> QoSProfile:
    """Small and never to be missed by a recorder."""
    return _keep_last(50, ReliabilityPolicy.RELIABLE)


def latched() -> QoSProfile:
    """The latest message reaches whoever comes later. Ten deep, so that a recorder misses none of a few quick
    changes; a reader that keeps the last one ends with the latest."""
    return _keep_last(10, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)


def overridable() -> QoSOverridingOptions:
    """Parameters qos_overrides.<topic>.<publisher|subscription>.<history|depth|reliability|durability>."""
    return QoSOverridingOptions(
        (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)
    )


def policy_of(event: Any) -> int:
    """The policy that an event about incompatible QoS names."""
    return int(event.last_policy_kind)


_ADVICE = {
    "RELIABILITY": "one side is reliable and the other best effort",
    "DURABILITY": "one side asks for transient local and the other is volatile",
    "DEADLINE": "the deadline that is offered is longer than the one that is requested",
    "LIVELINESS": "liveliness differs",
}


def explain_incompatible(topic: str, policy_kind: int, *, incoming: bool) -> str:
    """One sentence: which topic, which policy, what to do."""
    policy = qos_policy_name_from_kind(policy_kind).rsplit(".", 1)[-1].replace("_POLICY", "").upper()
    why = _ADVICE.get(policy, "the two sides disagree")
    peer = "a publisher of" if incoming else "a subscriber to"
    side = "subscription" if incoming else "publisher"
    return (
        f"incompatible QoS with {peer} {topic}: policy {policy}, {why}; nothing flows between them. "
        f"Change that node, or set qos_overrides.{topic}.{side}.{policy.lower()} of this one"
    )
