"""Reading folders of labelled stills: images by stem, YOLO text, and what of them never trains; and a digest
of them, by which what was made of them is known again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.train.errors import TrainingError

_SAME = {"people": "person"}  # under another name in some classes.txt
VALIDATION_LIST = Path(__file__).with_name("validation.txt")


def validation_names() -> set[str]:
    """The fixed split that never trains, "folder/stem", listed in validation.txt."""
    return {line.strip() for line in VALIDATION_LIST.read_text().splitlines() if line.strip()}


def held_out() -> set[str]:
    """Names that never train, the same frames in other folders included."""
    names = validation_names()
    stems = {name.split("/")[1] for name in names if name.startswith("msrs")}
    return names | {f"{folder}/{stem}" for stem in stems for folder in ("msrs", "msrs128", "msrs_thermal")}


def class_names(path: Path) -> list[str]:
    """Names of the classes 0, 1, ... of a classes.txt, one a line; none where it is not there.

    A name may be of several words, and an empty line takes its number too. Raises TrainingError.
    """
    if not path.is_file():
        return []
    return [
        line.strip() for line in _text(path, "the names of the classes, one a line").rstrip().splitlines()
    ]


def known_as(name: str) -> str:
    """What a class of some classes.txt is called here."""
    return _SAME.get(name.lower(), name.lower())


def box_lines(path: Path, names: list[str]) -> Iterator[tuple[str, float, float, float, float]]:
    """Class by its name here, and x, y, w, h (normalised), of every line of YOLO text.

    Raises TrainingError.
    """
    for number, line in enumerate(_text(path, "boxes, one a line").splitlines(), 1):
        numbers = _numbers(line)
        if len(numbers) != 5 or numbers[0] not in range(len(names)):
            raise TrainingError(
                f"{path}, line {number}: not a box: it takes class x y w h, "
                f"with a class among the {len(names)} of classes.txt"
            )
        index, x, y, w, h = numbers
        yield known_as(names[int(index)]), x, y, w, h


def digest(folders: Iterable[Path]) -> str:
    """Of what these data sets hold: labels, classes and the list of what never trains byte by byte, images by
    name and size, for there are many.
    """
    told = hashlib.sha256("\n".join(sorted(held_out())).encode())
    for folder in folders:
        for path in (folder / "classes.txt", *sorted(folder.glob("boxes/*"))):
            data = path.read_bytes() if path.is_file() else b""
            told.update(f"{folder.name}/{path.name} {len(data)}\n".encode() + data)
        for path in sorted(path for camera in ("vis", "ir") for path in folder.glob(f"{camera}/*")):
            told.update(f"{folder.name}/{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
    return told.hexdigest()


def _numbers(line: str) -> list[float]:
    """Empty where a word of the line is no finite number."""
    try:
        numbers = [float(word) for word in line.split()]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _text(path: Path, wanted: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path}: is not a text file; it takes {wanted}") from error


def resized(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """An image (H, W) or (H, W, C) of (width, height), of its type: means where it shrinks, else cubic."""
    how = cv2.INTER_AREA if image.shape[0] > size[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how))


def read_image(folder: Path, stem: str) -> NDArray[np.uint8]:
    """The image of this stem as uint8 (H, W, 3) RGB, grey ones too. Raises TrainingError."""
    paths = sorted(folder.glob(f"{stem}.*"))
    picture: Any = cv2.imread(str(paths[0]), cv2.IMREAD_COLOR) if paths else None
    if picture is None:
        raise TrainingError(f"{folder / stem}: is missing or cannot be read as an image")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
