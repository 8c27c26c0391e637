"""`textdifuse train-evidence`: train what tells a fault of the picture from how its scene is."""

from __future__ import annotations

import argparse

from textdifuse_ros.cli.train import add_image_training_arguments, follow, prepare_threads, read_fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image_training_arguments(parser, "EvidenceTraining", "examples and weights go here")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.train.evidence import EvidenceTraining, train

    prepare_threads(args)
    config = read_fields(EvidenceTraining, args)
    return follow("train-evidence", lambda: train(args.data, args.output, config))
