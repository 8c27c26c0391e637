"""The network: one shared encoder for both cameras, fusion control at every level, one decoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.model.blocks import Embedding, Level, active, conv3, make_coupling, rested, zero_
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.controls import CONTROLS
from textdifuse_ros.model.estimate import COARSE, FINE, Estimate, Scene, estimate
from textdifuse_ros.model.prompted import still_weak, weight_around
from textdifuse_ros.model.ranges import Ranges
from textdifuse_ros.model.wished import beyond, wished

INPUTS = 5  # state, Y, Cb, Cr, relevance
SCALARS = 2 + len(CONTROLS)  # time, step size, restoration controls
UP = 0.02  # deep features begin as a whisper and grow where they help
THERMAL_CHROMA = 0.5  # of both channels; no visible image has it, so it says which camera is which


class FusionNetwork(nn.Module):
    """Predicts the clean fused image from the state x_t and both cameras.

    The encoder is run on (x_t, visible) and on (x_t, thermal) with the same weights, in one batch;
    the fusion control modules couple the two at the bottleneck and at every skip, and the decoder
    reads the fused features: the explicit coupling of Text-DiFuse, equation (6), in every step.
    """

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ModelConfig()
        # Leave out what a prompt that points nowhere, or no wish, would multiply by 0: the same bits in less
        # time. Not for programs that are captured with one image and run on others.
        self.frugal = False
        self.ranges: Ranges = {}  # of the convolutions, for 8 bits; {} where nobody has measured them
        widths, levels = config.widths, len(config.widths)
        self.embedding = Embedding(SCALARS, config.embedding)
        # Space to depth by 2 and a 3x3 convolution in one.
        self.stem = nn.Conv2d(INPUTS, widths[0], 6, stride=2, padding=2)
        self.down = nn.ModuleList(conv3(widths[i], widths[i + 1], stride=2) for i in range(levels - 1))
        self.encoder = nn.ModuleList(
            Level(widths[i], config.encoder_blocks[i], config.embedding) for i in range(levels)
        )
        self.control = nn.ModuleList(
            make_coupling(config.coupling, width, config.embedding, coarse=level < levels - 1)
            for level, width in enumerate(widths)
        )
        self.up = nn.ModuleList(nn.Conv2d(widths[i + 1], widths[i], 1) for i in range(levels - 1))
        for layer in self.up:
            nn.init.normal_(layer.weight, std=UP)  # type: ignore[arg-type]
        self.decoder = nn.ModuleList(
            Level(widths[i], config.decoder_blocks[i], config.embedding) for i in range(levels)
        )
        self.head = conv3(widths[0], 4 * FINE + COARSE)
        self.asked = nn.Linear(config.embedding, COARSE)
        zero_(self.head)
        zero_(self.asked)

    def forward(
        self,
        state: Tensor,
        start: Tensor,
        visible: Tensor,
        thermal: Tensor,
        relevance: Tensor,
        scalars: Tensor,
    ) -> Estimate:
        """One denoising estimate.

        state, start, thermal, relevance: float (N, 1, H, W); visible: YCbCr (N, 3, H, W); H and W multiples
        of `config.multiple`. Luminance in [0, 1], chroma in [-0.5, 0.5], relevance in [-1, 1]. start: the
        anchor of these cameras, without noise.
        scalars: (N, SCALARS): time t in (0, 1], step size in (0, 1], restoration controls from 0 to
        `controls.most`.
        """
        dtype = self.stem.weight.dtype
        count = state.shape[0]
        weight = None
        if self._matters(relevance):
            weight = weight_around(relevance)
            relevance = still_weak(start, relevance, weight)
        both = self._inputs(state, visible, thermal, relevance, dtype)
        wanted = self.embedding(scalars.clamp(max=1).to(dtype))  # what it has learnt
        of_both = wanted if count == 1 else torch.cat((wanted, wanted))

        # Doubling the inputs' range, on the few weights instead of on every pixel.
        features = F.conv2d(both, 2 * self.stem.weight, self.stem.bias, stride=2, padding=2)
        fused: list[Tensor] = []
        for level, blocks in enumerate(self.encoder):
            if level:
                features = self.down[level - 1](rested(features))
            features = blocks(features, of_both)
            fused.append(self.control[level](features[:count], features[count:], wanted))

        decoded = self.decoder[-1](fused[-1], wanted)
        for level in range(len(fused) - 2, -1, -1):
            decoded = F.interpolate(self.up[level](decoded), scale_factor=2.0, mode="nearest")
            decoded = self.decoder[level](decoded.add_(fused[level]), wanted)
        out = self.head(active(decoded))
        fine = F.pixel_shuffle(out[:, : 4 * FINE], 2).float()
        # A wish for contrast is a gain before anything is looked at. Through shifts of the features alone,
        # which a control has to switch on and off to multiply, the network did not find it.
        coarse = out[:, 4 * FINE :].float() + self.asked(wanted).float()[:, :, None, None]
        asked = wished(beyond(scalars[:, 2:].float()))
        clearer = self._matters(asked.lit) or self._matters(asked.cleared)
        return estimate(fine, coarse, Scene(start, visible, thermal, relevance, weight, asked, clearer))

    def _matters(self, factor: Tensor) -> bool:
        """Whether what is multiplied by this has to be computed."""
        return not self.frugal or bool(factor.any())

    @staticmethod
    def _inputs(
        state: Tensor, visible: Tensor, thermal: Tensor, relevance: Tensor, dtype: torch.dtype
    ) -> Tensor:
        """Both cameras in one batch (2 N, INPUTS, H, W), centred at zero."""
        now, luminance, warm = ((each - 0.5).to(dtype) for each in (state, visible[:, :1], thermal))
        chroma, relevance = visible[:, 1:].to(dtype), relevance.to(dtype)
        of_visible = torch.cat((now, luminance, chroma, relevance), dim=1)
        of_thermal = torch.cat((now, warm, torch.full_like(chroma, THERMAL_CHROMA), relevance), dim=1)
        return torch.cat((of_visible, of_thermal), dim=0)
