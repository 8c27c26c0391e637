"""Picture that shows whether a registration is right: thermal edges over RGB, and both in a checkerboard."""

from __future__ import annotations

import cv2
import numpy as np

from .calibration import Fit
from .registration import Homography, Registration

_EDGE = (0, 255, 255)  # colours in B, G, R as for writing
_GOOD, _BAD = (0, 255, 0), (0, 0, 255)
_TILES = 8  # checkerboard fields along the longer side


def draw_overlay(rgb: np.ndarray, thermal: np.ndarray, fit: Fit) -> np.ndarray:
    """rgb (H, W, 3) uint8 RGB, thermal (h, w) uint8; returns (H, 2 W, 3) uint8 in B, G, R order.

    Left: edges of the registered thermal image in yellow on the RGB image; each pair as a circle at its RGB
    point and a line to where the thermal point lands, green for pairs used, red for pairs left out. Right:
    fields of both images in turn; contours must run on across the borders of the fields.
    """
    rgb_size, thermal_size = (rgb.shape[1], rgb.shape[0]), (thermal.shape[1], thermal.shape[0])
    remap = Registration(Homography(fit.matrix, thermal_size, rgb_size)).prepare(rgb_size, thermal_size)
    _, warped = remap.apply(rgb, thermal)
    picture = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    left = _mark_pairs(_with_edges(picture, warped, remap.valid), fit)
    right = _checkerboard(picture, warped, remap.valid)
    return np.concatenate([left, right], axis=1)


def _with_edges(picture: np.ndarray, warped: np.ndarray, valid: np.ndarray) -> np.ndarray:
    smooth = cv2.GaussianBlur(warped, (0, 0), max(1.0, picture.shape[1] / 640.0))
    middle = float(np.median(smooth[valid])) if valid.any() else 0.0
    edges = cv2.Canny(smooth, max(10.0, 0.3 * middle), max(30.0, 0.8 * middle)) > 0
    inner = cv2.erode(valid.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    result = picture.copy()
    result[edges & inner] = _EDGE
    return result


def _mark_pairs(picture: np.ndarray, fit: Fit) -> np.ndarray:
    landed = cv2.perspectiveTransform(fit.points[:, None, :2], fit.matrix)[:, 0]
    limit = 4 * max(picture.shape)  # drawing takes 16-bit coordinates
    radius = max(3, picture.shape[1] // 160)
    for row, end, used in zip(fit.points, landed, fit.inliers, strict=True):
        colour = _GOOD if used else _BAD
        start = (round(row[2]), round(row[3]))
        stop = (round(float(np.clip(end[0], -limit, limit))), round(float(np.clip(end[1], -limit, limit))))
        cv2.circle(picture, start, radius, colour, 1, cv2.LINE_AA)
        cv2.line(picture, start, stop, colour, 1, cv2.LINE_AA)
    return picture


def _checkerboard(picture: np.ndarray, warped: np.ndarray, valid: np.ndarray) -> np.ndarray:
    height, width = warped.shape
    tile = max(1, -(-max(height, width) // _TILES))
    y, x = np.ogrid[:height, :width]
    thermal_fields = ((y // tile + x // tile) % 2 == 1) & valid
    return np.where(thermal_fields[..., None], cv2.cvtColor(warped, cv2.COLOR_GRAY2BGR), picture)
