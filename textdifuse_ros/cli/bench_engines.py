"""`textdifuse bench --engines`: engines in turn in one run, their times and distance from eager fp32."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.bench import machine_name, percentiles
from textdifuse_ros.cli.errors import CliError

if TYPE_CHECKING:
    from textdifuse_ros.engines.base import Engine
    from textdifuse_ros.engines.compare import Result
    from textdifuse_ros.model.network import FusionNetwork

_REFERENCE = ("eager", "fp32")
_Spec = tuple[str, str]


def compare_engines(args: argparse.Namespace, size: tuple[int, int], steps: int) -> int:
    """Prints a row for each engine; an engine that cannot be had is a row with its reason. Exit status 0."""
    import torch

    from textdifuse_ros.engines.compare import compare
    from textdifuse_ros.model import weights

    if args.threads > 0:
        torch.set_num_threads(args.threads)
    path = Path(args.weights) if args.weights else weights.SHIPPED
    try:
        network = weights.load(path)
    except weights.WeightsError as error:
        raise CliError(str(error)) from error
    built, refused = _made(_specs(args.engines), network, args.device, weights.identity(path), size, steps)
    results = compare([engine for engine, _ in built], size[1], size[0], steps, args.runs)
    rows = [_row(result, results[0], build_s) for result, (_, build_s) in zip(results, built, strict=True)]
    rows += refused
    report: dict[str, Any] = {
        "machine": machine_name(results[0].engine.device),
        "threads": torch.get_num_threads(),
        "size": f"{size[0]}x{size[1]}",
        "steps": steps,
        "runs": args.runs,
        "weights": weights.identity(path),
        "engines": rows,
    }
    if args.remember:
        report["remembered"] = _remember(network, results)
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


def _specs(text: str) -> list[_Spec]:
    """(engine, dtype) of what --engines says, eager fp32 before all else."""
    specs = [_REFERENCE]
    for word in text.split(","):
        name, _, dtype = word.strip().partition(":")
        specs.append((name, dtype or "auto"))
    return specs


def _made(
    specs: list[_Spec],
    network: FusionNetwork,
    device: str,
    weights_id: str,
    size: tuple[int, int],
    steps: int,
) -> tuple[list[tuple[Engine, float]], list[dict[str, Any]]]:
    """Each engine once, ready to run, with the seconds that took; and a row for each that cannot be had."""
    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.engines.registry import ENGINES, make_engine

    engines: dict[_Spec, tuple[Engine, float]] = {}
    refused: list[dict[str, Any]] = []
    for name, dtype in specs:
        if name not in ENGINES:
            raise CliError(f"--engines: {name!r} is not one of {', '.join(ENGINES)}")
        try:
            engine = make_engine(name, network, device, dtype, weights_id)
            began = time.perf_counter()
            engine.prepare(size[1], size[0], steps)
            engines.setdefault((engine.name, engine.dtype), (engine, time.perf_counter() - began))
        except EngineError as error:
            refused.append({"engine": name, "dtype": dtype, "refused": " ".join(str(error).split())})
    if _REFERENCE not in engines:
        raise CliError(f"--engines: there is nothing to compare with ({refused[0]['refused']})")
    return list(engines.values()), refused


def _row(result: Result, reference: Result, build_s: float) -> dict[str, Any]:
    """speed_up: how many times as fast as eager fp32, by the medians of the same run."""
    speed_up = float(np.median(reference.total_ms) / np.median(result.total_ms))
    return {
        "engine": result.engine.name,
        "dtype": result.engine.dtype,
        "device": result.engine.device,
        "build_s": round(build_s, 2),
        "model_ms": percentiles(result.model_ms),
        "total_ms": percentiles(result.total_ms),
        "speed_up": round(speed_up, 3),
        "off_p99": result.off_p99,
        "off_most": result.off_most,
        "right": result.is_right,
    }


def _remember(network: FusionNetwork, results: list[Result]) -> str:
    from textdifuse_ros.engines import choice

    right = [each for each in results if each.is_right and each.engine.device == "cpu"]
    if not right:
        raise CliError("--remember: it is for the CPU, say --device cpu")
    best = min(right, key=lambda each: float(np.median(each.total_ms)))
    if not choice.remember(network, best.engine.name, best.engine.dtype):
        raise CliError("--remember: the cache folder cannot be written, see docs/engines.md")
    return f"{best.engine.name} {best.engine.dtype}"


def _table(report: dict[str, Any]) -> str:
    lines = [f"{name:<10} {value}" for name, value in report.items() if name != "engines"]
    lines.append("engine   dtype  built s  model p50  total p50   p95 ms  speed-up  off p99  most")
    for row in report["engines"]:
        head = f"{row['engine']:<8} {row['dtype']:<5}"
        if "refused" in row:
            lines.append(f"{head}  {row['refused']}")
            continue
        times = [row["model_ms"]["p50"], row["total_ms"]["p50"], row["total_ms"]["p95"]]
        cells = "{:>8.1f} {:>10.1f} {:>10.1f} {:>8.1f} {:>9.2f} {:>8.1f} {:>5.0f}".format(
            row["build_s"], *times, row["speed_up"], row["off_p99"], row["off_most"]
        )
        lines.append(f"{head} {cells}{'' if row['right'] else '  wrong'}")
    return "\n".join(lines)
