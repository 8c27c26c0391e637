"""Frames for the detector that ships: colour, thermal and fused images with YOLO labels, as files.

Classes that a set did not label are labelled by a judge (a detector of somebody else), on all views of a
frame; a class that nobody labelled would train as background.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.evaluation.average_precision import overlaps
from textdifuse_ros.simulation.sensors import RgbSensor
from textdifuse_ros.simulation.sequence import StreetSequence
from textdifuse_ros.train.degrade import degrade_bytes, draw
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.stills import box_lines, class_names, held_out, read_image

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]  # (K, 5): class, x, y, w, h, normalised
CLASSES = ("person", "bicycle", "car")
SPLITS = ("train", "val")
LARGEST = 640  # longer side of a stored image; the detector sees no more
JUDGE_SURE = 0.4  # score from which a judge's box becomes a label: about where its precision reaches 0.9
_ONE_OBJECT = 0.55  # overlap from which boxes of two views are one object


class Judge(Protocol):
    """A detector of road users: uint8 (H, W, 3) -> (K, 5) boxes of CLASSES, normalised, and scores (K,)."""

    def __call__(self, rgb: Image) -> tuple[Boxes, NDArray[np.float32]]: ...


class Fuse(Protocol):
    """Fuses uint8 (H, W, 3) and (H, W) with so many steps."""

    def __call__(self, rgb: Image, thermal: Image, steps: int) -> Image: ...


@dataclass(frozen=True)
class DetectorSet:
    """One folder. unlabelled: the classes of CLASSES that are in its pictures without boxes.

    small_vis: its visible halves lie, small and squashed, in another folder.
    """

    name: str
    vis: bool = True
    ir: bool = True
    unlabelled: tuple[str, ...] = ()
    small_vis: str = ""


SETS = (
    DetectorSet("msrs"),
    DetectorSet("msrs_thermal", vis=False, small_vis="msrs128"),
    DetectorSet("roadscene"),
    DetectorSet("m3fd", unlabelled=("bicycle",)),
    DetectorSet("llvip", unlabelled=("bicycle", "car")),
    DetectorSet("m3svd", unlabelled=CLASSES),
    DetectorSet("pennfudan", ir=False, unlabelled=("bicycle", "car")),
    DetectorSet("openimages_vehicles", ir=False, unlabelled=("person", "bicycle")),
)


@dataclass
class Views:
    """The images of one frame, by kind (rgb, thermal, fused, hard, ...), under one set of boxes."""

    name: str
    images: dict[str, Image]
    boxes: Boxes = field(default_factory=lambda: np.zeros((0, 5), np.float32))


def frames(
    root: Path, each: DetectorSet, fuse: Fuse, judge: Judge, validation: bool, seed: int = 0
) -> Iterator[Views]:
    """The frames of one folder with their views and boxes; none where the folder is absent.

    Those that train also get a fused view of a degraded pair. Raises TrainingError for a broken file.
    """
    folder = root / each.name
    cameras = [name for name, there in (("vis", each.vis), ("ir", each.ir)) if there]
    if not all((folder / camera).is_dir() for camera in cameras):
        return
    names = class_names(folder / "classes.txt")
    out = held_out()
    for number, path in enumerate(sorted((folder / cameras[0]).iterdir())):
        name = f"{each.name}/{path.stem}"
        if (name in out) != validation:
            continue
        rgb = read_image(folder / "vis", path.stem) if each.vis else None
        thermal = read_image(folder / "ir", path.stem) if each.ir else None
        views = Views(name, {})
        rng = np.random.default_rng((seed, number))
        if rgb is not None:
            views.images["rgb"] = rgb
        if thermal is not None:
            views.images["thermal"] = thermal
        if rgb is not None and thermal is not None:
            _add_fused(views, rgb, thermal, fuse, rng, hard=not validation)
        elif each.small_vis and number % 2 == 0 and not validation:
            small = read_image(root / each.small_vis / "vis", path.stem)
            size = (thermal.shape[1], thermal.shape[0])  # type: ignore[union-attr]
            wide = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)
            views.images["fused"] = fuse(wide, thermal[..., 0], 1)  # type: ignore[index]
        label = folder / "boxes" / f"{path.stem}.txt"
        unknown = each.unlabelled if label.is_file() else CLASSES
        given = read_boxes(label, names) if label.is_file() else np.zeros((0, 5), np.float32)
        views.boxes = np.concatenate((given, judged(views.images.values(), judge, unknown, given)))
        yield views


def simulated(seeds: range, times: tuple[float, ...], fuse: Fuse) -> Iterator[Views]:
    """Rendered streets with ground truth, as a noisy colour camera and a thermal camera see them."""
    for seed in seeds:
        street = StreetSequence(640, 480, seed, smoke=(0.0, 1.0, 2.0)[seed % 3])
        sensor = RgbSensor(640, 480, seed, 1.0)
        for index, time in enumerate(times):
            shot = street.render(time)
            low, high = np.percentile(shot.temperature, (0.5, 99.8))
            grey = np.clip((shot.temperature - low) / max(float(high - low), 1.0) * 255, 0, 255)
            thermal = grey.astype(np.uint8)
            rgb = sensor.expose(shot.rgb, index)
            boxes = [_normalised(o.class_name, o.box) for o in shot.objects if o.visible > 0.3]
            views = Views(f"simulator/{seed}-{time:g}", {"rgb": rgb, "thermal": np.dstack([thermal] * 3)})
            views.images["fused"] = fuse(rgb, thermal, 1)
            views.boxes = np.asarray(boxes, np.float32).reshape(-1, 5)
            yield views


def write(views: Views, folder: Path, split: str) -> int:
    """Store every view as JPEG and its labels as YOLO text; returns the number of images."""
    for kind, image in views.images.items():
        stem = f"{views.name.replace('/', '_')}_{kind}"
        scale = LARGEST / max(image.shape[:2])
        if scale < 1:
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        pictures, labels = folder / "images" / split, folder / "labels" / split
        pictures.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(pictures / f"{stem}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95]):
            raise TrainingError(f"{pictures / stem}.jpg: cannot be written")
        rows = [f"{int(c)} {x:.6f} {y:.6f} {w:.6f} {h:.6f}" for c, x, y, w, h in views.boxes]
        (labels / f"{stem}.txt").write_text("\n".join(rows))
    return len(views.images)


def read_boxes(path: Path, names: list[str]) -> Boxes:
    """YOLO text -> (K, 5) with the numbers of CLASSES; others are left out. Raises TrainingError."""
    rows = [[CLASSES.index(name), *box] for name, *box in box_lines(path, names) if name in CLASSES]
    return np.asarray(rows, np.float32).reshape(-1, 5)


def judged(images: Any, judge: Judge, classes: tuple[str, ...], given: Boxes) -> Boxes:
    """What the judge is sure of in any of the images, of these classes, and not among the given boxes."""
    if not classes:
        return np.zeros((0, 5), np.float32)
    found = [judge(image) for image in images]
    boxes = np.concatenate([each for each, _ in found])
    scores = np.concatenate([each for _, each in found])
    wanted = [CLASSES.index(name) for name in classes]
    sure = (scores >= JUDGE_SURE) & np.isin(boxes[:, 0], wanted)
    order = np.argsort(-scores[sure], kind="stable")
    kept: list[NDArray[np.float32]] = []
    for box in boxes[sure][order]:
        others = [*kept, *given]
        same = np.asarray([other for other in others if other[0] == box[0]], np.float32).reshape(-1, 5)
        if (overlaps(_corners(box[None]), _corners(same)) < _ONE_OBJECT).all():
            kept.append(box)
    return np.asarray(kept, np.float32).reshape(-1, 5)


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(K, 5) class, x, y, w, h -> (K, 4) x0, y0, x1, y1."""
    middle, half = boxes[:, 1:3], boxes[:, 3:5] / 2
    return np.concatenate((middle - half, middle + half), axis=1)


def _add_fused(
    views: Views, rgb: Image, thermal: Image, fuse: Fuse, rng: np.random.Generator, hard: bool
) -> None:
    grey = np.ascontiguousarray(thermal[..., 0])
    views.images["fused"] = fuse(rgb, grey, 1)
    if hard:
        visible, warm, _ = degrade_bytes(rgb, grey, draw(rng))
        views.images["hard"] = fuse(visible, warm, 2)


def _normalised(name: str, box: tuple[int, int, int, int]) -> tuple[float, ...]:
    x0, y0, x1, y1 = box
    return (CLASSES.index(name), (x0 + x1) / 1280, (y0 + y1) / 960, (x1 - x0) / 640, (y1 - y0) / 480)


def build(
    root: Path,
    folder: Path,
    fuse: Fuse,
    judge: Judge,
    told: Callable[[str], None],
    streets: range = range(48),
) -> None:
    """Write all images and labels below `folder`, as ultralytics lays them out. Raises TrainingError."""
    counts = {"train": 0, "val": 0}
    for each in SETS:
        before = dict(counts)
        for split, validation in zip(SPLITS, (False, True), strict=True):
            for views in frames(root, each, fuse, judge, validation):
                counts[split] += write(views, folder, split)
        told(f"{each.name}: {counts['train'] - before['train']} + {counts['val'] - before['val']} images")
    if not counts["train"]:
        raise TrainingError(f"{root}: none of {', '.join(each.name for each in SETS)} is there")
    for views in simulated(streets, (1.0, 4.0, 7.0), fuse):
        counts["train"] += write(views, folder, "train")
    told(f"{counts['train']} images train, {counts['val']} do not")
