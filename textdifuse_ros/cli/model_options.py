"""Options that every command with a network in it shares, and the network made from them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.threads import check_threads
from textdifuse_ros.text.grammar import PromptError
from textdifuse_ros.text.localiser import CompiledPrompt, LocaliserError, make_localiser, stands_in
from textdifuse_ros.text.reading import read_prompt

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser

TEACHER, TEACHER_STEPS = "teacher", 25
STEPS = ("1", "2", "4", TEACHER)


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """--device, --engine, --dtype, --weights, --threads, --localiser and its own two."""
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument(
        "--engine", default="auto", metavar="E", help="auto, eager, compile, onnx or tensorrt (auto)"
    )
    parser.add_argument("--dtype", default="auto", metavar="T", help="auto, fp32, bf16, int8 or fp16 (auto)")
    parser.add_argument("--weights", default="", metavar="FILE", help="safetensors file (the shipped one)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="CPU threads (torch's choice)")
    parser.add_argument(
        "--localiser", default="embedded", metavar="L", help="of phrases: embedded, heat or clip (embedded)"
    )
    parser.add_argument(
        "--localiser-model",
        default="ViT-B-16",
        metavar="M",
        help="of clip: a name of open_clip, or a folder (ViT-B-16)",
    )
    parser.add_argument(
        "--localiser-weights",
        default="openai",
        metavar="W",
        help="of clip: a tag of open_clip, or a .safetensors file (openai)",
    )


def add_fusion_arguments(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """--prompt, --steps, --strength, --restore. several: --steps takes a list."""
    parser.add_argument(
        "--prompt",
        default="",
        metavar="TEXT",
        help="what must stand out and what is wished for, as in 'warm objects*1.5, keep the night look'; "
        "empty for none. A text that starts with a dash is written as --prompt=-TEXT",
    )
    steps = "sampler steps (1)" + ("; several with commas: a row each" if several else "")
    parser.add_argument("--steps", default="1", metavar="1|2|4|teacher", help=steps)
    parser.add_argument("--strength", type=float, default=1.0, metavar="S", help="of the prompt, 0 to 2 (1)")
    parser.add_argument("--restore", default="auto", metavar="auto|off", help="restoration (auto)")


def check_fusion_arguments(args: argparse.Namespace) -> tuple[int, CompiledPrompt]:
    """Number of steps and the prompt. Raises CliError for any value that cannot be followed."""
    return check_steps(args), check_prompt_arguments(args)


def check_prompt_arguments(args: argparse.Namespace) -> CompiledPrompt:
    """The prompt, once --prompt, --strength and --restore are found right. Raises CliError."""
    if args.restore not in ("auto", "off"):
        raise CliError(f"--restore {args.restore}: use auto or off")
    check_strength(args)
    try:
        localiser = make_localiser(args.localiser)
        if args.prompt and stands_in(localiser):
            print(f"textdifuse: {stands_in(localiser)}", file=sys.stderr)
        return read_prompt(localiser, args.prompt)
    except PromptError as error:
        raise CliError(f"--prompt: {error}") from error
    except (ValueError, LocaliserError) as error:
        raise CliError(f"--localiser {args.localiser}: {error}") from error


def check_steps(args: argparse.Namespace) -> int:
    """Number of steps from a single --steps. Raises CliError."""
    if args.steps not in STEPS:
        raise CliError(f"--steps {args.steps}: use 1, 2, 4 or teacher")
    return steps_of(args.steps)


def check_strength(args: argparse.Namespace) -> None:
    """Raises CliError where --strength is outside its range."""
    if not 0 <= args.strength <= 2:
        raise CliError(f"--strength {args.strength:g}: must lie between 0 and 2")


def steps_of(name: str) -> int:
    """Number of sampler steps from what --steps takes."""
    return TEACHER_STEPS if name == TEACHER else int(name)


def make_fuser(args: argparse.Namespace, steps: str | None = None) -> Fuser:
    """The network for `steps` (else --steps): the teacher's weights for "teacher". Raises CliError."""
    from textdifuse_ros.engines.base import EngineError
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.model import weights
    from textdifuse_ros.model.weights import WeightsError

    check_threads(args.threads)
    path = args.weights or (weights.TEACHER if (steps or args.steps) == TEACHER else None)
    options = {"model": args.localiser_model, "weights": args.localiser_weights}
    try:
        return Fuser(path, args.device, args.engine, args.dtype, args.threads, args.localiser, options)
    except (EngineError, WeightsError, LocaliserError) as error:
        raise CliError(str(error)) from error
