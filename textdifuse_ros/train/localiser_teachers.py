"""Labels where no box says anything: a detector's for what a set left out, a segmenter's for outlines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.detection.detections import Detections, DetectorError
from textdifuse_ros.evaluation.detector_file import TfliteYolo
from textdifuse_ros.model.weights import identity
from textdifuse_ros.train.data import COCO_OF
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.progress import say
from textdifuse_ros.train.segmenter import FrozenSegmenter
from textdifuse_ros.train.yolo_data import JUDGE_SURE

Image = NDArray[np.uint8]
DETECTOR, SEGMENTER = "yolov8n_int8.tflite", "mfnet_seg9.pth"
PERHAPS = 0.05  # score from which nobody knows


class Segmenter(Protocol):
    """uint8 (H, W, 3) and (H, W) -> where each class is, bool (h, w) of any size."""

    def __call__(self, rgb: Image, thermal: Image) -> Mapping[str, NDArray[np.bool_]]: ...


class Detector(Protocol):
    """uint8 (H, W, 3) -> boxes of COCO classes from a score on."""

    def __call__(self, rgb: Image, confidence: float) -> Detections: ...


@dataclass(frozen=True)
class Teachers:
    """Networks of somebody else; without them boxes and GrabCut are all that there is.

    told: what tells their files apart from others.
    """

    segmenter: Segmenter | None = None
    detector: Detector | None = None
    told: dict[str, str] = field(default_factory=dict)

    def boxes(self, rgb: Image, concepts: Iterable[str]) -> Iterator[tuple[str, bool, NDArray[np.float64]]]:
        """Of every box that may be one of these its concept, whether that is sure, and its corners in the
        picture, as shares of its sides; nothing without a detector.
        """
        names = {COCO_OF[name]: name for name in concepts}
        if self.detector is None or not names:
            return
        found = self.detector(rgb, PERHAPS)
        sides = np.array([rgb.shape[1], rgb.shape[0]] * 2)
        for box, index, score in zip(found.boxes, found.classes, found.scores, strict=True):
            if int(index) in names:
                yield names[int(index)], bool(score >= JUDGE_SURE), (box / sides).clip(0, 1)


def load(models: Path | None) -> Teachers:
    """Those of the two that lie in a folder, none for None. Raises TrainingError for a folder without either,
    and for a file that cannot be read.
    """
    if models is None:
        return Teachers()
    segmenter, detector = (models / name for name in (SEGMENTER, DETECTOR))
    there = [path for path in (segmenter, detector) if path.is_file()]
    if not there:
        raise TrainingError(
            f"--models {models}: neither {SEGMENTER} nor {DETECTOR} in it; leave --models out or name another"
        )
    for path in (segmenter, detector):
        if path not in there:
            say(f"--models {models}: no {path.name} in it, so nobody asks it")
    try:
        judge = TfliteYolo(detector) if detector in there else None
    except DetectorError as error:
        raise TrainingError(str(error)) from error
    told = {path.name: identity(path) for path in there}
    return Teachers(FrozenSegmenter(segmenter) if segmenter in there else None, judge, told)
