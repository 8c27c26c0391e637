"""A device that orders its work as CUDA does and no better, on the CPU: what nobody waited for is not done.

Work given to a stream runs when somebody waits for it ("late"), or at once ("early"): both are allowed to a
real device, so what is right must be right with every stream late or early. A recorded graph runs the very
operations that it met, on the very tensors that it met, and refuses values that come from the host.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

Work = Callable[[], None]


class FakeEvent:
    def __init__(self, stream: FakeStream) -> None:
        self.stream, self.happened = stream, False

    def wait(self) -> None:
        self.stream.run_until(self)

    def ms_since(self, earlier: FakeEvent) -> float:
        assert self.happened and earlier.happened, "cudaErrorNotReady: an event that nobody waited for"
        return 1.0


class FakeStream:
    def __init__(self, early: bool) -> None:
        self._early = early
        self.made: list[Tensor] = []  # by `new`
        self._queue: deque[Work | FakeEvent | tuple[str, FakeEvent]] = deque()

    def do(self, work: Work) -> None:
        self._add(work)

    def wait_for(self, event: FakeEvent) -> None:
        self._add(("wait", event))

    def record(self) -> FakeEvent:
        event = FakeEvent(self)
        self._add(event)
        return event

    def new(self, like: Tensor) -> Tensor:
        self.made.append(torch.empty_like(like))
        return self.made[-1]

    def run_until(self, event: FakeEvent | None) -> None:
        """No further than that event; to the end for None."""
        while self._queue and (event is None or not event.happened):
            item = self._queue.popleft()
            if isinstance(item, FakeEvent):
                item.happened = True
            elif isinstance(item, tuple):
                item[1].wait()
            else:
                item()

    def _add(self, item: Work | FakeEvent | tuple[str, FakeEvent]) -> None:
        self._queue.append(item)
        if self._early:
            self.run_until(None)


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.lift_fresh.default, torch.ops.aten._local_scalar_dense.default):
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore lines")
        made = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, made))
        return made


class FakeReplay:
    """What was met once, again: a number or an address that Python chose while recording never changes."""

    def __init__(self, calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]]) -> None:
        self.calls = calls
        self.launched = 0

    def launch(self) -> None:
        self.launched += 1
        with torch.inference_mode():
            for func, args, kwargs, made in self.calls:
                again = func(*args, **kwargs)
                for old, new in zip(_tensors(made), _tensors(again), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [each for each in value if isinstance(each, Tensor)] if isinstance(value, tuple | list) else []


class FakeAccelerator:
    """early: for each stream in the order of their making, whether it runs its work at once."""

    gpu = "Fake GPU 9.9"

    def __init__(self, early: tuple[bool, ...] = (False, False), records: bool = True) -> None:
        self.device = torch.device("cpu")
        self._early, self._records = early, records
        self.streams: list[FakeStream] = []
        self.replays: list[FakeReplay] = []
        self.pinned_buffers: list[Tensor] = []
        self.released = False
        self.is_chosen = False

    @contextmanager
    def chosen(self) -> Iterator[None]:
        before, self.is_chosen = self.is_chosen, True
        try:
            yield
        finally:
            self.is_chosen = before

    def stream(self) -> FakeStream:
        made = FakeStream(self._early[len(self.streams) % len(self._early)])
        self.streams.append(made)
        return made

    def current(self) -> int:
        return 4711

    def pinned(self, *shape: int, dtype: torch.dtype) -> Tensor:
        self.pinned_buffers.append(torch.zeros(*shape, dtype=dtype))
        return self.pinned_buffers[-1]

    def zeros(self, *shape: int, dtype: torch.dtype) -> Tensor:
        return torch.zeros(*shape, dtype=dtype)

    def capture(self, work: Work) -> FakeReplay:
        if not self._records:
            raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later")
        with _Recorder() as recorder:
            work()
        self.replays.append(FakeReplay(recorder.calls))
        return self.replays[-1]

    def release(self) -> None:
        self.released = True
