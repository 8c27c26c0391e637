"""What is judged side by side: the bare cameras, the fusions without a network, the student and the teacher.

Every command that compares pictures takes them from here, under the same names: `rgb`, `thermal`, `mean`,
`max`, `detail`, `1`, `2`, `4` (steps of the student), `teacher`, and `fused`, which is whatever --steps says.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.model_options import (
    STEPS,
    TEACHER,
    TEACHER_STEPS,
    check_prompt_arguments,
    make_fuser,
    steps_of,
)
from textdifuse_ros.evaluation.baselines import BASELINES, baseline_image, baseline_luminance, luminance
from textdifuse_ros.imaging.settling import Settling, ThermalSettling

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser

Bytes = NDArray[np.uint8]
Fuse = Callable[[Bytes, Bytes], Bytes]

CAMERAS = ("rgb", "thermal")
FUSED = "fused"
UNPROMPTED = ", no prompt"  # follows the name of a network that is also judged without the prompt
NAMES = (*STEPS, *CAMERAS, FUSED, *BASELINES)


@dataclass(frozen=True)
class Method:
    """One way to make a picture of a pair.

    name: what tables call it. fuse: RGB uint8 (H, W, 3) and thermal uint8 (H, W) to RGB uint8 (H, W, 3).
    steps: of the sampler, 0 without a network. weights: first digits of their SHA-256; dtype: precision.
    follow: fuse of a video's next frame, whose stamp in nanoseconds comes third: what the images give away is
    smoothed over time, as in the node. None where that makes no difference.
    """

    name: str
    fuse: Fuse
    steps: int = 0
    weights: str = ""
    dtype: str = ""
    follow: Callable[[Bytes, Bytes, int], Bytes] | None = None

    @property
    def is_teacher(self) -> bool:
        return self.steps == TEACHER_STEPS

    @property
    def made_by(self) -> str:
        """The network in words, "" where there is none."""
        if not self.steps:
            return ""
        return f"weights {self.weights}, {self.steps} step{'s' if self.steps > 1 else ''}, {self.dtype}"

    def luminance(self, rgb: Bytes, thermal: Bytes, stamp_ns: int | None = None) -> Bytes:
        """Luminance uint8 (H, W) of the fused image. stamp_ns: where it is the next one of a video.

        That of a baseline is taken as it is computed, before colour is added to it and clipped.
        """
        if self.name in BASELINES:
            return baseline_luminance(self.name, luminance(rgb), thermal)
        if stamp_ns is None or self.follow is None:
            return luminance(self.fuse(rgb, thermal))
        return luminance(self.follow(rgb, thermal, stamp_ns))


@dataclass(frozen=True)
class Choice:
    """A method that was asked for: its kind is one of NAMES, its row what tables call it."""

    kind: str
    row: str


def add_method_argument(
    parser: argparse.ArgumentParser, everything: Sequence[str], default: str, option: str = "--method"
) -> None:
    """--method (or the `option`)."""
    parser.add_argument(
        option,
        default=default,
        metavar="NAME[,NAME]",
        help=f"what to judge: {', '.join(NAMES)} ({FUSED} is what --steps says), several with commas, "
        f"or all: {', '.join(everything)} ({default})",
    )


def add_teacher_argument(parser: argparse.ArgumentParser) -> None:
    """--teacher: --weights is the student's where both are judged."""
    parser.add_argument("--teacher", default="", metavar="FILE", help="weights of the teacher (the shipped)")


def parse_steps(text: str) -> tuple[str, ...]:
    """`1,2,teacher` -> its parts. Raises CliError."""
    steps = tuple(part.strip() for part in text.split(","))
    for each in steps:
        if each not in STEPS:
            raise CliError(f"--steps {each}: use 1, 2, 4 or teacher")
    if len(set(steps)) < len(steps):
        raise CliError(f"--steps {text}: names {TEACHER if TEACHER in steps else 'a number'} twice")
    return steps


def choose(
    text: str, steps: Sequence[str], everything: Sequence[str], option: str = "--method"
) -> list[Choice]:
    """What a list of names asks for, in its order; "all" is `everything`.

    `fused` is a row of that name for one entry of `steps` (or for none: the images exist already), and a row
    for each of several. Raises CliError for a name that is none, or a row that is there twice.
    """
    choices: list[Choice] = []
    for name in everything if text == "all" else [part.strip() for part in text.split(",")]:
        if name not in NAMES:
            raise CliError(f"{option} {name!r}: use {', '.join(NAMES)} or all")
        if name != FUSED:
            choices.append(Choice(name, row_name(name)))
        elif len(steps) > 1:
            choices += [Choice(each, row_name(each)) for each in steps]
        else:
            choices.append(Choice(steps[0] if steps else FUSED, FUSED))
    if len({choice.row for choice in choices}) < len(choices):
        raise CliError(f"{option} {text}: names a method twice")
    return choices


def row_name(kind: str) -> str:
    """What tables call a method: "1 step", "2 steps", otherwise its name."""
    if not kind.isdigit():
        return kind
    return f"{kind} step" if kind == "1" else f"{kind} steps"


def make_methods(choices: Sequence[Choice], args: argparse.Namespace, beside: bool = False) -> list[Method]:
    """Methods in the order of the choices; a network is loaded once, however many rows it makes.

    args: what add_fusion_arguments, add_engine_arguments and add_teacher_argument took. beside: where there
    is a prompt, every network is followed by itself without it. Raises CliError.
    """
    networks = Networks(args, [choice.kind for choice in choices if choice.kind in STEPS])
    methods: list[Method] = []
    for choice in choices:
        if choice.kind not in STEPS:
            methods.append(_without_network(choice.kind))
            continue
        methods.append(networks.method(choice.kind, choice.row))
        if beside and args.prompt.strip():
            methods.append(networks.method(choice.kind, f"{choice.row}{UNPROMPTED}", prompted=False))
    return methods


def _without_network(kind: str) -> Method:
    if kind == "rgb":
        return Method(kind, lambda rgb, thermal: rgb)
    if kind == "thermal":
        return Method(kind, lambda rgb, thermal: np.repeat(thermal[..., None], 3, axis=2))
    return Method(kind, lambda rgb, thermal: baseline_image(kind, rgb, thermal))


class Networks:
    """The student and the teacher, each loaded when it is first needed and kept."""

    def __init__(self, args: argparse.Namespace, steps: Sequence[str]) -> None:
        """steps: all that will be asked for. --weights is the teacher's where nothing else is asked for."""
        self._args = args
        self._prompt = check_prompt_arguments(args)
        alone = all(each == TEACHER for each in steps)
        self._teacher = args.teacher or (args.weights if alone else "")
        self._loaded: dict[bool, Fuser] = {}

    def method(
        self, steps: str, name: str = "", restore: str | Mapping[str, float] = "", prompted: bool = True
    ) -> Method:
        """The network at `steps`, one of STEPS. restore: instead of --restore; prompted: with --prompt.

        Raises CliError.
        """
        fuser, count = self._fuser(steps), steps_of(steps)
        wanted, prompt = restore or self._args.restore, self._prompt if prompted else ""

        settling, thermal_settling = Settling(), ThermalSettling()

        def fuse(rgb: Bytes, thermal: Bytes, **settled: Any) -> Bytes:
            fused = fuser.fuse(
                rgb, thermal, prompt, count, strength=self._args.strength, restore=wanted,
                want_salience=False, **settled,
            )  # fmt: skip
            return np.asarray(fused.image, np.uint8)

        def follow(rgb: Bytes, thermal: Bytes, stamp_ns: int) -> Bytes:
            settle = partial(settling.settle, stamp_ns=stamp_ns)
            settle_thermal = partial(thermal_settling.settle, stamp_ns=stamp_ns)
            return fuse(rgb, thermal, settle=settle, settle_thermal=settle_thermal)

        return Method(name or row_name(steps), fuse, count, fuser.weights_id, fuser.dtype, follow)

    def _fuser(self, steps: str) -> Fuser:
        is_teacher = steps == TEACHER
        if is_teacher not in self._loaded:
            path = self._teacher if is_teacher else self._args.weights
            args = argparse.Namespace(**{**vars(self._args), "weights": path})
            self._loaded[is_teacher] = make_fuser(args, steps)
        fuser = self._loaded[is_teacher]
        if steps_of(steps) not in fuser.steps:
            known = ", ".join(map(str, fuser.steps))
            raise CliError(f"--steps {steps}: weights {fuser.weights_id} are for {known} steps")
        return fuser
