"""Node `sim_cameras`: the rendered night street as two cameras, for dry runs without hardware."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String

from textdifuse_ros.imaging.encodings import fill_image
from textdifuse_ros.nodes.camera_pair import SECOND, CameraOutput, set_stamp, wait_until_heard
from textdifuse_ros.nodes.command_line import Program
from textdifuse_ros.nodes.process import StartError, deliver, run_alone
from textdifuse_ros.nodes.qos import camera_output, status_output
from textdifuse_ros.nodes.sim_options import SIM_PARAMETERS, declare
from textdifuse_ros.simulation import (
    RgbSensor,
    SimObject,
    StreetSequence,
    ThermalSensor,
    centikelvin,
    counts_to_8bit,
)

PROGRAM = Program("sim_cameras", "Two simulated cameras: a rendered night street.")


@dataclass(frozen=True)
class Shot:
    """What the cameras deliver at one tick: rgb (H,W,3) uint8, counts (h,w) uint16, mask (H,W) uint8,
    objects.
    """

    rgb: np.ndarray
    counts: np.ndarray
    mask: np.ndarray
    objects: tuple[SimObject, ...]


class Studio:
    """Renders the sequence as both cameras see it; no ROS."""

    def __init__(self, options: dict[str, Any]) -> None:
        width, height, seed = options["width"], options["height"], options["seed"]
        self._options = options
        self.size = (options["thermal.width"] or width, options["thermal.height"] or height)
        self.street = StreetSequence(width, height, seed, options["smoke"])
        self._rgb = RgbSensor(width, height, seed, options["rgb.noise"])
        self._thermal = ThermalSensor(*self.size, seed, options["thermal.noise"])
        self._loop_frames = round(options["loop"] * options["rate"])
        self._stored: list[Shot] = []

    def prerender(self, frames: int, stop: threading.Event, progress: Any) -> None:
        """Render the first `frames` ticks; `shot` repeats them from then on."""
        stored = []
        for index in range(frames):
            if stop.is_set():
                return
            stored.append(self._render(index))
            progress(index + 1, frames)
        self._stored = stored

    def shot(self, index: int) -> Shot:
        """Tick number `index` since the beginning."""
        if self._stored:
            return self._stored[index % len(self._stored)]
        return self._render(index % self._loop_frames if self._loop_frames else index)

    def _render(self, index: int) -> Shot:
        scene = self.street.render(self._options["start_time"] + index / self._options["rate"])
        return Shot(
            self._rgb.expose(scene.rgb, index),
            self._thermal.expose(scene.temperature, index),
            scene.mask,
            scene.objects,
        )

    def thermal_picture(self, counts: np.ndarray) -> np.ndarray:
        """Counts as the chosen encoding wants them."""
        if self._options["thermal.encoding"] != "mono8":
            return counts
        if self._options["thermal.agc"] == "frame":
            return counts_to_8bit(counts, float(counts.min()), float(counts.max()))
        span = np.array([self._options["thermal.range_min"], self._options["thermal.range_max"]], np.float32)
        low, high = centikelvin(span)
        return counts_to_8bit(counts, float(low), float(high))


class SimCameras(Node):
    """Publishes both cameras and the ground truth from a thread of its own."""

    def __init__(self) -> None:
        super().__init__("sim_cameras")
        self.finished, self.failure = threading.Event(), ""
        self._stop = threading.Event()
        self.options = declare(self, SIM_PARAMETERS)
        options = self.options
        if options["thermal.range_max"] <= options["thermal.range_min"]:
            raise StartError("parameter thermal.range_max must be above thermal.range_min")
        if options["thermal.rate"] > options["rate"]:
            raise StartError("parameter thermal.rate must not be above rate")
        self._rgb = CameraOutput(self, "rgb", options["rgb.frame_id"])
        self._thermal = CameraOutput(self, "thermal", options["thermal.frame_id"])
        self._mask = self.create_publisher(Image, "ground_truth/mask", camera_output())
        self._boxes = self.create_publisher(String, "ground_truth/boxes", status_output())
        self._random = np.random.default_rng([options["seed"], 99])
        self._frozen: np.ndarray | None = None
        self._thread = threading.Thread(target=self._run, name="cameras", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop publishing."""
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            # The pictures are small: threads inside OpenCV would only fight with the fusion for the cores.
            cv2.setNumThreads(1)
            self._studio = Studio(self.options)
            self._prepare()
            if self.options["wait_for_subscribers"]:
                wait_until_heard(self._heard, self._stop)
            self._publish_all()
            deliver(self)
        except Exception as error:  # a thread that dies silently would look like a camera that was unplugged
            why = " ".join(str(error).split()) or type(error).__name__
            self.failure = f"the simulated cameras stopped: {why}"
        self.finished.set()

    def _heard(self) -> int:
        return min(self._rgb.subscribers(), self._thermal.subscribers())

    def _prepare(self) -> None:
        options = self.options
        frames = round(options["prerender"] * options["rate"])
        width, height = options["width"], options["height"]
        if frames:
            began, told = time.monotonic(), [0.0]

            def progress(done: int, total: int) -> None:
                now = time.monotonic()
                if now - told[0] > 1.0 or done == total:
                    told[0] = now
                    self.get_logger().info(f"rendered {done}/{total} pictures in {now - began:.1f} s")

            self._studio.prerender(frames, self._stop, progress)
        self.get_logger().info(
            f"publishing {width}x{height} RGB and {self._studio.size[0]}x{self._studio.size[1]} "
            f"{options['thermal.encoding']} thermal at {options['rate']:g} Hz"
        )

    def _publish_all(self) -> None:
        options = self.options
        period = SECOND / options["rate"]
        every = options["rate"] / (options["thermal.rate"] or options["rate"])
        epoch, began, late, thermal_due = self._now(), time.monotonic(), 0, 0.0
        index = 0
        while not self._stop.is_set() and not (options["max_frames"] and index >= options["max_frames"]):
            shot = self._studio.shot(index)
            wait = began + index * period / SECOND - time.monotonic()
            if wait > 0.0 and self._stop.wait(wait):
                return
            if wait < -1.0:
                # Too slow for the rate: go on from now instead of hurrying after a schedule that is lost.
                late += 1
                if late == 1:
                    self.get_logger().warning(
                        f"rendering cannot keep {options['rate']:g} Hz on this machine: "
                        "set prerender, or a lower rate"
                    )
                epoch, began = self._now() - round(index * period), time.monotonic() - index * period / SECOND
            stamp = epoch + round(index * period)
            with_thermal = index + 1e-6 >= thermal_due
            if with_thermal:
                thermal_due += every
            self._publish(shot, stamp, index * period / SECOND, with_thermal)
            index += 1

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _publish(self, shot: Shot, stamp: int, since: float, with_thermal: bool) -> None:
        options = self.options
        lost = self._random.random(2)
        focal = self._studio.street.camera.focal
        if with_thermal and lost[1] >= options["thermal.drop"]:
            counts = self._flat_field(shot.counts, since)
            shift = round(options["thermal.time_offset"] * SECOND)
            self._thermal.publish(
                self._studio.thermal_picture(counts),
                options["thermal.encoding"],
                stamp + shift,
                focal * self._studio.size[0] / options["width"],
            )
        if lost[0] >= options["rgb.drop"]:
            self._rgb.publish(shot.rgb, "rgb8", stamp, focal)
        if options["ground_truth"]:
            self._publish_truth(shot, stamp)

    def _flat_field(self, counts: np.ndarray, since: float) -> np.ndarray:
        """During a flat-field correction the camera repeats its last picture."""
        period = self.options["thermal.freeze_period"]
        if period and since >= period and since % period < self.options["thermal.freeze_duration"]:
            if self._frozen is None:
                self._frozen = counts
            return self._frozen
        self._frozen = None
        return counts

    def _publish_truth(self, shot: Shot, stamp: int) -> None:
        message = Image()
        set_stamp(message.header, stamp)
        message.header.frame_id = self.options["rgb.frame_id"]
        if self._mask.get_subscription_count():
            fill_image(message, shot.mask, "mono8")
            self._mask.publish(message)
        if self._boxes.get_subscription_count():
            sec, nanosec = divmod(stamp, SECOND)
            self._boxes.publish(
                String(
                    data=json.dumps(
                        {
                            "stamp": {"sec": sec, "nanosec": nanosec},
                            "frame_id": message.header.frame_id,
                            "width": self.options["width"],
                            "height": self.options["height"],
                            "objects": [_rounded(item) for item in shot.objects],
                        }
                    )
                )
            )


def _rounded(item: SimObject) -> dict[str, Any]:
    fields = asdict(item).items()
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in fields}


def main(args: Sequence[str] | None = None) -> int:
    """Entry point of `ros2 run textdifuse_ros sim_cameras`."""
    return run_alone(PROGRAM, SimCameras, args)


if __name__ == "__main__":
    raise SystemExit(main())
