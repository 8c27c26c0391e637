"""`textdifuse bench --engines`: engines in turn in one run, their times and distance from eager fp32."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.bench import machine_name, percentiles
from textdifuse_ros.cli.building import said_while_building
from textdifuse_ros.cli.engine_table import markdown, table
from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.threads import set_threads

if TYPE_CHECKING:
    from textdifuse_ros.engines.base import Engine
    from textdifuse_ros.engines.compare import Result
    from textdifuse_ros.model.network import FusionNetwork

_REFERENCE = ("eager", "fp32")
_STREAMED = 50  # frames
_Spec = tuple[str, str]
_Row = dict[str, Any]


@dataclass
class _Made:
    """An engine, and what came of building it: seconds, and by how much memory grew (host, device)."""

    engine: Engine
    build_s: float
    memory_mb: tuple[float, float]


def compare_engines(args: argparse.Namespace, size: tuple[int, int]) -> int:
    """Prints a row for each number of steps and engine, for an engine that cannot be had one with its reason.

    Exit status 0.
    """
    import torch

    from textdifuse_ros.engines.compare import compare
    from textdifuse_ros.model import weights

    steps = _steps(args.steps)
    set_threads(args.threads)
    path = Path(args.weights) if args.weights else weights.SHIPPED
    try:
        network = weights.load(path)
    except weights.WeightsError as error:
        raise CliError(str(error)) from error
    made, refused = _made(_specs(args.engines), network, args.device, weights.identity(path), size, steps)
    rows: list[_Row] = []
    results: list[list[Result]] = []
    for count in steps:
        each = compare([one.engine for one in made], size[1], size[0], count, args.runs)
        results.append(each)
        rows += [_row(*pair, each[0], count, size) for pair in zip(each, made, strict=True)]
    _add_rates(rows, path, size)
    report: dict[str, Any] = {
        "machine": machine_name(made[0].engine.device),
        "threads": torch.get_num_threads(),
        "size": f"{size[0]}x{size[1]}",
        "runs": args.runs,
        "weights": weights.identity(path),
        "engines": rows + refused,
    }
    if args.remember:
        report["remembered"] = _remember(network, results)
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print(markdown(report) if args.markdown else table(report))
    return 0


def _steps(text: str) -> list[int]:
    """Numbers of steps with commas between them."""
    words = [word.strip() for word in text.split(",")]
    if not set(words) <= {"1", "2", "4"}:
        raise CliError(f"--steps {text}: with --engines use 1, 2 or 4, several with commas")
    return [int(word) for word in words]


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
    steps: list[int],
) -> tuple[list[_Made], list[_Row]]:
    """Each engine once, ready to run; and a row for each that cannot be had."""
    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.engines.registry import ENGINES

    engines: dict[_Spec, _Made] = {}
    refused: list[_Row] = []
    for name, dtype in specs:
        if name not in ENGINES:
            raise CliError(f"--engines: {name!r} is not one of {', '.join(ENGINES)}")
        try:
            made = _built(name, dtype, network, device, weights_id, size, steps)
            engines.setdefault((made.engine.name, made.engine.dtype), made)
        except EngineError as error:
            refused.append({"engine": name, "dtype": dtype, "refused": " ".join(str(error).split())})
    if _REFERENCE not in engines:
        raise CliError(f"--engines: there is nothing to compare with ({refused[0]['refused']})")
    return list(engines.values()), refused


def _built(
    name: str,
    dtype: str,
    network: FusionNetwork,
    device: str,
    weights_id: str,
    size: tuple[int, int],
    steps: list[int],
) -> _Made:
    """Built for every number of steps, and run once, so that its memory is what it needs."""
    from textdifuse_ros.engines.compare import scene
    from textdifuse_ros.engines.device import resolve_device
    from textdifuse_ros.engines.memory import give_back_freed_memory
    from textdifuse_ros.engines.registry import make_engine
    from textdifuse_ros.evaluation.peak import memory_mb
    from textdifuse_ros.model.controls import ALL

    give_back_freed_memory()  # of the engine before: this one would use it again and seem to need none
    # Before the engine is made: its weights count, too.
    before, began = memory_mb(str(resolve_device(device))), time.perf_counter()
    engine = make_engine(name, network, device, dtype, weights_id)
    with said_while_building(engine, name):
        for count in steps:
            engine.prepare(size[1], size[0], count)
    build_s = time.perf_counter() - began
    engine.run(*scene(size[1], size[0]), None, max(steps), ALL)
    host, on_device = memory_mb(engine.device)
    return _Made(engine, build_s, (host - before[0], on_device - before[1]))


def _row(result: Result, made: _Made, reference: Result, steps: int, size: tuple[int, int]) -> _Row:
    """speed_up: how many times as fast as eager fp32, by the medians of the same run."""
    from textdifuse_ros.engines.compare import streamed_fps

    total = float(np.median(result.total_ms))
    row: _Row = {
        "engine": result.engine.name,
        "dtype": result.engine.dtype,
        "device": result.engine.device,
        "steps": steps,
        "build_s": round(made.build_s, 2),
        "model_ms": percentiles(result.model_ms),
        "total_ms": percentiles(result.total_ms),
        "fps": round(1e3 / total, 2),
        "model_fps": round(1e3 / float(np.median(result.model_ms)), 2),
        "speed_up": round(float(np.median(reference.total_ms)) / total, 3),
        "memory_mb": round(made.memory_mb[0], 1),
        "device_memory_mb": round(made.memory_mb[1], 1),
        "off_p99": result.off_p99,
        "off_most": result.off_most,
        "right": result.is_right,
    }
    streamed = streamed_fps(result.engine, size[1], size[0], steps, _STREAMED)
    return row if streamed is None else row | {"streamed_fps": round(streamed, 1)}


def _add_rates(rows: list[_Row], weights: Path, size: tuple[int, int]) -> None:
    """MACs, their rate, and its share of what a large matrix product reaches in the same precision."""
    from textdifuse_ros.evaluation.cost import count
    from textdifuse_ros.evaluation.peak import peak_gmacs
    from textdifuse_ros.model import weights as weight_files

    peaks = {key: peak_gmacs(*key) for key in {(row["device"], row["dtype"]) for row in rows}}
    macs = {
        steps: count(weight_files.load(weights), size[1], size[0], steps).macs
        for steps in {row["steps"] for row in rows}
    }
    for row in rows:
        peak = peaks[row["device"], row["dtype"]]
        reached = macs[row["steps"]] / row["model_ms"]["p50"] / 1e6
        row["macs"] = macs[row["steps"]]
        row["gmac_s"], row["peak_gmac_s"] = round(reached, 2), round(peak, 2)
        row["peak_share"] = round(reached / peak, 3)


def _remember(network: FusionNetwork, results: list[list[Result]]) -> str:
    """results: for each number of steps, of the same engines. The fastest over all of them, of those that are
    right with each."""
    from textdifuse_ros.engines import choice

    if results[0][0].engine.device != "cpu":
        raise CliError("--remember: it is for the CPU, say --device cpu")
    right = [each for each in zip(*results, strict=True) if all(one.is_right for one in each)]
    best = min(right, key=lambda each: sum(float(np.median(one.total_ms)) for one in each))[0].engine
    if not choice.remember(network, best.name, best.dtype):
        raise CliError("--remember: the cache folder cannot be written, see docs/engines.md")
    return f"{best.name} {best.dtype}"
