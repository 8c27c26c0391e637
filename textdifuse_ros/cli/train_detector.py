"""`textdifuse train-detector`: train and export the YOLO model that ships, for all three kinds of image."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.train import add_field_arguments, follow, prepare_threads, read_fields
from textdifuse_ros.evaluation.detector_file import TfliteYolo

if TYPE_CHECKING:
    from textdifuse_ros.train.yolo import YoloTraining
    from textdifuse_ros.train.yolo_data import Judge

Bytes = NDArray[np.uint8]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with msrs/, roadscene/, ... inside")
    parser.add_argument(
        "--output", type=Path, required=True, help="images, labels, checkpoints and detector.onnx go here"
    )
    parser.add_argument(
        "--judge",
        type=Path,
        required=True,
        metavar="FILE",
        help="COCO YOLOv8 .tflite that labels the classes which a data set leaves out",
    )
    parser.add_argument(
        "--teacher", type=Path, metavar="FILE", help="COCO YOLOv8n .safetensors whose features are followed"
    )
    parser.add_argument(
        "--initial", type=Path, metavar="FILE", help="exported .onnx of the same network to start from"
    )
    add_field_arguments(parser, "YoloTraining")
    parser.add_argument("--device", default="cpu", help="cpu, or the number of a CUDA device (cpu)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 leaves torch's choice")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 after a signal. Raises CliError."""
    from textdifuse_ros.detection.detections import DetectorError
    from textdifuse_ros.train.yolo import YoloTraining

    prepare_threads(args)
    config = read_fields(YoloTraining, args)
    try:
        return follow("train-detector", lambda: _train(args, config))
    except DetectorError as error:
        raise CliError(str(error)) from error


def _train(args: argparse.Namespace, config: YoloTraining) -> Path:
    from textdifuse_ros.train import yolo

    yolo.check(config, args.teacher, args.initial)
    images = _images(args)
    checkpoint = yolo.train(images, args.output, config, args.device, args.teacher, args.initial)
    target = Path(args.output) / "detector.onnx"
    yolo.export(checkpoint, target)
    return target


def _images(args: argparse.Namespace) -> Path:
    """The folder of images and labels, written where an earlier start has not."""
    from textdifuse_ros.fuser import Fuser
    from textdifuse_ros.model import weights
    from textdifuse_ros.train import made_of, stills, yolo_data

    folder: Path = args.output / "data"
    complete = folder / "complete"  # without it a run that was stopped while it wrote them begins again
    told = {
        "fusion weights": weights.identity(),
        "data": stills.digest(args.data / each.name for each in yolo_data.SETS)[:12],
        "judge": weights.identity(args.judge),
    }
    if complete.is_file():
        made_of.check_same(complete, told, "images")
        return folder
    fuser, judge = Fuser(), _judge(TfliteYolo(args.judge))

    def fuse(rgb: Bytes, thermal: Bytes, steps: int) -> Bytes:
        return fuser.fuse(rgb, thermal, steps=steps).image

    yolo_data.build(args.data, folder, fuse, judge, lambda text: print(text, file=sys.stderr))
    made_of.note(complete, told)
    return folder


def _judge(detector: TfliteYolo) -> Judge:
    """The COCO detector's first three classes are person, bicycle and car, as in `yolo_data.CLASSES`."""

    def judge(rgb: Bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = detector(rgb, 0.25)
        known = found.classes < 3
        x0, y0, x1, y1 = found.boxes[known].T
        high, wide = rgb.shape[:2]
        columns = (found.classes[known], (x0 + x1) / 2 / wide, (y0 + y1) / 2 / high)
        boxes = np.stack((*columns, (x1 - x0) / wide, (y1 - y0) / high), axis=1)
        return boxes.astype(np.float32), found.scores[known]

    return judge
