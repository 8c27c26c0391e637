"""`textdifuse bench`: time the network on this machine, and count what it does."""

from __future__ import annotations

import argparse
import json
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.model_options import add_engine_arguments, check_fusion_arguments, make_fuser

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.text.localiser import CompiledPrompt

_WARM_UP = 3
_LEAST_SIDE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of lines")
    parser.add_argument("--size", default="640x480", metavar="WxH", help="of the images (640x480)")
    parser.add_argument("--steps", default="1", metavar="1|2|4", help="sampler steps (1)")
    parser.add_argument("--runs", type=int, default=30, metavar="N", help="timed runs (30)")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="a prompt to locate in every frame")
    parser.set_defaults(strength=1.0, restore="auto")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0. Times in milliseconds, `fps` with everything that `Fuser.fuse` does included."""
    width, height = _size(args.size)
    steps, prompt = check_fusion_arguments(args)
    if args.runs < 1:
        raise CliError(f"--runs {args.runs}: must be 1 or more")
    fuser = make_fuser(args)
    report = _measure(fuser, width, height, steps, prompt, args.runs)
    report |= _counted(args.weights, width, height, steps)
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in report.items():
            print(f"{name:<12} {value}")
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        raise CliError(f"--size {text}: write width x height, as in 640x480")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < _LEAST_SIDE:
        raise CliError(f"--size {text}: {_LEAST_SIDE} pixels a side are needed")
    return width, height


def _measure(
    fuser: Fuser, width: int, height: int, steps: int, prompt: CompiledPrompt, runs: int
) -> dict[str, Any]:
    import torch

    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    thermal = rng.integers(0, 256, (height, width)).astype(np.uint8)
    done = [fuser.fuse(rgb, thermal, prompt, steps, want_salience=False) for _ in range(_WARM_UP + runs)]
    model = [each.model_ms for each in done[_WARM_UP:]]
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
        "model_ms": _percentiles(model),
        "total_ms": _percentiles(total),
        "fps": round(1e3 / float(np.median(total)), 2),
        "weights": fuser.weights_id,
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
    }


def _counted(weights: str, width: int, height: int, steps: int) -> dict[str, int]:
    from textdifuse_ros.evaluation.cost import count
    from textdifuse_ros.model.weights import load

    cost = count(load(Path(weights) if weights else None), height, width, steps)
    return {"parameters": cost.parameters, "macs": cost.macs}


def machine_name(device: str) -> str:
    """The GPU's name for a CUDA device, else the CPU's."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {len(names) or 'unknown number of'} CPUs"
