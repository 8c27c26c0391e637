"""`textdifuse fuse`: image files or directories to fused PNGs.

Everything that can be checked is checked before the first image is written: paths, options, the prompt,
and every input by decoding it. Missing output folders are made; inputs are never overwritten; older outputs
are.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

from textdifuse_ros.cli.building import build
from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.image_files import Pair, find_pairs, read_rgb, read_thermal, write_png
from textdifuse_ros.cli.model_options import (
    add_engine_arguments,
    add_fusion_arguments,
    check_fusion_arguments,
    make_fuser,
)

_LEAST_SIDE = 16


@dataclass(frozen=True)
class _Job:
    pair: Pair
    output: Path
    salience: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rgb", type=Path, required=True, metavar="FILE|DIR", help="colour image(s)")
    parser.add_argument(
        "--thermal",
        type=Path,
        required=True,
        metavar="FILE|DIR",
        help="thermal image(s), white hot, registered to the colour ones, of any size and depth; "
        "directories pair by file name without extension",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE|DIR",
        help="fused PNG(s), of the colour images' size",
    )
    parser.add_argument(
        "--salience", type=Path, metavar="FILE|DIR", help="also write where the prompt applies, as 8-bit PNG"
    )
    add_fusion_arguments(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0. Raises CliError, after which no output is half-written."""
    with named_os_errors():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    steps, prompt = check_fusion_arguments(args)
    found = find_pairs(args.rgb, args.thermal)
    jobs = _plan(found.pairs, args.rgb.is_dir(), args.output, args.salience)
    for job in jobs:
        _check_readable(job.pair)
    fuser = make_fuser(args)
    began = time.perf_counter()
    built: set[tuple[int, int]] = set()
    for job in jobs:
        rgb = read_rgb(job.pair.rgb)
        thermal = read_thermal(job.pair.thermal, (rgb.shape[1], rgb.shape[0]))
        try:
            size = (rgb.shape[0], rgb.shape[1])
            if size not in built:
                build(fuser, *size, steps)
                built.add(size)
            fused = fuser.fuse(
                rgb,
                thermal,
                prompt,
                steps,
                strength=args.strength,
                restore=args.restore,
                want_salience=job.salience is not None,
            )
        except (ValueError, RuntimeError) as error:
            raise CliError(f"{job.pair.rgb}: {error}") from error
        write_png(job.output, fused.image)
        if job.salience is not None and fused.salience is not None:
            write_png(job.salience, fused.salience)
    seconds = (time.perf_counter() - began) / len(jobs)
    print(
        f"{len(jobs)} fused into {args.output}, {seconds * 1e3:.0f} ms each ({fuser.device}, {fuser.dtype})"
    )
    for path in found.unmatched:
        print(f"no partner: {path}")
    return 0


def _plan(pairs: tuple[Pair, ...], many: bool, output: Path, salience: Path | None) -> list[_Job]:
    """Where everything goes. Raises CliError where a target cannot be, or would take an input's place."""
    jobs = []
    for pair in pairs:
        target = _target(pair, output, many, "--output")
        map_target = None if salience is None else _target(pair, salience, many, "--salience")
        jobs.append(_Job(pair, target, map_target))
    inputs = {path.resolve() for pair in pairs for path in (pair.rgb, pair.thermal)}
    taken: set[Path] = set()
    for job in jobs:
        for path in (job.output, job.salience):
            if path is None:
                continue
            if path.resolve() in inputs:
                raise CliError(f"{path}: is an input and would be overwritten: choose another output")
            if path.resolve() in taken:
                raise CliError(f"{path}: would be written twice: give --salience a place of its own")
            taken.add(path.resolve())
            _check_writable(path)
    return jobs


def _target(pair: Pair, given: Path, many: bool, option: str) -> Path:
    if many:
        if given.exists() and not given.is_dir():
            raise CliError(f"{given}: is a file, but {option} must be a directory for directories")
        return given / f"{pair.stem}.png"
    if given.is_dir():
        return given / f"{pair.stem}.png"
    if given.suffix.lower() != ".png":
        raise CliError(f"{given}: {option} is written as PNG: give it a name that ends in .png")
    return given


def _check_writable(target: Path) -> None:
    if target.is_dir():
        raise CliError(f"{target}: cannot be written: it is a directory")
    folder = next(parent for parent in target.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise CliError(f"{target}: cannot be written: {folder} is not a folder that can be written to")


def _check_readable(pair: Pair) -> None:
    rgb = read_rgb(pair.rgb)
    read_thermal(pair.thermal)
    if min(rgb.shape[:2]) < _LEAST_SIDE:
        size = f"{rgb.shape[1]}x{rgb.shape[0]}"
        raise CliError(f"{pair.rgb}: {size} is too small, {_LEAST_SIDE} pixels a side are needed")
