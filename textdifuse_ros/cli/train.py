"""`textdifuse train`: train the teacher on a folder of pairs; stopped runs resume where they were."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.threads import set_threads

if TYPE_CHECKING:
    from textdifuse_ros.model.network import FusionNetwork
    from textdifuse_ros.train.config import TrainConfig

Kind = TypeVar("Kind")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser)
    parser.add_argument(
        "--initial", type=Path, metavar="FILE", help="weights to start from instead of chance"
    )


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """What `train` and `distill` have in common."""
    parser.add_argument("--data", type=Path, required=True, help="folder with msrs/, roadscene/, ... inside")
    parser.add_argument(
        "--models", type=Path, help="folder with the detector of the loss; not needed with detector_weight 0"
    )
    parser.add_argument("--output", type=Path, required=True, help="checkpoints, logs and weights go here")
    parser.add_argument("--config", type=Path, help="JSON with any of the fields of TrainConfig")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="override one field; model.FIELD for one of the network",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def add_field_arguments(parser: argparse.ArgumentParser, kind: str) -> None:
    """How the fields of a configuration are given. kind: its name."""
    parser.add_argument("--config", type=Path, help=f"JSON with any of the fields of {kind}")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override one field"
    )


def add_image_training_arguments(parser: argparse.ArgumentParser, kind: str, output: str) -> None:
    """Of a training that takes images alone. kind: name of its configuration; output: what goes there."""
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with msrs128/, pennfudan/, ... inside"
    )
    parser.add_argument("--output", type=Path, required=True, help=output)
    add_field_arguments(parser, kind)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.train.teacher import train

    config = prepare(args, "train")
    initial = load_network(args.initial, "--initial") if args.initial else None
    return follow("train", lambda: train(args.data, args.models, args.output, config, initial))


def follow(command: str, training: Callable[[], Path]) -> int:
    """Run a training to its end. Exit status 0, or 130 after a signal. Raises CliError.

    The weight file is printed, by the first of several processes.
    """
    import torch

    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.train.distributed import is_first
    from textdifuse_ros.train.errors import Interrupted, TrainingError

    try:
        with named_os_errors():
            path = training()
    except Interrupted as interruption:
        if str(interruption):
            print(f"textdifuse {command}: {interruption}", file=sys.stderr)
        return 130
    except torch.OutOfMemoryError as error:
        raise CliError("the GPU's memory is full: lower batch, crop or bank") from error
    except (TrainingError, EngineError) as error:
        raise CliError(str(error)) from error
    if is_first():
        print(path)
    return 0


def prepare(args: argparse.Namespace, command: str) -> TrainConfig:
    """Check what `add_training_arguments` took, for "train" or "distill". Raises CliError."""
    prepare_threads(args)
    config = read_config(args.config, args.set)
    _check_used(args.set, command)
    return config


def _check_used(overrides: list[str], command: str) -> None:
    """Raises CliError for a field that this command would ignore. In a file, which both commands may share,
    it is no mistake; said for this very run it is one."""
    from textdifuse_ros.train.config import TrainConfig
    from textdifuse_ros.train.fields import rules_of

    rules = rules_of(TrainConfig)
    for text in overrides:
        rule = rules.get(text.partition("=")[0])
        if rule and rule.only not in ("", command):
            raise CliError(f"--set {text}: is of {rule.only} only and would do nothing here; leave it out")


def prepare_threads(args: argparse.Namespace) -> None:
    """Check --data and act on --threads. Raises CliError."""

    if not args.data.is_dir():
        raise CliError(f"--data {args.data}: no such folder")
    set_threads(args.threads)


def read_config(path: Path | None, overrides: list[str]) -> TrainConfig:
    """The configuration of a file, None for the defaults, with FIELD=VALUE texts on top. Raises CliError."""
    from textdifuse_ros.train.config import from_fields
    from textdifuse_ros.train.fields import FieldError

    fields: dict[str, object] = _read(path) if path else {}
    place = f"{path}"
    try:
        config = from_fields(fields)
        if overrides:
            place = "--set"
            for text in overrides:
                _override(fields, text)
            config = from_fields(fields)
        return config
    except FieldError as error:
        raise CliError(f"{place}: {error}") from error


def read_fields(kind: type[Kind], args: argparse.Namespace) -> Kind:
    """The configuration of this kind that `add_field_arguments` took. Raises CliError."""
    from textdifuse_ros.train.fields import FieldError, from_values

    fields: dict[str, object] = _read(args.config) if args.config else {}
    for text in args.set:
        _override(fields, text)
    try:
        return from_values(kind, fields)
    except FieldError as error:
        raise CliError(f"{args.config or '--set'}: {error}") from error


def load_network(path: Path, option: str) -> FusionNetwork:
    """The network of the file that an option names. Raises CliError."""
    from textdifuse_ros.model import weights

    if not path.is_file():
        raise CliError(f"{option} {path}: no such file")
    try:
        return weights.load(path)
    except weights.WeightsError as error:
        raise CliError(str(error)) from error


def _read(path: Path) -> dict[str, object]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CliError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise CliError(f"{path}: is not JSON ({error})") from error
    if not isinstance(fields, dict):
        raise CliError(f"{path}: must be a JSON object with fields of the training")
    return fields


def _override(fields: dict[str, object], text: str) -> None:
    """Put the value of FIELD=VALUE or model.FIELD=VALUE into the fields. Raises CliError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise CliError(f"--set {text}: write FIELD=VALUE")
    try:
        parsed: object = json.loads(value)
    except ValueError:
        parsed = value  # a text without quotes
    place, dot, inner = name.partition(".")
    if not dot:
        fields[name] = parsed
        return
    nested = fields.setdefault(place, {})
    if not isinstance(nested, dict):
        raise CliError(f"--set {text}: {place} has no fields")
    nested[inner] = parsed
