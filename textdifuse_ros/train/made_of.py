"""What files of an earlier start were made of, noted beside them, so that they pass for nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from textdifuse_ros.train import files
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.progress import say


def note(path: Path, told: Mapping[str, object]) -> None:
    """Raises TrainingError where it cannot be written."""
    files.write(path, (json.dumps(dict(told), indent=2) + "\n").encode())


def check_same(path: Path, told: Mapping[str, object], what: str) -> None:
    """Raises TrainingError with the first thing that is noted otherwise; says so where nothing is noted.

    what: the files that are meant, in words that follow "holds".
    """
    there = _read(path)
    if there is None:
        say(f"{path.parent}: holds {what}, and no word of what it was made with; it is taken as it is")
        return
    here = json.loads(json.dumps(dict(told)))
    for name in here:
        if name in there and there[name] != here[name]:
            raise TrainingError(
                f"{path.parent}: holds {what} with {name} {there[name]}, now it is {here[name]}; "
                "take another --output"
            )


def _read(path: Path) -> dict[str, object] | None:
    """None for a file that is not there, of an earlier version (an empty one) or broken."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
