"""One activation of the node: from images that arrive to outcomes that are published. No ROS import."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textdifuse_ros.imaging.compressed import lost_precision
from textdifuse_ros.imaging.registration import Registration
from textdifuse_ros.nodes.frames import Drop, Frame, Job, Outcome
from textdifuse_ros.nodes.loss import CAMERAS, RGB, THERMAL, Action, LossMonitor, other
from textdifuse_ros.nodes.mailbox import Mailbox
from textdifuse_ros.nodes.meters import RateMeter, Window
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.pipeline import AskBoxes, Pipeline
from textdifuse_ros.nodes.prompts import PromptRecord
from textdifuse_ros.nodes.seen import Seen
from textdifuse_ros.nodes.stamps import StampGuard, stamp_ns
from textdifuse_ros.nodes.tally import MODEL, POLICY, Tally
from textdifuse_ros.text.boxes import Hints

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser

Publish = Callable[[Outcome, Settings, PromptRecord], None]

_STANDS_STILL = "its stamp stands still: the driver sends an image again, or stamps all images alike"
_TOO_OLD = "its stamps are not newer than those of images that were used already"


class Session:
    """Receives on the executor's threads, works in one thread of its own, and counts everything.

    ``settings``, ``registration`` and ``prompt`` are asked for once a frame, so that changes take effect
    between two frames and never within one.
    """

    def __init__(
        self,
        fuser: Fuser,
        settings: Callable[[], Settings],
        registration: Callable[[], Registration],
        prompt: Callable[[], PromptRecord],
        want_salience: Callable[[], bool],
        publish: Publish,
        on_drop: Callable[[Drop], None],
        hints: AskBoxes = lambda header, settings, prompt: Hints(),
        keep_on_device: Callable[[], bool] = lambda: False,
    ) -> None:
        now = time.monotonic()
        self.started = now
        self._settings, self._registration, self._prompt = settings, registration, prompt
        self._want_salience, self._publish, self._on_drop = want_salience, publish, on_drop
        self._hints, self._keep_on_device = hints, keep_on_device
        self.monitor = LossMonitor(settings().number("loss_timeout"), now)
        self.mailbox = Mailbox(settings())
        self.tally = Tally()
        self.arrivals = {camera: RateMeter() for camera in CAMERAS}
        self.frame_ids: dict[str, str] = {}
        self.precision = ""  # a sentence while the thermal transport throws bits away
        self.published = RateMeter()
        self.ages, self.totals, self.models, self.overheads = Window(), Window(), Window(), Window()
        self.last_action = Action.NOTHING
        self.repaired: Mapping[str, float] = {}  # in the latest image, without a wish
        self.seen = Seen()  # of the latest images
        self.last_published: float | None = None
        self.unanswered: float | None = None  # when the worker took the first job since that image
        self._guards = {camera: StampGuard() for camera in CAMERAS}
        self._enter_thread = fuser.enter_thread
        self._pipeline = Pipeline(fuser, self.monitor, settings(), registration())
        self._worker = threading.Thread(target=self._work, name="fusion worker", daemon=True)
        self._worker.start()

    # -- on the executor's threads --------------------

    def receive(self, camera: str, message: Any, compressed: bool) -> None:
        """Take one image message: check its stamp, and give it to the pairing or straight to the worker."""
        now = time.monotonic()
        self.arrivals[camera].tick(now)
        self.frame_ids[camera] = message.header.frame_id
        if compressed and camera == THERMAL:
            self.precision = lost_precision(message) or ""
        try:
            stamp = stamp_ns(message.header.stamp.sec, message.header.stamp.nanosec)
        except ValueError as error:
            self._refuse_stamp(camera, str(error))
            return
        doubt = self._guards[camera].check(stamp, now)
        if doubt:
            self._refuse_stamp(camera, doubt)
            return
        frame = Frame(camera, message, stamp, now, compressed)
        absent = other(camera)
        alone = self.monitor.goes_alone(camera, now) and self._settings().text(f"on_{absent}_loss") != "stop"
        cause = self.mailbox.put_single(frame) if alone else self.mailbox.put(frame)
        if cause:  # counted by the pairing; a camera of which nothing else comes must count as lost
            self.monitor.stale(camera, _STANDS_STILL if cause == "duplicate" else _TOO_OLD)
            return
        self.monitor.arrived(camera, now)

    def time_jumped_back(self) -> None:
        """The node's clock was set back: whatever was received belongs to another time."""
        for guard in self._guards.values():
            guard.reset()
        self.mailbox.reset("the clock jumped back")

    def apply(self, settings: Settings) -> None:
        """Take over what is not read once a frame anyway."""
        self.mailbox.configure(settings)
        self.monitor.timeout = settings.number("loss_timeout")

    def stop(self, timeout: float = 10.0) -> bool:
        """End the worker after its present frame; False when it is still busy after ``timeout`` seconds."""
        self.mailbox.close()
        self._worker.join(timeout)
        return not self._worker.is_alive()

    def dropped_invalid(self) -> int:
        """Inputs refused for what they are."""
        return self.tally.total(RGB, THERMAL, MODEL) + self.mailbox.view().counters["invalid"]

    def _refuse_stamp(self, camera: str, reason: str) -> None:
        """Its stamp is all that is wrong with it, so the next one that is believed ends that: to wait for a
        pair would be for ever, where the clocks differ from now on."""
        self.monitor.stale(camera, reason)
        self._drop(Drop(camera, "stamp", reason))

    def _drop(self, drop: Drop) -> None:
        self.tally.add(drop, time.monotonic())
        self._on_drop(drop)

    # -- in the worker's thread --------------------

    def _work(self) -> None:
        self._enter_thread()
        while True:
            job = self.mailbox.take()
            if job is None:
                return
            try:
                self._do(job)
            except Exception as error:  # one frame is lost, never the worker
                text = " ".join(str(error).split()) or type(error).__name__
                self._drop(Drop(MODEL, type(error).__name__, f"the network failed on a frame: {text}"))

    def _do(self, job: Job) -> None:
        taken = time.monotonic()
        if self.unanswered is None:
            self.unanswered = taken
        settings, prompt = self._settings(), self._prompt()
        outcome = self._pipeline.run(
            job,
            settings,
            self._registration(),
            prompt,
            self._want_salience(),
            self._hints,
            self._keep_on_device(),
        )
        for drop in outcome.drops:
            self._drop(drop)
        if outcome.action is Action.NOTHING:
            return
        outcome.timings.wait = (taken - job.posted) * 1e3
        outcome.taken = taken
        now = time.monotonic()
        self.last_action, self.repaired, self.seen = outcome.action, outcome.repaired, outcome.seen
        self.last_published, self.unanswered = now, None
        self.published.tick(now)
        self._publish(outcome, settings, prompt)

    def measured(self, outcome: Outcome, age_ms: float) -> None:
        """Called by the publisher of the outcome, once the image is out."""
        timings = outcome.timings
        self.totals.add(timings.total)
        self.overheads.add(timings.total - timings.model)
        if outcome.action is Action.FUSE:
            self.models.add(timings.model)
        if age_ms == age_ms:
            self.ages.add(age_ms)

    @property
    def dropped_by_policy(self) -> int:
        return self.tally.total(POLICY)
