"""`textdifuse bench`: time the network on this machine, and count what it does."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.building import build
from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.model_options import add_engine_arguments, check_fusion_arguments, make_fuser
from textdifuse_ros.cli.sizes import parse_size

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.text.localiser import CompiledPrompt

_WARM_UP = 3
# What --engines and --curve do not look at.
_UNREAD = {
    "engines": ("curve", "prompt", "engine", "dtype", "localiser", "localiser_model", "localiser_weights"),
    "curve": ("size", "steps"),
}
Report = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of lines")
    parser.add_argument("--size", default="640x480", metavar="WxH", help="of the images (640x480)")
    parser.add_argument(
        "--steps", default="1", metavar="1|2|4", help="sampler steps (1); with --engines several with commas"
    )
    parser.add_argument("--runs", type=int, default=30, metavar="N", help="timed runs (30)")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="a prompt to locate in every frame")
    parser.add_argument(
        "--engines",
        metavar="LIST",
        help="compare engines, image by image in turn, with eager fp32: names or name:dtype with commas, as "
        "in eager,compile,onnx",
    )
    parser.add_argument(
        "--remember",
        action="store_true",
        help="with --engines: let engine auto take the fastest of those that were right, on this CPU",
    )
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="with --engines: a table for a document, as in docs/engines.md",
    )
    parser.add_argument(
        "--curve",
        action="store_true",
        help="measure five sizes from 160x120 to 1280x1024, and 1, 2 and 4 steps",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="with --curve: also draw it as SVG")
    parser.set_defaults(strength=1.0, restore="auto")
    add_engine_arguments(parser)
    options = [option for each in _UNREAD.values() for option in each]
    parser.set_defaults(unset={option: parser.get_default(option) for option in options})


def run(args: argparse.Namespace) -> int:
    """Exit status 0. Times in milliseconds, `fps` with everything that `Fuser.fuse` does included."""
    size = parse_size(args.size)
    if args.runs < 1:
        raise CliError(f"--runs {args.runs}: must be 1 or more")
    for option in ("remember", "markdown"):
        if getattr(args, option) and not args.engines:
            raise CliError(f"--{option}: say with --engines what to compare")
    if args.plot is not None and not args.curve:
        raise CliError("--plot: draws what --curve measures, say that too")
    _refuse_unread(args)
    if args.engines:
        from textdifuse_ros.cli.bench_engines import compare_engines

        return compare_engines(args, size)
    steps, prompt = check_fusion_arguments(args)
    if args.curve:
        from textdifuse_ros.cli.bench_curve import measure_curve

        return measure_curve(args, prompt)
    fuser = make_fuser(args)
    report = measure(fuser, size, steps, prompt, args.runs) | {"weights": fuser.weights_id}
    report |= rates(report, args.weights, peak_of(fuser))
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in report.items():
            print(f"{name:<14} {value}")
    return 0


def _refuse_unread(args: argparse.Namespace) -> None:
    """Raises CliError for what is set and would not be looked at."""
    for mode, unread in _UNREAD.items():
        for option in unread if getattr(args, mode) else ():
            if getattr(args, option) != args.unset[option]:
                raise CliError(f"--{option.replace('_', '-')}: is not looked at with --{mode}; leave it out")


def measure(fuser: Fuser, size: tuple[int, int], steps: int, prompt: CompiledPrompt, runs: int) -> Report:
    """Times of one engine at one size (width, height) and number of steps."""
    import torch

    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.engines.compare import scene

    width, height = size
    rgb, thermal = scene(height, width)
    try:
        build(fuser, height, width, steps)
        done = [fuser.fuse(rgb, thermal, prompt, steps, want_salience=False) for _ in range(_WARM_UP + runs)]
    except EngineError as error:
        raise CliError(str(error)) from error
    total = [each.total_ms for each in done[_WARM_UP:]]
    return {
        "machine": machine_name(fuser.device),
        "device": fuser.device,
        "engine": fuser.engine,
        "dtype": fuser.dtype,
        "threads": torch.get_num_threads(),
        "size": f"{width}x{height}",
        "steps": steps,
        "runs": runs,
        "model_ms": percentiles([each.model_ms for each in done[_WARM_UP:]]),
        "total_ms": percentiles(total),
        "fps": round(1e3 / float(np.median(total)), 2),
        **_memory(fuser.device),
    }


def percentiles(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
    }


def rates(report: Report, weights: str, peak: float) -> Report:
    """Counts and 10^9 multiply-accumulates a second, alone and as a share of a large matrix product's."""
    from textdifuse_ros.evaluation.cost import count
    from textdifuse_ros.model.weights import load

    width, height = parse_size(report["size"])
    cost = count(load(Path(weights) if weights else None), height, width, report["steps"])
    reached = cost.macs / report["model_ms"]["p50"] / 1e6
    return {
        "parameters": cost.parameters,
        "macs": cost.macs,
        "gmac_s": round(reached, 2),
        "peak_gmac_s": round(peak, 2),
        "peak_share": round(reached / peak, 3),
    }


def peak_of(fuser: Fuser) -> float:
    """What `rates` compares with: measured now, in the precision that the engine uses."""
    from textdifuse_ros.evaluation.peak import peak_gmacs

    return peak_gmacs(fuser.device, fuser.dtype)


def _memory(device: str) -> Report:
    from textdifuse_ros.evaluation.peak import peak_device_memory_mb, peak_memory_mb

    host = {"peak_memory_mb": round(peak_memory_mb(), 1)}
    return host if device == "cpu" else host | {"peak_device_mb": round(peak_device_memory_mb(device), 1)}


def machine_name(device: str) -> str:
    """The GPU's name for a CUDA device, else the CPU's."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    from textdifuse_ros.engines.device import cpu_name

    return f"{cpu_name()}, {os.cpu_count() or 'unknown number of'} CPUs"
