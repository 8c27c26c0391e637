"""Homography between the cameras from point pairs, robust against wrong pairs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Size = tuple[int, int]


class CalibrationError(ValueError):
    """Point pairs from which no homography follows; the text says why."""


@dataclass(frozen=True)
class Fit:
    """matrix (3, 3) takes thermal to RGB pixels; points (N, 4) as given; errors (N,) in RGB pixels;
    inliers (N,) bool, the pairs used.
    """

    matrix: np.ndarray
    points: np.ndarray
    errors: np.ndarray
    inliers: np.ndarray


def fit_homography(points: np.ndarray, thermal_size: Size, rgb_size: Size, threshold: float = 3.0) -> Fit:
    """points (N, 4): u_thermal, v_thermal, u_rgb, v_rgb in pixels; sizes (width, height).

    Pairs that miss by more than threshold RGB pixels are left out (RANSAC, same result every time).
    Raises CalibrationError.
    """
    if len(points) < 4:
        raise CalibrationError(f"{len(points)} point pairs, at least 4 are needed")
    _check_inside(points[:, :2], thermal_size, "thermal")
    _check_inside(points[:, 2:], rgb_size, "rgb")
    if len(np.unique(points, axis=0)) < 4:
        raise CalibrationError("fewer than 4 different point pairs")
    source, target = np.ascontiguousarray(points[:, :2]), np.ascontiguousarray(points[:, 2:])
    for side, name in ((source, "thermal"), (target, "rgb")):
        if _on_a_line(side):
            raise CalibrationError(f"the {name} points lie on one line: spread them over the image")
    try:
        matrix, mask = cv2.findHomography(
            source, target, cv2.RANSAC, threshold, maxIters=10000, confidence=0.9999
        )
    except cv2.error:
        matrix, mask = None, None
    if matrix is None or mask is None or not np.isfinite(matrix).all():
        raise CalibrationError("no homography fits the point pairs: check that each pair is the same spot")
    inliers = mask.ravel().astype(bool)
    if inliers.sum() < 4:
        raise CalibrationError(
            f"only {int(inliers.sum())} pairs agree within {threshold:g} px: "
            "check the pairs or raise the threshold"
        )
    _check_usable(matrix, source, target, inliers, thermal_size)
    return Fit(matrix / matrix[2, 2], points, reprojection_errors(matrix, points), inliers)


def reprojection_errors(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) distances in RGB pixels between the mapped thermal points and the RGB points."""
    mapped = cv2.perspectiveTransform(points[:, None, :2].astype(np.float64), matrix)[:, 0]
    return np.hypot(*(mapped - points[:, 2:]).T)


def registration_yaml(fit: Fit, thermal_size: Size, rgb_size: Size) -> str:
    """Text of a registration file, see docs/registration.md."""
    rows = [", ".join(repr(float(v)) for v in row) for row in fit.matrix]
    used = fit.errors[fit.inliers]
    return (
        "# Made by: textdifuse calibrate. Takes thermal pixels to RGB pixels; sizes are width, height.\n"
        f"# {len(used)} of {len(fit.errors)} point pairs, error rms {np.sqrt((used**2).mean()):.3f} px, "
        f"largest {used.max():.3f} px.\n"
        "mode: homography\n"
        f"thermal_size: [{thermal_size[0]}, {thermal_size[1]}]\n"
        f"rgb_size: [{rgb_size[0]}, {rgb_size[1]}]\n"
        "homography:\n" + "".join(f"  - [{row}]\n" for row in rows)
    )


def _check_inside(points: np.ndarray, size: Size, name: str) -> None:
    outside = (points < -0.5) | (points > np.array(size) - 0.5)
    if outside.any():
        index = int(np.argmax(outside.any(axis=1)))
        u, v = points[index]
        raise CalibrationError(
            f"pair {index + 1}: {name} point ({u:g}, {v:g}) lies outside the {size[0]}x{size[1]} image: "
            "columns swapped, or marked in an image of another size?"
        )


def _on_a_line(points: np.ndarray) -> bool:
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[1] < 1e-3 * max(spread[0], 1e-9))


def _check_usable(
    matrix: np.ndarray, source: np.ndarray, target: np.ndarray, inliers: np.ndarray, thermal_size: Size
) -> None:
    """Refuse fits that satisfy the points and yet cannot be a view of the same scene."""
    for side, name in ((source, "thermal"), (target, "rgb")):
        if _on_a_line(side[inliers]):
            raise CalibrationError(f"the agreeing {name} points lie on one line: spread them over the image")
    if abs(matrix[2, 2]) < 1e-12 or np.linalg.cond(matrix) > 1e12:
        raise CalibrationError("the fit is singular: check that each pair is the same spot in both images")
    width, height = thermal_size
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]], float)
    depth = corners @ (matrix / matrix[2, 2])[2]
    if (depth <= 0.0).any():
        raise CalibrationError(
            "the fit turns a corner of the thermal image inside out: spread the points over the whole image"
        )
