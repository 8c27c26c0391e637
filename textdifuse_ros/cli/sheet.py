"""`textdifuse sheet`: pairs and frames of clips as every method shows them, on one picture."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.clip_pairs import clip_pairs
from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.image_files import Pair, read_pair, write_png
from textdifuse_ros.cli.methods import (
    CAMERAS,
    add_method_argument,
    add_teacher_argument,
    choose,
    make_methods,
    parse_steps,
)
from textdifuse_ros.cli.model_options import TEACHER, add_engine_arguments, add_fusion_arguments
from textdifuse_ros.cli.pair_sets import add_pair_arguments, check_pair_arguments, pair_sets
from textdifuse_ros.cli.spoiling import parse_spoil, spoil
from textdifuse_ros.evaluation.baselines import BASELINES
from textdifuse_ros.evaluation.contact_sheet import SheetRow, draw, fitted

Bytes = NDArray[np.uint8]
Scene = tuple[str, Path, Bytes, Bytes]  # caption, file, RGB, thermal
EVERYTHING = (*CAMERAS, *BASELINES, TEACHER, "1", "2")
MOST_ROWS = 16
T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_pair_arguments(parser)
    parser.add_argument(
        "--frame",
        nargs=3,
        action="append",
        default=[],
        metavar=("RGB", "THERMAL", "INDEX"),
        help="also a frame of two clips, counted from 0; may be given several times",
    )
    parser.add_argument(
        "--spoil",
        action="append",
        default=[],
        metavar="NAME[:STRENGTH]",
        help="show each scene degraded, too, as training does it: fog, low_light:0.5, ...; may be given "
        "several times",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="PNG", help="the sheet")
    add_method_argument(parser, EVERYTHING, "all", "--columns")
    add_fusion_arguments(parser, several=True)
    add_teacher_argument(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    check_pair_arguments(args, needed=not args.frame)
    choices = choose(args.columns, parse_steps(args.steps), EVERYTHING, "--columns")
    if args.output.suffix.lower() != ".png":
        raise CliError(f"{args.output}: --output is written as PNG: give it a name that ends in .png")
    frames = [_clip_frame(*words) for words in args.frame]
    spoils = [parse_spoil(text) for text in args.spoil]
    most = MOST_ROWS // (1 + len(spoils))
    if len(frames) > most or most == 0:
        what = (
            f"{len(frames)} --frame and {len(spoils)} --spoil"
            if spoils
            else f"--frame: {len(frames)} of them"
        )
        raise CliError(f"{what}, a sheet has {MOST_ROWS} rows at most")
    found = [(each.name, pair) for each in pair_sets(args) for pair in each.pairs]
    pairs = spread(found, most - len(frames))
    methods = make_methods(choices, args)
    rows = []
    for caption, file, rgb, thermal in _spoilt(_scenes(pairs, frames), spoils):
        with named_value_errors(file):
            rows.append(SheetRow(caption, [fitted(method.fuse(rgb, thermal)) for method in methods]))
    write_png(args.output, draw([method.name for method in methods], rows))
    left_out = f", {len(found)} pairs thinned out to {len(pairs)}" if len(pairs) < len(found) else ""
    print(f"{len(rows)} rows into {args.output}{left_out}")
    for method in methods:
        if method.made_by:
            print(f"{method.name}: {method.made_by}")
    return 0


def spread(found: Sequence[T], most: int) -> list[T]:
    """All of them, or `most` at even distances from the first to the last."""
    if len(found) <= most:
        return list(found)
    return [found[index] for index in np.linspace(0, len(found) - 1, most).round().astype(int)]


def _scenes(pairs: Sequence[tuple[str, Pair]], frames: Sequence[tuple[Path, Path, int]]) -> Iterator[Scene]:
    for name, pair in pairs:
        yield f"{name}/{pair.stem}", pair.rgb, *read_pair(pair)
    for rgb, thermal, index in frames:
        pair_of_frames = next(itertools.islice(clip_pairs(rgb, thermal), index, None), None)
        if pair_of_frames is None:
            raise CliError(f"{rgb} and {thermal}: have no frame {index} together")
        yield f"{rgb.name} frame {index}", rgb, *pair_of_frames


def _spoilt(scenes: Iterator[Scene], spoils: Sequence[tuple[str, float]]) -> Iterator[Scene]:
    """Each scene as it is, then degraded in every way."""
    for caption, file, rgb, thermal in scenes:
        yield caption, file, rgb, thermal
        for name, strength in spoils:
            yield f"{caption}, {name} {strength:g}", file, *spoil(name, strength, file.stem, rgb, thermal)


def _clip_frame(rgb: str, thermal: str, index: str) -> tuple[Path, Path, int]:
    if not index.isdecimal():
        raise CliError(f"--frame {rgb} {thermal} {index}: the last word is a number from 0 on")
    return Path(rgb), Path(thermal), int(index)
