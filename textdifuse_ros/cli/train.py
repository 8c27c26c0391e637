"""`textdifuse train`: train the teacher on a folder of pairs; stopped runs resume where they were."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from textdifuse_ros.cli.errors import CliError

if TYPE_CHECKING:
    from textdifuse_ros.model.network import FusionNetwork
    from textdifuse_ros.train.config import TrainConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser)
    parser.add_argument(
        "--initial", type=Path, metavar="FILE", help="weights to start from instead of chance"
    )


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """What `train` and `distill` have in common."""
    parser.add_argument("--data", type=Path, required=True, help="folder with msrs/, roadscene/, ... inside")
    parser.add_argument(
        "--models", type=Path, required=True, help="folder with the frozen detector of the loss"
    )
    parser.add_argument("--output", type=Path, required=True, help="checkpoints, log and weights go here")
    parser.add_argument("--config", type=Path, help="JSON with any of the fields of TrainConfig")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="override one field; model.FIELD for one of the network",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    from textdifuse_ros.train.teacher import train

    config = prepare(args)
    initial = load_network(args.initial) if args.initial else None
    try:
        print(train(args.data, args.models, args.output, config, initial))
    except FileNotFoundError as error:
        raise CliError(str(error)) from error
    return 0


def prepare(args: argparse.Namespace) -> TrainConfig:
    """Check what `add_training_arguments` took. Raises CliError."""
    import torch

    if not args.data.is_dir():
        raise CliError(f"{args.data}: no such folder")
    if args.threads:
        torch.set_num_threads(args.threads)
    fields = _read(args.config) if args.config else {}
    for text in args.set:
        name, value = _override(text)
        place, dot, inner = name.partition(".")
        if dot:
            nested = fields.setdefault(place, {})
            if not isinstance(nested, dict):
                raise CliError(f"--set {text}: {place} has no fields")
            nested[inner] = value
        else:
            fields[name] = value
    return _make_config(fields)


def load_network(path: Path) -> FusionNetwork:
    """Raises CliError."""
    from textdifuse_ros.model import weights

    try:
        return weights.load(path)
    except weights.WeightsError as error:
        raise CliError(str(error)) from error


def _make_config(fields: dict[str, object]) -> TrainConfig:
    from textdifuse_ros.train.config import TrainConfig, teacher_model

    known = {field.name for field in dataclasses.fields(TrainConfig)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise CliError(f"no such field: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    model = fields.pop("model", {})
    if not isinstance(model, dict):
        raise CliError("model: must be an object with fields of ModelConfig")
    shape = {name: tuple(value) if isinstance(value, list) else value for name, value in model.items()}
    try:
        return TrainConfig(**fields, model=teacher_model(**shape))  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise CliError(f"model: {error}") from error


def _read(path: Path) -> dict[str, object]:
    try:
        fields = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise CliError(f"{path}: {error}") from error
    if not isinstance(fields, dict):
        raise CliError(f"{path}: not a JSON object")
    return fields


def _override(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CliError(f"--set {text}: write FIELD=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
