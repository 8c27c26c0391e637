"""An engine that runs at once, and another that takes over when it is built."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from torch import Tensor

from textdifuse_ros.engines.base import Bytes, Engine, EngineError, Expects, Floats, Keeps, TakesCameras
from textdifuse_ros.engines.cpu_threads import use_threads
from textdifuse_ros.engines.progress import reported
from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.model.controls import Controls

_log = logging.getLogger(__name__)


class BackgroundEngine:
    """`first` runs until `second` is ready for the size at hand; the change lies between two frames.

    second: quick to make and slow to prepare (compile, onnx, tensorrt), None where it cannot be had at all.
    It is prepared in a thread of its own, one size after the other. Where that fails, or running it, `first`
    goes on for that size and number of steps, and `second` for all others. `name` says what is built, for how
    long, and what failed (failed: from the beginning on, for every size); so does the log.
    threads: of the CPU, for that thread (see `use_threads`): an engine may keep the number that it finds.
    """

    def __init__(self, first: Engine, second: Engine | None, failed: str = "", threads: int = 0) -> None:
        self._first, self._second = first, second
        self._current = first
        self._size = (0, 0, 0)  # height, width and steps that were chosen for last
        self._failures: dict[tuple[int, int, int], str] = {}
        self._builder: threading.Thread | None = None
        self._building_now = False  # until what is built is ready, or closed; a thread lives on a little
        self._began = 0.0
        self._lock = threading.Lock()
        self._failed = failed
        self._threads = threads
        self._closed = False
        self.keep = False
        if failed:
            _log.warning("%s goes on: %s", first.name, failed)

    @property
    def name(self) -> str:
        if failed := self._failure(*self._size):
            return f"{self._first.name}, {failed}"
        if self._building_now and self._current is self._first:
            return f"{self._first.name}, {self._building()}"
        return self._current.name

    @property
    def trouble(self) -> str:
        """Why `first` runs in place of `second` for good, "" where it does not."""
        return self._failure(*self._size)

    @property
    def device(self) -> str:
        return self._current.device

    @property
    def dtype(self) -> str:
        return self._current.dtype

    @property
    def steps(self) -> tuple[int, ...]:
        return self._first.steps

    def ready(self, height: int, width: int, steps: int) -> bool:
        return self._first.ready(height, width, steps)

    def prepare(self, height: int, width: int, steps: int) -> None:
        """Wait for `second`, or for its failure."""
        while self._choose(height, width, steps) is not self._second:
            builder = self._builder
            if builder is None or self._closed or self._failure(height, width, steps):
                return
            builder.join()

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        height, width = thermal.shape
        self._current = self._choose(height, width, steps)
        return self._work(lambda engine: engine.run(rgb, thermal, relevance, steps, controls))

    def takes_cameras(self, height: int, width: int, steps: int) -> bool:
        """See TakesCameras. Chooses what runs that frame."""
        self._current = self._choose(height, width, steps)
        return isinstance(self._current, TakesCameras)

    def run_cameras(self, cameras: Cameras, steps: int, controls: Controls) -> tuple[Bytes, float]:
        """By the engine of which `takes_cameras` has just said that it does."""
        if self._current is self._first and isinstance(self._second, Expects):
            self._second.expect(cameras)
        return self._work(lambda engine: _taking_cameras(engine).run_cameras(cameras, steps, controls))

    @property
    def kept(self) -> Tensor | None:
        return self._current.kept if isinstance(self._current, Keeps) else None

    def close(self) -> None:
        """Does not wait for what is being built; that is closed when it is done."""
        self._first.close()
        with self._lock:
            self._closed = True
            building = self._building_now
        if self._second is not None and not building:
            self._second.close()

    def _building(self) -> str:
        """As in "tensorrt is being built for 12 s (exporting the graph)"."""
        assert self._second is not None
        doing = getattr(self._second, "progress", "")
        seconds = time.monotonic() - self._began
        return f"{self._second.name} is being built for {seconds:.0f} s{f' ({doing})' if doing else ''}"

    def _choose(self, height: int, width: int, steps: int) -> Engine:
        self._size = height, width, steps
        if self._second is None or self._closed or self._failure(height, width, steps):
            return self._first
        if self._second.ready(height, width, steps):
            return self._second
        with self._lock:
            if not self._building_now and not self._closed:
                self._began = time.monotonic()
                self._builder = threading.Thread(
                    target=self._build,
                    args=(self._second, height, width, steps),
                    name="engine builder",
                    daemon=True,
                )
                self._builder.start()
                self._building_now = True  # before its end, which waits for the lock
        return self._first

    def _failure(self, height: int, width: int, steps: int) -> str:
        return self._failed or self._failures.get((height, width, steps), "")

    def _work(self, do: Callable[[Engine], tuple[Bytes, float]]) -> tuple[Bytes, float]:
        """By the engine that was chosen; where `second` fails, by `first`, and so for all frames like it."""
        if isinstance(self._current, Keeps):
            self._current.keep = self.keep
        try:
            return do(self._current)
        except RuntimeError as error:  # EngineError, and whatever torch, inductor and a device raise
            if self._current is self._first:
                raise
            self._note(self._size, _reason(self._current, error))
        self._current = self._first
        return self._work(do)

    def _note(self, size: tuple[int, int, int], failed: str) -> None:
        self._failures[size] = failed
        _log.warning("%s goes on: %s", self._first.name, failed)

    def _build(self, engine: Engine, height: int, width: int, steps: int) -> None:
        try:
            use_threads(self._threads)
            with reported(self._building, lambda line: _log.info("%s", line)):
                engine.prepare(height, width, steps)
            if unkept := getattr(engine, "unkept", ""):
                _log.warning("%s", unkept)
            _log.info("%s is built for %dx%d, %d steps", engine.name, width, height, steps)
        except Exception as error:  # a reason to report, never a lost thread
            self._note((height, width, steps), _reason(engine, error))
        with self._lock:
            self._building_now = False
            if self._closed:
                engine.close()


def _reason(engine: Engine, error: Exception) -> str:
    """In one line, beginning with the engine's name where it is not the engine's own word."""
    if isinstance(error, EngineError):
        return str(error)
    return f"{engine.name} failed: {' '.join(str(error).split()) or type(error).__name__}"


def _taking_cameras(engine: Engine) -> TakesCameras:
    if not isinstance(engine, TakesCameras):
        raise EngineError(f"engine {engine.name} takes registered images only")
    return engine
