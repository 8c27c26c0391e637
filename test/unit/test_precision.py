"""The shipped weights in bf16 against fp32, on a rendered street at night."""

from __future__ import annotations

import numpy as np
import pytest

from textdifuse_ros.fuser import Fuser
from textdifuse_ros.imaging.thermal import ThermalNormaliser
from textdifuse_ros.model import weights
from textdifuse_ros.simulation import RgbSensor, StreetSequence, ThermalSensor

WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def street() -> tuple[np.ndarray, np.ndarray]:
    frame = StreetSequence(WIDTH, HEIGHT, seed=3).render(6.0)
    counts = ThermalSensor(WIDTH, HEIGHT).expose(frame.temperature, 0)
    return RgbSensor(WIDTH, HEIGHT).expose(frame.rgb, 0), ThermalNormaliser("percentile").normalise(counts, 0)


@pytest.mark.parametrize(
    ("path", "steps"), [(weights.SHIPPED, 1), (weights.SHIPPED, 2), (weights.TEACHER, 25)],
    ids=["1 step", "2 steps", "teacher"],
)  # fmt: skip
def test_bf16_is_within_two_grey_levels_of_fp32(
    path: str, steps: int, street: tuple[np.ndarray, np.ndarray]
) -> None:
    exact, quick = (
        Fuser(path, device="cpu", dtype=dtype)
        .fuse(*street, steps=steps, want_salience=False)
        .image.astype(int)
        for dtype in ("fp32", "bf16")
    )
    assert exact.std() > 5  # a picture, not a plane
    assert np.percentile(np.abs(exact - quick), 99) <= 2
