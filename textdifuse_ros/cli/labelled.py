"""Frames for a detector: clips, pairs, and pairs with labels of persons and cars."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.clip_pairs import VIDEO_SUFFIXES, clip_pairs
from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.image_files import read_pair
from textdifuse_ros.cli.pair_sets import PairSet, pair_sets

Bytes = NDArray[np.uint8]
Truth = dict[str, NDArray[np.float64]]
SAME = {"person": "person", "people": "person", "car": "car"}


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
        for rgb, thermal in clip_pairs(args.rgb, args.thermal, args.every):
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
    classes = {SAME[name.lower()] for name in names if name.lower() in SAME}
    rows: dict[str, list[list[float]]] = {name: [] for name in sorted(classes)}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            index, x, y, w, h = (float(word) for word in line.split())
            name = SAME.get(names[int(index)].lower())
        except (ValueError, IndexError) as error:
            raise CliError(f"{path}:{number}: not 'class x y w h' ({error})") from error
        if name:
            high, wide = shape[:2]
            rows[name].append(
                [(x - w / 2) * wide, (y - h / 2) * high, (x + w / 2) * wide, (y + h / 2) * high]
            )
    return {name: np.asarray(each, np.float64).reshape(-1, 4) for name, each in rows.items()}


def _class_names(boxes: Path) -> list[str]:
    path = boxes.parent / "classes.txt"
    if not path.is_file():
        raise CliError(f"{path}: is missing; it names the classes of {boxes}, one a line")
    return path.read_text().split()
