"""From images in the host's memory to the image in the host's memory, all between on the device.

One `DevicePath` serves one layout of inputs (registered images of one size, with or without a relevance map,
or a pair as two cameras sent it) and replays one recorded graph. Two frames may be under way: while the first
is computed the second is uploaded.

    upload stream   pinned -> staging                       (frame 2) pinned -> staging
    main stream              staging -> inputs, intake, pad, steps, crop, -> pinned     staging -> inputs, ...
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.engines.accelerator import Accelerator, Event, Replay, Stream, Work
from textdifuse_ros.engines.base import Bytes, EngineError
from textdifuse_ros.engines.frames import Frames
from textdifuse_ros.engines.graph import Graph
from textdifuse_ros.engines.intake import WINDOW, Intake
from textdifuse_ros.imaging.remap import Remap
from textdifuse_ros.model.controls import CONTROLS, Controls

FRAMES = 2  # under way at once: one is uploaded while the other is computed
_WARM_UP = 2  # runs before recording: libraries choose their kernels and take their memory in the first ones
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layout:
    """inputs: shape and type of what is uploaded, before the controls. size: (height, width) of the image.

    intake: what makes registered images of a raw pair and its window; None where they are registered.
    """

    inputs: tuple[tuple[tuple[int, ...], torch.dtype], ...]
    size: tuple[int, int]
    intake: Intake | None = None

    @classmethod
    def registered(cls, size: tuple[int, int], relevance: bool) -> Layout:
        """rgb, thermal, and relevance if there is one."""
        images = (((*size, 3), torch.uint8), (size, torch.uint8))
        return cls((*images, (size, torch.float32)) if relevance else images, size)

    @classmethod
    def raw(cls, remap: Remap, dtype: torch.dtype, device: torch.device) -> Layout:
        """rgb, raw thermal of a type, window."""
        rgb, thermal = (*remap.rgb_size[::-1], 3), remap.thermal_size[::-1]
        window = ((WINDOW,), torch.float64)
        inputs = ((rgb, torch.uint8), (thermal, dtype), window)
        return cls(inputs, remap.size[::-1], Intake(remap, device))


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

    def __init__(self, accelerator: Accelerator, graph: Graph, multiple: int, layout: Layout) -> None:
        """Nothing is on the device's queues yet when this returns."""
        self._graph, self._intake = graph, layout.intake
        self._frames = Frames(multiple, accelerator.device)
        self._inputs = _buffers(accelerator.zeros, layout)
        self._fused = accelerator.zeros(*layout.size, 3, dtype=torch.uint8)
        self._slots = [
            _Slot(
                _buffers(accelerator.pinned, layout),
                _buffers(accelerator.zeros, layout),
                accelerator.pinned(*layout.size, 3, dtype=torch.uint8),
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

    def start(
        self,
        main: Stream,
        uploads: Stream,
        images: Sequence[NDArray[Any]],
        controls: Controls,
        keep: bool = False,
    ) -> Ticket:
        """Queue one frame; the images, which are as the layout says, may change once this returns.

        main, uploads: the streams of all paths of a device. keep: leave the image on the device as well, in
        memory of its own: the next frame is written over this path's. Raises EngineError when two frames are
        under way.
        """
        slot = self._slots[self._turn]
        if not slot.free:
            raise EngineError(f"{FRAMES} frames are under way already: finish one before starting another")
        kept = main.new(self._fused) if keep else None
        for host, image in zip(slot.host, (*images, np.array([controls], np.float32)), strict=True):
            np.copyto(host.numpy(), image)
        uploads.do(_copying(slot.staging, slot.host))
        main.wait_for(uploads.record())
        main.do(_copying(self._inputs, slot.staging))
        began = main.record()
        main.do(self._compute if self._replay is None else self._replay.launch)
        ended = main.record()
        main.do(_copying([slot.image], [self._fused]))
        if kept is not None:
            main.do(_copying([kept], [self._fused]))
        ticket = Ticket(slot, self, began, ended, main.record(), kept)
        # Only now: of a frame that fails half-way nobody has a ticket. What it left in the streams comes
        # before whatever the next frame does with these buffers.
        slot.free, self._turn = False, (self._turn + 1) % FRAMES
        return ticket

    def _compute(self) -> None:
        *images, controls = self._inputs
        with torch.inference_mode():
            if self._intake is None:
                rgb, thermal, *given = images
                relevance = given[0] if given else None
            else:
                (rgb, thermal), relevance = self._intake(*images), None
            fused = self._graph(*self._frames.place(rgb, thermal, relevance), controls)
            height, width = thermal.shape
            image = fused[0].permute(1, 2, 0)[:height, :width]
            if self._intake is not None:
                image = self._intake.restored(image, rgb, thermal)
            self._fused.copy_(image)


def finish(ticket: Ticket) -> tuple[Bytes, float]:
    """Wait for a frame: the image (H, W, 3), the caller's own, and the milliseconds of the graph."""
    try:
        ticket.done.wait()
        image = ticket.slot.image.numpy().copy()
    finally:
        ticket.slot.free = True
    return image, ticket.ended.ms_since(ticket.began)


def _copying(targets: list[Tensor], sources: list[Tensor]) -> Work:
    def copy() -> None:
        for target, source in zip(targets, sources, strict=True):
            target.copy_(source, non_blocking=True)

    return copy


def _buffers(make: Callable[..., Tensor], layout: Layout) -> list[Tensor]:
    """The layout's inputs, controls (1, K)."""
    images = [make(*shape, dtype=dtype) for shape, dtype in layout.inputs]
    return [*images, make(1, len(CONTROLS), dtype=torch.float32)]
