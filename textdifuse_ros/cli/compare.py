"""`textdifuse compare`: what a fixed detector finds on each camera, the baselines and the networks."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.judges import Judge, make_judge
from textdifuse_ros.cli.labelled import EVERY, Frame, frames, is_clip, labelled_sets
from textdifuse_ros.cli.methods import (
    CAMERAS,
    FUSED,
    Method,
    add_method_argument,
    add_teacher_argument,
    choose,
    make_methods,
    parse_steps,
)
from textdifuse_ros.cli.model_options import add_engine_arguments, add_fusion_arguments, steps_of
from textdifuse_ros.cli.pair_sets import add_pair_arguments, check_pair_arguments
from textdifuse_ros.cli.spoiling import parse_spoil, spoil
from textdifuse_ros.evaluation.baselines import BASELINES
from textdifuse_ros.evaluation.detection_table import NIGHT_LEVEL, Seen, is_night, report, table

EVERYTHING = (*CAMERAS, *BASELINES, FUSED)
LEAST_SCORE = 0.001  # average precision needs the whole curve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_pair_arguments(parser, "clip, image or directory of images")
    parser.add_argument(
        "--detector",
        required=True,
        metavar="FILE",
        help="a COCO YOLOv8 .tflite (needs LiteRT alone), or shipped, .onnx, .pt as in the node",
    )
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="DIR",
        help="YOLO text labels of --rgb, with classes.txt beside the folder: adds average precision",
    )
    parser.add_argument("--every", type=int, metavar="N", help=f"every Nth frame of a clip ({EVERY})")
    parser.add_argument("--confidence", type=float, default=0.35, help="of the counted detections (0.35)")
    parser.add_argument(
        "--spoil",
        metavar="NAME[:STRENGTH]",
        help="degrade every pair before, as training does: smoke, low_light:0.5, ...; labels stay",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    add_method_argument(parser, EVERYTHING, "all")
    add_fusion_arguments(parser, several=True)
    add_teacher_argument(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    check_pair_arguments(args)
    _check(args)
    steps = parse_steps(args.steps)
    choices = choose(args.method, steps, EVERYTHING)
    spoiling = parse_spoil(args.spoil) if args.spoil else None
    judge = make_judge(args.detector)
    sets = labelled_sets(args)
    methods = make_methods(choices, args, beside=True)
    least = LEAST_SCORE if any(each.boxes for each in sets) else args.confidence
    seen: dict[str, list[Seen]] = {}
    for frame in frames(args, sets):
        night = is_night(frame.rgb)  # of the scene, whatever is done to its picture
        if spoiling:
            rgb, thermal = spoil(*spoiling, frame.file.stem, frame.rgb, frame.thermal)
            frame = replace(frame, rgb=rgb, thermal=thermal)
        seen.setdefault(frame.folder, []).append(_look(frame, night, methods, judge, least))
    names = [method.name for method in methods]
    together = report([frame for each in seen.values() for frame in each], names, args.confidence)
    by_folder = {name: report(each, names, args.confidence) for name, each in seen.items()}
    if args.json:
        how = _how(args, [steps_of(each) for each in steps], methods)
        print(json.dumps({**together, **how, "sets": by_folder}, indent=2))
    else:
        _print(args, methods, together, by_folder)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises CliError for numbers out of range, and for what would not be looked at."""
    if args.every is not None and args.every < 1:
        raise CliError(f"--every {args.every}: must be at least 1")
    if not 0 < args.confidence <= 1:
        raise CliError(f"--confidence {args.confidence:g}: must lie above 0 and up to 1")
    if not is_clip(args):
        if args.every is not None:
            raise CliError("--every: is for clips; of folders, --only says which pairs are looked at")
        return
    for option in ("boxes", "only"):
        if getattr(args, option) is not None:
            raise CliError(f"--{option}: is for folders of images, and {args.rgb} is a clip; leave it out")


def _look(frame: Frame, night: bool, methods: list[Method], judge: Judge, least: float) -> Seen:
    with named_value_errors(frame.file):
        found = {method.name: judge(method.fuse(frame.rgb, frame.thermal), least) for method in methods}
    return Seen(night, frame.truth, found)


def _how(args: argparse.Namespace, steps: list[int], methods: list[Method]) -> dict[str, Any]:
    networks = [method for method in methods if method.steps]
    return {
        "confidence": args.confidence,
        "spoil": args.spoil or "",
        "steps": steps[0] if len(steps) == 1 else steps,
        "prompt": args.prompt,
        "weights": networks[0].weights if networks else "",
        "fused_by": {method.name: method.made_by for method in networks},
    }


def _print(
    args: argparse.Namespace, methods: list[Method], together: dict[str, Any], by_folder: dict[str, Any]
) -> None:
    print(table(together))
    if len(by_folder) > 1:
        for name, each in by_folder.items():
            print(f"\n{name}, {each['frames']} frames")
            print(table(each))
    print(f"\n{together['frames']} frames, counts at confidence {args.confidence:g}")
    if "light" in together:
        print(f"(pairs) mAP@.5 / mAP@[.5:.95]; night: mean RGB level below {NIGHT_LEVEL:g} of 255")
    for method in methods:
        if method.made_by:
            print(f"{method.name}: {method.made_by}")
