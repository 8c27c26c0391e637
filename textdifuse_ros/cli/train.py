"""`textdifuse train`: train the student on a folder of pairs; stopped runs resume where they were."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from textdifuse_ros.cli.errors import CliError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with msrs/, roadscene/, ... inside")
    parser.add_argument(
        "--models", type=Path, required=True, help="folder with the frozen detector of the loss"
    )
    parser.add_argument("--output", type=Path, required=True, help="checkpoints, log and weights go here")
    parser.add_argument("--config", type=Path, help="JSON with any of the fields of TrainConfig")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override one field"
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    import torch

    from textdifuse_ros.train.config import TrainConfig
    from textdifuse_ros.train.student import train

    if not args.data.is_dir():
        raise CliError(f"{args.data}: no such folder")
    if args.threads:
        torch.set_num_threads(args.threads)
    fields = _read(args.config) if args.config else {}
    fields |= dict(_override(each) for each in args.set)
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise CliError(f"no such field: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    try:
        path = train(args.data, args.models, args.output, TrainConfig(**fields))  # type: ignore[arg-type]
    except FileNotFoundError as error:
        raise CliError(str(error)) from error
    print(path)
    return 0


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
