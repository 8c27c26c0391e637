"""Frames for a detector: clips, pairs, and pairs with labels of persons and cars."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.clip_pairs import VIDEO_SUFFIXES, clip_pairs
from textdifuse_ros.cli.errors import CliError, training_errors
from textdifuse_ros.cli.image_files import read_pair
from textdifuse_ros.cli.pair_sets import PairSet, pair_sets
from textdifuse_ros.evaluation.detection_table import CLASSES
from textdifuse_ros.train.stills import box_lines, class_names, known_as

Bytes = NDArray[np.uint8]
EVERY = 10  # frames of a clip, of which one is looked at
Truth = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Frame:
    """rgb uint8 (H, W, 3), thermal uint8 (H, W), truth: class -> (M, 4) corners in pixels.

    A class that nobody labelled is not in `truth`. folder, file: where it came from.
    """

    folder: str
    file: Path
    rgb: Bytes
    thermal: Bytes
    truth: Truth = field(default_factory=dict)


def is_clip(args: argparse.Namespace) -> bool:
    """Whether --rgb names a video file."""
    return args.rgb is not None and args.rgb.suffix.lower() in VIDEO_SUFFIXES


def frames(args: argparse.Namespace, sets: list[PairSet]) -> Iterator[Frame]:
    """Every Nth frame of the clips, or the pairs of `sets`. Raises CliError."""
    if is_clip(args):
        for rgb, thermal in clip_pairs(args.rgb, args.thermal, args.every or EVERY):
            yield Frame(args.rgb.name, args.rgb, rgb, thermal)
        return
    for each in sets:
        names = _class_names(each.boxes) if each.boxes else []
        for pair in each.pairs:
            rgb, thermal = read_pair(pair)
            truth = read_truth(each.boxes / f"{pair.stem}.txt", names, rgb.shape) if each.boxes else {}
            yield Frame(each.name, pair.rgb, rgb, thermal, truth)


def labelled_sets(args: argparse.Namespace) -> list[PairSet]:
    """The pairs that compare is asked for; none for clips. Raises CliError."""
    if is_clip(args):
        return []
    if args.boxes is not None and args.set:
        raise CliError("--boxes: belongs to --rgb and --thermal; a --set has its own boxes/")
    return pair_sets(args, args.boxes)


def read_truth(path: Path, names: list[str], shape: tuple[int, ...]) -> Truth:
    """YOLO text to corners. Nothing for a frame without a file, or for classes that `names` does not have:
    they were not labelled. An empty file says that nothing is there. Raises CliError.
    """
    if not path.is_file():
        return {}
    known = {known_as(name) for name in names}
    rows: dict[str, list[list[float]]] = {name: [] for name in CLASSES if name in known}
    high, wide = shape[:2]
    with training_errors():
        for name, x, y, w, h in box_lines(path, names):
            if name in rows:
                rows[name].append(
                    [(x - w / 2) * wide, (y - h / 2) * high, (x + w / 2) * wide, (y + h / 2) * high]
                )
    return {name: np.asarray(each, np.float64).reshape(-1, 4) for name, each in rows.items()}


def _class_names(boxes: Path) -> list[str]:
    path = boxes.parent / "classes.txt"
    if not path.is_file():
        raise CliError(f"{path}: is missing; it names the classes of {boxes}, one a line")
    with training_errors():
        return class_names(path)
