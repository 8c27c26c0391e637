"""The network that tells where smoke or fog lies over an RGB image, and its weight file (torch only).

A small U-Net over a copy of 80x60 pixels. What it says is used before the fusion network, see `imaging.veil`;
the fusion network itself sees some 100 pixels around each, and cannot tell a veil from a grey wall.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from textdifuse_ros.imaging.small import small_copy
from textdifuse_ros.imaging.veil import GAINS, MAPS, Veil
from textdifuse_ros.model.weights import WeightsError

FORMAT = "textdifuse-veil-1"
SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "textdifuse_veil.safetensors"
WIDTHS = (16, 24, 48, 64)  # channels at 80x60 and at a half, a quarter and an eighth of it
_MIDDLE = 0.4  # level that the network takes for 0


class VeilNetwork(nn.Module):
    """RGB (N, 3, 60, 80) in [0, 1] -> maps (N, MAPS, 60, 80): as `imaging.veil.Veil` has them, but the
    density as a logit. Before it is trained it changes nothing."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.widths = widths
        first, *others = widths
        self.stem = _conv(3, first)
        self.halve = nn.ModuleList(_conv(into, out, 2) for into, out in zip(widths, others, strict=False))
        self.more = nn.ModuleList(_conv(out, out) for out in others)
        self.whole = nn.Linear(2 * widths[-1], widths[-1])
        self.middle = nn.Conv2d(widths[-1], widths[-1], 1)
        self.narrow = nn.ModuleList(
            nn.Conv2d(into, out, 1) for out, into in zip(widths, others, strict=False)
        )
        self.up = nn.ModuleList(_conv(width, width) for width in widths[:-1])
        self.out = _conv(first, MAPS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, rgb: Tensor) -> Tensor:
        values = F.relu(self.stem(rgb - _MIDDLE))
        levels = []
        for halve, more in zip(self.halve, self.more, strict=True):
            levels.append(values)
            values = F.relu(more(F.relu(halve(values))))
        picture = torch.cat((values.mean(dim=(2, 3)), values.amax(dim=(2, 3))), dim=1)
        values = F.relu(self.middle(values)) + F.relu(self.whole(picture))[..., None, None]
        for narrow, up in zip(reversed(self.narrow), reversed(self.up), strict=True):
            finer = levels.pop()
            coarse = F.interpolate(
                narrow(values), size=finer.shape[-2:], mode="bilinear", align_corners=False
            )
            values = F.relu(up(F.relu(finer + coarse)))
        return self.out(values)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def look(self, rgb: NDArray[np.uint8]) -> Veil:
        """rgb: uint8 (H, W, 3)."""
        copy = (
            torch.from_numpy(small_copy(rgb)).to(self.out.weight.device).permute(2, 0, 1)[None].float() / 255
        )
        maps = self(copy)
        maps = torch.cat((maps[:, :1].clamp(*GAINS), maps[:, 1:4].clamp(-1, 1), maps[:, 4:].sigmoid()), dim=1)
        return Veil(np.ascontiguousarray(maps[0].permute(1, 2, 0).cpu().numpy()))


def _conv(into: int, out: int, stride: int = 1) -> nn.Conv2d:
    """Edges are repeated: beyond the border of a picture there is no dark."""
    return nn.Conv2d(into, out, 3, stride, 1, padding_mode="replicate")


def save(network: VeilNetwork, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write as safetensors."""
    state = {name: value.detach().contiguous().cpu() for name, value in network.state_dict().items()}
    metadata = {"format": FORMAT, "widths": json.dumps(network.widths), **(notes or {})}
    save_file(state, str(path), metadata=metadata)


def load(path: Path = SHIPPED) -> VeilNetwork:
    """On the CPU, ready to look. Raises WeightsError."""
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}); install the package again") from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path}: format is {metadata.get('format')!r}, this version reads {FORMAT!r}")
    try:
        network = VeilNetwork(tuple(int(each) for each in json.loads(metadata["widths"])))
        network.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: cannot be used ({reason}); install the package again") from error
    return network.eval().requires_grad_(False)
