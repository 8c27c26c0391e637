"""What is wrong with images that arrive in good order: seen in the images themselves. No ROS."""

from __future__ import annotations

from dataclasses import dataclass

from textdifuse_ros.nodes.loss import RGB, THERMAL, other

NO_SHARE = 0.005  # of the picture: less is no overlap but a corner, or what rounding leaves of one
SMALL_SHARE = 0.1

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
    before the first pair."""

    covers: float | None = None


def share_of(seen: Seen, camera: str, reference: str) -> float | None:
    """How much of the fused image this camera sees, None while that is not known."""
    return seen.covers if camera != reference else None


def fault_of(seen: Seen, camera: str, reference: str, mode: str) -> Fault | None:
    """What is wrong with this camera's image; ``mode`` is that of the registration."""
    share = share_of(seen, camera, reference)
    return None if share is None else coverage_fault(share, camera, mode)


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
