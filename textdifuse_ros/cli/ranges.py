"""`textdifuse ranges`: what int8 arithmetic has to know of a student, measured, and kept in its weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.train import add_field_arguments, follow, load_network, prepare_threads, read_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE", help="a student's")
    parser.add_argument("--data", type=Path, required=True, help="folder with msrs/, roadscene/, ... inside")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the same with ranges")
    parser.add_argument(
        "--exact",
        default="",
        metavar="PARTS",
        help="layers that stay in full precision, by how their names begin (none)",
    )
    add_field_arguments(parser, "TrainConfig")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.train import ranges
    from textdifuse_ros.train.data import load_training

    prepare_threads(args)
    config = read_config(args.config, args.set)
    if load_network(args.weights, "--weights").config.start_noise:
        raise CliError(f"--weights {args.weights}: is a teacher's; int8 is for students")

    def measured() -> Path:
        exact = tuple(filter(None, args.exact.split(",")))
        sets = load_training(args.data, config.data_sets)
        return ranges.add(args.weights, args.output, sets, config, exact)

    return follow("ranges", measured)
