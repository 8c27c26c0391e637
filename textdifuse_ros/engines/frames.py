"""From images to the tensors of `FusionGraph` and back: padded by repeated edges, never resized.

Every engine that runs the graph shares this, so that all see the same borders.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from textdifuse_ros.engines.base import Bytes, Floats
from textdifuse_ros.model.controls import Controls

# Views of messages are read-only, and nothing here writes to its inputs. Once for the process, not at each
# upload: what catch_warnings changes and restores is shared by all threads.
warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


def padded(height: int, width: int, multiple: int) -> tuple[int, int]:
    """The next size up whose sides are multiples."""
    return height + -height % multiple, width + -width % multiple


class Frames:
    """Brings one image pair at a time; its buffers are reused while the size stays. Not thread safe.

    planar: colours plane after plane in memory (ONNX); else interleaved, as images come (PyTorch), in which
    case an image that needs no padding is not copied on the CPU.
    """

    def __init__(self, multiple: int, device: torch.device, planar: bool = False) -> None:
        self._multiple = multiple
        self._device = device
        self._planar = planar
        self._buffers: dict[str, Tensor] = {}

    def bring(self, rgb: Bytes, thermal: Bytes, relevance: Floats | None) -> tuple[Tensor, Tensor, Tensor]:
        """rgb (1, 3, H', W') uint8, thermal (1, 1, H', W') uint8, relevance (1, 1, H', W') float.

        Valid until the next call; the images must not change meanwhile.
        """
        where = None
        if relevance is not None:
            where = torch.from_numpy(np.ascontiguousarray(relevance, dtype=np.float32))
        colour, warm = (torch.from_numpy(np.ascontiguousarray(each)) for each in (rgb, thermal))
        return self.place(colour, warm, where)

    def place(self, rgb: Tensor, thermal: Tensor, relevance: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """What `bring` does, for tensors: rgb (H, W, 3), thermal and relevance (H, W)."""
        colour = self._placed("rgb", rgb[None].permute(0, 3, 1, 2))
        warm = self._placed("thermal", thermal[None, None])
        if relevance is None:
            return colour, warm, self._nowhere(*warm.shape[-2:])
        return colour, warm, self._placed("relevance", relevance[None, None])

    def controls(self, controls: Controls) -> Tensor:
        """(1, K)"""
        return torch.tensor([controls], dtype=torch.float32, device=self._device)

    def _nowhere(self, height: int, width: int) -> Tensor:
        buffer = self._buffers.get("nowhere")
        if buffer is None or buffer.shape[-2:] != (height, width):
            buffer = self._buffers["nowhere"] = torch.zeros(1, 1, height, width, device=self._device)
        return buffer

    def _placed(self, name: str, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        high, wide = padded(height, width, self._multiple)
        in_order = not self._planar or image.shape[1] == 1
        if (high, wide) == (height, width) and in_order:
            return image.to(self._device)
        buffer = self._buffer(name, image, high, wide)
        buffer[..., :height, :width] = image.to(self._device)
        buffer[..., :height, width:] = buffer[..., :height, width - 1 : width]
        buffer[..., height:, :] = buffer[..., height - 1 : height, :]
        return buffer

    def _buffer(self, name: str, image: Tensor, high: int, wide: int) -> Tensor:
        channels = image.shape[1]
        buffer = self._buffers.get(name)
        if buffer is not None and buffer.shape == (1, channels, high, wide):
            return buffer
        if self._planar or channels == 1:
            buffer = torch.empty(1, channels, high, wide, dtype=image.dtype, device=self._device)
        else:  # with the very strides that an image without padding has: a compiled graph looks at them
            buffer = torch.empty(1, high, wide, channels, dtype=image.dtype, device=self._device)
            buffer = buffer.permute(0, 3, 1, 2)
        self._buffers[name] = buffer
        return buffer


def crop(fused: Tensor, height: int, width: int) -> Bytes:
    """What the graph returned, (1, 3, H', W') uint8 in memory of its own, as an image (H, W, 3)."""
    image = fused[0].permute(1, 2, 0)[:height, :width].contiguous().cpu().numpy()
    return np.asarray(image, np.uint8)
