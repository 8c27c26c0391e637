"""`textdifuse distill`: train the few-step student on a teacher's results; stopped runs resume."""

from __future__ import annotations

import argparse
from pathlib import Path

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.train import add_training_arguments, follow, load_network, prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser)
    parser.add_argument("--teacher", type=Path, metavar="FILE", help="its weights (the shipped teacher)")
    parser.add_argument("--initial", type=Path, metavar="FILE", help="a student to go on from (the teacher)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.model import weights
    from textdifuse_ros.train.config import teacher_model
    from textdifuse_ros.train.distill import distill, student_model

    config = prepare(args, "distill")
    teacher = load_network(args.teacher or weights.TEACHER, "--teacher")
    if config.model not in (teacher_model(), teacher.config, student_model(teacher.config)):
        raise CliError("model: a student takes the shape of its teacher; leave model out")
    initial = load_network(args.initial, "--initial") if args.initial else None
    return follow("distill", lambda: distill(args.data, args.models, args.output, config, teacher, initial))
