"""`textdifuse evaluate`: EN, AG, SD, SCD, VIF, Qabf of fused images, of the network or of a baseline."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.image_files import (
    Pair,
    find_pairs,
    images_by_stem,
    only_listed,
    read_rgb,
    read_thermal,
)
from textdifuse_ros.cli.model_options import (
    add_engine_arguments,
    add_fusion_arguments,
    check_fusion_arguments,
    make_fuser,
)
from textdifuse_ros.evaluation import metrics
from textdifuse_ros.evaluation.baselines import BASELINES, baseline_luminance, luminance
from textdifuse_ros.evaluation.report import MethodScores, table

Bytes = NDArray[np.uint8]
Method = Callable[[Pair, Bytes, Bytes], Bytes]  # pair, RGB, thermal -> fused luminance or RGB
FUSED = "fused"


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
    parser.add_argument(
        "--method",
        default=FUSED,
        metavar="NAME[,NAME]",
        help=f"what to score: {FUSED}, {', '.join(BASELINES)}, several with commas, or all ({FUSED})",
    )
    parser.add_argument(
        "--only", type=Path, metavar="LIST", help="use only the stems listed (set/stem lines)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    add_fusion_arguments(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0. The means of the first method lead the JSON object, the others follow in "others"."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    names = _method_names(args.method)
    found = only_listed(find_pairs(args.rgb, args.thermal), args.only)
    unmatched = list(found.unmatched)
    pairs = found.pairs
    made_by = ""
    methods: dict[str, Method] = {name: _baseline(name) for name in names if name in BASELINES}
    if FUSED in names and args.fused is not None:
        files = _fused_files(args.fused, pairs)
        unmatched += [pair.rgb for pair in pairs if pair.stem not in files]
        pairs = tuple(pair for pair in pairs if pair.stem in files)
        methods[FUSED] = _from_files(files)
        made_by = str(args.fused)
    elif FUSED in names:
        methods[FUSED], made_by = _from_network(args)
    scores = [MethodScores(name) for name in names]
    for pair in pairs:
        _score(pair, methods, scores)
    if args.json:
        first, *others = (each.as_dict() for each in scores)
        report = {**first, "count": len(pairs), "fused_by": made_by, "unmatched": [str(p) for p in unmatched]}
        print(json.dumps({**report, "others": others}, indent=2))
    else:
        print(table(scores))
        print(f"{len(pairs)} images" + (f", {FUSED}: {made_by}" if made_by else ""))
        for path in unmatched:
            print(f"no partner: {path}")
    return 0


def _method_names(text: str) -> list[str]:
    known = [FUSED, *BASELINES]
    names = known if text == "all" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise CliError(f"--method {name!r}: use {', '.join(known)} or all")
    if len(set(names)) < len(names):
        raise CliError(f"--method {text}: names a method twice")
    return names


def _score(pair: Pair, methods: dict[str, Method], scores: list[MethodScores]) -> None:
    rgb = read_rgb(pair.rgb)
    thermal = read_thermal(pair.thermal, (rgb.shape[1], rgb.shape[0]))
    visible = luminance(rgb)
    for each in scores:
        fused = luminance(methods[each.method](pair, rgb, thermal))
        try:
            each.add(pair.stem, metrics.evaluate(fused, visible, thermal))
        except ValueError as error:
            raise CliError(f"{pair.rgb}: {error}") from error


def _baseline(name: str) -> Method:
    return lambda pair, rgb, thermal: baseline_luminance(name, luminance(rgb), thermal)


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


def _from_files(files: dict[str, Path]) -> Method:
    def read(pair: Pair, rgb: Bytes, thermal: Bytes) -> Bytes:
        path = files[pair.stem]
        fused = read_rgb(path)
        if fused.shape != rgb.shape:
            sizes = f"{fused.shape[1]}x{fused.shape[0]}, but {pair.rgb} is {rgb.shape[1]}x{rgb.shape[0]}"
            raise CliError(f"{path}: is {sizes}")
        return fused

    return read


def _from_network(args: argparse.Namespace) -> tuple[Method, str]:
    steps, prompt = check_fusion_arguments(args)
    fuser = make_fuser(args)

    def fuse(pair: Pair, rgb: Bytes, thermal: Bytes) -> Bytes:
        try:
            fused = fuser.fuse(
                rgb, thermal, prompt, steps, strength=args.strength, restore=args.restore, want_salience=False
            )
        except (ValueError, RuntimeError) as error:
            raise CliError(f"{pair.rgb}: {error}") from error
        return np.asarray(fused.image, np.uint8)

    return fuse, f"weights {fuser.weights_id}, {steps} step{'s' if steps > 1 else ''}, {fuser.dtype}"
