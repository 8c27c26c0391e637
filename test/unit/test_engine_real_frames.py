"""Every engine gives the image of eager fp32 on what cameras really send: smoke, stairs by day, a night.

Made-up pictures do not reach every number that a graph has in it (needs ../shared, or skips).
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from engine_samples import need_onnx, needs_int8
from numpy.typing import NDArray

from textdifuse_ros.cli.clip_pairs import clip_pairs
from textdifuse_ros.cli.image_files import find_pairs, read_pair
from textdifuse_ros.engines.compare import TOLERANCE, difference
from textdifuse_ros.fuser import Fuser

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PROMPTS = ("", "person, no sky", "remove the haze, brighten the dark")
Bytes = NDArray[np.uint8]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs the data folder ../shared beside the repository"),
]


def of_clip(name: str, number: int) -> tuple[Bytes, Bytes]:
    visible, thermal = (DATA / "clips" / f"{name}_{camera}.mp4" for camera in ("vis", "ir"))
    return next(itertools.islice(clip_pairs(visible, thermal), number, None))


def of_pair(folder: str, stem: str) -> tuple[Bytes, Bytes]:
    found = find_pairs(DATA / folder / "vis", DATA / folder / "ir").pairs
    return read_pair(next(pair for pair in found if pair.stem == stem))


@pytest.fixture(scope="module")
def frames() -> dict[str, tuple[Bytes, Bytes]]:
    return {
        "smoke": of_clip("0117_1605", 100), "later": of_clip("0117_1605", 200),
        "day": of_clip("0111_1716", 60), "night": of_pair("msrs", "00014N"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def expected(frames: dict[str, tuple[Bytes, Bytes]]) -> dict[tuple[str, str], Bytes]:
    fuser = Fuser(device="cpu", engine="eager", dtype="fp32")
    return {
        (name, prompt): fuser.fuse(*pair, prompt).image for name, pair in frames.items() for prompt in PROMPTS
    }


@pytest.mark.parametrize(
    ("engine", "dtype", "most"),
    [
        ("onnx", "fp32", 1),
        ("eager", "bf16", TOLERANCE),
        pytest.param("eager", "int8", TOLERANCE, marks=needs_int8),
    ],
)
def test_an_engine_gives_the_image_of_eager_on_frames_of_cameras(
    engine: str,
    dtype: str,
    most: float,
    frames: dict[str, tuple[Bytes, Bytes]],
    expected: dict[tuple[str, str], Bytes],
) -> None:
    if engine == "onnx":
        need_onnx()
    fuser = Fuser(device="cpu", engine=engine, dtype=dtype)
    off = {
        key: difference(fuser.fuse(*frames[key[0]], key[1]).image, image)[0]
        for key, image in expected.items()
    }
    assert {key: value for key, value in off.items() if value > most} == {}
