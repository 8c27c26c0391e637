"""The labelled pairs that never train, for the commands that judge prompts on them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError, training_errors

if TYPE_CHECKING:
    from textdifuse_ros.train.data import Pair

_ENLARGED = 2  # sets stored small and squashed are shown at twice their size, as training sees them


def add_data_arguments(parser: argparse.ArgumentParser, pairs: int) -> None:
    """--data, --sets, --pairs. pairs: how many at most without --pairs, 0 for all."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of data sets")
    parser.add_argument(
        "--sets",
        default="",
        metavar="NAME[,NAME]",
        help="only these sets (without it, all but those that are stored squashed)",
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=pairs,
        metavar="N",
        help=f"at most so many, at even distances; 0 for all ({pairs})",
    )


def validation_pairs(args: argparse.Namespace, labelled: bool) -> list[Pair]:
    """What add_data_arguments asks for, in the order of the sets and names. Raises CliError.

    labelled: only pairs with boxes.
    """
    from textdifuse_ros.train.data import DATA_SETS, load_folder
    from textdifuse_ros.train.stills import validation_names

    if args.pairs < 0:
        raise CliError(f"--pairs {args.pairs}: must be 0 or more")
    known = {each.name: each for each in DATA_SETS}
    wanted = [n.strip() for n in args.sets.split(",")] if args.sets else _as_they_are(known)
    for name in wanted:
        if name not in known:
            raise CliError(f"--sets {name!r}: use {', '.join(known)}")
    held_out = validation_names()
    found = []
    with training_errors():
        for name in wanted:
            pairs = load_folder(args.data, known[name], names=held_out)
            found += [_enlarged(pair) if known[name].widen else pair for pair in pairs]
    found = [pair for pair in found if len(pair.boxes) or not labelled]
    if not found:
        raise CliError(
            f"{args.data}: holds no {'labelled ' if labelled else ''}validation pair of {', '.join(wanted)}, "
            "each a folder with vis/ and ir/ inside"
        )
    if args.pairs and len(found) > args.pairs:
        found = [found[i] for i in np.linspace(0, len(found) - 1, args.pairs).round().astype(int)]
    return found


def corners(pair: Pair, coco: int | None = None) -> NDArray[np.float64]:
    """Boxes of a COCO class, or of all: (K, 4) corners x0, y0, x1, y1 in pixels."""
    high, wide = pair.thermal.shape
    boxes = pair.boxes.astype(np.float64)
    chosen = boxes if coco is None else boxes[boxes[:, 0] == coco]
    middle, size = chosen[:, 1:3] * (wide, high), chosen[:, 3:5] * (wide, high)
    return np.concatenate((middle - size / 2, middle + size / 2), axis=1)


def _as_they_are(known: dict[str, Any]) -> list[str]:
    return [name for name, each in known.items() if not each.widen]


def _enlarged(pair: Pair) -> Pair:
    from textdifuse_ros.train.data import Pair as Made

    high, wide = pair.thermal.shape
    size = (_ENLARGED * wide, _ENLARGED * high)
    visible: Any = cv2.resize(pair.visible, size, interpolation=cv2.INTER_CUBIC)
    thermal: Any = cv2.resize(pair.thermal, size, interpolation=cv2.INTER_CUBIC)
    return Made(pair.name, visible, thermal, pair.boxes)
