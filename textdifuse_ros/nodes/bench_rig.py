"""A fusion node, its cameras and a listener in processes of their own, with clocks on everything."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sensor_msgs.msg import Image

from textdifuse_ros.demo.processes import Child, Family, free_domain, private_environment
from textdifuse_ros.nodes.demo_conductor import SECOND, Conductor
from textdifuse_ros.nodes.launch_spec import NodeSpec
from textdifuse_ros.nodes.qos import camera_output

START_TIMEOUT = 180.0

R = TypeVar("R", bound="Rig")


class BenchFailed(RuntimeError):
    """A measurement could not be made; the text says why."""


@dataclass(frozen=True)
class Source:
    """What the cameras show: a clip pair, or the rendered street when there is none."""

    rgb: str = ""
    thermal: str = ""
    size: tuple[int, int] = (640, 480)

    def node(self, rate: float, pairs: int, seconds: float = 8.0) -> tuple[str, NodeSpec]:
        """Module and arguments of a camera node that publishes `pairs` pairs (0 = endless) at `rate` [Hz]."""
        common: dict[str, Any] = {"rate": rate, "wait_for_subscribers": True}
        if self.rgb:
            files = {"rgb": self.rgb, "thermal": self.thermal, "loop": True, "max_pairs": pairs}
            spec = NodeSpec("playback", "playback", parameters=common | files)
            return "textdifuse_ros.nodes.playback", spec
        width, height = self.size
        street = {
            "width": width, "height": height, "max_frames": pairs, "prerender": seconds, "start_time": 28.0,
            "ground_truth": False,
        }  # fmt: skip
        return "textdifuse_ros.nodes.sim_cameras", NodeSpec("sim", "sim_cameras", parameters=common | street)

    def __str__(self) -> str:
        if self.rgb:
            return f"{Path(self.rgb).name} and {Path(self.thermal).name}"
        return f"the rendered street, {self.size[0]}x{self.size[1]}"


@dataclass
class Heard:
    """What the listener got, by stamp [ns]: arrival of RGB and fused images [ns of the epoch], statuses."""

    rgb: dict[int, int] = field(default_factory=dict)
    fused: dict[int, int] = field(default_factory=dict)
    statuses: list[Any] = field(default_factory=list)

    def latencies_ms(self) -> np.ndarray:
        """Fused image heard minus RGB image with that stamp heard [ms]."""
        return np.array(
            [(at - self.rgb[s]) / 1e6 for s, at in self.fused.items() if s in self.rgb], np.float64
        )

    def age_ms(self, status: Any) -> float:
        """Fused image of a status heard minus its stamp [ms], NaN where it did not arrive."""
        stamp = status.header.stamp.sec * SECOND + status.header.stamp.nanosec
        return (self.fused[stamp] - stamp) / 1e6 if stamp in self.fused else float("nan")


class Rig:
    """`with Rig(...) as rig:` starts the fusion node and waits until it listens; cameras start on demand."""

    def __init__(self, logs: Path, parameters: dict[str, Any], hear_images: bool = True) -> None:
        domain = free_domain()
        self.family = Family(private_environment(domain), logs)
        self.conductor = Conductor(domain, self.family.check)
        self.heard = Heard()
        self._parameters = parameters
        self._hear_images, self._hears_rgb = hear_images, False
        self.fusion: Child

    def __enter__(self: R) -> R:
        try:
            self.fusion = self.start_nodes()
            conductor = self.conductor
            conductor.on_status(self.heard.statuses.append)
            if self._hear_images:
                conductor.listen(Image, "fused/image_raw", 10, noting(self.heard.fused), raw=True)
            if not conductor.spin_until(lambda: conductor.subscribers("/rgb/image_raw") > 0, START_TIMEOUT):
                raise BenchFailed(f"the fusion node never listened: {self.fusion.last_words()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_nodes(self) -> Child:
        """Start what is measured; returns the process that fuses."""
        module = "textdifuse_ros.nodes.fusion_node"
        return self.family.start("fusion", module, self.fusion_spec().ros_arguments())

    def fusion_spec(self) -> NodeSpec:
        return NodeSpec("fusion_node", "textdifuse", parameters=self._parameters)

    def __exit__(self, *_: object) -> None:
        self.conductor.close()
        self.family.__exit__()

    def start_camera(self, source: Source, rate: float, pairs: int = 0) -> Child:
        """Start the cameras and wait for the first fused image."""
        module, spec = source.node(rate, pairs)
        child = self.family.start("camera", module, spec.ros_arguments())
        before = len(self.heard.statuses)
        if not self.conductor.spin_until(lambda: len(self.heard.statuses) > before, START_TIMEOUT):
            raise BenchFailed(f"nothing was fused: {self.conductor.seen.diagnosis or child.last_words()}")
        if self._hear_images and not self._hears_rgb:
            # Only now: the cameras begin when they have subscribers, and these must be the fusion node's.
            self._hears_rgb = True
            book = noting(self.heard.rgb)
            self.conductor.listen(Image, "rgb/image_raw", camera_output(), book, raw=True)
        return child

    def spin(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        """Let everything run for some seconds, or until `done`."""
        end = time.monotonic() + seconds
        self.conductor.spin_until(lambda: done() or time.monotonic() >= end, seconds + 30.0)

    def settle(self) -> None:
        """Wait until the last pair that was sent has been fused: no status for a second."""
        state = {"count": -1, "since": time.monotonic()}

        def quiet() -> bool:
            now = time.monotonic()
            if len(self.heard.statuses) != state["count"]:
                state.update(count=len(self.heard.statuses), since=now)
            return now - state["since"] > 2.0

        self.conductor.spin_until(quiet, 60.0)


def noting(book: dict[int, int]) -> Callable[[bytes], None]:
    """Notes when a serialised message with a header came [ns of the epoch], by its stamp [ns]."""

    def note(raw: bytes) -> None:
        sec, nanosec = struct.unpack_from("<iI" if raw[1] & 1 else ">iI", raw, 4)
        book[sec * SECOND + nanosec] = time.time_ns()

    return note


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used [s], all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process [MB]."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def p50_p95(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Median and 95th percentile, NaN without values."""
    array = np.asarray(values, np.float64)
    array = array[np.isfinite(array)]
    if not len(array):
        return {"p50": float("nan"), "p95": float("nan")}
    low, high = np.percentile(array, (50, 95))
    return {"p50": round(float(low), 2), "p95": round(float(high), 2)}
