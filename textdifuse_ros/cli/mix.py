"""`textdifuse mix`: a weight file between two others of the same shape."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from textdifuse_ros.cli.errors import CliError, named_os_errors, training_errors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A", help="a weight file")
    parser.add_argument("second", type=Path, metavar="B", help="another one of the same shape")
    parser.add_argument("--share", type=float, required=True, metavar="S", help="of B; the rest is A's")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the mix goes")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    from textdifuse_ros.model.weights import WeightsError
    from textdifuse_ros.train.mix import mix

    if not 0 < args.share < 1:
        raise CliError(f"--share {args.share:g}: must lie between 0 (all of A) and 1 (all of B)")
    for name, path in (("A", args.first), ("B", args.second)):
        if not path.is_file():
            raise CliError(f"{name} {path}: no such file")
        if args.output.exists() and args.output.samefile(path):
            raise CliError(f"--output {args.output}: is {name} itself; take another name")
    try:
        with named_os_errors(), training_errors():
            left_out = mix(args.first, args.second, args.share, args.output)
    except WeightsError as error:
        raise CliError(str(error)) from error
    if left_out:
        print(
            f"{args.output}: has no ranges for int8, which are of the weights that they were measured on; "
            "`textdifuse ranges` measures them anew",
            file=sys.stderr,
        )
    print(args.output)
    return 0
