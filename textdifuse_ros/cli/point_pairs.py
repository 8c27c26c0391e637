"""Point pairs of a calibration from a CSV or YAML file."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from textdifuse_ros.cli.errors import CliError

COLUMNS = ("u_thermal", "v_thermal", "u_rgb", "v_rgb")


def read_points(path: Path) -> np.ndarray:
    """(N, 4) float64 in the order of COLUMNS; CliError names file, line and reason.

    CSV: comma, semicolon or blanks, an optional line of column names in any order, # comments. YAML: a list,
    or a list under `points`, of [u_thermal, v_thermal, u_rgb, v_rgb] or of mappings with these keys.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CliError(f"{path}: is not a text file") from None
    except OSError as error:
        raise CliError(f"{path}: cannot be read ({error.strerror})") from None
    rows = (
        _yaml_rows(path, text) if path.suffix.lower() in (".yaml", ".yml", ".json") else _csv_rows(path, text)
    )
    if not rows:
        raise CliError(f"{path}: holds no point pairs")
    return np.array(rows, dtype=np.float64)


def _csv_rows(path: Path, text: str) -> list[list[float]]:
    rows: list[list[float]] = []
    order = list(range(4))
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        separator = next((c for c in ",;\t" if c in line), None)
        cells = [
            c.strip() for c in (next(csv.reader([line], delimiter=separator)) if separator else line.split())
        ]
        if not rows and set(COLUMNS) <= {c.lower() for c in cells}:
            names = [c.lower() for c in cells]
            order = [names.index(column) for column in COLUMNS]
            continue
        if len(cells) <= max(order):
            raise CliError(f"{path}: line {number} has {len(cells)} values, {max(order) + 1} are needed")
        rows.append([_number(cells[i], f"{path}: line {number}") for i in order])
    return rows


def _yaml_rows(path: Path, text: str) -> list[list[float]]:
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CliError(f"{path}: is not YAML ({' '.join(str(error).split())})") from None
    if isinstance(content, dict):
        content = content.get("points")
    if not isinstance(content, list):
        raise CliError(f"{path}: holds no list of points")
    rows = []
    for number, entry in enumerate(content, start=1):
        where = f"{path}: pair {number}"
        if isinstance(entry, dict):
            missing = [c for c in COLUMNS if c not in entry]
            if missing:
                raise CliError(f"{where} lacks {', '.join(missing)}")
            entry = [entry[c] for c in COLUMNS]
        if not isinstance(entry, list) or len(entry) != 4:
            raise CliError(f"{where} is not four numbers {', '.join(COLUMNS)}")
        rows.append([_number(value, where) for value in entry])
    return rows


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise CliError(f"{where}: '{value}' is not a number")
    return number
