"""`textdifuse restoration`: what restoration gives for each degradation, beside no restoration at all.

Fused (degraded, restore auto) is held against fused (clean, auto), and fused (degraded, off) against fused
(clean, off): the gain is what restoration puts right, not what it does to a picture that needs nothing.
"asked" is the same gain where somebody has also asked, for both pictures, for the removal of the very fault.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.image_files import read_pair
from textdifuse_ros.cli.methods import (
    Method,
    Networks,
    add_teacher_argument,
    choose,
    make_methods,
    parse_steps,
)
from textdifuse_ros.cli.model_options import add_engine_arguments
from textdifuse_ros.cli.pair_sets import PairSet, add_pair_arguments, check_pair_arguments, pair_sets
from textdifuse_ros.cli.spoiling import spoil
from textdifuse_ros.evaluation.baselines import BASELINES
from textdifuse_ros.evaluation.restoration import (
    Case,
    Closeness,
    Fuse,
    Spoil,
    answered,
    average,
    left_alone,
    survey,
)

Bytes = NDArray[np.uint8]
STRENGTHS = "0.33,0.67,1"


@dataclass(frozen=True)
class Contest:
    """methods: all that take part. networks: those among them that have a counterpart, `without(name)`.

    asked: by network and degradation, restore auto with the wish that this degradation be removed.
    """

    networks: tuple[Method, ...]
    methods: tuple[Method, ...]
    asked: Mapping[tuple[str, str], Method]


@dataclass(frozen=True)
class Outcome:
    """One pair. close: by case and method; alone: by network, restore auto against off on the clean pair."""

    close: Mapping[tuple[Case, str], Closeness]  # methods, and `asked(network)`
    alone: Mapping[str, tuple[float, float]]


def without(name: str) -> str:
    """What a network is called with restore off."""
    return f"{name}, off"


def asked(name: str) -> str:
    """What a network is called with the wish."""
    return f"{name}, asked"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_pair_arguments(parser)
    parser.add_argument("--steps", default="1", metavar="1|2|4|teacher", help="several with commas (1)")
    parser.add_argument(
        "--strengths", default=STRENGTHS, metavar="S[,S]", help=f"of the degradations ({STRENGTHS})"
    )
    parser.add_argument(
        "--degradations", default="all", metavar="NAME[,NAME]", help="only these, by their names (all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    parser.set_defaults(prompt="", strength=1.0, restore="auto")
    add_teacher_argument(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    check_pair_arguments(args)
    steps = parse_steps(args.steps)
    cases = _cases(args.degradations, args.strengths)
    sets = pair_sets(args)
    contest = _contest(steps, cases, args)
    outcomes = _outcomes(sets, cases, contest)
    report = _report(outcomes, cases, contest)
    if args.json:
        made = {method.name: method.made_by for method in contest.networks}
        print(json.dumps({"count": len(outcomes), "fused_by": made, **report}, indent=2))
        return 0
    print(_table(report, contest))
    print()
    for name, figures in report["clean_pair"].items():
        difference, ratio = figures["mean_absolute_difference"], figures["psnr"]
        print(f"clean pair, {name}, restore auto against off: {difference:.2f} of 255, {ratio:.1f} dB")
    print(f"{len(outcomes)} pairs" + "".join(f", {each.name}: {each.made_by}" for each in contest.networks))
    return 0


def _cases(names: str, strengths: str) -> list[Case]:
    from textdifuse_ros.train.degrade import DEGRADATIONS

    wanted = list(DEGRADATIONS) if names == "all" else [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in DEGRADATIONS:
            raise CliError(f"--degradations {name!r}: use {', '.join(DEGRADATIONS)}")
    try:
        levels = [float(word) for word in strengths.split(",")]
    except ValueError as error:
        raise CliError(f"--strengths {strengths}: write numbers with commas between") from error
    if not all(0 < level <= 1 for level in levels):
        raise CliError(f"--strengths {strengths}: must lie above 0 and up to 1")
    return [Case(name, level) for name in wanted for level in levels]


def _contest(steps: Sequence[str], cases: Sequence[Case], args: argparse.Namespace) -> Contest:
    from textdifuse_ros.train.degrade import DEGRADATIONS

    networks = Networks(args, steps)
    auto = tuple(networks.method(each, restore="auto") for each in steps)
    off = tuple(
        networks.method(each, without(method.name), restore="off")
        for each, method in zip(steps, auto, strict=True)
    )
    baselines = make_methods(choose(",".join(BASELINES), steps, ()), args)
    wished = {
        (method.name, name): networks.method(each, restore={DEGRADATIONS[name].control: 1.0})
        for each, method in zip(steps, auto, strict=True)
        for name in {case.degradation for case in cases}
    }
    return Contest(auto, (*auto, *off, *baselines), wished)


def _outcomes(sets: Sequence[PairSet], cases: Sequence[Case], contest: Contest) -> list[Outcome]:
    methods = {method.name: method.fuse for method in contest.methods}
    outcomes = []
    for pair in (pair for each in sets for pair in each.pairs):
        rgb, thermal = read_pair(pair)
        spoil_case = _spoiler(pair.stem)
        names = [network.name for network in contest.networks]
        with named_value_errors(pair.rgb):
            clean, close = survey(rgb, thermal, cases, spoil_case, methods)
            for name in names:
                answers = answered(rgb, thermal, cases, spoil_case, _wished(contest, name))
                close |= {(case, asked(name)): answer for case, answer in answers.items()}
        outcomes.append(Outcome(close, {n: left_alone(clean[n], clean[without(n)]) for n in names}))
    return outcomes


def _wished(contest: Contest, network: str) -> Callable[[Case], Fuse]:
    return lambda case: contest.asked[network, case.degradation].fuse


def _spoiler(stem: str) -> Spoil:
    def spoil_case(case: Case, rgb: Bytes, thermal: Bytes) -> tuple[Bytes, Bytes]:
        return spoil(case.degradation, case.strength, stem, rgb, thermal)

    return spoil_case


def _report(outcomes: Sequence[Outcome], cases: Sequence[Case], contest: Contest) -> dict[str, Any]:
    """{"clean_pair": by network, "rows": by case, "mean": over all cases}, rounded."""
    names = [method.name for method in contest.methods] + [asked(each.name) for each in contest.networks]
    close = {
        (case, name): average([each.close[case, name] for each in outcomes])
        for case in cases
        for name in names
    }
    rows = [
        {"degradation": case.degradation, "strength": case.strength}
        | _row({name: close[case, name] for name in names}, contest)
        for case in cases
    ]
    overall = {name: average([close[case, name] for case in cases]) for name in names}
    clean = {}
    for name in (method.name for method in contest.networks):
        difference, ratio = np.mean([each.alone[name] for each in outcomes], axis=0).tolist()
        clean[name] = {"mean_absolute_difference": round(difference, 3), "psnr": round(ratio, 2)}
    return {"clean_pair": clean, "rows": rows, "mean": _row(overall, contest)}


def _row(close: dict[str, Closeness], contest: Contest) -> dict[str, Any]:
    def gain(name: str, made: str) -> float:
        return round(close[made].psnr - close[without(name)].psnr, 2)

    gains = {each.name: gain(each.name, each.name) for each in contest.networks}
    wished = {each.name: gain(each.name, asked(each.name)) for each in contest.networks}
    methods = {name: {"psnr": round(c.psnr, 2), "vif": round(c.vif, 4)} for name, c in close.items()}
    return {"gain_db": gains, "asked_gain_db": wished, "methods": methods}


def _table(report: dict[str, Any], contest: Contest) -> str:
    """Two lines of head, then a row a case; PSNR in dB."""
    others = [m.name for m in contest.methods if m.name in BASELINES]
    first, second = [f"{'':<21}", f"{'':>5}"], [f"{'degradation':<21}", f"{'level':>5}"]
    for network in contest.networks:
        first.append(f"{network.name:^46}")
        second += ["  PSNR", "   off", "  gain", " asked", "   VIF", "   off"]
    for name in others:
        first.append(f"{name:^14}")
        second += ["  PSNR", "   VIF"]
    lines = ["  ".join(first), "  ".join(second)]
    for row in [*report["rows"], {"degradation": "mean", "strength": None, **report["mean"]}]:
        level = "" if row["strength"] is None else f"{row['strength']:.2f}"
        cells = [f"{row['degradation']:<21}", f"{level:>5}"]
        for network in contest.networks:
            auto, off = row["methods"][network.name], row["methods"][without(network.name)]
            cells += [f"{auto['psnr']:6.2f}", f"{off['psnr']:6.2f}", f"{row['gain_db'][network.name]:+6.2f}"]
            cells.append(f"{row['asked_gain_db'][network.name]:+6.2f}")
            cells += [f"{auto['vif']:6.3f}", f"{off['vif']:6.3f}"]
        for name in others:
            cells += [f"{row['methods'][name]['psnr']:6.2f}", f"{row['methods'][name]['vif']:6.3f}"]
        lines.append("  ".join(cells))
    return "\n".join(line.rstrip() for line in lines)
