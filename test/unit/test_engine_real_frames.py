"""Every engine gives the image of eager fp32 on what cameras really send: smoke, stairs by day, a night.

Made-up pictures do not reach every number that a graph has in it (needs ../shared, or skips).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from textdifuse_ros.engines.compare import TOLERANCE, difference
from textdifuse_ros.engines.device import cpu_has_int8
from textdifuse_ros.fuser import Fuser

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PROMPTS = ("", "person, no sky", "remove the haze, brighten the dark")
Bytes = NDArray[np.uint8]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs the data folder ../shared beside the repository"),
]


def of_clip(name: str, number: int) -> tuple[Bytes, Bytes]:
    images = []
    for camera in ("vis", "ir"):
        clip = cv2.VideoCapture(str(DATA / "clips" / f"{name}_{camera}.mp4"))
        for _ in range(number):
            clip.grab()
        images.append(clip.read()[1])
        clip.release()
    return cv2.cvtColor(images[0], cv2.COLOR_BGR2RGB), cv2.cvtColor(images[1], cv2.COLOR_BGR2GRAY)


def of_pair(folder: str, stem: str) -> tuple[Bytes, Bytes]:
    visible, thermal = (next((DATA / folder / part).glob(f"{stem}.*")) for part in ("vis", "ir"))
    rgb = cv2.cvtColor(cv2.imread(str(visible)), cv2.COLOR_BGR2RGB)
    return rgb, cv2.imread(str(thermal), cv2.IMREAD_GRAYSCALE)


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
        pytest.param(
            "eager",
            "int8",
            TOLERANCE,
            marks=pytest.mark.skipif(not cpu_has_int8(), reason="needs a processor with VNNI or AMX"),
        ),
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
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(
                package, reason="needs onnx, onnxscript and onnxruntime (requirements-dev.txt)"
            )
    fuser = Fuser(device="cpu", engine=engine, dtype=dtype)
    off = {
        key: difference(fuser.fuse(*frames[key[0]], key[1]).image, image)[0]
        for key, image in expected.items()
    }
    assert {key: value for key, value in off.items() if value > most} == {}
