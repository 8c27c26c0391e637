"""`textdifuse evaluate`: EN, AG, SD, SCD, VIF, Qabf of fused images, networks and baselines, side by side."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError, named_os_errors, named_value_errors
from textdifuse_ros.cli.image_files import Pair, find_pairs, images_by_stem, only_listed, read_pair, read_rgb
from textdifuse_ros.cli.methods import (
    FUSED,
    Choice,
    add_method_argument,
    add_teacher_argument,
    choose,
    make_methods,
    parse_steps,
)
from textdifuse_ros.cli.model_options import (
    add_engine_arguments,
    add_fusion_arguments,
    check_prompt_arguments,
    make_fuser,
)
from textdifuse_ros.evaluation import metrics, region_metrics
from textdifuse_ros.evaluation.baselines import BASELINES, luminance
from textdifuse_ros.evaluation.report import (
    MethodScores,
    distillation,
    distillation_table,
    region_table,
    table,
)

Bytes = NDArray[np.uint8]
Picture = Callable[[Pair, Bytes, Bytes], Bytes]  # pair, RGB, thermal -> luminance of the fused image
Region = Callable[[Bytes, Bytes], NDArray[np.float64]]  # RGB, thermal -> relevance (H, W) in [0, 1]
EVERYTHING = (FUSED, *BASELINES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rgb", type=Path, required=True, metavar="DIR", help="colour images (or one file)")
    parser.add_argument(
        "--thermal", type=Path, required=True, metavar="DIR", help="thermal images of the same names"
    )
    parser.add_argument(
        "--fused",
        type=Path,
        metavar="DIR",
        help="fused images of the same names; without it they are made now",
    )
    add_method_argument(parser, EVERYTHING, FUSED)
    parser.add_argument(
        "--only", type=Path, metavar="LIST", help="use only the stems listed (set/stem lines)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    add_fusion_arguments(parser, several=True)
    add_teacher_argument(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0. The means of the first method lead the JSON object, the others follow in "others"."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    if args.fused is not None and "," in args.steps:
        raise CliError(f"--steps {args.steps}: --fused holds the images of one method, give no list")
    choices = choose(args.method, () if args.fused is not None else parse_steps(args.steps), EVERYTHING)
    if args.fused is not None and Choice(FUSED, FUSED) not in choices:
        raise CliError(
            f"--fused {args.fused}: --method {args.method} does not look at it; name {FUSED} there as well"
        )
    found = only_listed(find_pairs(args.rgb, args.thermal), args.only)
    unmatched, pairs = list(found.unmatched), found.pairs
    files: dict[str, Path] = {}
    if args.fused is not None:
        files = _fused_files(args.fused, pairs)
        unmatched += [pair.rgb for pair in pairs if pair.stem not in files]
        pairs = tuple(pair for pair in pairs if pair.stem in files)
    pictures, scores = _pictures(choices, files, args)
    region = _region(args)
    for pair in pairs:
        _score(pair, pictures, scores, region)
    _print(args, scores, len(pairs), unmatched)
    return 0


def _pictures(
    choices: list[Choice], files: dict[str, Path], args: argparse.Namespace
) -> tuple[list[Picture], list[MethodScores]]:
    """How each row's picture is had, and its scores, empty as yet."""
    made = {
        method.name: method
        for method in make_methods([choice for choice in choices if choice.kind != FUSED], args)
    }
    pictures: list[Picture] = []
    scores: list[MethodScores] = []
    for choice in choices:
        if choice.kind == FUSED:
            pictures.append(_from_files(files))
            scores.append(MethodScores(FUSED, {}, str(args.fused)))
            continue
        method = made[choice.row]
        pictures.append(lambda pair, rgb, thermal, method=method: method.luminance(rgb, thermal))  # type: ignore[misc]
        steps = 0 if method.is_teacher else method.steps
        scores.append(MethodScores(method.name, {}, method.made_by, steps, method.is_teacher))
    return pictures, scores


def _region(args: argparse.Namespace) -> Region | None:
    """Finds what --prompt names, for every method alike; None where it names nothing that is to stand out."""
    if not args.prompt.strip():
        return None
    prompt = check_prompt_arguments(args)
    if all(phrase.suppressed for phrase in prompt.objects):
        return None
    fuser = make_fuser(args, args.steps.split(",")[0].strip())

    def find(rgb: Bytes, thermal: Bytes) -> NDArray[np.float64]:
        salience = fuser.fuse(rgb, thermal, prompt, fuser.steps[0]).salience
        return np.zeros(thermal.shape) if salience is None else salience / 255.0

    return find


def _score(pair: Pair, pictures: list[Picture], scores: list[MethodScores], region: Region | None) -> None:
    rgb, thermal = read_pair(pair)
    visible = luminance(rgb)
    with named_value_errors(pair.rgb):
        where = None if region is None else region(rgb, thermal)
        for picture, each in zip(pictures, scores, strict=True):
            fused = picture(pair, rgb, thermal)
            each.add(pair.stem, metrics.evaluate(fused, visible, thermal))
            if where is not None and region_metrics.is_region(where):
                each.add_region(pair.stem, region_metrics.evaluate(fused, visible, thermal, where))


def _print(args: argparse.Namespace, scores: list[MethodScores], count: int, unmatched: list[Path]) -> None:
    compared = distillation(scores)
    if args.json:
        rows = [_with_maker(each, compared.get(each.method)) for each in scores]
        lead = {**rows[0], "count": count, "fused_by": _made_by(scores), "prompt": args.prompt}
        print(json.dumps({**lead, "unmatched": [str(p) for p in unmatched], "others": rows[1:]}, indent=2))
        return
    print(table(scores))
    if compared:
        print(f"\n{distillation_table(compared)}\n")
    if region := region_table(scores):
        print(f"\n{region}\n{len(scores[0].region)} images have something of '{args.prompt}'\n")
    makers = [f", {each.method}: {each.made_by}" for each in scores if each.made_by]
    print(f"{count} images" + "".join(makers))
    for path in unmatched:
        print(f"no partner: {path}")


def _made_by(scores: list[MethodScores]) -> str:
    """Who made the images of the first row that a network or a folder made."""
    return next((each.made_by for each in scores if each.made_by), "")


def _with_maker(scores: MethodScores, compared: Any) -> dict[str, Any]:
    row = scores.as_dict()
    if scores.made_by:
        row["fused_by"] = scores.made_by
    if compared is not None:
        row["to_teacher"] = compared.as_dict()
    return row


def _fused_files(folder: Path, pairs: tuple[Pair, ...]) -> dict[str, Path]:
    """Fused image by the stem of its pair. A single file goes with a single pair."""
    if not folder.exists():
        raise CliError(f"{folder}: no such file or directory")
    if not folder.is_dir():
        if len(pairs) > 1:
            raise CliError(f"{folder}: is one file for {len(pairs)} pairs: give a directory")
        return {pairs[0].stem: folder}
    files = images_by_stem(folder)
    found = {pair.stem: files[pair.stem] for pair in pairs if pair.stem in files}
    if not found:
        raise CliError(f"{folder}: no file name (without extension) is that of a pair")
    return found


def _from_files(files: dict[str, Path]) -> Picture:
    def read(pair: Pair, rgb: Bytes, thermal: Bytes) -> Bytes:
        path = files[pair.stem]
        fused = read_rgb(path)
        if fused.shape != rgb.shape:
            sizes = f"{fused.shape[1]}x{fused.shape[0]}, but {pair.rgb} is {rgb.shape[1]}x{rgb.shape[0]}"
            raise CliError(f"{path}: is {sizes}")
        return luminance(fused)

    return read
