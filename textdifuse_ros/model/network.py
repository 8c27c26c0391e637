"""The network: one shared encoder for both cameras, fusion control at every level, one decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.model.anchor import enlarged, smooth
from textdifuse_ros.model.blocks import Embedding, Level, active, conv3, make_coupling, rested, zero_
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.controls import AS_IT_WAS, CONTROLS
from textdifuse_ros.model.prompted import apart, still_weak, surely, surroundings, weight_around
from textdifuse_ros.model.ranges import Ranges

INPUTS = 5  # state, Y, Cb, Cr, relevance
FINE = 4  # outputs of every pixel: towards visible, towards thermal, luminance residual, smoothing
COARSE = 7  # of every 2x2: gains of contrast and chroma, Cb, Cr, both again per luminance, gain of the level
SCALARS = 2 + len(CONTROLS)  # time, step size, restoration controls
RESERVE = 2.0  # an untrained network takes an eighth of the way from the anchor to each camera
CALM = 3.0  # and smooths by a twentieth
UP = 0.02  # deep features begin as a whisper and grow where they help
LARGEST = 2.0  # logarithm of a gain: up to 7.4
LEVEL = 0.5  # share of that for the level, which half precision would round by more than a grey level
# What a wish does to any picture, whether it has the fault or not, by control; both cameras share a picture,
# so that of one alone is half.
# Logarithm of the contrast's gain:
CONTRASTED = {"visible_contrast": 0.21, "thermal_contrast": 0.21}
SHARPENED = {"visible_blur": 0.75, "thermal_blur": 0.75}  # of what the 5x5 smoothing would take away
LIGHT = 0.8  # by how much a wish for light makes the darkest brighter, with its detail and its colours
MOST = 2.0  # times, at most, that detail and colours are raised along with what the network adds for light
GREY = 0.1  # added to both sides of that ratio: what grew from black says little
VEIL = 0.4  # of the darkest around, the share that a wish against haze takes for haze
DARKEST = 20.0  # how much more the darkest count in what is around: e^20 times what is white
SALIENT = 0.12  # logarithm of the contrast's gain where a prompt points for sure, on top of what was learnt
THERMAL_CHROMA = 0.5  # of both channels; no visible image has it, so it says which camera is which


class Estimate(NamedTuple):
    """The clean fused image: luminance (N, 1, H, W) in [0, 1], chroma (N, 2, H, W) in [-0.5, 0.5]."""

    luminance: Tensor
    chroma: Tensor


class FusionNetwork(nn.Module):
    """Predicts the clean fused image from the state x_t and both cameras.

    The encoder is run on (x_t, visible) and on (x_t, thermal) with the same weights, in one batch;
    the fusion control modules couple the two at the bottleneck and at every skip, and the decoder
    reads the fused features: the explicit coupling of Text-DiFuse, equation (6), in every step.
    """

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ModelConfig()
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
        scalars: (N, SCALARS): time t in (0, 1], step size in (0, 1], restoration controls in [0, 1].
        """
        dtype = self.stem.weight.dtype
        count = state.shape[0]
        weight = weight_around(relevance)
        relevance = still_weak(start, relevance, weight)
        both = self._inputs(state, visible, thermal, relevance, dtype)
        wanted = self.embedding(scalars.to(dtype))
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
        wished = _wished(beyond(scalars[:, 2:].float()))
        return self._estimate(fine, coarse, start, visible, thermal, relevance, weight, wished)

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

    @staticmethod
    def _estimate(
        fine: Tensor,
        coarse: Tensor,
        start: Tensor,
        visible: Tensor,
        thermal: Tensor,
        relevance: Tensor,
        weight: Tensor,
        wished: Wished,
    ) -> Estimate:
        """The anchor, moved towards a camera where that shows more, smoothed where noisy, its contrast, level
        and colours raised or lowered, plus residuals: what noise, light and haze did is then easy to undo.
        What is noisy is smoothed, not sharpened.
        """
        towards = torch.sigmoid(2 * fine[:, :2] - RESERVE)
        luminance = torch.lerp(start, visible[:, :1], towards[:, :1])
        luminance = torch.lerp(luminance, thermal, towards[:, 1:])
        calm = torch.sigmoid(2 * fine[:, 3:] - CALM)
        luminance = torch.lerp(luminance, soften(luminance), calm - wished.sharpened * (1 - calm))
        salient = SALIENT * torch.clamp(F.avg_pool2d(relevance, 2), min=0)
        contrast = coarse[:, :1] + wished.contrasted + salient
        gains = torch.cat((contrast, coarse[:, 1:2], LEVEL * coarse[:, 6:]), dim=1)
        gains = torch.expm1(gains.clamp(-LARGEST, LARGEST))
        raised = F.interpolate(gains[:, ::2], scale_factor=2.0, mode="nearest")
        before = F.avg_pool2d(luminance, 4)
        mean = surroundings(before, weight)
        around = spread(mean)
        detail = luminance - around
        luminance = torch.addcmul(luminance, raised[:, :1], detail)
        luminance = torch.addcmul(luminance, raised[:, 1:], around)
        luminance = torch.add(luminance, fine[:, 2:3], alpha=0.5)
        images = torch.cat((before, F.avg_pool2d(luminance, 4), F.avg_pool2d(thermal, 4)), dim=1)
        means = torch.cat((mean, surroundings(images[:, 1:], weight)), dim=1)
        moved = apart(images, means, relevance)
        luminance = torch.addcmul(luminance, surely(relevance), enlarged(moved, 16))
        clearer = _clearer(wished, means, images[:, 1:2])
        luminance = torch.addcmul(luminance, clearer[:, :1], detail)
        # Up to white: a state far beyond it is nothing that the next step has learnt from.
        luminance = torch.maximum(luminance, torch.clamp(luminance * clearer[:, 1:2], max=1))
        luminance = torch.addcmul(luminance, clearer[:, 2:3], luminance - 1)

        # Colour is coarse: it is smoothed, raised and shifted at half the resolution.
        small = F.interpolate(visible, scale_factor=0.5, mode="bilinear", align_corners=False)
        calmed = torch.cat((soften(small[:, 1:2]), soften(small[:, 2:])), dim=1)
        shift = torch.addcmul(0.25 * coarse[:, 2:4], gains[:, 1:2], calmed)
        shift = torch.addcmul(shift, coarse[:, 4:6], small[:, :1])
        both = torch.cat((calmed, shift), dim=1)
        both = F.interpolate(both, scale_factor=2.0, mode="bilinear", align_corners=False)
        chroma = torch.lerp(visible[:, 1:], both[:, :2], calm) + both[:, 2:]
        return Estimate(luminance, chroma * clearer[:, 3:])


def beyond(controls: Tensor) -> Tensor:
    """How far controls (N, K) go beyond what undoes a fault: 0 up to AS_IT_WAS, 1 at the end."""
    return torch.clamp(controls - AS_IT_WAS, min=0) / (1 - AS_IT_WAS)


class Wished(NamedTuple):
    """What wishes that any picture can follow add, each (N, 1, 1, 1): a logarithm of the contrast's gain,
    sharpness, and light and clear air, from 0 to 1."""

    contrasted: Tensor
    sharpened: Tensor
    lit: Tensor
    cleared: Tensor


def _wished(further: Tensor) -> Wished:
    """further: as `beyond` gives it. Said outright: what a network that shifts features is to multiply by on
    some pictures' request, it did not learn in an hour.
    """

    def of(name: str) -> Tensor:
        at = CONTROLS.index(name)
        return further[:, at : at + 1, None, None]

    def total(shares: Mapping[str, float]) -> Tensor:
        parts = [share * of(name) for name, share in shares.items()]
        return sum(parts[1:], parts[0])

    return Wished(total(CONTRASTED), total(SHARPENED), of("low_light"), of("haze"))


def _clearer(wished: Wished, means: Tensor, after: Tensor) -> Tensor:
    """What wishes for light and against haze do beside what the network learnt: a gain of detail, a factor,
    how much of the way from white is added, and a factor of the colours, (N, 4, H, W).

    means: around every pixel, (N, 2 or more, H/16, W/16), before the network lights or clears anything and
    after; after: what it has made of the image, (N, 1, H/4, W/4). What it adds for light is grey: detail and
    colours grow with it. Then all that is dark is multiplied. Haze lies over the darkest that is around (the
    dark channel of He et al., of luminance): the picture is (I - v) / (1 - v), v a share of that, so that
    white stays.
    """
    before, now = means[:, :1], means[:, 1:2]
    grown = (now + GREY) / (torch.clamp(before, min=0) + GREY)
    grown = wished.lit * (torch.clamp(grown, 1.0, MOST) - 1)
    dark = torch.clamp(1 - before, min=0)
    lit = 1 + LIGHT * wished.lit * dark * dark
    # A mean in which the darkest count most instead of a minimum: steady, and a few black pixels are noise.
    darkest = torch.exp(-DARKEST * torch.clamp(after, 0.0, 1.0))
    darkest = torch.log(smooth(smooth(F.avg_pool2d(darkest, 4)))) / -DARKEST
    veil = VEIL * wished.cleared * torch.clamp(darkest, min=0)
    veil = veil / (1 - veil)
    return spread(torch.cat((grown, lit, veil, lit * (1 + grown) * (1 + veil)), dim=1))


def spread(small: Tensor) -> Tensor:
    """Maps of a sixteenth at full size."""
    return enlarged(small, 16)


def soften(image: Tensor) -> Tensor:
    """Binomial 5x5 (sigma 1 pixel), edges repeated.

    Sums of shifted images: on a CPU a tenth of what a convolution of single channels costs.
    """
    image = F.pad(image, (2, 2, 2, 2), mode="replicate")
    image = _binomial(
        image[..., :-4, :], image[..., 1:-3, :], image[..., 2:-2, :], image[..., 3:-1, :], image[..., 4:, :]
    )
    return _binomial(image[..., :-4], image[..., 1:-3], image[..., 2:-2], image[..., 3:-1], image[..., 4:])


def _binomial(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor) -> Tensor:
    return (a + e + 4 * (b + d) + 6 * c) / 16
