"""What cameras send -> registered 8-bit images, on a device: thermal window and registration, as on the host.

The same numbers as `imaging.cameras` on the CPU, within a grey level: OpenCV's fixed point is followed where
it shows (places between pixels), its kernels are not.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.imaging.remap import Remap
from textdifuse_ros.imaging.window import Windowed

_DTYPES = {
    np.dtype(np.uint8): torch.uint8,
    np.dtype(np.uint16): torch.int16,
    np.dtype(np.float32): torch.float32,
}
WINDOW = 3  # numbers of a window: its low end, grey levels a count, and whether the small values are hot


def uploaded(thermal: Windowed) -> NDArray[np.generic]:
    """The raw image as it is uploaded; 16 bits as a signed type, because torch computes with no other."""
    raw = np.ascontiguousarray(thermal.raw)
    return raw.view(np.int16) if raw.dtype == np.uint16 else raw


def upload_dtype(thermal: Windowed) -> torch.dtype:
    """The type of `uploaded` in torch."""
    return _DTYPES[thermal.raw.dtype]


def window_numbers(thermal: Windowed) -> NDArray[np.float64]:
    """(WINDOW,) for `shown`."""
    return np.array([thermal.low, 255.0 / (thermal.high - thermal.low), float(thermal.inverted)])


def shown(raw: Tensor, window: Tensor) -> Tensor:
    """A raw image (H, W), as `uploaded`, through a window (float64): float32 (H, W), whole in 0..255.

    In double: kelvins in single precision would lose their last digits.
    """
    counts = raw.to(torch.int32).bitwise_and(0xFFFF) if raw.dtype == torch.int16 else raw
    levels = ((counts.double() - window[0]) * window[1]).round().clamp(0, 255).float()
    inverted = window[2].float()
    return torch.lerp(levels, 255 - levels, inverted)


class Intake:
    """Registration on the device, for images of the sizes that `remap` was made for.

    Making it uploads its tables; what it does then can be recorded: no value comes from the host.
    """

    def __init__(self, remap: Remap, device: torch.device) -> None:
        self._moves_thermal = remap.reference == "rgb"
        self._scaling: tuple[Tensor, Tensor] | None = None
        self._grid: Tensor | None = None
        self._valid = torch.from_numpy(remap.valid.copy()).to(device)[..., None] if remap.restores else None
        plan = remap.resampling
        if plan is None:
            return
        source = inner = (remap.thermal_size if self._moves_thermal else remap.rgb_size)[::-1]
        if plan.scaled is not None:
            inner = plan.scaled[::-1]
            weights = _areas if plan.area else _between
            rows, columns = (torch.from_numpy(weights(*each)) for each in zip(source, inner, strict=True))
            self._scaling = (rows.to(device), columns.t().contiguous().to(device))
        if plan.maps is not None:
            self._grid = torch.from_numpy(_grid(plan.maps, inner)).to(device)

    def __call__(self, rgb: Tensor, raw: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """rgb uint8 (H, W, 3), raw as `uploaded`, window float64 (WINDOW,) -> both uint8, in one frame."""
        thermal = shown(raw, window)
        if self._moves_thermal:
            return rgb, self._moved(thermal[None])[0].to(torch.uint8)
        if self._scaling is None and self._grid is None:
            return rgb, thermal.to(torch.uint8)
        colour = self._moved(rgb.permute(2, 0, 1).float())
        return colour.permute(1, 2, 0).to(torch.uint8), thermal.to(torch.uint8)

    def restored(self, fused: Tensor, rgb: Tensor, thermal: Tensor) -> Tensor:
        """The fused image (H, W, 3) with the reference camera's own where only that one sees."""
        if self._valid is None:
            return fused
        own = rgb if self._moves_thermal else thermal[..., None].expand_as(fused)
        return torch.where(self._valid, fused, own)

    def _moved(self, image: Tensor) -> Tensor:
        """float (C, H, W) in 0..255 in the reference's frame, rounded."""
        if self._scaling is not None:
            rows, columns = self._scaling
            image = (rows @ image @ columns).round()
        if self._grid is not None:
            moved = F.grid_sample(image[None], self._grid, padding_mode="zeros", align_corners=True)
            image = moved[0].round()
        return image


def _grid(maps: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Maps (2, H, W) in pixels -> what grid_sample reads, (1, H, W, 2), -1 and 1 at the outermost pixels."""
    last = np.maximum(np.array([size[1] - 1, size[0] - 1], np.float64), 1.0)[:, None, None]
    return np.ascontiguousarray((2 * maps.astype(np.float64) / last - 1).transpose(1, 2, 0)[None], np.float32)


def _areas(source: int, target: int) -> NDArray[np.float32]:
    """(target, source): the share of every source pixel in each target pixel's stretch."""
    edges = np.arange(target + 1) * (source / target)
    first, last = edges[:-1, None], edges[1:, None]
    pixels = np.arange(source)[None]
    covered = np.minimum(last, pixels + 1) - np.maximum(first, pixels)
    return np.asarray(covered.clip(min=0) / (source / target), np.float32)


def _between(source: int, target: int) -> NDArray[np.float32]:
    """(target, source): bilinear, pixels as areas, edges repeated."""
    at = ((np.arange(target) + 0.5) * (source / target) - 0.5).clip(0, source - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(source)[None])), np.float32)
