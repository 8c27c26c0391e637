"""What lies over an RGB image, smoke or fog, and lifting it (pure functions).

Light that was scattered on its way adds a grey of its own and takes contrast away, in some places more than
in others: J = g (x - m) + m + d for a pixel x whose surroundings have the mean m, with maps of a gain g and
of a change d of that mean. Who estimates them is `model.veil`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.imaging.perceptron import share_of
from textdifuse_ros.imaging.small import small_copy
from textdifuse_ros.imaging.tone import LUMINANCE

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

MAPS = 5  # logarithm of the gain, changes of the three channels' means, density
# Least and largest logarithm of a gain: what is behind dense smoke is noise, and three times that.
GAINS = (-0.7, 1.1)
# Without a wish the means go half of the way. All of it is nearer to the scene without the veil, but a
# detector finds less (docs/ablations.md): grey is what warm persons stand out from.
UNASKED = 0.5
# Colour and texture of what is dense are its own: all of the one goes, and this much of the other.
FLAT = 0.6
# Mean density of a picture from which on it counts as veiled, and at which wholly.
SIGN = (0.25, 0.4)


@dataclass(frozen=True)
class Veil:
    """maps: float32 (60, 80, MAPS), of a gain's logarithm, of changes of the means in [-1, 1] and of density
    in [0, 1], the share of the light that is the veil's own."""

    maps: Floats

    @property
    def density(self) -> float:
        """Mean over the picture, in [0, 1]."""
        return float(self.maps[..., 4].mean())

    @property
    def share(self) -> float:
        """How far it is to be lifted without a wish, from 0 to 1."""
        return share_of(self.density, SIGN)


def lifted(rgb: Bytes, veil: Veil, share: float, asked: float = 0.0) -> Bytes:
    """rgb uint8 (H, W, 3) without a share in [0, 1] of its veil; the same array where nothing is to go.

    asked: share in [0, 1] that somebody has asked for, which goes all of the way.
    """
    most = max(share, asked)
    if most <= 0:
        return rgb
    maps = _as_sum(small_copy(rgb), veil.maps, most, max(UNASKED * share, asked))
    own, common, *added = (
        cv2.resize(each, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR) for each in cv2.split(maps)
    )
    planes = cv2.split(rgb.astype(np.float32))
    common = cv2.multiply(common, cv2.transform(cv2.merge(planes), LUMINANCE[None]))
    image = [
        cv2.add(cv2.add(cv2.multiply(p, own), common), more) for p, more in zip(planes, added, strict=True)
    ]
    return np.asarray(
        cv2.merge([cv2.convertScaleAbs(np.maximum(each, 0, out=each)) for each in image]), np.uint8
    )


def _as_sum(mean: Bytes, maps: Floats, share: float, means: float) -> Floats:
    """Maps (60, 80, 5) of what a pixel in [0, 255] is multiplied with, what its luminance is, and what is
    added to each channel: plane by plane a third of the time that pixels of three take.

    mean: the picture's small copy. share: of gains and of what goes grey; means: of changes of the means.
    """
    grey = share * maps[..., 4:]
    gain = np.exp(share * np.clip(maps[..., :1], *GAINS)) * (1 - FLAT * grey)
    added = mean * (1 - gain) + 255 * means * maps[..., 1:4]
    added = added + grey * ((added @ LUMINANCE)[..., None] - added)
    return np.concatenate(((1 - grey) * gain, grey * gain, added), axis=2).astype(np.float32)
