"""A fixed YOLO detector file as a judge of images: LiteRT, no ultralytics, no torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.detection.detections import Bytes, Detections, DetectorError, Floats

__all__ = ["Detections", "DetectorError", "TfliteYolo"]


class TfliteYolo:
    """A YOLOv8-style .tflite: one image in, (1, 4 + classes, cells) out. Letterboxed as ultralytics does."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        if not path.is_file():
            raise DetectorError(f"{path}: no such file")
        try:
            from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped,import-not-found,unused-ignore]
        except ImportError as error:
            raise DetectorError("a .tflite detector needs LiteRT: pip install ai-edge-litert") from error
        try:
            self._interpreter: Any = Interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise DetectorError(f"{path}: not a .tflite model ({str(error).splitlines()[0]})") from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        if len(self._input["shape"]) != 4 or len(self._output["shape"]) != 3:
            raise DetectorError(f"{path}: not a detector with one image in and (1, 4 + classes, cells) out")
        self._side = int(self._input["shape"][1])

    def __call__(self, rgb: Bytes, confidence: float, overlap: float = 0.7) -> Detections:
        """Detections with a score of at least `confidence` after non-maximum suppression by class."""
        canvas, scale, left, top = _letterbox(rgb, self._side)
        self._interpreter.set_tensor(self._input["index"], _quantised(canvas, self._input)[None])
        self._interpreter.invoke()
        raw = _real(self._interpreter.get_tensor(self._output["index"])[0], self._output).T
        scores, classes = raw[:, 4:].max(axis=1), raw[:, 4:].argmax(axis=1)
        kept = scores >= confidence
        raw, scores, classes = raw[kept], scores[kept], classes[kept]
        sized = raw[:, :4] * np.float32(self._side)  # exported boxes are shares of the side
        corners = np.concatenate((sized[:, :2] - sized[:, 2:] / 2, sized[:, 2:]), axis=1)
        chosen = cv2.dnn.NMSBoxesBatched(
            corners.tolist(), scores.tolist(), classes.tolist(), confidence, overlap
        )
        order = np.asarray(chosen, np.int64).reshape(-1)
        order = order[np.argsort(-scores[order], kind="stable")]
        boxes = np.concatenate((corners[order, :2], corners[order, :2] + corners[order, 2:]), axis=1)
        boxes = (boxes - np.array([left, top, left, top], np.float32)) / np.float32(scale)
        return Detections(boxes.astype(np.float32), classes[order].astype(np.int64), scores[order])


def _letterbox(rgb: Bytes, side: int) -> tuple[Bytes, float, int, int]:
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    high, wide = round(height * scale), round(width * scale)
    top, left = (side - high) // 2, (side - wide) // 2
    canvas = np.full((side, side, 3), 114, np.uint8)
    canvas[top : top + high, left : left + wide] = (
        rgb if scale == 1 else cv2.resize(rgb, (wide, high), interpolation=cv2.INTER_LINEAR)
    )
    return canvas, scale, left, top


def _quantised(canvas: Bytes, details: dict[str, Any]) -> NDArray[Any]:
    values = canvas.astype(np.float32) / 255
    if details["dtype"] == np.float32:
        return values
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    return np.clip(np.rint(values / scale + zero), limits.min, limits.max).astype(details["dtype"])


def _real(values: NDArray[Any], details: dict[str, Any]) -> Floats:
    if details["dtype"] == np.float32:
        return np.asarray(values, np.float32)
    scale, zero = details["quantization"]
    return ((values.astype(np.float32) - zero) * scale).astype(np.float32)
