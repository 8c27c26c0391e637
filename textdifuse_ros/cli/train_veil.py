"""`textdifuse train-veil`: train what tells where smoke or fog lies."""

from __future__ import annotations

import argparse

from textdifuse_ros.cli.train import add_image_training_arguments, follow, prepare_threads, read_fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image_training_arguments(parser, "VeilTraining", "checkpoints, log and weights go here")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.train.veil import VeilTraining, train

    prepare_threads(args)
    config = read_fields(VeilTraining, args)
    return follow("train-veil", lambda: train(args.data, args.output, config))
