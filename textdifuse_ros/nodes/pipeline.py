"""One job from messages to an image: convert, normalise, register, fuse. Runs in the worker. No ROS."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.imaging.compressed import decode_compressed
from textdifuse_ros.imaging.encodings import ImageError, check_size, to_rgb8, to_thermal
from textdifuse_ros.imaging.registration import Registration
from textdifuse_ros.imaging.settling import Settling, ThermalSettling
from textdifuse_ros.imaging.thermal import FreezeDetector, ThermalNormaliser, crop_telemetry
from textdifuse_ros.imaging.window import Windowed
from textdifuse_ros.nodes.frames import Drop, Frame, Job, Outcome
from textdifuse_ros.nodes.loss import RGB, THERMAL, Action, LossMonitor
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.prompts import PromptRecord
from textdifuse_ros.nodes.seen import Seen, outside_fault
from textdifuse_ros.text.boxes import Hints

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser

AskBoxes = Callable[[Any, Settings, PromptRecord], Hints]  # header of the image that is about to be fused
SMALLEST_SIDE = 16  # of the network, which is not imported here: it brings torch along


class Pipeline:
    """Keeps what lives from frame to frame: the thermal window, the freeze detector, the registration, and
    the last fused image for ``hold``. One caller at a time."""

    def __init__(
        self, fuser: Fuser, monitor: LossMonitor, settings: Settings, registration: Registration
    ) -> None:
        self._fuser = fuser
        self._monitor = monitor
        self._normaliser = ThermalNormaliser()
        self._freeze = FreezeDetector()
        self._settling = Settling()
        self._thermal_settling = ThermalSettling()
        self._registration = registration
        self._settings: Settings | None = None
        self._sizes: dict[str, tuple[int, int]] = {}
        self._held: Outcome | None = None
        self._seen = Seen()
        self._epoch = 0
        self._adopt(settings)

    def run(
        self,
        job: Job,
        settings: Settings,
        registration: Registration,
        prompt: PromptRecord,
        want_salience: bool,
        hints: AskBoxes,
        keep_on_device: bool = False,
    ) -> Outcome:
        """Do one job. Bad input comes back as drops; only a failing network raises."""
        began = time.perf_counter()
        self._registration = registration
        self._adopt(settings)
        self._follow_time(job.epoch)
        drops: list[Drop] = []
        rgb = self._converted(job.rgb, self._rgb, drops)
        raw = self._converted(job.thermal, self._thermal, drops)
        thermal = self._windowed(raw, job, drops)
        outcome = self._decide(job, settings, rgb, thermal, drops)
        outcome.drops = drops
        outcome.dt_ns = job.dt_ns if outcome.action is Action.FUSE else 0
        cameras = None
        if outcome.action is Action.FUSE and rgb is not None and thermal is not None:
            remap = self._registration.prepare(_size(rgb), _size(thermal.raw), settings.text("reference"))
            cameras = Cameras(rgb, thermal, remap)
            self._seen = replace(self._seen, covers=remap.coverage)
        outcome.seen = self._seen
        outcome.timings.convert = (time.perf_counter() - began) * 1e3
        if cameras is not None:
            known = hints(outcome.header, settings, prompt)
            stamp = job.rgb.stamp_ns if job.rgb is not None else 0
            self._fuse(outcome, cameras, settings, prompt, want_salience, known, keep_on_device, stamp)
        return outcome

    def _adopt(self, settings: Settings) -> None:
        if settings is self._settings:
            return
        self._normaliser.configure(
            settings.text("thermal.range_mode"),
            settings.number("thermal.range_min"),
            settings.number("thermal.range_max"),
            settings.number("thermal.percentile_low"),
            settings.number("thermal.percentile_high"),
            settings.number("thermal.time_constant"),
            settings.text("thermal.polarity"),
        )
        self._freeze.timeout = settings.number("thermal.freeze_timeout")
        self._settings = settings

    def _follow_time(self, epoch: int) -> None:
        if epoch != self._epoch:  # time went back: what was smoothed over it belongs to another recording
            self._epoch = epoch
            self._normaliser.reset()
            self._freeze.reset()
            self._settling.reset()
            self._thermal_settling.reset()
            self._held = None

    def _converted(
        self, frame: Frame | None, convert: Callable[[Frame], np.ndarray], drops: list[Drop]
    ) -> np.ndarray | None:
        if frame is None:
            return None
        try:
            image = convert(frame)
        except ImageError as error:
            self._refuse(frame.camera, error.cause, str(error), drops)
            return None
        known = self._sizes.get(frame.camera)
        size = self._sizes[frame.camera] = _size(image)
        if known is not None and known != size:
            text = (
                f"the {frame.camera} camera changed from {known[0]}x{known[1]} to {size[0]}x{size[1]}: "
                "one image dropped, the next is registered anew"
            )
            self._refuse(frame.camera, "size_change", text, drops)
            return None
        if frame.camera == RGB:  # of a thermal image that is known once its values were seen
            self._monitor.used(RGB, frame.arrived)
        return image

    def _refuse(self, camera: str, cause: str, text: str, drops: list[Drop]) -> None:
        drops.append(Drop(camera, cause, text))
        self._monitor.refused(camera, text)

    def _rgb(self, frame: Frame) -> np.ndarray:
        image = self._decoded(frame)
        _refuse_tiny(image)
        return image

    def _thermal(self, frame: Frame) -> np.ndarray:
        assert self._settings is not None
        raw = crop_telemetry(self._decoded(frame), self._settings.integer("thermal.telemetry_rows"))
        _refuse_tiny(raw)
        return raw

    def _decoded(self, frame: Frame) -> np.ndarray:
        """The size is checked first, by the header alone: memory is what too large an image takes. Registered
        into the other camera's frame an image gets the size of that one, which was checked as well."""
        assert self._settings is not None
        message, most = frame.message, round(self._settings.number("max_megapixels") * 1e6)
        if frame.compressed:
            return decode_compressed(message, frame.camera, most)
        check_size(int(message.width), int(message.height), f"'{message.encoding}'", most)
        return to_rgb8(message) if frame.camera == RGB else to_thermal(message)

    def _windowed(self, raw: np.ndarray | None, job: Job, drops: list[Drop]) -> Windowed | None:
        """The image is made of it where it is needed: on a device that takes it, not here."""
        if raw is None or job.thermal is None:
            return None
        frame = job.thermal
        frozen = self._freeze.update(raw, frame.stamp_ns)
        self._monitor.frozen(THERMAL, frozen, frame.arrived)
        try:
            windowed = self._normaliser.windowed(raw, frame.stamp_ns)
        except ImageError as error:
            self._refuse(THERMAL, error.cause, str(error), drops)
            return None
        self._monitor.used(THERMAL, frame.arrived)
        self._seen = replace(self._seen, outside=outside_fault(windowed, self._normaliser.mode))
        return windowed

    def _decide(
        self,
        job: Job,
        settings: Settings,
        rgb: np.ndarray | None,
        thermal: Windowed | None,
        drops: list[Drop],
    ) -> Outcome:
        """What to publish for this job, given what is left of it and which camera is lost."""
        missing = {c for c, frame in ((RGB, job.rgb), (THERMAL, job.thermal)) if frame is None}
        action = self._monitor.action(
            time.monotonic(), settings.text("on_thermal_loss"), settings.text("on_rgb_loss"), missing
        )
        reference = settings.text("reference")
        if action is Action.FUSE:
            frame = job.rgb if reference == RGB else job.thermal
            if rgb is None or thermal is None or frame is None:
                return Outcome(Action.NOTHING)
            return Outcome(action, header=frame.message.header, camera=reference)
        if action is Action.PASS_RGB and rgb is not None and job.rgb is not None:
            return Outcome(action, rgb, header=job.rgb.message.header, camera=RGB)
        if action is Action.PASS_THERMAL and thermal is not None and job.thermal is not None:
            return Outcome(action, thermal.image(), header=job.thermal.message.header, camera=THERMAL)
        if action is Action.HOLD and self._held is not None:
            held = self._held
            return Outcome(
                action,
                held.image,
                held.salience,
                held.header,
                held.camera,
                prompt=held.prompt,
                strength=held.strength,
            )
        if not drops:
            drops.append(Drop(*self._unpublished(settings, missing)))
        return Outcome(Action.NOTHING)

    def _unpublished(self, settings: Settings, missing: set[str]) -> tuple[str, str, str]:
        now = time.monotonic()
        lost = [c for c in (RGB, THERMAL) if c in missing or self._monitor.loss(c, now)]
        names = " and ".join(lost) or "a camera"
        held = any(settings.text(f"on_{camera}_loss") == "hold" for camera in lost)
        why = (
            "nothing was fused yet that could be held" if held and len(lost) == 1 else "nothing is published"
        )
        return "policy", "loss_policy", f"{names} lost: {why}"

    def _fuse(
        self,
        outcome: Outcome,
        cameras: Cameras,
        settings: Settings,
        prompt: PromptRecord,
        want_salience: bool,
        hints: Hints,
        keep_on_device: bool,
        stamp_ns: int,
    ) -> None:
        fused = self._fuser.fuse_cameras(
            cameras,
            prompt.compiled,
            settings.integer("steps"),
            strength=prompt.strength,
            restore=settings.text("restore"),
            want_salience=want_salience,
            hints=hints,
            keep_on_device=keep_on_device,
            settle=partial(self._settling.settle, stamp_ns=stamp_ns),
            settle_thermal=partial(self._thermal_settling.settle, stamp_ns=stamp_ns),
        )
        outcome.image, outcome.salience, outcome.on_device = fused.image, fused.salience, fused.on_device
        outcome.prompt, outcome.strength, outcome.steps = (
            prompt.text,
            prompt.strength,
            settings.integer("steps"),
        )
        outcome.repaired = fused.repaired
        outcome.timings.convert += fused.register_ms
        outcome.timings.model = fused.model_ms
        self._held = outcome


def _refuse_tiny(image: np.ndarray) -> None:
    if min(image.shape[:2]) < SMALLEST_SIDE:
        width, height = _size(image)
        raise ImageError(
            "size", f"an image of {width}x{height} is too small, the least side is {SMALLEST_SIDE} pixels"
        )


def _size(image: np.ndarray) -> tuple[int, int]:
    """(width, height)"""
    return int(image.shape[1]), int(image.shape[0])
