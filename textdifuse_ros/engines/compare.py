"""Engines side by side in one run: how long they take, and how far they are from eager fp32."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from textdifuse_ros.engines.base import Bytes, Engine, Floats
from textdifuse_ros.model.controls import ALL, Controls

_STRONG = 0.6  # relevance where a prompt of strength 1 and weight 1 applies
TOLERANCE = 2.0  # grey levels at the 99th percentile: what "the same image" means


@dataclass
class Result:
    """Of one engine. off_p99, off_most: grey levels between its images and the reference's, of the one that
    is further off. Times are of frames without relevance."""

    engine: Engine
    off_p99: float = 0.0
    off_most: float = 0.0
    model_ms: list[float] = field(default_factory=list)
    total_ms: list[float] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return self.off_p99 <= TOLERANCE


def scene(height: int, width: int, seed: int = 0) -> tuple[Bytes, Bytes]:
    """A made-up pair with smooth areas, edges and a little noise: rgb (H, W, 3) and thermal (H, W)."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 235, (height // 16 + 2, width // 16 + 2, 4))
    blocks = coarse.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    rows = np.linspace(0, 40, height)[:, None, None]
    image = np.clip(0.8 * blocks + rows + rng.normal(0, 3, blocks.shape), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3])


def _relevance(height: int, width: int) -> Floats:
    """A map with all that a prompt of strength 1 gives, from what must recede to what is wanted."""
    rows = np.linspace(-_STRONG, _STRONG, height, dtype=np.float32)[:, None]
    return np.ascontiguousarray(np.broadcast_to(rows, (height, width)))


def difference(image: Bytes, reference: Bytes) -> tuple[float, float]:
    """Grey levels between two images: 99th percentile and largest."""
    off = np.abs(image.astype(np.int16) - reference)
    return float(np.percentile(off, 99)), float(off.max())


def compare(engines: Sequence[Engine], height: int, width: int, steps: int, rounds: int) -> list[Result]:
    """One Result for each engine; the first is the reference, without and with a relevance map.

    The engines take turns, image by image, so that what else the machine does meets all of them. Raises
    EngineError when one fails.
    """
    rgb, thermal = scene(height, width)
    results = [Result(engine) for engine in engines]
    for where in (None, _relevance(height, width)):
        reference: Bytes | None = None
        for result in results:
            image, _ = result.engine.run(rgb, thermal, where, steps, ALL)
            reference = image if reference is None else reference
            p99, most = difference(image, reference)
            result.off_p99, result.off_most = max(result.off_p99, p99), max(result.off_most, most)
    for _ in range(rounds):
        for result in results:
            began = time.perf_counter()
            _, model_ms = result.engine.run(rgb, thermal, None, steps, ALL)
            result.total_ms.append((time.perf_counter() - began) * 1e3)
            result.model_ms.append(model_ms)
    return results


@runtime_checkable
class Overlapping(Protocol):
    """An engine that takes the next frame while one is under way, see `engines.cuda`."""

    def start(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> Any: ...

    def finish(self, ticket: Any) -> tuple[Bytes, float]: ...


def streamed_fps(engine: Engine, height: int, width: int, steps: int, frames: int) -> float | None:
    """Frames a second with two under way, upload and download included; None for an engine that takes one."""
    if not isinstance(engine, Overlapping):
        return None
    rgb, thermal = scene(height, width)
    began = time.perf_counter()
    waiting = engine.start(rgb, thermal, None, steps, ALL)
    for _ in range(frames - 1):
        following = engine.start(rgb, thermal, None, steps, ALL)
        engine.finish(waiting)
        waiting = following
    engine.finish(waiting)
    return frames / (time.perf_counter() - began)
