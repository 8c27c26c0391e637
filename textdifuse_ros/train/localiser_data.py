"""Frames with pixel labels for the localiser: all sets with boxes, one camera or both, and the simulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.simulation.geometry import EYE_HEIGHT
from textdifuse_ros.simulation.layout import MAX_DEPTH
from textdifuse_ros.simulation.sequence import StreetSequence
from textdifuse_ros.train.localiser_labels import (
    OBJECTS,
    Image,
    Labels,
    add_box,
    add_surroundings,
    empty,
    inside,
)
from textdifuse_ros.train.localiser_teachers import Teachers
from textdifuse_ros.train.stills import box_lines, class_names, held_out, read_image, resized

HIGH = 240  # pixels of a stored frame; examples are cut out of it at random scales
# What the boxes of a class may also show, to another labeller.
_PERHAPS = {
    "car": ("bus", "truck"), "bicycle": ("motorcycle",), "ambulance": ("car", "bus", "truck"),
    "truck": ("car",),
}  # fmt: skip


@dataclass(frozen=True)
class LocaliserSet:
    """One folder. vis, ir: whether it has these; unboxed: the concepts that are in its pictures
    without boxes, and so unknown; others without boxes are not there.

    share: how often it is drawn; sky: whether its thermal contrast shows the sky; wide: as DataSet.widen.
    finer: a folder that holds thermal images of the same frames at a higher resolution.
    outlined: the folder of visible images with which the teachers' segmenter looks at it, "" where it does
    not: it was trained on one pair of cameras and sees little through others.
    """

    name: str
    share: float
    unboxed: tuple[str, ...] = ()
    vis: bool = True
    ir: bool = True
    wide: bool = False
    sky: bool = False
    finer: str = ""
    outlined: str = ""


_ALL_BUT_PERSONS = tuple(name for name in OBJECTS if name != "person")
SETS = (
    LocaliserSet("msrs128", 0.30, wide=True, finer="msrs_thermal", outlined="msrs128"),
    LocaliserSet("msrs", 0.05, outlined="msrs"),
    LocaliserSet("msrs_thermal", 0.10, vis=False, outlined="msrs128"),
    LocaliserSet("roadscene", 0.16, ("motorcycle", "bus", "truck"), sky=True),
    LocaliserSet("m3fd", 0.07, ("bicycle",), sky=True),
    LocaliserSet("llvip", 0.03, _ALL_BUT_PERSONS),
    LocaliserSet("pennfudan", 0.06, _ALL_BUT_PERSONS, ir=False),
    LocaliserSet("openimages_vehicles", 0.15, ("person", "bicycle"), ir=False),
)
SIMULATED = "simulator"
SIMULATED_SHARE = 0.08
VALIDATION_SEEDS = (900, 901, 902, 903)  # streets that never train


@dataclass(frozen=True)
class Frame:
    """rgb uint8 (H, W, 3) and thermal uint8 (H, W), black where the camera is absent; labels of SEEN."""

    name: str
    rgb: Image
    thermal: Image
    has_rgb: bool
    has_thermal: bool
    labels: Labels


def load_set(
    root: Path, each: LocaliserSet, validation: bool = False, teachers: Teachers | None = None
) -> Iterator[Frame]:
    """Labelled frames of one folder, those of the validation list or all others; none where it is absent.

    teachers: who else has a word in the labels; None for boxes and rules alone, which everything is measured
    against. Raises TrainingError for a broken file.
    """
    folder = root / each.name
    if not all((folder / camera).is_dir() for camera in _cameras(each)):
        return
    names = class_names(folder / "classes.txt")
    out = held_out()
    for path in sorted((folder / _cameras(each)[0]).iterdir()):
        boxes = folder / "boxes" / f"{path.stem}.txt"
        if (f"{each.name}/{path.stem}" in out) == validation and boxes.is_file():
            yield _frame(folder, path.stem, each, names, boxes, teachers or Teachers())


def simulated(seeds: tuple[int, ...], times: tuple[float, ...]) -> Iterator[Frame]:
    """Rendered streets with ground truth: persons, cars, ground and sky; no other vehicle is there."""
    for seed in seeds:
        width = HIGH * 4 // 3
        street = StreetSequence(width, HIGH, seed, smoke=(0.0, 1.0, 2.0)[seed % 3])
        for time in times:
            shot = street.render(time)
            labels = empty(HIGH, width)
            labels.mark("person", shot.mask == 1)
            labels.mark("car", shot.mask == 2)
            below = np.maximum(np.arange(HIGH)[:, None] + 0.5 - street.camera.cy, 1e-3)
            ground = EYE_HEIGHT * street.camera.focal / below
            labels.mark("road", (shot.mask == 0) & (np.abs(shot.depth - ground) < 0.03 * ground))
            labels.mark("sky", shot.depth >= MAX_DEPTH)
            low, high = np.percentile(shot.temperature, (0.5, 99.8))
            thermal = (shot.temperature - low) / max(float(high - low), 1.0) * 255
            warm = np.clip(thermal, 0, 255).astype(np.uint8)
            yield Frame(f"{SIMULATED}/{seed}-{time:g}", shot.rgb, warm, True, True, labels)


def _cameras(each: LocaliserSet) -> tuple[str, ...]:
    return tuple(name for name, there in (("vis", each.vis), ("ir", each.ir)) if there)


def _pictures(folder: Path, stem: str, each: LocaliserSet) -> dict[str, Image]:
    places = {camera: folder / camera for camera in _cameras(each)}
    finer = folder.parent / each.finer / "ir"
    if each.finer and any(finer.glob(f"{stem}.*")):
        places["ir"] = finer
    return {camera: read_image(place, stem) for camera, place in places.items()}


def _frame(
    folder: Path, stem: str, each: LocaliserSet, names: list[str], boxes: Path, teachers: Teachers
) -> Frame:
    pictures = _pictures(folder, stem, each)
    shape = next(iter(pictures.values())).shape
    width = round(HIGH * (4 / 3 if each.wide else shape[1] / shape[0]))
    sized = {camera: resized(picture, (width, HIGH)) for camera, picture in pictures.items()}
    rgb = sized.get("vis", np.zeros((HIGH, width, 3), np.uint8))
    thermal: Image = np.zeros((HIGH, width), np.uint8)
    if each.ir:
        thermal = np.asarray(cv2.cvtColor(sized["ir"], cv2.COLOR_RGB2GRAY), np.uint8)
    labels = empty(HIGH, width)
    view = _view(rgb, thermal, each)
    outlines = _outlines(folder, stem, each, teachers, pictures, (width, HIGH))
    for name, corners in _boxes(boxes, names, width):
        if name in OBJECTS:
            add_box(labels, name, corners, view, outlines.get(name))
        for concept in _PERHAPS.get(name, ()):
            labels.doubt(concept, inside(labels, corners))
    for concept, where in outlines.items():  # those that nobody drew a box around
        labels.doubt(concept, where)
    _add_unboxed(labels, each, teachers, pictures.get("vis"), view)
    if each.ir:
        add_surroundings(labels, thermal, each.sky)
    else:
        labels.doubt("road", slice(None))
        labels.doubt("sky", slice(None))
    return Frame(f"{each.name}/{stem}", rgb, thermal, each.vis, each.ir, labels)


def _outlines(
    folder: Path,
    stem: str,
    each: LocaliserSet,
    teachers: Teachers,
    pictures: Mapping[str, Image],
    size: tuple[int, int],
) -> dict[str, NDArray[np.bool_]]:
    """Where the segmenter sees each class, bool of the labels' size; nothing where it does not look."""
    visible = folder.parent / each.outlined / "vis"
    if teachers.segmenter is None or not each.outlined or not any(visible.glob(f"{stem}.*")):
        return {}
    rgb = pictures["vis"] if each.vis else read_image(visible, stem)
    thermal = np.asarray(cv2.cvtColor(pictures["ir"], cv2.COLOR_RGB2GRAY), np.uint8)
    return {
        name: np.asarray(cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5)
        for name, where in teachers.segmenter(rgb, thermal).items()
    }


def _add_unboxed(
    labels: Labels, each: LocaliserSet, teachers: Teachers, rgb: Image | None, view: Image
) -> None:
    """What the set left without boxes: there where the detector is sure of it, unknown where it is not, and
    not there where it sees none, unless a second camera may.
    """
    if teachers.detector is None or each.ir:
        for concept in each.unboxed:
            labels.doubt(concept, slice(None))
    if rgb is None:
        return
    height, width = labels.there.shape
    for concept, sure, shares in teachers.boxes(rgb, each.unboxed):
        corners = (shares * (width, height, width, height)).tolist()
        if sure:
            add_box(labels, concept, corners, view)
        else:
            labels.doubt(concept, inside(labels, corners))


def _view(rgb: Image, thermal: Image, each: LocaliserSet) -> Image:
    """What GrabCut looks at: the visible luminance and red, and heat, or the one camera that there is."""
    if not each.ir:
        return rgb
    if not each.vis:
        return np.repeat(thermal[..., None], 3, axis=2)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(np.stack((grey, thermal, thermal), axis=2), np.uint8)


def _boxes(path: Path, names: list[str], width: int) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Class and corners in pixels of every box. Raises TrainingError with the line."""
    size: NDArray[Any] = np.array([width, HIGH, width, HIGH])
    for name, x, y, w, h in box_lines(path, names):
        yield (
            name,
            tuple((np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * size).tolist()),
        )
