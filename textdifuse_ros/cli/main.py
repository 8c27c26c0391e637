"""`textdifuse`: one command, a module a subcommand."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

# name -> (module, help). Modules are imported only when their command runs: --help stays quick.
COMMANDS = {
    "fuse": ("textdifuse_ros.cli.fuse", "fuse image files or directories"),
    "explain": ("textdifuse_ros.cli.explain", "how a prompt is understood, or why it is refused"),
    "evaluate": ("textdifuse_ros.cli.evaluate", "EN, AG, SD, SCD, VIF, Qabf of fused images"),
    "compare": ("textdifuse_ros.cli.compare", "what a detector finds on each camera and on the fused image"),
    "restoration": ("textdifuse_ros.cli.restoration", "what restoration gives for each degradation"),
    "salience": ("textdifuse_ros.cli.salience", "does what a prompt names stand out, and the rest stay"),
    "wishes": ("textdifuse_ros.cli.wishes", "what each restoration wish moves, and what it leaves alone"),
    "prompts-sheet": ("textdifuse_ros.cli.prompts_sheet", "pairs before and after prompts, on one picture"),
    "steadiness": ("textdifuse_ros.cli.steadiness", "flicker on a clip, repeatability, locality"),
    "sheet": ("textdifuse_ros.cli.sheet", "contact sheet of pairs as every method shows them"),
    "bench": ("textdifuse_ros.cli.bench", "time the network on this machine"),
    "export": ("textdifuse_ros.cli.export", "the network as an ONNX file for other runtimes"),
    "calibrate": ("textdifuse_ros.cli.calibrate", "registration file from point pairs"),
    "train": ("textdifuse_ros.cli.train", "train the many-step teacher"),
    "locate": ("textdifuse_ros.cli.locate", "what the localiser `embedded` finds, knows and costs"),
    "train-localiser": ("textdifuse_ros.cli.train_localiser", "train what the localiser `embedded` finds"),
    "train-evidence": ("textdifuse_ros.cli.train_evidence", "train what tells a fault from a scene"),
    "train-veil": ("textdifuse_ros.cli.train_veil", "train what tells where smoke or fog lies"),
    "train-detector": ("textdifuse_ros.cli.train_detector", "train the YOLO model that ships"),
    "ranges": ("textdifuse_ros.cli.ranges", "prepare a student's weights for int8"),
    "mix": ("textdifuse_ros.cli.mix", "weights between two files of the same shape"),
    "distill": ("textdifuse_ros.cli.distill", "train the few-step student on the teacher"),
}


class OneLineParser(argparse.ArgumentParser):
    """Wrong words cost one line on stderr, as every other error does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """Parser with the arguments of `command` filled in; the others only by name and help."""
    parser = OneLineParser(prog="textdifuse", description="Fuse thermal and RGB images by prompt.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        if name == command:
            importlib.import_module(module).add_arguments(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 with one line on stderr that names the file and the reason."""
    from textdifuse_ros.cli.errors import CliError

    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in words if word in COMMANDS), None)
    args = build_parser(command).parse_args(words)
    try:
        return int(importlib.import_module(COMMANDS[args.command][0]).run(args))
    except CliError as error:
        print(f"textdifuse {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print(f"textdifuse {args.command}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
