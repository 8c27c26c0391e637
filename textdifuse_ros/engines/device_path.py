"""From images in the host's memory to the image in the host's memory, all between on the device.

One `DevicePath` serves one size, with or without a relevance map, and replays one recorded graph. Two frames
may be under way: while the first is computed the second is uploaded.

    upload stream   pinned -> staging                       (frame 2) pinned -> staging
    main stream              staging -> inputs, pad, steps, crop, -> pinned     staging -> inputs, ...
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.engines.accelerator import Accelerator, Event, Replay, Stream, Work
from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.engines.frames import Frames
from textdifuse_ros.engines.graph import Graph
from textdifuse_ros.model.controls import CONTROLS, Controls

FRAMES = 2  # under way at once: one is uploaded while the other is computed
_WARM_UP = 2  # runs before recording: libraries choose their kernels and take their memory in the first ones
_log = logging.getLogger(__name__)


@dataclass
class _Slot:
    """Buffers of one frame under way: on the host (pinned) and where it lands on the device."""

    host: list[Tensor]
    staging: list[Tensor]
    image: Tensor
    free: bool = True


@dataclass(frozen=True)
class Ticket:
    """A frame that was started."""

    slot: _Slot = field(repr=False)
    path: DevicePath = field(repr=False)
    began: Event
    ended: Event
    done: Event
    kept: Tensor | None = None  # the image on the device, complete when `done`


class DevicePath:
    """Not thread safe. graph: `FusionGraph.forward` or what computes the same on the device's tensors."""

    def __init__(
        self, accelerator: Accelerator, graph: Graph, multiple: int, size: tuple[int, int], relevance: bool
    ) -> None:
        """size: (height, width). Nothing is on the device's queues yet when this returns."""
        self._graph = graph
        self._frames = Frames(multiple, accelerator.device)
        self._inputs = _buffers(accelerator.zeros, size, relevance)
        self._fused = accelerator.zeros(*size, 3, dtype=torch.uint8)
        self._slots = [
            _Slot(
                _buffers(accelerator.pinned, size, relevance),
                _buffers(accelerator.zeros, size, relevance),
                accelerator.pinned(*size, 3, dtype=torch.uint8),
            )
            for _ in range(FRAMES)
        ]
        self._turn = 0
        self._replay: Replay | None = None

    def record(self, accelerator: Accelerator, main: Stream, recordable: bool = True) -> None:
        """Run once or twice, then record. Where that fails one line says so, and every frame launches the
        graph's work by itself."""
        # On the main stream: what the graph keeps for itself (scratch memory) has one user at a time.
        for _ in range(_WARM_UP):
            main.do(self._compute)
        main.record().wait()
        if not recordable:
            return
        try:
            self._replay = accelerator.capture(self._compute)
        except RuntimeError as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            _log.warning("no CUDA graph, each frame launches its kernels one by one: %s", reason)

    @property
    def is_recorded(self) -> bool:
        return self._replay is not None

    def start(
        self,
        main: Stream,
        uploads: Stream,
        images: tuple[Bytes, Bytes, Floats | None],
        controls: Controls,
        keep: bool = False,
    ) -> Ticket:
        """Queue one frame; the images may change once this returns.

        main, uploads: the streams of all paths of a device. keep: leave the image on the device as well, in
        memory of its own: the next frame is written over this path's. Raises EngineError when two frames are
        under way.
        """
        slot = self._slots[self._turn]
        if not slot.free:
            raise EngineError(f"{FRAMES} frames are under way already: finish one before starting another")
        slot.free = False
        self._turn = (self._turn + 1) % FRAMES
        given = [each for each in images if each is not None]
        for host, image in zip(slot.host, (*given, np.array([controls], np.float32)), strict=True):
            np.copyto(host.numpy(), image)
        uploads.do(_copying(slot.staging, slot.host))
        main.wait_for(uploads.record())
        main.do(_copying(self._inputs, slot.staging))
        began = main.record()
        main.do(self._compute if self._replay is None else self._replay.launch)
        ended = main.record()
        main.do(_copying([slot.image], [self._fused]))
        kept = torch.empty_like(self._fused) if keep else None
        if kept is not None:
            main.do(_copying([kept], [self._fused]))
        return Ticket(slot, self, began, ended, main.record(), kept)

    def _compute(self) -> None:
        *images, controls = self._inputs
        rgb, thermal = images[:2]
        relevance = images[2] if len(images) > 2 else None
        with torch.inference_mode():
            fused = self._graph(*self._frames.place(rgb, thermal, relevance), controls)
            height, width = thermal.shape
            self._fused.copy_(fused[0].permute(1, 2, 0)[:height, :width])


def finish(ticket: Ticket) -> tuple[Bytes, float]:
    """Wait for a frame: the image (H, W, 3), the caller's own, and the milliseconds of the graph."""
    ticket.done.wait()
    image = ticket.slot.image.numpy().copy()
    ticket.slot.free = True
    return image, ticket.ended.ms_since(ticket.began)


def _copying(targets: list[Tensor], sources: list[Tensor]) -> Work:
    def copy() -> None:
        for target, source in zip(targets, sources, strict=True):
            target.copy_(source, non_blocking=True)

    return copy


def _buffers(make: Callable[..., Tensor], size: tuple[int, int], relevance: bool) -> list[Tensor]:
    """rgb (H, W, 3), thermal (H, W), relevance (H, W) if there is one, controls (1, K)."""
    images = [make(*size, 3, dtype=torch.uint8), make(*size, dtype=torch.uint8)]
    if relevance:
        images.append(make(*size, dtype=torch.float32))
    return [*images, make(1, len(CONTROLS), dtype=torch.float32)]
