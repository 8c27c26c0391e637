"""Where pairs come from: one pair of folders, or whole data folders, several in one call."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.image_files import Pair, find_pairs, only_listed


@dataclass(frozen=True)
class PairSet:
    """Pairs of one folder. boxes: its label files, where there are any."""

    name: str
    pairs: tuple[Pair, ...]
    boxes: Path | None = None


def add_pair_arguments(parser: argparse.ArgumentParser, kind: str = "image or directory of images") -> None:
    """--rgb, --thermal, --set, --only."""
    parser.add_argument("--rgb", type=Path, metavar="PATH", help=f"colour: {kind}")
    parser.add_argument("--thermal", type=Path, metavar="PATH", help=f"thermal: {kind}, of the same names")
    parser.add_argument(
        "--set",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="instead of these two: a folder with vis/ and ir/ in it; may be given several times",
    )
    parser.add_argument(
        "--only", type=Path, metavar="LIST", help="use only the stems listed (set/stem lines)"
    )


def check_pair_arguments(args: argparse.Namespace, needed: bool = True) -> None:
    """Raises CliError unless there is --rgb with --thermal, or --set; or neither where not `needed`."""
    if (args.rgb is None) != (args.thermal is None):
        raise CliError("--rgb and --thermal: give both")
    if args.rgb is not None and args.set:
        raise CliError("--set: takes the place of --rgb and --thermal, give one or the other")
    if needed and args.rgb is None and not args.set:
        raise CliError("nothing to look at: give --rgb and --thermal, or --set")


def pair_sets(args: argparse.Namespace, boxes: Path | None = None) -> list[PairSet]:
    """The pairs asked for, by folder. boxes: labels of the --rgb and --thermal pairs. Raises CliError."""
    if args.rgb is not None:
        found = only_listed(find_pairs(args.rgb, args.thermal), args.only)
        return [PairSet(args.rgb.resolve().parent.name, found.pairs, boxes)]
    sets = []
    for folder in args.set:
        found = only_listed(find_pairs(folder / "vis", folder / "ir"), args.only)
        labels = folder / "boxes"
        sets.append(PairSet(folder.resolve().name, found.pairs, labels if labels.is_dir() else None))
    if len({each.name for each in sets}) < len(sets):
        raise CliError("--set: two folders have the same name")
    return sets
