"""The fusions that need no network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from textdifuse_ros.evaluation import metrics
from textdifuse_ros.evaluation.baselines import BASELINES, baseline_image, baseline_luminance, luminance

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_mean_and_max_are_what_they_are_called() -> None:
    visible = np.array([[0, 100], [255, 7]], np.uint8)
    thermal = np.array([[255, 50], [255, 8]], np.uint8)
    assert baseline_luminance("mean", visible, thermal).tolist() == [[128, 75], [255, 8]]
    assert baseline_luminance("max", visible, thermal).tolist() == [[255, 100], [255, 8]]


def test_detail_adds_thermal_structure_and_leaves_the_rest() -> None:
    visible = np.full((200, 300), 90, np.uint8)
    thermal = np.full((200, 300), 40, np.uint8)
    thermal[80:120, 140:160] = 200
    fused = baseline_luminance("detail", visible, thermal)
    assert fused[82:118, 142:158].mean() > 130
    assert np.abs(fused[:30].astype(int) - 90).max() == 0


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_identical_sources_stay_nearly_as_they_are(name: str) -> None:
    image = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 255, (120, 160)).astype(np.uint8), (0, 0), 2
    )
    fused = baseline_luminance(name, image, image)
    # detail sharpens even then, by half of the image's own local difference
    assert np.abs(fused.astype(float) - image).mean() < (8 if name == "detail" else 0.01)


def test_a_colour_baseline_keeps_the_visible_colour() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[..., 0] = 120
    fused = baseline_image("max", rgb, np.full((64, 64), 60, np.uint8))
    assert fused.shape == rgb.shape and fused.dtype == np.uint8
    assert abs(int(luminance(fused)[0, 0]) - 60) <= 2
    assert fused[0, 0, 0] > fused[0, 0, 1] and fused[0, 0, 0] > fused[0, 0, 2]


def test_an_unknown_baseline_is_refused() -> None:
    with pytest.raises(ValueError, match="no baseline 'median': choose one of mean, max, detail"):
        baseline_luminance("median", np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8))


def test_real_frames_score_as_published_ones_do() -> None:
    """Other frames of the set than the published numbers are from, so only roughly."""
    folder = SHARED / "msrs"
    if not folder.is_dir():
        pytest.skip(f"no real frames: {folder} is missing")
    published = {"mean": (5.80, 25.2, 1.26, 0.67, 0.37), "max": (6.72, 46.7, 1.60, 1.03, 0.73),
                 "detail": (6.76, 47.4, 1.64, 1.02, 0.68)}  # fmt: skip
    rows: dict[str, list[list[float]]] = {name: [] for name in published}
    for path in sorted((folder / "vis").iterdir())[::4]:
        thermal = cv2.imread(str(next((folder / "ir").glob(path.stem + ".*"))), cv2.IMREAD_GRAYSCALE)
        visible = luminance(np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8))
        for name, found in rows.items():
            scores = metrics.evaluate(baseline_luminance(name, visible, thermal), visible, thermal)
            found.append([scores[key] for key in ("EN", "SD", "SCD", "VIF", "Qabf")])
    for name, expected in published.items():
        np.testing.assert_allclose(np.mean(rows[name], axis=0), expected, rtol=0.2, err_msg=name)
