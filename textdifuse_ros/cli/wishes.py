"""`textdifuse wishes`: what each restoration wish moves, and what it leaves alone.

Validation pairs are degraded with known parameters and fused without and with the wish, from restore off
unless something else is said.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.model_options import add_engine_arguments, check_steps, make_fuser
from textdifuse_ros.cli.validation_pairs import add_data_arguments, validation_pairs
from textdifuse_ros.evaluation.wish_measures import (
    CASES,
    DEGREES,
    MEASURES,
    Bytes,
    WishCase,
    in_units,
    measure,
    ordered,
    units_of,
)

if TYPE_CHECKING:
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.text.localiser import CompiledPrompt
    from textdifuse_ros.train.data import Pair
    from textdifuse_ros.train.faults import Log

OWN_BAR = 0.25  # share of what the degradation did to its measure that the wish undoes, at least
OTHERS_BAR = 0.25  # how far a wish may move a measure that it does not ask for, in that measure's unit
LEVEL = 0.7  # of the degradations, 1 is the strongest that training draws
_NOTHING = 1e-6
Figures = dict[str, float]


@dataclass
class Seen:
    """One case over all pairs: measures of the clean picture, the degraded one, and with each degree word."""

    clean: list[Figures] = field(default_factory=list)
    spoilt: list[Figures] = field(default_factory=list)
    wished: dict[str, list[Figures]] = field(default_factory=lambda: {word: [] for word in DEGREES})
    logs: list[Log] = field(default_factory=list)

    def moved(self, word: str, name: str) -> list[float]:
        """By the wish, pair by pair."""
        return [w[name] - s[name] for w, s in zip(self.wished[word], self.spoilt, strict=True)]

    def spoilt_by(self, name: str) -> list[float]:
        """By the degradation, pair by pair."""
        return [s[name] - c[name] for s, c in zip(self.spoilt, self.clean, strict=True)]

    def undone(self, name: str) -> list[float]:
        """Share of what the degradation did that the plain wish undoes, where it did anything."""
        every = zip(self.moved("", name), self.spoilt_by(name), strict=True)
        return [-moved / spoilt for moved, spoilt in every if abs(spoilt) > _NOTHING]

    def further(self, name: str) -> list[float]:
        """How much further from the clean picture's value the plain wish leads, below 0 where nearer."""
        every = zip(self.wished[""], self.spoilt, self.clean, strict=True)
        return [abs(w[name] - c[name]) - abs(s[name] - c[name]) for w, s, c in every]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_arguments(parser, pairs=8)
    parser.add_argument(
        "--level", type=float, default=LEVEL, metavar="L", help=f"of the degradations, 0 to 1 ({LEVEL})"
    )
    parser.add_argument("--steps", default="1", metavar="1|2|4|teacher", help="sampler steps (1)")
    parser.add_argument(
        "--restore", choices=("auto", "off"), default="off", help="what the wishes start from (off)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    steps = check_steps(args)
    if not 0 < args.level <= 1:
        raise CliError(f"--level {args.level:g}: must lie above 0 and up to 1")
    pairs = validation_pairs(args, labelled=False)
    fuser = make_fuser(args)
    if steps not in fuser.steps:
        raise CliError(f"--steps {args.steps}: weights {fuser.weights_id} are for {fuser.steps} steps")
    look = Look(fuser, steps, args.level, args.restore)
    for pair in pairs:
        with named_value_errors(Path(pair.name)):
            look.at(pair)
    report = {
        "pairs": len(pairs), "level": args.level, "steps": steps, "restore": args.restore,
        "weights": fuser.weights_id, "dtype": fuser.dtype, **summary(look.seen),
    }  # fmt: skip
    print(json.dumps(report, indent=2) if args.json else table(report))
    return 0


class Look:
    """Fuses pairs in every case and keeps the measures of every picture."""

    def __init__(self, fuser: Fuser, steps: int, level: float, restore: str) -> None:
        self._fuser, self._steps, self._level, self._restore = fuser, steps, level, restore
        self.seen = {case: Seen() for case in CASES}
        self._prompts = {
            case: {word: fuser.compile_prompt(f"{word} {case.wish}".strip()) for word in DEGREES}
            for case in CASES
        }

    def at(self, pair: Pair) -> None:
        """One pair: a clean picture, and up to 1 + len(DEGREES) of every case."""
        clean = self._measured(pair.visible, pair.thermal, "")
        for case, seen in self.seen.items():
            rgb, thermal, log = spoil(pair, case, self._level)
            spoilt = self._measured(rgb, thermal, "")
            seen.clean.append(clean)
            seen.spoilt.append(spoilt)
            seen.logs.append(log)
            made: dict[Any, Figures] = {}  # words that ask for the same share a picture
            for word, prompt in self._prompts[case].items():
                key = tuple(tuple(wish.removals.items()) for wish in prompt.wishes)
                if key not in made:
                    made[key] = self._measured(rgb, thermal, prompt)
                seen.wished[word].append(made[key])

    def _measured(self, rgb: Bytes, thermal: Bytes, prompt: CompiledPrompt | str) -> Figures:
        fused = self._fuser.fuse(
            rgb, thermal, prompt, self._steps, restore=self._restore, want_salience=False
        )
        return measure(fused.image)


def spoil(pair: Pair, case: WishCase, level: float) -> tuple[Bytes, Bytes, Log]:
    """The degraded pair and the parameters of its degradations; the pair's name decides the random fields."""
    from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade_bytes

    seed = zlib.crc32(pair.name.encode())
    draws = [Draw(DEGRADATIONS[name], level, seed + i) for i, name in enumerate(case.degradations)]
    return degrade_bytes(pair.visible, pair.thermal, draws)


def summary(seen: dict[WishCase, Seen]) -> dict[str, Any]:
    """JSON-ready: units of the measures, and for every wish what it moved, medians over the pairs."""
    units = units_of(
        {
            name: [
                value for case, each in seen.items() if case.measure == name for value in each.spoilt_by(name)
            ]
            for name in MEASURES
        }
    )
    return {
        "bars": {"undone": OWN_BAR, "others": OTHERS_BAR},
        "units": {name: round(value, 5) for name, value in units.items()},
        "wishes": [_row(case, each, units) for case, each in seen.items()],
    }


def _row(case: WishCase, seen: Seen, units: Figures) -> dict[str, Any]:
    moved = in_units({name: _median(seen.moved("", name)) for name in MEASURES}, units)
    further = in_units({name: _median(seen.further(name)) for name in MEASURES}, units)
    others = {name: value for name, value in moved.items() if name != case.measure}
    most = max(others, key=lambda name: abs(others[name]))
    as_asked = np.array(seen.moved("", case.measure)) * case.way > 0
    shares = seen.undone(case.measure)
    undone = _median(shares) if shares else None
    effects = [case.way * _median(seen.moved(word, case.measure)) for word in DEGREES]
    return {
        "wish": case.wish,
        "degradations": list(case.degradations),
        "parameters": seen.logs[0],
        "measure": case.measure,
        "asked": "more" if case.way > 0 else "less",
        "moved": {name: round(value, 4) for name, value in moved.items()},
        "further_from_clean": {name: round(value, 4) for name, value in further.items()},
        "own": round(moved[case.measure] * case.way, 4),
        "undone": None if undone is None else round(undone, 4),
        "pairs_as_asked": round(float(as_asked.mean()), 4),
        "most_moved_other": {"measure": most, "by": round(others[most], 4)},
        "degrees": {
            word or "plain": round(e / (units[case.measure] or 1), 4)
            for word, e in zip(DEGREES, effects, strict=True)
        },
        "kept": {
            "own": undone is not None and undone >= OWN_BAR,
            "others": abs(others[most]) <= OTHERS_BAR,
            "others_not_away": all(further[name] <= OTHERS_BAR for name in others),
            "degrees": ordered(effects),
        },
    }


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def table(report: dict[str, Any]) -> str:
    """The matrix, a row a wish, a column a measure; a star marks what the wish asks for."""
    width = max(len(row["wish"]) for row in report["wishes"])
    lines = [
        "  ".join(
            [f"{'moved, in units':<{width}}", *(f"{name:>11}" for name in MEASURES), " undone  degrees"]
        )
    ]
    for row in report["wishes"]:
        cells = [f"{row['wish']:<{width}}"]
        for name in MEASURES:
            mark = "*" if name == row["measure"] else " "
            cells.append(f"{row['moved'][name]:+10.2f}{mark}")
        cells.append("      -" if row["undone"] is None else f"{row['undone']:7.2f}")
        words = " ".join(f"{value:.2f}" for value in row["degrees"].values())
        lines.append(
            "  ".join([*cells, f"{words}, {'in order' if row['kept']['degrees'] else 'not in order'}"])
        )
    kept, calm, not_away = (
        sum(row["kept"][name] for row in report["wishes"]) for name in ("own", "others", "others_not_away")
    )
    count = len(report["wishes"])
    calm_ones = f"no other moved by more than {OTHERS_BAR:g}: {calm} of {count}"
    lines += ["", f"undone by {OWN_BAR:g} or more: {kept} of {count}; {calm_ones}"]
    lines.append(
        f"no other led away from the clean picture's by more than {OTHERS_BAR:g}: {not_away} of {count}"
    )
    lines.append(
        f"{report['pairs']} pairs, degradations at level {report['level']:g}, weights {report['weights']}, "
        f"{report['steps']} step{'s' if report['steps'] > 1 else ''}"
    )
    return "\n".join(lines)
