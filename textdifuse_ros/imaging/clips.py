"""Recorded pictures from video files and folders of images (no ROS)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
DEFAULT_RATE = 30.0


class ClipError(ValueError):
    """A clip that cannot be played; the text names the file and the reason."""


class Clip(Protocol):
    """Pictures in order. length: their number, 0 where the file does not say; rate: pictures a second."""

    path: Path
    length: int
    rate: float

    def frames(self) -> Iterator[np.ndarray]:
        """From the first picture on: (H,W) or (H,W,3) BGR, uint8 or uint16. Raises ClipError."""


class VideoClip:
    """A file that OpenCV's video reader opens."""

    def __init__(self, path: Path) -> None:
        self.path = path
        reader = self._open()
        self.length = max(int(reader.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        rate = float(reader.get(cv2.CAP_PROP_FPS))
        self.rate = rate if 0.1 <= rate <= 1000.0 else DEFAULT_RATE
        ok, _ = reader.read()
        reader.release()
        if not ok:
            raise ClipError(f"{path} holds no picture that can be decoded")

    def _open(self) -> cv2.VideoCapture:
        reader = cv2.VideoCapture(str(self.path))
        if not reader.isOpened():
            raise ClipError(f"{self.path} is not a video that this OpenCV can read")
        return reader

    def frames(self) -> Iterator[np.ndarray]:
        """From the first picture on: (H,W,3) BGR uint8."""
        reader = self._open()
        try:
            while True:
                ok, picture = reader.read()
                if not ok:
                    return
                yield picture
        finally:
            reader.release()


class FolderClip:
    """A folder of images in the order of their names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if not self._files:
            raise ClipError(f"folder {path} holds no image ({', '.join(IMAGE_SUFFIXES)})")
        self.length, self.rate = len(self._files), DEFAULT_RATE
        self._read(self._files[0])

    def _read(self, file: Path) -> np.ndarray:
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise ClipError(f"{file} is not an image that can be decoded")
        if picture.dtype not in (np.uint8, np.uint16):
            raise ClipError(f"{file} has pixels of type {picture.dtype}; 8 and 16 bit can be played")
        return picture[:, :, :3] if picture.ndim == 3 and picture.shape[2] == 4 else picture

    def frames(self) -> Iterator[np.ndarray]:
        """From the first picture on: (H,W) or (H,W,3) BGR, uint8 or uint16."""
        return (self._read(file) for file in self._files)


def open_clip(path: str | Path) -> Clip:
    """Open a video file or a folder of images; raises ClipError where there is nothing to play."""
    path = Path(path).expanduser()
    try:
        if path.is_dir():
            return FolderClip(path)
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise ClipError(f"{path} does not exist") from None
    except OSError as error:
        raise ClipError(f"{path} cannot be read: {error.strerror}") from None
    return VideoClip(path)


def as_rgb_message(picture: np.ndarray, path: Path) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a visible picture; raises ClipError for 16 bit."""
    if picture.dtype != np.uint8:
        raise ClipError(f"{path} has 16-bit pixels: the RGB camera has 8 bits (are the two clips swapped?)")
    return (picture, "mono8") if picture.ndim == 2 else (picture, "bgr8")


def as_thermal_message(picture: np.ndarray, path: Path) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a thermal picture: one channel, 8 or 16 bit."""
    if picture.ndim == 3:
        if picture.dtype != np.uint8:
            raise ClipError(f"{path} has 16-bit colour: a thermal picture has one channel")
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    return picture, "mono8" if picture.dtype == np.uint8 else "mono16"


def compare_lengths(rgb: Clip, thermal: Clip) -> str:
    """A sentence for clips of different length, "" where they agree or do not say."""
    if not rgb.length or not thermal.length or rgb.length == thermal.length:
        return ""
    shorter, longer = (rgb, thermal) if rgb.length < thermal.length else (thermal, rgb)
    return (
        f"{rgb.path.name} has {rgb.length} pictures and {thermal.path.name} {thermal.length}: "
        f"the last {longer.length - shorter.length} of {longer.path.name} are not played"
    )
