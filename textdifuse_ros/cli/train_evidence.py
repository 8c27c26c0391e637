"""`textdifuse train-evidence`: train what tells a fault of the picture from how its scene is."""

from __future__ import annotations

import argparse
from pathlib import Path

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.train import follow, prepare_threads, read_fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with msrs128/, pennfudan/, ... inside"
    )
    parser.add_argument("--output", type=Path, required=True, help="examples and weights go here")
    parser.add_argument("--config", type=Path, help="JSON with any of the fields of EvidenceTraining")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override one field"
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    from textdifuse_ros.train.evidence import EvidenceTraining, train
    from textdifuse_ros.train.fields import FieldError, from_values

    prepare_threads(args)
    try:
        config = from_values(EvidenceTraining, read_fields(args.config, args.set))
    except FieldError as error:
        raise CliError(f"{args.config or '--set'}: {error}") from error
    return follow("train-evidence", lambda: train(args.data, args.output, config))
