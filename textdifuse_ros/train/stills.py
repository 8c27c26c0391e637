"""Reading folders of labelled stills: images by stem, YOLO text, and what of them never trains."""

from __future__ import annotations

from collections.abc import Iterator
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


def box_lines(path: Path, names: list[str]) -> Iterator[tuple[str, float, float, float, float]]:
    """Class by its name here, and x, y, w, h (normalised), of every line of YOLO text.

    Raises TrainingError.
    """
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            index, x, y, w, h = map(float, line.split())
            name = names[int(index)].lower()
        except (ValueError, IndexError) as error:
            raise TrainingError(
                f"{path}, line {number}: not a box: it takes class x y w h, "
                f"with a class among the {len(names)} of classes.txt"
            ) from error
        yield _SAME.get(name, name), x, y, w, h


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
