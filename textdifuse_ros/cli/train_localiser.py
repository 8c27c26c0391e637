"""`textdifuse train-localiser`: train what the localiser `embedded` sees and knows; stopped runs resume."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.train import add_field_arguments, follow, load_network, prepare_threads, read_fields

if TYPE_CHECKING:
    from textdifuse_ros.model.network import FusionNetwork
    from textdifuse_ros.text.embedded_network import LocaliserNetwork


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with msrs128/, roadscene/, ... inside"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="frames, checkpoints, log and weights go here"
    )
    add_field_arguments(parser, "LocaliserTraining")
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="fusion weights to start from (the shipped student's), or a localiser's to train on",
    )
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="folder with a segmenter and a detector for outlines and for what has no boxes (mfnet_seg9.pth, "
        "yolov8n_int8.tflite); without it both come from boxes alone",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.model import weights
    from textdifuse_ros.text import embedded_weights
    from textdifuse_ros.text.localiser import LocaliserError
    from textdifuse_ros.train import localiser_teachers
    from textdifuse_ros.train.localiser import train
    from textdifuse_ros.train.localiser_config import LocaliserTraining

    prepare_threads(args)
    config = read_fields(LocaliserTraining, args)
    path = args.initial or weights.SHIPPED
    initial: FusionNetwork | LocaliserNetwork
    try:
        if embedded_weights.is_localiser(path):
            initial = embedded_weights.load_network(path)
        else:
            initial = load_network(path, "--initial")
        return follow(
            "train-localiser",
            lambda: train(args.data, args.output, config, initial, localiser_teachers.load(args.models)),
        )
    except LocaliserError as error:
        raise CliError(str(error)) from error
