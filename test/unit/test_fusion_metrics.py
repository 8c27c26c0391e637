"""Fusion metrics against analytic cases and against slow implementations written from their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from textdifuse_ros.evaluation import metrics

Image = NDArray[np.float64]
Triple = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def _triple(seed: int, height: int = 52, width: int = 49) -> Triple:
    """Two different structured sources and a fused image in between."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    visible = 120 + 60 * np.sin(x / 3) + rng.normal(0, 8, (height, width))
    thermal = 60 + 120 * (np.hypot(x - 20, y - 25) < 9) + rng.normal(0, 4, (height, width))
    fused = 0.6 * visible + 0.4 * thermal + rng.normal(0, 2, (height, width))
    first, second, third = (np.clip(image, 0, 255).astype(np.uint8) for image in (fused, visible, thermal))
    return first, second, third


def _slow_average_gradient(image: Image) -> float:
    height, width = image.shape

    def slope(line: list[float], at: int) -> float:
        if at == 0:
            return line[1] - line[0]
        if at == len(line) - 1:
            return line[-1] - line[-2]
        return (line[at + 1] - line[at - 1]) / 2

    total = 0.0
    for y in range(height):
        for x in range(width):
            dx, dy = slope(list(image[y]), x), slope(list(image[:, x]), y)
            total += math.sqrt((dx * dx + dy * dy) / 2)
    return total / (height * width)


def _slow_filter(image: Image, size: int) -> Image:
    """Normalised Gaussian of sigma size / 5, 'valid' part, straight from the definition."""
    offsets = np.arange(size) - (size - 1) / 2
    line = np.exp(-(offsets**2) / (2 * (size / 5) ** 2))
    kernel = np.outer(line, line)
    kernel /= kernel.sum()
    out = np.empty((image.shape[0] - size + 1, image.shape[1] - size + 1))
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = (image[y : y + size, x : x + size] * kernel).sum()
    return out


def _slow_vif(reference: Image, distorted: Image) -> float:
    carried = available = 0.0
    for size in (17, 9, 5, 3):
        if size != 17:
            reference, distorted = (_slow_filter(each, size)[::2, ::2] for each in (reference, distorted))
        mean_r, mean_d = _slow_filter(reference, size), _slow_filter(distorted, size)
        var_r = _slow_filter(reference**2, size) - mean_r**2
        var_d = _slow_filter(distorted**2, size) - mean_d**2
        both = _slow_filter(reference * distorted, size) - mean_r * mean_d
        for r, d, b in zip(var_r.ravel(), var_d.ravel(), both.ravel(), strict=True):
            gain = b / (r + 1e-10)
            rest = d - gain * b
            if gain < 0:
                gain, rest = 0.0, d
            carried += math.log2(1 + gain * gain * r / (max(rest, 1e-10) + 2.0))
            available += math.log2(1 + r / 2.0)
    return carried / available


def _slow_qabf(visible: Image, thermal: Image, fused: Image) -> float:
    def edges(image: Image) -> tuple[Image, Image]:
        padded = np.pad(image, 1)
        strength, angle = np.zeros_like(image), np.zeros_like(image)
        for y in range(image.shape[0]):
            for x in range(image.shape[1]):
                p = padded[y : y + 3, x : x + 3]
                dx = p[0, 2] + 2 * p[1, 2] + p[2, 2] - p[0, 0] - 2 * p[1, 0] - p[2, 0]
                dy = p[2, 0] + 2 * p[2, 1] + p[2, 2] - p[0, 0] - 2 * p[0, 1] - p[0, 2]
                strength[y, x] = math.hypot(dx, dy)
                angle[y, x] = math.atan(dy / dx) if dx else math.pi / 2
        return strength, angle

    def kept(g: float, a: float, g_f: float, a_f: float) -> float:
        ratio = min(g, g_f) / max(g, g_f) if max(g, g_f) else 0.0
        alike = abs(abs(a - a_f) - math.pi / 2) * 2 / math.pi
        strength = 0.9994 / (1 + math.exp(-15 * (ratio - 0.5)))
        return strength * 0.9879 / (1 + math.exp(-22 * (alike - 0.8)))

    (g_v, a_v), (g_i, a_i), (g_f, a_f) = edges(visible), edges(thermal), edges(fused)
    top = bottom = 0.0
    for at in np.ndindex(visible.shape):
        top += kept(g_v[at], a_v[at], g_f[at], a_f[at]) * g_v[at]
        top += kept(g_i[at], a_i[at], g_f[at], a_f[at]) * g_i[at]
        bottom += g_v[at] + g_i[at]
    return top / bottom


@pytest.mark.parametrize("seed", [0, 1])
def test_all_metrics_agree_with_slow_implementations(seed: int) -> None:
    images = _triple(seed)
    fused, visible, thermal = (image.astype(np.float64) for image in images)
    counts = {level: int((fused == level).sum()) for level in range(256)}
    expected = {
        "EN": -sum(n / fused.size * math.log2(n / fused.size) for n in counts.values() if n),
        "AG": _slow_average_gradient(fused),
        "SD": math.sqrt(((fused - fused.mean()) ** 2).mean()),
        "SCD": np.corrcoef((fused - visible).ravel(), thermal.ravel())[0, 1]
        + np.corrcoef((fused - thermal).ravel(), visible.ravel())[0, 1],
        "VIF": _slow_vif(visible, fused) + _slow_vif(thermal, fused),
        "Qabf": _slow_qabf(visible, thermal, fused),
    }
    found = metrics.evaluate(*images)
    assert tuple(found) == metrics.NAMES
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name


def test_entropy_of_known_histograms() -> None:
    assert metrics.entropy(np.full((8, 8), 7.0)) == 0.0
    assert metrics.entropy(np.repeat([0.0, 255.0], 32).reshape(8, 8)) == pytest.approx(1.0)
    assert metrics.entropy(np.arange(256.0).reshape(16, 16)) == pytest.approx(8.0)


def test_average_gradient_of_a_plane_is_its_slope() -> None:
    y, x = np.mgrid[0:20, 0:30].astype(np.float64)
    assert metrics.average_gradient(3 * x + 4 * y) == pytest.approx(5 / math.sqrt(2))
    assert metrics.average_gradient(np.full((9, 9), 40.0)) == 0.0


def test_standard_deviation_of_two_levels() -> None:
    assert metrics.standard_deviation(np.repeat([10.0, 30.0], 50).reshape(10, 10)) == pytest.approx(10.0)


def test_a_sum_of_the_sources_has_the_largest_scd() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (2, 60, 60))
    assert metrics.sum_of_correlations_of_differences(a + b, a, b) == pytest.approx(2.0)
    assert metrics.sum_of_correlations_of_differences(-a - b, a, b) == pytest.approx(
        -2 / math.sqrt(5), abs=0.1
    )


def test_an_identical_image_keeps_all_information_and_noise_destroys_it() -> None:
    _, visible, _ = _triple(3)
    image = visible.astype(np.float64)
    assert metrics.visual_information_fidelity(image, image) == pytest.approx(1.0, abs=1e-6)
    rng = np.random.default_rng(4)
    kept = [
        metrics.visual_information_fidelity(image, image + rng.normal(0, s, image.shape)) for s in (2, 10, 40)
    ]
    assert 1.0 > kept[0] > kept[1] > kept[2] > 0.0
    assert metrics.visual_information_fidelity(image, image * 1.5) > 1.0


def test_a_copy_of_a_source_keeps_its_edges() -> None:
    _, visible, _ = _triple(5)
    image = visible.astype(np.float64)
    flat = np.full_like(image, 50.0)
    border_free = image - image.mean()
    assert metrics.edge_preservation(border_free, flat * 0, border_free) > 0.95
    assert metrics.edge_preservation(border_free, flat * 0, flat * 0) < 0.01


@pytest.mark.parametrize("level", [0, 128])
def test_flat_frames_give_finite_values(level: int) -> None:
    flat = np.full((64, 64), level, np.uint8)
    _, visible, _ = _triple(6, 64, 64)
    for images in ((flat, flat, flat), (flat, visible, flat), (visible, flat, flat)):
        assert all(math.isfinite(value) for value in metrics.evaluate(*images).values())


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_the_two_sources_may_be_exchanged(seed: int) -> None:
    fused, visible, thermal = _triple(seed)
    one, other = metrics.evaluate(fused, visible, thermal), metrics.evaluate(fused, thermal, visible)
    for name in metrics.NAMES:
        assert one[name] == pytest.approx(other[name], rel=1e-9), name


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_mirroring_all_images_changes_nothing(seed: int, vertical: bool, horizontal: bool) -> None:
    images = _triple(seed, 53, 53)  # odd at every scale, so that sampling every second pixel mirrors too
    step = (slice(None, None, -1 if vertical else 1), slice(None, None, -1 if horizontal else 1))
    one = metrics.evaluate(*images)
    other = metrics.evaluate(*(np.ascontiguousarray(image[step]) for image in images))
    for name in ("EN", "AG", "SD", "SCD", "Qabf"):
        assert one[name] == pytest.approx(other[name], rel=1e-9), name


def test_images_that_do_not_fit_are_refused() -> None:
    fused, visible, thermal = _triple(0)
    with pytest.raises(ValueError, match="sizes differ"):
        metrics.evaluate(fused, visible, thermal[:-1])
    with pytest.raises(ValueError, match="47x60 is too small"):
        metrics.evaluate(*[np.zeros((60, 47), np.uint8)] * 3)
