"""`textdifuse compare`: what a fixed detector finds on each camera, the baselines and the fused image."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError, named_os_errors
from textdifuse_ros.cli.image_files import find_pairs, only_listed, read_rgb, read_thermal
from textdifuse_ros.cli.model_options import (
    add_engine_arguments,
    add_fusion_arguments,
    check_fusion_arguments,
    make_fuser,
)
from textdifuse_ros.evaluation.average_precision import Judged, average_precision, mean_over_thresholds
from textdifuse_ros.evaluation.baselines import BASELINES, baseline_image
from textdifuse_ros.evaluation.detector_file import Detections, DetectorError, TfliteYolo
from textdifuse_ros.imaging.clips import ClipError, as_thermal_message, open_clip

Bytes = NDArray[np.uint8]
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov")
CLASSES = {"person": 0, "car": 2}  # as COCO numbers them
SAME = {"person": "person", "people": "person", "car": "car"}
LEAST_SCORE = 0.001  # average precision needs the whole curve


@dataclass
class Frame:
    """rgb uint8 (H, W, 3), thermal uint8 (H, W), truth: class -> (M, 4) corners in pixels."""

    rgb: Bytes
    thermal: Bytes
    truth: dict[str, NDArray[np.float64]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rgb", type=Path, required=True, help="clip or directory of images")
    parser.add_argument("--thermal", type=Path, required=True, help="clip or directory of images")
    parser.add_argument("--detector", type=Path, required=True, help="YOLOv8-style .tflite, COCO classes")
    parser.add_argument("--boxes", type=Path, metavar="DIR", help="YOLO text labels: adds average precision")
    parser.add_argument(
        "--only", type=Path, metavar="LIST", help="use only the stems listed (set/stem lines)"
    )
    parser.add_argument("--every", type=int, default=10, metavar="N", help="every Nth frame of a clip (10)")
    parser.add_argument("--confidence", type=float, default=0.35, help="of the counted detections (0.35)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    add_fusion_arguments(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or CliError naming the file and the reason."""
    with named_os_errors():
        steps, prompt = check_fusion_arguments(args)
        if args.every < 1:
            raise CliError(f"--every {args.every}: must be at least 1")
        try:
            detector = TfliteYolo(args.detector)
        except DetectorError as error:
            raise CliError(str(error)) from error
        fuser = make_fuser(args)

        def fused(frame: Frame) -> Bytes:
            result = fuser.fuse(
                frame.rgb, frame.thermal, prompt, steps, strength=args.strength, restore=args.restore,
                want_salience=False,
            )  # fmt: skip
            return np.asarray(result.image, np.uint8)

        methods = _methods(fused)
        least = LEAST_SCORE if args.boxes else args.confidence
        found: dict[str, list[Detections]] = {name: [] for name in methods}
        truths = []
        for frame in _frames(args):
            truths.append(frame.truth)
            for name, method in methods.items():
                found[name].append(detector(method(frame), least))
        rows = {name: _row(found[name], truths, args) for name in methods}
    if args.json:
        report = {"frames": len(truths), "confidence": args.confidence, "steps": steps, "methods": rows}
        print(json.dumps({**report, "prompt": args.prompt, "weights": fuser.weights_id}, indent=2))
    else:
        print(_table(rows))
        print(f"{len(truths)} frames, counts at confidence {args.confidence:g}; fused with {steps} steps")
    return 0


def _methods(fused: Callable[[Frame], Bytes]) -> dict[str, Callable[[Frame], Bytes]]:
    methods: dict[str, Callable[[Frame], Bytes]] = {
        "rgb": lambda frame: frame.rgb,
        "thermal": lambda frame: np.repeat(frame.thermal[..., None], 3, axis=2),
    }
    for name in BASELINES:
        methods[name] = lambda frame, name=name: baseline_image(name, frame.rgb, frame.thermal)  # type: ignore[misc]
    methods["fused"] = fused
    return methods


def _frames(args: argparse.Namespace) -> Iterator[Frame]:
    if args.rgb.suffix.lower() in VIDEO_SUFFIXES:
        yield from _clip_frames(args.rgb, args.thermal, args.every)
        return
    pairs = only_listed(find_pairs(args.rgb, args.thermal), args.only).pairs
    names = _class_names(args.boxes) if args.boxes else []
    for pair in pairs:
        rgb = read_rgb(pair.rgb)
        thermal = read_thermal(pair.thermal, (rgb.shape[1], rgb.shape[0]))
        truth = _truth(args.boxes / f"{pair.stem}.txt", names, rgb.shape) if args.boxes else {}
        yield Frame(rgb, thermal, truth)


def _clip_frames(rgb: Path, thermal: Path, every: int) -> Iterator[Frame]:
    """Every Nth frame of both clips, up to the end of the shorter one."""
    try:
        pairs = zip(open_clip(rgb).frames(), open_clip(thermal).frames(), strict=False)
        for colour, warm in itertools.islice(pairs, 0, None, every):
            grey = np.asarray(as_thermal_message(warm, thermal)[0], np.uint8)
            if grey.shape != colour.shape[:2]:
                grey = np.asarray(cv2.resize(grey, (colour.shape[1], colour.shape[0])), np.uint8)
            yield Frame(np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2RGB), np.uint8), grey, {})
    except ClipError as error:
        raise CliError(str(error)) from error


def _class_names(boxes: Path) -> list[str]:
    path = boxes.parent / "classes.txt"
    if not path.is_file():
        raise CliError(f"{path}: is missing; it names the classes of {boxes}, one a line")
    return path.read_text().split()


def _truth(path: Path, names: list[str], shape: tuple[int, ...]) -> dict[str, NDArray[np.float64]]:
    rows: dict[str, list[list[float]]] = {name: [] for name in CLASSES}
    lines = path.read_text().splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            index, x, y, w, h = (float(word) for word in line.split())
            name = SAME.get(names[int(index)].lower())
        except (ValueError, IndexError) as error:
            raise CliError(f"{path}:{number}: not 'class x y w h' ({error})") from error
        if name:
            high, wide = shape[:2]
            rows[name].append(
                [(x - w / 2) * wide, (y - h / 2) * high, (x + w / 2) * wide, (y + h / 2) * high]
            )
    return {name: np.asarray(each, np.float64).reshape(-1, 4) for name, each in rows.items()}


def _row(
    found: list[Detections], truths: list[dict[str, NDArray[np.float64]]], args: argparse.Namespace
) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, index in CLASSES.items():
        row[name] = sum(int(((d.classes == index) & (d.scores >= args.confidence)).sum()) for d in found)
    if args.boxes:
        half, strict = [], []
        for name, index in CLASSES.items():
            images = [
                Judged(d.scores[d.classes == index], d.boxes[d.classes == index], truth[name])
                for d, truth in zip(found, truths, strict=True)
            ]
            half.append(average_precision(images, 0.5))
            strict.append(mean_over_thresholds(images))
            row[f"{name} AP@.5"] = round(half[-1], 4)
        row["mAP@.5"] = round(float(np.nanmean(half)), 4)
        row["mAP@[.5:.95]"] = round(float(np.nanmean(strict)), 4)
    return row


def _table(rows: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(rows.values())))
    lines = ["  ".join([f"{'':<8}", *(f"{column:>12}" for column in columns)])]
    for name, row in rows.items():
        cells = [
            f"{row[column]:>12}" if isinstance(row[column], int) else f"{row[column]:>12.3f}"
            for column in columns
        ]
        lines.append("  ".join([f"{name:<8}", *cells]))
    return "\n".join(lines)
