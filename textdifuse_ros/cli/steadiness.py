"""`textdifuse steadiness`: flicker on a clip, the same bits twice, crops against frames, a far hot object."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.clip_pairs import clip_pairs
from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.methods import (
    FUSED,
    Method,
    add_method_argument,
    add_teacher_argument,
    choose,
    make_methods,
    parse_steps,
)
from textdifuse_ros.cli.model_options import add_engine_arguments, add_fusion_arguments
from textdifuse_ros.evaluation.baselines import BASELINES, luminance
from textdifuse_ros.evaluation.steadiness import (
    FAR,
    MARGIN,
    OFF_GRID,
    Agreement,
    Change,
    Entry,
    Reach,
    crop_agreement,
    entry_of_a_hot_object,
    ratio,
    reach_of_a_hot_object,
)

Bytes = NDArray[np.uint8]
EVERYTHING = (FUSED, *BASELINES)
BAR = 1.1
_FRAME_NS = 33_333_333  # from one frame of a video to the next


@dataclass
class _Judged:
    """What is found out about one method."""

    method: Method
    first: Bytes
    crop: Agreement | None
    any_crop: Agreement | None
    reach: Reach | None
    entry: Entry | None
    change: Change = field(default_factory=Change)
    same_bits: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rgb", type=Path, required=True, metavar="CLIP", help="video file, or folder of frames in order"
    )
    parser.add_argument("--thermal", type=Path, required=True, metavar="CLIP", help="the same, thermal")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="how many from the start (60)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    add_method_argument(parser, EVERYTHING, "all")
    add_fusion_arguments(parser, several=True)
    add_teacher_argument(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    if args.frames < 2:
        raise CliError(f"--frames {args.frames}: must be 2 or more")
    choices = choose(args.method, parse_steps(args.steps), EVERYTHING)
    pairs = itertools.islice(clip_pairs(args.rgb, args.thermal), args.frames)
    first = next(pairs, None)
    if first is None:
        raise CliError(f"{args.rgb} and {args.thermal}: have no frame together")
    with named_value_errors(args.rgb):
        judged = [_begin(method, *first) for method in make_methods(choices, args)]
        sources, count = _watch(judged, itertools.chain([first], pairs))
        for each in judged:  # after other frames have gone through, so that anything remembered would show
            each.same_bits = np.array_equal(each.first, each.method.fuse(*first))
    if count < 2:
        raise CliError(f"{args.rgb} and {args.thermal}: have one frame together, two are needed")
    report = _report(judged, sources, count)
    print(json.dumps(report, indent=2) if args.json else _text(report))
    return 0


def _begin(method: Method, rgb: Bytes, thermal: Bytes) -> _Judged:
    whole = method.fuse(rgb, thermal)
    seen = (method.fuse, rgb, thermal, whole)
    crops = crop_agreement(*seen), crop_agreement(*seen, OFF_GRID)
    return _Judged(method, whole, *crops, reach_of_a_hot_object(*seen), entry_of_a_hot_object(*seen))


def _watch(judged: list[_Judged], pairs: Iterator[tuple[Bytes, Bytes]]) -> tuple[dict[str, float], int]:
    """All frames through all methods, as the node fuses those of a video. Change of the two cameras, and the
    number of frames."""
    rgb_change, thermal_change = Change(), Change()
    count = 0
    for rgb, thermal in pairs:
        count += 1
        rgb_change.see(luminance(rgb))
        thermal_change.see(thermal)
        for each in judged:
            each.change.see(each.method.luminance(rgb, thermal, count * _FRAME_NS))
    return {"rgb": rgb_change.mean, "thermal": thermal_change.mean}, count


def _report(judged: list[_Judged], sources: dict[str, float], frames: int) -> dict[str, Any]:
    rows = {}
    for each in judged:
        change = each.change.mean
        over_larger = ratio(change, max(sources.values()))
        over_mean = ratio(change, sum(sources.values()) / len(sources))
        rows[each.method.name] = {
            "change": round(change, 4),
            "over_larger": _rounded(over_larger),
            "over_mean": _rounded(over_mean),
            "same_bits_twice": each.same_bits,
            "crop": _figures(each.crop),
            "any_crop": _figures(each.any_crop),
            "hot_object": _figures(each.reach),
            "hot_object_enters": _figures(each.entry),
        }
    made = {each.method.name: each.method.made_by for each in judged if each.method.made_by}
    changes = {name: round(change, 4) for name, change in sources.items()}
    return {"frames": frames, "sources": changes, "bar": BAR, "methods": rows, "fused_by": made}


def _figures(found: Agreement | Reach | Entry | None) -> dict[str, float | None] | None:
    return {name: _rounded(value) for name, value in asdict(found).items()} if found else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _text(report: dict[str, Any]) -> str:
    width = max(len("method"), *map(len, report["methods"]))
    head = [f"{'method':<{width}}", "change", "/ larger", "/ mean", "same bits", "crop p99", "crop max"]
    head += ["hot: there", f"beyond {FAR} px", "any crop p99", f"enters: beyond {MARGIN} px"]
    lines = ["  ".join(head)]
    for name, row in report["methods"].items():
        crop, hot, any_crop, entry = (
            row[name] or {} for name in ("crop", "hot_object", "any_crop", "hot_object_enters")
        )
        cells = [
            f"{name:<{width}}",
            f"{row['change']:6.2f}",
            f"{_cell(row['over_larger'], 3):>8}",
            f"{_cell(row['over_mean'], 3):>6}",
            f"{'yes' if row['same_bits_twice'] else 'NO':>9}",
            f"{_cell(crop.get('percentile_99'), 1):>8}",
            f"{_cell(crop.get('highest'), 0):>8}",
            f"{_cell(hot.get('there'), 1):>10}",
            f"{_cell(hot.get('far'), 3):>13}",
            f"{_cell(any_crop.get('percentile_99'), 1):>12}",
            f"{_cell(entry.get('highest'), 0):>20}",
        ]
        lines.append("  ".join(cells))
    changes = ", ".join(f"{name} {change:.2f}" for name, change in report["sources"].items())
    lines.append(f"\n{report['frames']} frames; change of the cameras: {changes} grey levels a frame")
    lines += [f"{name}: {made_by}" for name, made_by in report["fused_by"].items()]
    return "\n".join(lines)


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
