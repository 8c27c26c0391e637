"""Image files for the commands: finding pairs, reading with exact errors, writing whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.imaging.compressed import MAX_PIXELS, decode_bytes
from textdifuse_ros.imaging.encodings import ImageError
from textdifuse_ros.imaging.thermal import ThermalNormaliser

Bytes = NDArray[np.uint8]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".pnm")
_SELF_CHECKED = (b"\x89PNG", b"\xff\xd8\xff")  # decode_bytes knows when these were cut short


@dataclass(frozen=True)
class Pair:
    """An RGB and a thermal file of one scene."""

    stem: str
    rgb: Path
    thermal: Path


@dataclass(frozen=True)
class Pairs:
    """Pairs in the order of their stems, and files that found no partner."""

    pairs: tuple[Pair, ...]
    unmatched: tuple[Path, ...] = ()


def find_pairs(rgb: Path, thermal: Path) -> Pairs:
    """Two files are one pair; two directories pair by stem, whatever the extensions.

    Raises CliError where a path is missing, kinds are mixed, a stem is ambiguous or nothing matches.
    """
    for path in (rgb, thermal):
        if not path.exists():
            raise CliError(f"{path}: no such file or directory")
    if rgb.is_dir() != thermal.is_dir():
        raise CliError(f"{rgb} and {thermal}: give two files or two directories, not one of each")
    if not rgb.is_dir():
        return Pairs((Pair(rgb.stem, rgb, thermal),))
    left, right = images_by_stem(rgb), images_by_stem(thermal)
    stems = sorted(left.keys() & right.keys())
    if not stems:
        raise CliError(f"{rgb} and {thermal}: no file name (without extension) is in both")
    alone = [files[stem] for files in (left, right) for stem in sorted(files.keys() - set(stems))]
    return Pairs(tuple(Pair(left[stem].stem, left[stem], right[stem]) for stem in stems), tuple(alone))


def only_listed(found: Pairs, path: Path | None) -> Pairs:
    """The pairs that a text file lists, one "set/stem" a line, where set is the folder above the images'.

    No path: all of them. CliError where none is listed.
    """
    if path is None:
        return found
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CliError(f"{path}: is not a text file; --only takes set/stem lines") from error
    wanted = {line.strip() for line in lines if line.strip()}
    kept = tuple(
        pair for pair in found.pairs if f"{pair.rgb.resolve().parent.parent.name}/{pair.stem}" in wanted
    )
    if not kept:
        raise CliError(f"{path}: lists no pair of {found.pairs[0].rgb.parent}")
    return Pairs(kept, found.unmatched)


def images_by_stem(folder: Path) -> dict[str, Path]:
    """The image files of a folder, not of folders in it, by stem. CliError where a stem is ambiguous."""
    found: dict[str, Path] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise CliError(f"{folder}: {error.strerror}") from error
    for path in entries:
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        stem = unicodedata.normalize("NFC", path.stem)
        if stem in found:
            raise CliError(f"{path}: {found[stem].name} has the same name but for the extension: keep one")
        found[stem] = path
    if not found:
        raise CliError(f"{folder}: holds no images ({', '.join(SUFFIXES)})")
    return found


def read_pair(pair: Pair) -> tuple[Bytes, Bytes]:
    """RGB uint8 (H, W, 3) and thermal uint8 (H, W), scaled to the RGB image's size."""
    rgb = read_rgb(pair.rgb)
    return rgb, read_thermal(pair.thermal, (rgb.shape[1], rgb.shape[0]))


def read_rgb(path: Path) -> Bytes:
    """uint8 (H, W, 3) RGB. Grey is repeated, alpha dropped, 16 bits cut to 8, orientation tags ignored."""
    return np.ascontiguousarray(_decode(path, "rgb"), np.uint8)


def read_thermal(path: Path, size: tuple[int, int] | None = None) -> Bytes:
    """uint8 (H, W), white hot. 8 bits stay as they are; deeper images are stretched between percentiles.

    size: (width, height) to scale to, where given.
    """
    raw = _decode(path, "thermal")
    if raw.dtype != np.uint8:
        if raw.dtype != np.uint16:
            raw = raw.astype(np.float32)
        try:
            raw = ThermalNormaliser("percentile").normalise(raw, 0)
        except ImageError as error:
            raise CliError(f"{path}: {error}") from error
    image = np.ascontiguousarray(raw, np.uint8)
    if size is None or size == (image.shape[1], image.shape[0]):
        return image
    smaller = size[0] <= image.shape[1] and size[1] <= image.shape[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def _decode(path: Path, want: str) -> np.ndarray:
    if path.is_dir():
        raise CliError(f"{path}: is a directory, not an image")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CliError(f"{path}: {error.strerror or error}") from error
    if not data:
        raise CliError(f"{path}: the file is empty")
    try:
        with _silent_libraries():
            if data.startswith(_SELF_CHECKED):
                return decode_bytes(data, want)
            return _decode_other(data, want)
    except (ImageError, cv2.error) as error:
        raise CliError(f"{path}: {error}") from error


@contextlib.contextmanager
def _silent_libraries() -> Iterator[None]:
    """Image libraries write to stderr by themselves; the one line that is promised there is ours."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _decode_other(data: bytes, want: str) -> np.ndarray:
    """TIFF, BMP, WebP, PNM: whatever OpenCV was built with."""
    flags = cv2.IMREAD_COLOR if want == "rgb" else cv2.IMREAD_UNCHANGED
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or image.size == 0:
        raise ImageError("format", "not an image that can be read, or a damaged one")
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise ImageError("size", f"{image.shape[1]}x{image.shape[0]} is too large")
    if want == "rgb":
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    if image.ndim == 3:
        code = cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY
        return np.asarray(cv2.cvtColor(image, code))
    return np.asarray(image)


def write_png(path: Path, image: Bytes) -> None:
    """Write uint8 (H, W) or (H, W, 3) RGB as PNG: a temporary file beside it, then a rename.

    Folders that are missing are made. Raises CliError; then nothing of the image is left behind.
    """
    done, data = cv2.imencode(".png", _stored(image))
    if not done:
        raise CliError(f"{path}: OpenCV cannot encode it as PNG")
    _write(path, data.tobytes())


def write_jpeg(path: Path, image: Bytes, most: int) -> int:
    """Write it as JPEG, like write_png, at the best quality that takes at most `most` bytes; returns these.

    Raises CliError, also where no quality of 30 or more is small enough.
    """
    for quality in range(92, 29, -4):
        done, data = cv2.imencode(".jpg", _stored(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise CliError(f"{path}: OpenCV cannot encode it as JPEG")
        if len(data) <= most:
            _write(path, data.tobytes())
            return len(data)
    raise CliError(f"{path}: takes more than {most // 1000} kB as JPEG of quality 30: use fewer rows")


def _stored(image: Bytes) -> Bytes:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CliError(f"{path}: cannot be written: {error.strerror or error}") from error
