"""One activation of the detector: from images that arrive to detections that are published. No ROS import."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textdifuse_ros.detection.detections import Bytes, Detections, Detector, Wanted
from textdifuse_ros.imaging.encodings import ImageError, to_rgb8
from textdifuse_ros.nodes.frames import Drop
from textdifuse_ros.nodes.handover import Handed
from textdifuse_ros.nodes.latest import Latest
from textdifuse_ros.nodes.meters import RateMeter, Window
from textdifuse_ros.nodes.tally import MODEL, Tally

IMAGE = "image"  # the "camera" of drops


@dataclass(frozen=True)
class Arrived:
    """An image message, or an image handed over in the process, and the steady time [s] at which it came."""

    message: Any
    when: float


Publish = Callable[[Any, Bytes, Detections], float]  # the message, its picture, what is in it -> its age [ms]


class DetectorSession:
    """Receives on the executor's thread, works in one thread of its own, always on the newest image.

    ``wanted`` is asked once for each image, so that changes take effect between two of them.
    """

    def __init__(
        self,
        detector: Detector,
        wanted: Callable[[], Wanted],
        publish: Publish,
        on_drop: Callable[[Drop], None],
    ) -> None:
        self._detector, self._wanted, self._publish, self._on_drop = detector, wanted, publish, on_drop
        self.started = time.monotonic()
        self.images: Latest[Arrived] = Latest()
        self.tally = Tally()
        self.arrivals, self.published = RateMeter(), RateMeter()
        self.ages, self.totals, self.models = Window(), Window(), Window()
        self.last_arrival: float | None = None
        self.last_published: float | None = None
        self.refused_since: float | None = None  # steady time; None while the latest image was usable
        self.busy_since: float | None = None  # steady time; None while the worker waits
        self.latest_count = 0
        self.encoding = ""
        self.frame_id: str | None = None
        self._worker = threading.Thread(target=self._work, name="detector worker", daemon=True)
        self._worker.start()

    def receive(self, message: Any) -> None:
        """Take one image message, or one image that was handed over."""
        now = time.monotonic()
        self.arrivals.tick(now)
        self.last_arrival = now
        self.encoding, self.frame_id = str(message.encoding), str(message.header.frame_id)
        self.images.put(Arrived(message, now))

    def stop(self, timeout: float = 10.0) -> bool:
        """End the worker after its present image; False when it is still busy after ``timeout`` seconds."""
        self.images.close()
        self._worker.join(timeout)
        return not self._worker.is_alive()

    def _work(self) -> None:
        self._detector.enter_thread()
        while True:
            arrived = self.images.take()
            if arrived is None:
                return
            self.busy_since = time.monotonic()
            try:
                self._do(arrived)
            except ImageError as error:
                if self.refused_since is None:
                    self.refused_since = arrived.when
                self._drop(Drop(IMAGE, error.cause, str(error)))
            except Exception as error:  # one image is lost, never the worker
                text = " ".join(str(error).split()) or type(error).__name__
                self._drop(Drop(MODEL, type(error).__name__, f"the model failed on an image: {text}"))
            finally:
                self.busy_since = None

    def _do(self, arrived: Arrived) -> None:
        picture = to_picture(arrived.message)
        self.refused_since = None
        began = time.monotonic()
        on_device = arrived.message.on_device if isinstance(arrived.message, Handed) else None
        found = self._detector.detect(picture, self._wanted(), on_device)
        detected = time.monotonic()
        age_ms = self._publish(arrived.message, picture, found)
        now = time.monotonic()
        self.latest_count = len(found.scores)
        self.last_published = now
        self.published.tick(now)
        self.models.add((detected - began) * 1e3)
        self.totals.add((now - arrived.when) * 1e3)
        if age_ms == age_ms:
            self.ages.add(age_ms)

    def _drop(self, drop: Drop) -> None:
        self.tally.add(drop, time.monotonic())
        self._on_drop(drop)


def to_picture(message: Any) -> Bytes:
    """The image as uint8 (H, W, 3) RGB. Raises ImageError for what is no picture."""
    if isinstance(message, Handed):
        return message.picture()
    if message.encoding in ("16UC1", "32FC1"):
        raise ImageError(
            "encoding",
            f"the images are '{message.encoding}', raw values with no agreed brightness, and a detector "
            "needs a picture: remap fused/image_raw to the fused image, or to rgb8, bgr8, mono8 or mono16",
        )
    return to_rgb8(message)
