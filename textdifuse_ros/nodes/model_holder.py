"""Loads the network off every executor thread and lets go of it again. No ROS import."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from textdifuse_ros.nodes.parameters import Settings
from textdifuse_ros.nodes.settings import S

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser

NONE, LOADING, READY, FAILED = "none", "loading", "ready", "failed"
_OPTIONS = {option: f"localiser.{option}" for option in ("model", "weights", "rate")}  # of the localiser
_KEYS = ("weights", "device", "engine", "dtype", "threads", "localiser", *_OPTIONS.values())


class ModelError(RuntimeError):
    """The network cannot be had; the text says why."""


class Loaded(Protocol):
    """What a holder needs to know of a network."""

    @property
    def device(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def weights_id(self) -> str: ...

    def close(self) -> None:
        """Free the device's memory."""


M = TypeVar("M", bound=Loaded)


@dataclass(frozen=True)
class ModelState:
    """``phase``: none, loading, ready or failed; ``reason``: why it failed; ``seconds``: in this phase."""

    phase: str
    reason: str
    seconds: float
    device: str = ""
    engine: str = ""
    dtype: str = ""
    weights: str = ""
    trouble: str = ""  # why it does not run as was asked, though it runs


def build_fuser(settings: Settings) -> Fuser:
    """Import torch and build the network: seconds, so never on an executor thread. Raises with the reason."""
    from textdifuse_ros.fuser import Fuser  # imports torch

    fuser = Fuser(
        settings.text("weights") or None,
        device=settings.text("device"),
        engine=settings.text("engine"),
        dtype=settings.text("dtype"),
        threads=settings.integer("threads"),
        background=True,
        localiser=settings.text("localiser"),
        localiser_options={option: settings[name] for option, name in _OPTIONS.items()},
    )
    if settings.integer("steps") not in fuser.steps:
        fuser.close()
        raise ModelError(
            f"{settings.text('weights')}: these weights need {fuser.steps[0]} steps, too slow for a camera: "
            "leave the parameter `weights` empty for the student that ships"
        )
    return fuser


class ModelHolder(Generic[S, M]):
    """Owns a network. ``ensure`` loads it in a thread of its own and waits; ``release`` frees the device.

    ``keys`` name the parameters that mean another network when they change.
    """

    def __init__(self, build: Callable[[S], M], keys: tuple[str, ...] = _KEYS) -> None:
        self._build, self._keys = build, keys
        self._lock = threading.Lock()
        self._model: M | None = None
        self._key: tuple[object, ...] = ()
        self._phase = NONE
        self._reason = ""
        self._since = time.monotonic()
        self._generation = 0
        self._loader: threading.Thread | None = None

    def ensure(self, settings: S, give_up: threading.Event) -> M:
        """The network for these settings, loaded now if need be. Raises ModelError with the reason."""
        key = tuple(settings[name] for name in self._keys)
        with self._lock:
            if self._model is not None and self._key == key:
                return self._model
        self.release()
        done = threading.Event()
        with self._lock:
            self._enter(LOADING)
            generation = self._generation
            self._loader = threading.Thread(
                target=self._load, args=(settings, key, generation, done), name="model loader", daemon=True
            )
            self._loader.start()
        while not done.wait(0.05):
            if give_up.is_set():
                self.release()
                raise ModelError("the node is shutting down")
        with self._lock:
            if self._model is None:
                raise ModelError(self._reason or "the model was released while it loaded")
            return self._model

    def release(self) -> None:
        """Close the network, or abandon the one that is loading. Harmless when there is none."""
        with self._lock:
            model, self._model = self._model, None
            self._generation += 1
            self._enter(NONE)
        if model is not None:
            model.close()

    def state(self) -> ModelState:
        with self._lock:
            model = self._model
            seconds = time.monotonic() - self._since
            if model is None:
                return ModelState(self._phase, self._reason, seconds)
            trouble = str(getattr(model, "trouble", ""))
            engine = model.engine.removesuffix(f", {trouble}") if trouble else model.engine
            return ModelState(
                self._phase, "", seconds, model.device, engine, model.dtype, model.weights_id, trouble
            )

    def busy(self) -> bool:
        """Whether a loader thread is still inside native code (it cannot be interrupted)."""
        return self._loader is not None and self._loader.is_alive()

    def _enter(self, phase: str, reason: str = "") -> None:
        self._phase, self._reason, self._since = phase, reason, time.monotonic()

    def _load(self, settings: S, key: tuple[object, ...], generation: int, done: threading.Event) -> None:
        model: M | None = None
        reason = ""
        try:
            model = self._build(settings)
        except BaseException as error:  # whatever torch raises is a reason to report, never a lost thread
            reason = " ".join(str(error).split()) or type(error).__name__
        with self._lock:
            if generation == self._generation:
                self._model, self._key = model, key
                self._enter(READY if model is not None else FAILED, reason)
                model = None
        if model is not None:  # nobody waits for it any more
            model.close()
        done.set()
