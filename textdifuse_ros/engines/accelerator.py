"""The few things that the device path asks of CUDA, behind one small boundary.

`TorchCuda` is the real one. Whatever orders its work as CUDA does (in a stream one after another, between
streams only by events, nothing known to the host before it waited) can stand in for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor

Work = Callable[[], None]


class Event(Protocol):
    """A point in a stream."""

    def wait(self) -> None:
        """The host waits until the device has come here."""
        ...

    def ms_since(self, earlier: Event) -> float:
        """Milliseconds on the device's clock between two events that both have happened."""
        ...


class Stream(Protocol):
    """Work that the device does in the order in which it was given."""

    def do(self, work: Work) -> None:
        """Queue what `work` launches; the host does not wait for it."""
        ...

    def wait_for(self, event: Event) -> None:
        """What is queued from now on begins after the event."""
        ...

    def record(self) -> Event:
        """The event of everything that was queued until now being done."""
        ...

    def new(self, like: Tensor) -> Tensor:
        """Memory of this shape and type for work of this stream to fill: nothing that other streams still do
        with memory that was freed before meets it there."""
        ...


class Replay(Protocol):
    """Work that was recorded once, with the addresses of the tensors that it met then."""

    def launch(self) -> None:
        """Launch it again; to be called in a stream's `do`."""
        ...


class Accelerator(Protocol):
    """One device."""

    @property
    def device(self) -> torch.device: ...

    @property
    def gpu(self) -> str:
        """The chip's name and what it can compute."""
        ...

    def stream(self) -> Stream: ...

    def chosen(self) -> AbstractContextManager[object]:
        """While it is active this device is the one that libraries take which are not told of any."""
        ...

    def current(self) -> int:
        """The cudaStream_t of the `do` that this is called in, for libraries that launch their own work."""
        ...

    def pinned(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """Zeros in host memory that the device can read and write by itself."""
        ...

    def zeros(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """Zeros in the device's memory."""
        ...

    def capture(self, work: Work) -> Replay:
        """Record `work` without running it, on a stream of its own: the others go on. Raises RuntimeError
        where something in it cannot be recorded (memory from the host, waiting for the device)."""
        ...

    def release(self) -> None:
        """Give memory back that nothing uses any more."""
        ...


class _CudaEvent:
    def __init__(self, stream: torch.cuda.Stream) -> None:
        self._event = torch.cuda.Event(enable_timing=True)
        self._event.record(stream)

    @property
    def event(self) -> torch.cuda.Event:
        return self._event

    def wait(self) -> None:
        self._event.synchronize()

    def ms_since(self, earlier: Event) -> float:
        assert isinstance(earlier, _CudaEvent)
        return float(earlier.event.elapsed_time(self._event))


class _CudaStream:
    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)

    def do(self, work: Work) -> None:
        with torch.cuda.stream(self.stream):
            work()

    def wait_for(self, event: Event) -> None:
        assert isinstance(event, _CudaEvent)
        self.stream.wait_event(event.event)

    def record(self) -> Event:
        return _CudaEvent(self.stream)

    def new(self, like: Tensor) -> Tensor:
        with torch.cuda.stream(self.stream):
            return torch.empty_like(like)


class _CudaReplay:
    def __init__(self, graph: torch.cuda.CUDAGraph) -> None:
        self._graph = graph

    def launch(self) -> None:
        self._graph.replay()


class TorchCuda:
    """A CUDA device by means of torch."""

    def __init__(self, device: torch.device) -> None:
        index = torch.cuda.current_device() if device.index is None else device.index
        self.device = torch.device("cuda", index)

    @property
    def gpu(self) -> str:
        major, minor = torch.cuda.get_device_capability(self.device)
        return f"{torch.cuda.get_device_name(self.device)} {major}.{minor}"

    def stream(self) -> Stream:
        return _CudaStream(self.device)

    def chosen(self) -> AbstractContextManager[object]:
        device: AbstractContextManager[object] = torch.cuda.device(self.device)
        return device

    def current(self) -> int:
        return int(torch.cuda.current_stream(self.device).cuda_stream)

    def pinned(self, *shape: int, dtype: torch.dtype) -> Tensor:
        return torch.zeros(*shape, dtype=dtype, pin_memory=True)

    def zeros(self, *shape: int, dtype: torch.dtype) -> Tensor:
        made = torch.zeros(*shape, dtype=dtype, device=self.device)
        # They are written on another stream than the one that they are for.
        torch.cuda.synchronize(self.device)
        return made

    def capture(self, work: Work) -> Replay:
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream(self.device)
        # "thread_local": other threads go on allocating and waiting meanwhile, as the engine does that runs
        # until this one is built.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            work()
        return _CudaReplay(graph)

    def release(self) -> None:
        torch.cuda.empty_cache()


def compute_precisely() -> None:
    """From now on fp32 means all 24 bits of it, and cuDNN compares its kernels once for each shape.

    For the whole process: torch has no such setting for a thread, and what one thread sets for a while and
    takes back, another one that computes meanwhile loses.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
