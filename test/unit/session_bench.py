"""A session whose clock, cameras and worker are in the test's hand, and whose network copies."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from textdifuse_ros.imaging.evidence import Found
from textdifuse_ros.imaging.registration import Registration
from textdifuse_ros.imaging.tone import Tone
from textdifuse_ros.nodes import health, mailbox, pipeline, session
from textdifuse_ros.nodes.frames import Drop, Outcome
from textdifuse_ros.nodes.loss import CAMERAS, RGB, Loss
from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.prompts import PromptKeeper
from textdifuse_ros.nodes.seen import Seen

S, MS = 1_000_000_000, 1_000_000


def found(level: float) -> Found:
    ones = np.ones(3, np.float32)
    return Found({"low_light": level}, Tone(ones, 0.4 * ones, 0.4 * ones))


class CopyingFuser:
    """Stands for the network: the fused image is the RGB image as registered."""

    def __init__(self) -> None:
        self.found = found(0.0)  # in every RGB image
        self.settled: list[float] = []

    def enter_thread(self) -> None:
        pass

    def fuse_cameras(self, cameras: Any, prompt: Any, steps: int, **options: Any) -> Any:
        rgb, _ = cameras.registered()
        level = options["settle"](self.found).levels["low_light"]
        self.settled.append(level)
        return SimpleNamespace(
            image=rgb.copy(),
            salience=None,
            on_device=None,
            register_ms=0.0,
            model_ms=1.0,
            repaired={"low_light": level},
        )


class NoThread:
    """The worker that is not started: the bench does its work."""

    def __init__(self, **options: Any) -> None:
        pass

    def start(self) -> None:
        pass


class Bench:
    """Stamps and times are milliseconds from the activation on; the stamps are those of the year 2023."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.now = 0.0
        clock = SimpleNamespace(monotonic=lambda: self.now, perf_counter=lambda: self.now)
        for module in (session, pipeline, mailbox):
            monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(session, "threading", SimpleNamespace(Thread=NoThread))
        self.settings = Settings().changed({k.replace("__", "."): v for k, v in settings.items()})
        self.published: list[tuple[str, float]] = []  # mode and stamp [ms]
        self.sizes: list[tuple[int, int]] = []
        self.drops: list[Drop] = []
        self.registration, prompts = Registration(), PromptKeeper(lambda record: None)
        self.fuser: Any = CopyingFuser()
        self.session = session.Session(
            self.fuser,
            lambda: self.settings,
            lambda: self.registration,
            lambda: prompts.current,
            lambda: False,
            self._publish,
            self.drops.append,
        )

    @property
    def seen(self) -> Seen:
        """What diagnostics read."""
        return self.session.seen

    def _publish(self, outcome: Outcome, *_: object) -> None:
        assert outcome.image is not None
        stamp = outcome.header.stamp
        self.published.append((outcome.action.value, ((stamp.sec - 1_700_000_000) * S + stamp.nanosec) / MS))
        self.sizes.append((outcome.image.shape[1], outcome.image.shape[0]))

    def send(self, camera: str, ms: float, size: tuple[int, int] = (64, 48), png: bool = False) -> None:
        """One image arrives, and the worker does what there is to do."""
        rng = np.random.default_rng(round(ms))
        shape = (size[1], size[0], 3) if camera == RGB else (size[1], size[0])
        message = picture(rng.integers(0, 256, shape, np.uint8), png)
        sec, nanosec = divmod(1_700_000_000 * S + round(ms * MS), S)
        message.header = SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id=camera)
        self.session.receive(camera, message, png)
        while (job := self.session.mailbox._ready()) is not None:
            self.session._do(job)

    def both(self, ms: float, **sizes: tuple[int, int]) -> None:
        for camera in CAMERAS:
            self.send(camera, ms, **({"size": sizes[camera]} if camera in sizes else {}))

    def at(self, ms: float) -> Bench:
        """The same, at this time."""
        self.now = ms / 1e3
        return self

    @property
    def modes(self) -> list[str]:
        return [mode for mode, _ in self.published]

    def loss(self, camera: str) -> Loss | None:
        return self.session.monitor.loss(camera, self.now)

    def reports(self) -> dict[str, health.Report]:
        """What the diagnostics say of the cameras, of the pairing and of the output."""
        view, latest = self.session.mailbox.view(), self.session.last_published
        silent_for = self.now - (0.0 if latest is None else latest)
        rgb, thermal = (
            health.CameraFacts(
                camera,
                f"/{camera}",
                True,
                30.0,
                self.session.arrivals[camera].total,
                self.loss(camera),
                self.settings.text(f"on_{camera}_loss"),
                latest_refusal=self.session.tally.recent(camera, self.now, health.RECENT),
                frame_id=camera,
                timeout=self.settings.number("loss_timeout"),
                spacing=self.session.monitor.spacing(camera, self.now),
            )
            for camera in CAMERAS
        )
        pairing = health.pairing_report(
            True,
            rgb,
            thermal,
            view.explanation,
            view.nearest_dt_ns,
            self.settings.number("pairing.max_dt"),
            view.taken_pairs,
            view.counters,
            silent_for,
            view.stale_since_pair,
        )
        cameras = {facts.camera: health.camera_report(facts) for facts in (rgb, thermal)}
        facts = health.OutputFacts(
            "/fused",
            True,
            action=self.session.last_action,
            silent_for=silent_for,
            published=self.session.published.total,
        )
        output = health.output_report(facts, (rgb, thermal), (*cameras.values(), pairing))
        return {**cameras, "pairing": pairing, "output": output}


def picture(array: np.ndarray, png: bool) -> Any:
    """A message without a header: rgb8 or mono8, or a PNG of it."""
    if png:
        data = cv2.imencode(".png", array)[1].tobytes()
        return SimpleNamespace(format="png", data=data)
    return SimpleNamespace(
        height=array.shape[0],
        width=array.shape[1],
        encoding="rgb8" if array.ndim == 3 else "mono8",
        is_bigendian=0,
        step=array.strides[0],
        data=array.tobytes(),
    )
