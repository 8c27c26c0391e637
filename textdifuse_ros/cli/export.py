"""`textdifuse export`: the fusion graph as a file for other runtimes."""

from __future__ import annotations

import argparse
from pathlib import Path

from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.sizes import parse_size

_ENGINES = ("onnx",)
_DTYPES = ("fp32", "fp16")
_HOW_TO_RUN = """\
run it:  session = onnxruntime.InferenceSession({name!r})
         session.run(None, {{"rgb": rgb, "thermal": thermal, "relevance": relevance, "controls": controls}})
rgb uint8 (1, 3, {height}, {width}), thermal uint8 (1, 1, {height}, {width}), relevance float32 \
(1, 1, {height}, {width}) in [-1, 1] (zeros: no prompt),
controls float32 (1, {controls}) in [0, 1] (ones: restore everything)
 -> fused uint8 (1, 3, {height}, {width}); {sides}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", default="onnx", metavar="E", help="what the file is for: onnx (onnx)")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="written whole or not at all; ends in .onnx",
    )
    parser.add_argument("--steps", default="1", metavar="1|2|4", help="sampler steps, unrolled (1)")
    parser.add_argument("--weights", default="", metavar="FILE", help="safetensors file (the shipped one)")
    parser.add_argument(
        "--size", metavar="WxH", help="of the images, rounded up to multiples of 16 (any size that is one)"
    )
    parser.add_argument(
        "--dtype", default="fp32", metavar="T", help="fp32 or fp16 inside; same inputs (fp32)"
    )


def run(args: argparse.Namespace) -> int:
    """Exit status 0. Raises CliError, after which nothing was written."""
    size = parse_size(args.size) if args.size else None
    _check(args)
    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.engines.cache import replace
    from textdifuse_ros.engines.frames import padded
    from textdifuse_ros.engines.onnx_export import export_onnx, operators
    from textdifuse_ros.model import weights
    from textdifuse_ros.model.controls import CONTROLS

    path = Path(args.weights) if args.weights else weights.SHIPPED
    try:
        network = weights.load(path)
        if int(args.steps) not in network.config.steps:
            raise CliError(f"--steps {args.steps}: these weights are for one of {network.config.steps}")
        fixed = None if size is None else padded(size[1], size[0], network.config.multiple)
        content = export_onnx(network, int(args.steps), args.dtype, fixed, weights.identity(path))
    except (EngineError, weights.WeightsError) as error:
        raise CliError(str(error)) from error
    with named_os_errors():
        args.output.parent.mkdir(parents=True, exist_ok=True)
        replace(args.output, content, 0o644)
    nodes = sum(operators(content).values())
    print(f"{args.output}: {len(content) / 1e6:.1f} MB, {nodes} operators, {args.steps} steps, {args.dtype}")
    height, width = fixed or ("H", "W")
    sides = "a fixed size" if fixed else f"H, W multiples of {network.config.multiple}"
    print(
        _HOW_TO_RUN.format(
            name=str(args.output), height=height, width=width, controls=len(CONTROLS), sides=sides
        )
    )
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.engine not in _ENGINES:
        raise CliError(f"--engine {args.engine}: can be exported for {', '.join(_ENGINES)}")
    if args.steps not in ("1", "2", "4"):
        raise CliError(f"--steps {args.steps}: use 1, 2 or 4")
    if args.dtype not in _DTYPES:
        raise CliError(f"--dtype {args.dtype}: use {' or '.join(_DTYPES)}")
    if args.output.suffix.lower() != ".onnx" or args.output.is_dir():
        raise CliError(f"{args.output}: give --output a file name that ends in .onnx")
