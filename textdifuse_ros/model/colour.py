"""Full-range BT.601 colour conversion, as in JPEG (pure functions on tensors).

Both are one 1x1 convolution: a single pass over memory, where a sum of products takes six.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.299 / 1.772, -0.587 / 1.772, 0.886 / 1.772),
    (0.701 / 1.402, -0.587 / 1.402, -0.114 / 1.402),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def rgb_to_ycbcr(rgb: Tensor, white: float = 1.0) -> Tensor:
    """(N, 3, H, W) in [0, white] -> Y in [0, 1], Cb and Cr in [-0.5, 0.5]."""
    return _mix(rgb, _TO_YCBCR, 1 / white)


def ycbcr_to_rgb(ycbcr: Tensor, white: float = 1.0) -> Tensor:
    """Inverse of `rgb_to_ycbcr`, not clipped."""
    return _mix(ycbcr, _TO_RGB, white)


def _mix(image: Tensor, matrix: tuple[tuple[float, ...], ...], scale: float) -> Tensor:
    weight = torch.tensor(matrix, dtype=image.dtype, device=image.device).mul_(scale)
    return F.conv2d(image, weight[:, :, None, None])
