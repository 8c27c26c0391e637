"""The frozen detector inside the loss: what it would say of an image, differentiable.

A functional forward pass of the YOLOv8 nano graph up to its class logits, over a fused state dict
(batch norms folded). ultralytics is not needed: it would bring torchvision along, whose builds often
do not match torch. Nothing of the detector's weights goes into the weights that ship.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

STRIDES = (8, 16, 32)
ROAD_CLASSES = (0, 1, 2, 3, 5, 7)  # person, bicycle, car, motorcycle, bus, truck
DEPTHS = {2: 1, 4: 2, 6: 2, 8: 1, 12: 1, 15: 1, 18: 1, 21: 1}  # bottlenecks of each C2f stage


class FrozenDetector(nn.Module):
    """YOLOv8n with fixed weights: RGB in [0, 1], sides multiples of 32 -> class logits of every cell."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        if not weights.is_file():
            raise FileNotFoundError(
                f"{weights}: the detector of the loss is missing; set detector_weight to 0"
            )
        for name, value in load_file(str(weights)).items():
            self.register_buffer(name.replace(".", "_"), value.float(), persistent=False)

    def _conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = getattr(self, f"model_{name}_conv_weight")
        bias = getattr(self, f"model_{name}_conv_bias")
        return F.silu(F.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2))

    def _stage(self, x: Tensor, index: int, shortcut: bool) -> Tensor:
        """C2f: split, a chain of bottlenecks, all pieces merged."""
        parts = list(self._conv(x, f"{index}_cv1").chunk(2, dim=1))
        for i in range(DEPTHS[index]):
            inner = self._conv(self._conv(parts[-1], f"{index}_m_{i}_cv1"), f"{index}_m_{i}_cv2")
            parts.append(parts[-1] + inner if shortcut else inner)
        return self._conv(torch.cat(parts, dim=1), f"{index}_cv2")

    def _pyramid_pool(self, x: Tensor) -> Tensor:
        parts = [self._conv(x, "9_cv1")]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, stride=1, padding=2))
        return self._conv(torch.cat(parts, dim=1), "9_cv2")

    def _logits(self, x: Tensor, level: int) -> Tensor:
        x = self._conv(self._conv(x, f"22_cv3_{level}_0"), f"22_cv3_{level}_1")
        weight = getattr(self, f"model_22_cv3_{level}_2_weight")
        return F.conv2d(x, weight, getattr(self, f"model_22_cv3_{level}_2_bias"))

    def forward(self, rgb: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> logits (N, cells, 6) of ROAD_CLASSES over strides 8, 16 and 32."""
        x = rgb.to(self.get_buffer("model_0_conv_weight").dtype)
        x = self._conv(self._conv(x, "0", 2), "1", 2)
        x = self._conv(self._stage(x, 2, True), "3", 2)
        fine = self._stage(x, 4, True)
        middle = self._stage(self._conv(fine, "5", 2), 6, True)
        coarse = self._pyramid_pool(self._stage(self._conv(middle, "7", 2), 8, True))
        up_middle = self._stage(torch.cat((F.interpolate(coarse, scale_factor=2.0), middle), 1), 12, False)
        out_fine = self._stage(torch.cat((F.interpolate(up_middle, scale_factor=2.0), fine), 1), 15, False)
        out_middle = self._stage(torch.cat((self._conv(out_fine, "16", 2), up_middle), 1), 18, False)
        out_coarse = self._stage(torch.cat((self._conv(out_middle, "19", 2), coarse), 1), 21, False)
        maps = [self._logits(each, level) for level, each in enumerate((out_fine, out_middle, out_coarse))]
        chosen = [each[:, list(ROAD_CLASSES)].flatten(2) for each in maps]
        return torch.cat(chosen, dim=2).transpose(1, 2).float()


def cells_inside(boxes: list[Tensor], size: int, device: torch.device) -> Tensor:
    """Labels per cell (N, cells, 6): 1 where the middle of a box of that class lies on a fitting level.

    boxes: per image (K, 5) class, x, y, w, h normalised. A box is put on the stride at which it is
    3 to 12 cells long, on its central cell.
    """
    grids = [size // stride for stride in STRIDES]
    labels = torch.zeros(len(boxes), sum(g * g for g in grids), len(ROAD_CLASSES), device=device)
    for image, rows in enumerate(boxes):
        for index, x, y, w, h in rows.tolist():
            if int(index) not in ROAD_CLASSES:
                continue
            length = max(w, h) * size
            level = 0 if length < 64 else 1 if length < 160 else 2
            grid = grids[level]
            column, row = min(int(x * grid), grid - 1), min(int(y * grid), grid - 1)
            offset = sum(g * g for g in grids[:level])
            labels[image, offset + row * grid + column, ROAD_CLASSES.index(int(index))] = 1
    return labels


def of_cells(image: Tensor) -> Tensor:
    """Mean of (N, 1, S, S) over every cell, in the order of the detector's: (N, cells, 1)."""
    return torch.cat([F.avg_pool2d(image, stride).flatten(2) for stride in STRIDES], dim=2).transpose(1, 2)
