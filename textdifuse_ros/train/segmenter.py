"""A frozen RGB-thermal segmenter (MFNet, Ha et al. 2017) that says which pixels of a frame are whose.

A functional forward pass over its state dict, for pseudo-labels alone: nothing of it goes into the weights
that ship.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.stills import resized

Image = NDArray[np.uint8]
SIZE = (640, 480)  # width and height of the pictures that it was trained on
SLOPE = 0.2
NAMES = {1: "car", 2: "person", 3: "bicycle"}  # of its nine classes, those that have boxes here


class FrozenSegmenter:
    """Which pixels are car, person or bicycle, to a network of somebody else."""

    def __init__(self, path: Path) -> None:
        """Raises TrainingError for a file that is not one of its state dicts."""
        try:
            self._weights: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
            self._layers = {
                name.removesuffix(".conv.weight") for name in self._weights if "conv.weight" in name
            }
            with torch.inference_mode():
                self._logits(torch.zeros(1, 3, 32, 32), torch.zeros(1, 1, 32, 32))
        except (RuntimeError, LookupError, TypeError, AttributeError, pickle.UnpicklingError) as error:
            raise TrainingError(f"{path}: is not a state dict of MFNet ({error})") from error

    def __call__(self, rgb: Image, thermal: Image) -> dict[str, NDArray[np.bool_]]:
        """uint8 (H, W, 3) and (H, W) -> for each of NAMES where it is the likeliest class, bool (480, 640).

        Each picture is brought to SIZE by itself.
        """
        visible = torch.from_numpy(resized(rgb, SIZE)).permute(2, 0, 1)[None].float() / 255
        warm = torch.from_numpy(resized(thermal, SIZE))[None, None].float() / 255
        with torch.inference_mode():
            likeliest = self._logits(visible, warm)[0].argmax(dim=0).numpy()
        return {name: likeliest == index for index, name in NAMES.items()}

    def _logits(self, visible: Tensor, thermal: Tensor) -> Tensor:
        """(N, 3, H, W) and (N, 1, H, W) in [0, 1], sides multiples of 16 -> (N, 9, H, W)."""
        cameras = (self._encode(visible, "rgb"), self._encode(thermal, "inf"))
        skips = [torch.cat(pair, dim=1) for pair in zip(*cameras, strict=True)]
        x = skips.pop()
        for level in (4, 3, 2):
            x = self._conv(_doubled(x) + skips.pop(), f"decode{level}")
        return self._conv(_doubled(x), "decode1")

    def _encode(self, x: Tensor, camera: str) -> list[Tensor]:
        """Features at 1/2, 1/4, 1/8 and 1/16 of the picture."""
        x, levels = self._conv(x, f"conv1_{camera}"), []
        for level in (2, 3, 4, 5):
            x = F.max_pool2d(x, 2)
            for name in (f"conv{level}_1_{camera}", f"conv{level}_2_{camera}"):
                x = self._conv(x, name) if name in self._layers else x
            if level > 3:
                x = self._spread(x, f"conv{level}_{camera}")
            levels.append(x)
        return levels

    def _spread(self, x: Tensor, name: str) -> Tensor:
        """Three rounds of a plain and a dilated convolution side by side."""
        for number in (1, 2, 3):
            sides = (f"{name}.conv{number}_left", f"{name}.conv{number}_right")
            x = torch.cat([self._conv(x, side, dilation) for dilation, side in enumerate(sides, 1)], dim=1)
        return x

    def _conv(self, x: Tensor, name: str, dilation: int = 1) -> Tensor:
        of = self._weights
        x = F.conv2d(
            x, of[f"{name}.conv.weight"], of[f"{name}.conv.bias"], padding=dilation, dilation=dilation
        )
        mean, variance = of[f"{name}.bn.running_mean"], of[f"{name}.bn.running_var"]
        x = F.batch_norm(x, mean, variance, of[f"{name}.bn.weight"], of[f"{name}.bn.bias"])
        return F.leaky_relu(x, SLOPE)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
