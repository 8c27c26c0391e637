"""A slow result that is renewed now and then, in a thread of its own, and held in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


class Renewal(Generic[Given, Result]):
    """Runs ``compute`` at most ``rate`` times a second. All methods are for one thread at a time.

    With rate 0 every result is new and computed by the caller, without any thread. ``clock`` gives seconds.
    """

    def __init__(
        self, compute: Callable[[Given], Result], rate: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._compute = compute
        self._period = 1.0 / rate if rate > 0 else 0.0
        self._clock = clock
        self._next = 0.0
        self._latest: Result | None = None
        self._pending: Future[Result] | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def latest(self) -> Result:
        """The newest result. Raises ValueError before the first `renew`."""
        if self._latest is None:
            raise ValueError("there is no result yet: renew first")
        return self._latest

    def due(self) -> bool:
        """Whether `renew` should be called now. Raises what the computation in the thread has raised."""
        if self._pending is not None and self._pending.done():
            pending, self._pending = self._pending, None
            self._latest = pending.result()
        return self._latest is None or (self._pending is None and self._clock() >= self._next)

    def renew(self, given: Given) -> None:
        """Compute from ``given``: the first result here and now, later ones in the thread."""
        self._next = self._clock() + self._period
        if not self._period or self._latest is None:
            self._latest = self._compute(given)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "localiser")
        self._pending = self._pool.submit(self._compute, given)

    def forget(self) -> None:
        """Hold nothing: the next result is computed by the caller."""
        self._latest, self._pending = None, None

    def close(self) -> None:
        """Wait for a computation that is under way and end the thread."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        self.forget()
