"""`textdifuse export`: the fusion graph as a file for other runtimes, or as a plan in TensorRT's cache."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from textdifuse_ros.cli.building import said_while_building
from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.sizes import parse_size

if TYPE_CHECKING:
    from textdifuse_ros.engines.program import Size
    from textdifuse_ros.model.network import FusionNetwork

_ENGINES = ("onnx", "tensorrt")
_DTYPES = {"onnx": ("fp32", "fp16"), "tensorrt": ("auto", "fp32", "bf16", "fp16")}
_HOW_TO_RUN = """\
run it:  session = onnxruntime.InferenceSession({name!r})
         session.run(None, {{"rgb": rgb, "thermal": thermal, "relevance": relevance, "controls": controls}})
rgb uint8 (1, 3, {height}, {width}), thermal uint8 (1, 1, {height}, {width}), relevance float32 \
(1, 1, {height}, {width}) in [-1, 1] (zeros: no prompt),
controls float32 (1, {controls}) in [0, 1] (restore auto: {auto})
 -> fused uint8 (1, 3, {height}, {width}); {sides}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        default="onnx",
        metavar="E",
        help="what it is for: onnx, a file for other runtimes; tensorrt, built ahead for this GPU into the "
        "cache folder, where engine tensorrt finds it (onnx)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="of onnx: written whole or not at all; ends in .onnx",
    )
    parser.add_argument("--steps", default="1", metavar="1|2|4", help="sampler steps, unrolled (1)")
    parser.add_argument("--weights", default="", metavar="FILE", help="safetensors file (the shipped one)")
    parser.add_argument(
        "--size", metavar="WxH", help="of the images, rounded up to multiples of 16 (any size that is one)"
    )
    parser.add_argument(
        "--dtype",
        metavar="T",
        help="arithmetic inside, the inputs stay the same: fp32 or fp16 for onnx (fp32); bf16, too, for "
        "tensorrt (fp16)",
    )
    parser.add_argument("--device", default="auto", metavar="D", help="of tensorrt: cuda or cuda:N (auto)")
    parser.add_argument(
        "--check-operators",
        action="store_true",
        help="write nothing; say which operators torch-tensorrt would be given, and whether it has a "
        "converter for each (neither it nor a GPU is needed); status 2 where one is missing",
    )


def run(args: argparse.Namespace) -> int:
    """Exit status 0. Raises CliError, after which nothing was written."""
    size = parse_size(args.size) if args.size else None
    _check(args)
    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.engines.frames import padded
    from textdifuse_ros.model import weights

    path = Path(args.weights) if args.weights else weights.SHIPPED
    try:
        network = weights.load(path)
        if int(args.steps) not in network.config.steps:
            raise CliError(f"--steps {args.steps}: these weights are for one of {network.config.steps}")
        fixed = None if size is None else padded(size[1], size[0], network.config.multiple)
        if args.check_operators:
            return _check_operators(args, network, fixed)
        if args.engine == "tensorrt":
            assert size is not None
            return _build_plan(args, network, size)
        return _write_onnx(args, network, fixed, weights.identity(path))
    except (EngineError, weights.WeightsError) as error:
        raise CliError(str(error)) from error


def _write_onnx(args: argparse.Namespace, network: FusionNetwork, fixed: Size | None, identity: str) -> int:
    from textdifuse_ros.engines.cache import replace
    from textdifuse_ros.engines.onnx_export import export_onnx, operators
    from textdifuse_ros.model.controls import AUTO, CONTROLS

    dtype = args.dtype or "fp32"
    content = export_onnx(network, int(args.steps), dtype, fixed, identity)
    with named_os_errors():
        args.output.parent.mkdir(parents=True, exist_ok=True)
        replace(args.output, content, 0o644)
    nodes = sum(operators(content).values())
    print(f"{args.output}: {len(content) / 1e6:.1f} MB, {nodes} operators, {args.steps} steps, {dtype}")
    height, width = fixed or ("H", "W")
    sides = "a fixed size" if fixed else f"H, W multiples of {network.config.multiple}"
    print(
        _HOW_TO_RUN.format(
            name=str(args.output),
            height=height,
            width=width,
            controls=len(CONTROLS),
            sides=sides,
            auto=", ".join(f"{value:g}" for value in AUTO),
        )
    )
    return 0


def _build_plan(args: argparse.Namespace, network: FusionNetwork, size: tuple[int, int]) -> int:
    """size: (width, height). Says every few seconds how far it is."""
    from textdifuse_ros.engines.registry import make_engine

    began = time.monotonic()
    engine = make_engine("tensorrt", network, args.device, args.dtype or "auto")
    with said_while_building(engine, "tensorrt"):
        engine.prepare(size[1], size[0], int(args.steps))
    what = f"{size[0]}x{size[1]}, {args.steps} steps, {engine.dtype}, {engine.device}"
    unkept = str(getattr(engine, "unkept", ""))
    engine.close()
    if unkept:
        raise CliError(unkept)
    print(f"engine tensorrt is ready for {what} after {time.monotonic() - began:.0f} s")
    return 0


def _check_operators(args: argparse.Namespace, network: FusionNetwork, fixed: Size | None) -> int:
    from textdifuse_ros.engines.program import export_program
    from textdifuse_ros.engines.tensorrt_operators import operators, versions, without_converter

    dtype = (args.dtype or "fp16").replace("auto", "fp16")
    program = export_program(network, int(args.steps), dtype, fixed, as_bytes=False)
    found = operators(program)
    for name, count in found.items():
        print(f"{count:5} {name}")
    refused = without_converter(found)
    said = f"torch-tensorrt {' and '.join(versions())}"
    if refused:
        raise CliError(f"{said} has no converter for {', '.join(sorted(refused))}")
    print(f"{said}: a converter for each, {args.steps} steps, {dtype}, {args.size or 'any size'}")
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.engine not in _ENGINES:
        raise CliError(f"--engine {args.engine}: can be exported for {', '.join(_ENGINES)}")
    if args.steps not in ("1", "2", "4"):
        raise CliError(f"--steps {args.steps}: use 1, 2 or 4")
    kinds = _DTYPES["tensorrt" if args.check_operators else args.engine]
    if args.dtype is not None and args.dtype not in kinds:
        raise CliError(f"--dtype {args.dtype}: use {' or '.join(kinds)}")
    if args.check_operators:
        return
    if args.engine == "tensorrt":
        if args.output is not None:
            raise CliError("--output: a plan of tensorrt goes into the cache folder, leave this out")
        if not args.size:
            raise CliError("--engine tensorrt: say with --size for which images the plan shall be")
        return
    if args.output is None:
        raise CliError("--output: give the file to write")
    if args.output.suffix.lower() != ".onnx" or args.output.is_dir():
        raise CliError(f"{args.output}: give --output a file name that ends in .onnx")
