"""What is wrong with images that arrive in good order: seen in the images themselves. No ROS."""

from __future__ import annotations

from dataclasses import dataclass

from textdifuse_ros.imaging.window import Windowed
from textdifuse_ros.nodes.loss import RGB, THERMAL, other

NO_SHARE = 0.005  # of the picture: less is no overlap but a corner, or what rounding leaves of one
SMALL_SHARE = 0.1
NEARLY_ALL = 0.98  # of the values

_CALLED = {RGB: "RGB", THERMAL: "thermal"}


@dataclass(frozen=True)
class Fault:
    """``grave``: nothing of this camera gets into the picture by its registration. ``cause``: a short stable
    word."""

    text: str
    cause: str
    grave: bool = False


@dataclass(frozen=True)
class Seen:
    """Of the latest images. ``covers``: how much of the reference camera's image the other one sees, None
    before the first pair. ``outside``: see `outside_fault`."""

    covers: float | None = None
    outside: Fault | None = None


def share_of(seen: Seen, camera: str, reference: str) -> float | None:
    """How much of the fused image this camera sees, None while that is not known."""
    return seen.covers if camera != reference else None


def fault_of(seen: Seen, camera: str, reference: str, mode: str) -> Fault | None:
    """What is wrong with this camera's image; ``mode`` is that of the registration."""
    share = share_of(seen, camera, reference)
    fault = None if share is None else coverage_fault(share, camera, mode)
    return fault or (seen.outside if camera == THERMAL else None)


def coverage_fault(share: float, camera: str, mode: str) -> Fault | None:
    """A registration that leaves (nearly) nothing of a camera's image is wrong, however well it is formed."""
    if share >= SMALL_SHARE:
        return None
    check = {
        "homography": "the direction of the homography (it takes thermal pixels to RGB pixels) and its sizes",
        "extrinsics": "the direction of rotation and translation (thermal to RGB) and the plane depth",
    }.get(mode, "registration.file")
    text = (
        f"the {_CALLED[camera]} image covers {share:.0%} of the {_CALLED[other(camera)]} image: check {check}"
    ).replace("%", " %")
    return Fault(text, "no_overlap" if share < NO_SHARE else "little_overlap", share < NO_SHARE)


def outside_fault(thermal: Windowed, mode: str) -> Fault | None:
    """A fixed range that (nearly) all values lie outside of shows nothing; others follow the scene."""
    if mode != "fixed":
        return None
    beyond = thermal.beyond()
    below, above = beyond.below >= NEARLY_ALL, beyond.above >= NEARLY_ALL
    if not (below or above):
        return None
    share, end, limit = (
        (beyond.above, "above thermal.range_max", thermal.high)
        if above
        else (beyond.below, "below thermal.range_min", thermal.low)
    )
    text = (
        f"{int(100 * share)} % of the values lie {end} {limit:g}, where nothing can be told apart: set "
        "thermal.range_min and thermal.range_max to what the camera sends "
        f"(now {beyond.least:g} to {beyond.most:g}), or thermal.range_mode to percentile"
    )
    return Fault(text, "outside_range")
