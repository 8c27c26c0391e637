"""`textdifuse train-veil`: train what tells where smoke or fog lies."""

from __future__ import annotations

import argparse
from pathlib import Path

from textdifuse_ros.cli.train import add_field_arguments, follow, prepare_threads, read_fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with msrs128/, pennfudan/, ... inside"
    )
    parser.add_argument("--output", type=Path, required=True, help="checkpoints, log and weights go here")
    add_field_arguments(parser, "VeilTraining")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.train.veil import VeilTraining, train

    prepare_threads(args)
    config = read_fields(VeilTraining, args)
    return follow("train-veil", lambda: train(args.data, args.output, config))
