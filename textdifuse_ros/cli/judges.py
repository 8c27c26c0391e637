"""Detectors that judge pictures: any file that the detector node takes, and the one that ships."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.detection.detections import Detections, DetectorError, Wanted
from textdifuse_ros.evaluation.detection_table import CLASSES
from textdifuse_ros.evaluation.detector_file import TfliteYolo

Bytes = NDArray[np.uint8]
# uint8 (H, W, 3) and the least score -> what is found, classes numbered as in CLASSES, others as -1
Judge = Callable[[Bytes, float], Detections]
_OVERLAP = 0.7
_MOST = 1000  # average precision counts the weak ones as well


def make_judge(detector: str) -> Judge:
    """The judge for --detector. Raises CliError with what is wrong and what to do.

    A COCO .tflite needs LiteRT alone; every other file, and "shipped", goes through ultralytics.
    """
    try:
        if detector.lower().endswith(".tflite"):
            return TfliteYolo(Path(detector))
        return _through_ultralytics(detector)
    except DetectorError as error:
        raise CliError(f"--detector: {error}") from error


def _through_ultralytics(model: str) -> Judge:
    from textdifuse_ros.detection.ultralytics_yolo import UltralyticsDetector

    detector = UltralyticsDetector(model, "cpu")
    by_name = {name: index for index, name in detector.names.items()}
    missing = [name for name in CLASSES if name not in by_name]
    if missing:
        raise DetectorError(f"{model}: has no class {', '.join(missing)}; take one that has")
    numbers = np.full(max(detector.names) + 1, -1, np.int64)
    for name, number in CLASSES.items():
        numbers[by_name[name]] = number

    def judge(rgb: Bytes, least: float) -> Detections:
        found = detector.detect(rgb, Wanted(least, _OVERLAP, (), _MOST))
        return Detections(found.boxes, numbers[found.classes], found.scores)

    return judge
