"""Clips for playback: videos and folders of images, and what is said when they cannot be played."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from textdifuse_ros.imaging.clips import (
    ClipError,
    as_rgb_message,
    as_thermal_message,
    compare_lengths,
    open_clip,
)


def write_video(path: Path, frames: int, rate: float = 12.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (64, 48))
    assert writer.isOpened()
    for k in range(frames):
        writer.write(np.full((48, 64, 3), 40 + 10 * k, np.uint8))
    writer.release()
    return path


def write_folder(path: Path, frames: int, dtype: type = np.uint8) -> Path:
    path.mkdir()
    for k in range(frames):
        top = 200 if dtype is np.uint8 else 40000
        cv2.imwrite(str(path / f"{k:03d}.png"), np.full((48, 64), top + k, dtype))
    return path


def test_a_video_gives_its_frames_and_rate(tmp_path: Path) -> None:
    clip = open_clip(write_video(tmp_path / "a.mp4", 7))
    frames = list(clip.frames())
    assert clip.length == len(frames) == 7
    assert clip.rate == pytest.approx(12.0, rel=0.01)
    assert frames[6].mean() > frames[0].mean() + 40


def test_a_folder_keeps_16_bits_and_the_order_of_names(tmp_path: Path) -> None:
    clip = open_clip(write_folder(tmp_path / "ir", 3, np.uint16))
    assert [int(frame[0, 0]) for frame in clip.frames()] == [40000, 40001, 40002]
    pixels, encoding = as_thermal_message(next(iter(clip.frames())), clip.path)
    assert encoding == "mono16" and pixels.dtype == np.uint16


def test_colour_thermal_becomes_one_channel() -> None:
    pixels, encoding = as_thermal_message(np.full((4, 5, 3), 90, np.uint8), Path("x"))
    assert pixels.shape == (4, 5) and encoding == "mono8" and set(pixels.ravel()) == {90}


def test_a_16_bit_rgb_camera_is_refused() -> None:
    with pytest.raises(ClipError, match="swapped"):
        as_rgb_message(np.zeros((4, 5), np.uint16), Path("x.png"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("missing.mp4", None, "does not exist"), ("text.mp4", b"no video", "not a video")],
)
def test_unplayable_files_are_named_with_the_reason(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ClipError, match=reason) as caught:
        open_clip(tmp_path / name)
    assert name in str(caught.value)


def test_an_empty_folder_and_a_broken_image_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClipError, match="holds no image"):
        open_clip(tmp_path / "empty")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(ClipError, match=r"a\.png"):
        open_clip(tmp_path / "broken")


def test_different_lengths_are_said(tmp_path: Path) -> None:
    short, long = open_clip(write_folder(tmp_path / "vis", 3)), open_clip(write_folder(tmp_path / "ir", 5))
    assert "the last 2 of ir are not played" in compare_lengths(short, long)
    assert compare_lengths(short, short) == ""
