"""`textdifuse bench --curve`: time against size and steps, as JSON and as a drawing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.bench import measure, peak_of, rates
from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.model_options import make_fuser
from textdifuse_ros.cli.sizes import parse_size

if TYPE_CHECKING:
    from textdifuse_ros.text.localiser import CompiledPrompt

SIZES = ((160, 120), (320, 240), (640, 480), (1280, 720), (1280, 1024))
STEPS = (1, 2, 4)


def measure_curve(args: argparse.Namespace, prompt: CompiledPrompt) -> int:
    """Prints a row for each size and number of steps; writes the drawing last. Exit status 0."""
    if args.plot is not None and args.plot.suffix.lower() != ".svg":
        raise CliError(f"{args.plot}: --plot is drawn as SVG: give it a name that ends in .svg")
    fuser = make_fuser(args)
    if not set(STEPS) <= set(fuser.steps):
        raise CliError("--curve: measures 1, 2 and 4 steps, and these weights are a teacher's")
    peak = peak_of(fuser)
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        for steps in STEPS:
            row = measure(fuser, size, steps, prompt, args.runs)
            rows.append(row | rates(row, args.weights, peak))
            if not args.json:
                print(_line(rows[-1]), flush=True)
    growth, shares = _growth(rows), _shares(rows)
    if args.json:
        report = {"weights": fuser.weights_id, "growth": growth, "ns_per_pixel": shares, "rows": rows}
        print(json.dumps(report, indent=2))
    else:
        for pixels, each in shares.items():
            print(f"{pixels:>9}  {each:7.1f} ns a pixel and step")
        print(f"time grows with pixels^{growth['pixels']} and steps^{growth['steps']} (1: linearly)")
    if args.plot is not None:
        _write(args.plot, rows)
    return 0


def _growth(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Exponents e of model time ~ pixels^e steps^e, by least squares over all rows; 1 is linear growth."""
    pixels = [float(np.log(np.prod(parse_size(row["size"])))) for row in rows]
    factors = np.array([pixels, [float(np.log(row["steps"])) for row in rows], [1.0] * len(rows)]).T
    times = np.log([row["model_ms"]["p50"] for row in rows])
    found = np.linalg.lstsq(factors, times, rcond=None)[0]
    return {"pixels": round(float(found[0]), 3), "steps": round(float(found[1]), 3)}


def _shares(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Nanoseconds of model time for a pixel and a step, by size: the same for all where growth is linear. An
    exponent over all sizes would hide where it is not."""
    found: dict[str, list[float]] = {}
    for row in rows:
        pixels = float(np.prod(parse_size(row["size"])))
        found.setdefault(row["size"], []).append(row["model_ms"]["p50"] * 1e6 / pixels / row["steps"])
    return {size: round(float(np.mean(each)), 1) for size, each in found.items()}


def _line(row: dict[str, Any]) -> str:
    times = f"model {row['model_ms']['p50']:8.1f} ms  total {row['total_ms']['p50']:8.1f} ms"
    return (
        f"{row['size']:>9}  steps {row['steps']}  {times}  {row['fps']:7.2f}/s  {row['gmac_s']:8.1f} GMAC/s"
    )


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    from textdifuse_ros.engines.cache import replace
    from textdifuse_ros.evaluation.curve_plot import svg

    with named_os_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, svg(rows).encode(), 0o644)
