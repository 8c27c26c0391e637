"""`textdifuse salience`: does what a prompt names stand out, and does the rest stay as it was."""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.model_options import (
    add_engine_arguments,
    check_steps,
    check_strength,
    make_fuser,
    steps_of,
)
from textdifuse_ros.cli.validation_pairs import add_data_arguments, corners, validation_pairs
from textdifuse_ros.evaluation.given_maps import GivenMaps
from textdifuse_ros.evaluation.salience import (
    Bytes,
    Change,
    Floats,
    box_mask,
    changes,
    mean_change,
    quartiles,
    soft_mask,
    stray_map,
    targets,
)
from textdifuse_ros.text.prompt import PromptError

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.text.localiser import CompiledPrompt
    from textdifuse_ros.train.data import Pair

COCO = {"person": 0, "car": 2, "bicycle": 1}
LABELS, LOCALISER = "labels", "localiser"
CONTRAST_BAR = 1.25  # median ratio of local contrast, at least
OUTSIDE_BAR = 2.0  # grey levels outside the labelled boxes, on average over the frames, below
UNRELATED_BAR = 1.0  # grey levels over the whole frame, on average over the frames, below


@dataclass
class ClassFigures:
    """What the prompt did to one class, over all frames that show it."""

    phrase: str
    changes: list[Change] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        contrast = quartiles([each.contrast for each in self.changes])
        outside = _mean(self.outside)
        return {
            "phrase": self.phrase,
            "frames": len(self.outside),
            "contrast_ratio": contrast,
            "gradient_energy_ratio": quartiles([each.energy for each in self.changes]),
            "outside_change": {"mean": outside, "worst_frame": _worst(self.outside)},
            "kept": {
                "contrast": None if contrast["median"] is None else contrast["median"] >= CONTRAST_BAR,
                "outside": None if outside is None else outside < OUTSIDE_BAR,
            },
        }


class Unrelated(NamedTuple):
    """A prompt that names what is nowhere, and where its map comes from."""

    name: str
    prompt: CompiledPrompt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_arguments(parser, pairs=0)
    parser.add_argument(
        "--relevance",
        choices=(LABELS, LOCALISER),
        default=LABELS,
        help="labels: the map is drawn from the boxes, which judges the fusion network alone; localiser: "
        "the way that a prompt goes (labels)",
    )
    parser.add_argument(
        "--phrase",
        action="append",
        default=[],
        metavar="CLASS=TEXT",
        help="the prompt for a class, instead of its name; may be given several times",
    )
    parser.add_argument(
        "--unrelated", default="a red balloon", metavar="TEXT", help="names what is nowhere (a red balloon)"
    )
    parser.add_argument("--steps", default="1", metavar="1|2|4|teacher", help="sampler steps (1)")
    parser.add_argument("--strength", type=float, default=1.0, metavar="S", help="of the prompt, 0 to 2 (1)")
    parser.add_argument("--restore", choices=("auto", "off"), default="auto", help="restoration (auto)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    check_steps(args)
    check_strength(args)
    phrases = _phrases(args.phrase)
    pairs = validation_pairs(args, labelled=True)
    given = GivenMaps() if args.relevance == LABELS else None
    fuser = make_fuser(args if given is None else argparse.Namespace(**{**vars(args), "localiser": given}))
    judge = Judge(fuser, given, phrases, args)
    for pair in pairs:
        with named_value_errors(Path(pair.name)):
            judge.look(pair)
    report = {"pairs": len(pairs), **judge.report()}
    print(json.dumps(report, indent=2) if args.json else table(report))
    return 0


class Judge:
    """Fuses each pair without and with every prompt, and keeps the figures."""

    def __init__(
        self, fuser: Fuser, given: GivenMaps | None, phrases: dict[str, str], args: argparse.Namespace
    ) -> None:
        """given: the localiser inside `fuser` where the maps come from the labels. Raises CliError."""
        self._fuser, self._given, self._args = fuser, given, args
        self._steps = steps_of(args.steps)
        if self._steps not in fuser.steps:
            raise CliError(f"--steps {args.steps}: weights {fuser.weights_id} are for {fuser.steps} steps")
        self._prompts = {name: self._compiled(phrase) for name, phrase in phrases.items()}
        self._classes = {name: ClassFigures(phrase) for name, phrase in phrases.items()}
        self._refused = ""
        try:
            fuser.compile_prompt(args.unrelated)
        except PromptError as error:
            self._refused = str(error)
        self._unrelated = None if self._refused else self._compiled(args.unrelated)
        self._changed: dict[str, list[float]] = {}

    def look(self, pair: Pair) -> None:
        """One pair: 1 + its classes + the unrelated maps pictures."""
        shape, every = pair.thermal.shape, corners(pair)
        without = self._fuse(pair, "")
        for name, figures in self._classes.items():
            boxes = corners(pair, COCO[name])
            if not len(boxes):
                continue
            self._show(self._prompts[name], soft_mask(boxes, shape))
            prompted = self._fuse(pair, self._prompts[name])
            figures.changes += changes(without, prompted, targets(boxes, every, shape))
            figures.outside.append(mean_change(without, prompted, ~box_mask(boxes, shape)))
        for kind in self._unrelated_maps(pair):
            prompted = self._fuse(pair, kind.prompt)
            self._changed.setdefault(kind.name, []).append(mean_change(without, prompted))

    def _unrelated_maps(self, pair: Pair) -> Iterator[Unrelated]:
        """What a localiser that accepts the unrelated phrase may say; shown before each is yielded."""
        if self._unrelated is None:
            return
        if self._given is None:
            yield Unrelated(LOCALISER, self._unrelated)
            return
        empty = np.zeros(pair.thermal.shape, np.float32)
        self._show(self._unrelated, empty)
        yield Unrelated("empty map", self._unrelated)
        stray = stray_map(pair.thermal.shape, zlib.crc32(pair.name.encode()))
        self._show(self._unrelated, stray)
        yield Unrelated("stray map", self._unrelated)

    def report(self) -> dict[str, Any]:
        """JSON-ready."""
        unrelated = {
            kind: {
                "mean_change": _mean(values),
                "worst_frame": _worst(values),
                "kept": float(np.mean(values)) < UNRELATED_BAR,
            }
            for kind, values in self._changed.items()
        }
        source = LABELS if self._given is not None else f"{LOCALISER} {self._args.localiser}"
        return {
            "relevance": source,
            "steps": self._steps,
            "strength": self._args.strength,
            "restore": self._args.restore,
            "weights": self._fuser.weights_id,
            "dtype": self._fuser.dtype,
            "bars": {"contrast": CONTRAST_BAR, "outside": OUTSIDE_BAR, "unrelated": UNRELATED_BAR},
            "classes": {name: figures.as_dict() for name, figures in self._classes.items()},
            "unrelated": {"phrase": self._args.unrelated, "refused": self._refused, **unrelated},
        }

    def _compiled(self, phrase: str) -> CompiledPrompt:
        try:
            compiled = self._fuser.compile_prompt(phrase)
        except PromptError as error:
            raise CliError(f"--localiser {self._args.localiser}: {error}") from error
        if len(compiled.objects) != 1 or compiled.wishes or compiled.objects[0].suppressed:
            raise CliError(f"'{phrase}': give one object phrase, neither suppressed nor a restoration wish")
        return compiled

    def _show(self, prompt: CompiledPrompt, relevance: Floats) -> None:
        """The next picture's map, where maps are given."""
        if self._given is not None:
            self._given.maps = {prompt.objects[0].text: relevance}

    def _fuse(self, pair: Pair, prompt: CompiledPrompt | str) -> Bytes:
        return self._fuser.fuse(
            pair.visible, pair.thermal, prompt, self._steps,
            strength=self._args.strength, restore=self._args.restore, want_salience=False,
        ).image  # fmt: skip


def _phrases(given: list[str]) -> dict[str, str]:
    phrases = {name: name for name in COCO}
    for words in given:
        name, equals, text = words.partition("=")
        if name not in COCO or not equals or not text.strip():
            raise CliError(f"--phrase {words!r}: write CLASS=TEXT, CLASS one of {', '.join(COCO)}")
        phrases[name] = text.strip()
    return phrases


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _worst(values: list[float]) -> float | None:
    return round(max(values), 4) if values else None


def table(report: dict[str, Any]) -> str:
    """A row a class; ratios as `q1 / median / q3`."""
    head = f"{'class':<8}  {'objects':>7}  {'contrast ratio':>20}  {'gradient energy ratio':>21}  outside"
    lines = [head]
    for name, row in report["classes"].items():
        outside = row["outside_change"]["mean"]
        lines.append(
            f"{name:<8}  {row['contrast_ratio']['count']:>7}  {_three(row['contrast_ratio']):>20}  "
            f"{_three(row['gradient_energy_ratio']):>21}  " + ("-" if outside is None else f"{outside:.2f}")
        )
    unrelated = report["unrelated"]
    lines.append("")
    if unrelated["refused"]:
        lines.append(f"'{unrelated['phrase']}': refused: {unrelated['refused']}")
    for kind, figures in unrelated.items():
        if isinstance(figures, dict):
            lines.append(
                f"'{unrelated['phrase']}', {kind}: the frame changes by {figures['mean_change']:.2f}"
            )
    lines.append(
        f"{report['pairs']} pairs, relevance from {report['relevance']}, strength {report['strength']:g}, "
        f"{report['steps']} step{'s' if report['steps'] > 1 else ''}, weights {report['weights']}"
    )
    return "\n".join(lines)


def _three(figures: dict[str, Any]) -> str:
    if figures["median"] is None:
        return "-"
    return f"{figures['q1']:.2f} / {figures['median']:.2f} / {figures['q3']:.2f}"
