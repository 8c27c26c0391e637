"""What travels from the subscriptions to the worker and on to the publishers. No ROS import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textdifuse_ros.nodes.loss import Action
from textdifuse_ros.nodes.seen import Seen


@dataclass(frozen=True)
class Frame:
    """One image message as it arrived. ``arrived`` is steady time [s]."""

    camera: str
    message: Any
    stamp_ns: int
    arrived: float
    compressed: bool = False


@dataclass(frozen=True)
class Job:
    """Work for one published image: a pair, or the one image of the camera that is left.

    ``posted`` is the steady time [s] at which it was complete; ``epoch`` counts the resets of time.
    """

    rgb: Frame | None
    thermal: Frame | None
    dt_ns: int
    posted: float
    epoch: int


@dataclass(frozen=True)
class Drop:
    """An input that was not published: ``cause`` is a short stable word, ``text`` the sentence."""

    camera: str
    cause: str
    text: str


@dataclass
class Timings:
    """Milliseconds of one job."""

    wait: float = 0.0
    convert: float = 0.0
    model: float = 0.0
    publish: float = 0.0
    total: float = 0.0


@dataclass
class Outcome:
    """The end of one job: an image to publish, or the reason why there is none.

    ``image`` is uint8 (H, W, 3) RGB, or (H, W) where the thermal camera goes through; ``header`` that of the
    camera whose view it shows.
    """

    action: Action
    image: np.ndarray | None = None
    salience: np.ndarray | None = None
    header: Any = None
    on_device: Any = None  # the image as a tensor on the device, where that was asked for and is to be had
    camera: str = ""
    dt_ns: int = 0
    taken: float = 0.0  # steady time [s] at which the worker took the job
    prompt: str = ""  # what the image shows
    strength: float = 0.0
    steps: int = 0
    repaired: Mapping[str, float] = field(default_factory=dict)  # see `fuser.Fused`
    seen: Seen = field(default_factory=Seen)
    drops: list[Drop] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)
