"""Paired thermal + visible stills with boxes: loading, the fixed validation split, random crops."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.stills import box_lines, class_names, held_out

Image = NDArray[np.uint8]

# Classes as the COCO detector numbers them; boxes of other names are kept without a class.
COCO_OF = {
    "person": 0, "bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7, "dog": 16,
}  # fmt: skip


@dataclass(frozen=True)
class DataSet:
    """One folder: how often it is drawn and which random scales its frames are seen at."""

    name: str  # of the folder, with vis/ and ir/ inside
    share: float
    scale: tuple[float, float]
    widen: bool = False  # stored squashed to a square: 4:3 before use


DATA_SETS = (
    DataSet("msrs128", 0.22, (2.0, 2.6), widen=True),
    DataSet("msrs", 0.22, (0.6, 1.2)),
    DataSet("roadscene", 0.24, (0.7, 1.3)),
    DataSet("m3fd", 0.16, (0.4, 0.9)),
    DataSet("llvip", 0.10, (0.3, 0.6)),
    DataSet("m3svd", 0.06, (0.6, 1.1)),
)


@dataclass
class Pair:
    """visible uint8 (H, W, 3) RGB, thermal uint8 (H, W), boxes (K, 5): class, x, y, w, h (normalised)."""

    name: str
    visible: Image
    thermal: Image
    boxes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 5), np.float32))


def read_boxes(path: Path, classes: list[str]) -> NDArray[np.float32]:
    """YOLO text -> (K, 5) with COCO class numbers; unknown classes are left out. Raises TrainingError."""
    if not path.is_file():
        return np.zeros((0, 5), np.float32)
    known = [(COCO_OF.get(name), *box) for name, *box in box_lines(path, classes)]
    rows = [row for row in known if row[0] is not None]
    return np.asarray(rows, np.float32).reshape(-1, 5)


def load_folder(
    root: Path, data_set: DataSet, names: set[str] | None = None, skip: set[str] | None = None
) -> list[Pair]:
    """Pairs of one folder, by stem; none where it is not there. Raises TrainingError for a broken image.

    names: keeps only these, skip: leaves these out ("folder/stem").
    """
    folder = root / data_set.name
    if not ((folder / "vis").is_dir() and (folder / "ir").is_dir()):
        return []
    classes = class_names(folder / "classes.txt")
    thermal_of = {path.stem: path for path in (folder / "ir").iterdir()}
    pairs = []
    for path in sorted((folder / "vis").iterdir()):
        name = f"{data_set.name}/{path.stem}"
        if path.stem not in thermal_of or (names is not None and name not in names) or name in (skip or ()):
            continue
        visible: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
        thermal: Any = cv2.imread(str(thermal_of[path.stem]), cv2.IMREAD_GRAYSCALE)
        if visible is None or thermal is None:
            raise TrainingError(f"{path}: it or its thermal half cannot be read as an image; leave both out")
        if data_set.widen:
            wide = (visible.shape[1] * 4 // 3, visible.shape[0])
            visible = cv2.resize(visible, wide, interpolation=cv2.INTER_CUBIC)
            thermal = cv2.resize(thermal, wide, interpolation=cv2.INTER_CUBIC)
        boxes = read_boxes(folder / "boxes" / f"{path.stem}.txt", classes)
        pairs.append(Pair(name, cv2.cvtColor(visible, cv2.COLOR_BGR2RGB), thermal, boxes))
    return pairs


def load_training(root: Path, data_sets: tuple[DataSet, ...] = DATA_SETS) -> list[tuple[DataSet, list[Pair]]]:
    """All pairs that train, by folder; folders that are not there are left out.

    Raises TrainingError where nothing is left.
    """
    loaded = [(each, load_folder(root, each, skip=held_out())) for each in data_sets]
    found = [(each, pairs) for each, pairs in loaded if pairs]
    if not found:
        names = ", ".join(each.name for each in data_sets)
        raise TrainingError(f"{root}: no pairs; one of {names} must lie there, with vis/ and ir/ inside")
    return found


def random_crop(pair: Pair, scale: tuple[float, float], size: int, rng: np.random.Generator) -> Pair:
    """Random scale, place and mirror: a square pair of `size` pixels with its boxes (clipped, normalised)."""
    height, width = pair.thermal.shape
    zoom = max(rng.uniform(*scale), size / height, size / width)
    wide, high = max(size, round(width * zoom)), max(size, round(height * zoom))
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    left, top = int(rng.integers(0, wide - size + 1)), int(rng.integers(0, high - size + 1))
    window = (slice(top, top + size), slice(left, left + size))
    visible = cv2.resize(pair.visible, (wide, high), interpolation=how)[window]
    thermal = cv2.resize(pair.thermal, (wide, high), interpolation=how)[window]
    boxes = _crop_boxes(pair.boxes, wide, high, left, top, size)
    if rng.random() < 0.5:
        visible, thermal = visible[:, ::-1], thermal[:, ::-1]
        boxes[:, 1] = 1 - boxes[:, 1]
    return Pair(pair.name, np.ascontiguousarray(visible), np.ascontiguousarray(thermal), boxes)


def _crop_boxes(
    boxes: NDArray[np.float32], wide: int, high: int, left: int, top: int, size: int
) -> NDArray[np.float32]:
    """Boxes of the crop; those of which less than 40 % is inside are dropped."""
    kept = []
    for index, x, y, w, h in boxes:
        x0, x1 = (x - w / 2) * wide - left, (x + w / 2) * wide - left
        y0, y1 = (y - h / 2) * high - top, (y + h / 2) * high - top
        cx0, cx1 = np.clip([x0, x1], 0, size)
        cy0, cy1 = np.clip([y0, y1], 0, size)
        if (cx1 - cx0) * (cy1 - cy0) >= 0.4 * max((x1 - x0) * (y1 - y0), 1e-6):
            kept.append(
                [
                    index,
                    (cx0 + cx1) / 2 / size,
                    (cy0 + cy1) / 2 / size,
                    (cx1 - cx0) / size,
                    (cy1 - cy0) / size,
                ]
            )
    return np.asarray(kept, np.float32).reshape(-1, 5)
