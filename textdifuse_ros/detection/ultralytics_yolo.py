"""YOLO models through ultralytics: .pt, .onnx, .engine and .tflite alike."""

from __future__ import annotations

import difflib
import importlib
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from textdifuse_ros.detection.detections import Bytes, Detections, DetectorError, Wanted
from textdifuse_ros.detection.device_input import DeviceInput
from textdifuse_ros.detection.model_file import locate
from textdifuse_ros.detection.onnx_session import without_spinning
from textdifuse_ros.detection.ultralytics_import import ultralytics
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.cpu_threads import use_threads
from textdifuse_ros.engines.device import resolve_device

_WITH_BOXES = ("detect", "segment", "pose")
_WITHOUT_BOXES = {
    "classify": "classification",
    "semantic": "semantic segmentation",
    "depth": "depth estimation",
    "obb": "rotated boxes",
}


class UltralyticsDetector:
    """See Detector. Making one loads the model and tries it on a grey image.

    model: a path, or a name that ultralytics knows. device: auto, cpu, cuda or cuda:N. threads: CPU threads
    of a .pt or .onnx model, 0 for all cores. image_size: longer side that the network sees, 0 for the
    model's own. Raises DetectorError.
    """

    def __init__(self, model: str, device: str = "auto", threads: int = 0, image_size: int = 0) -> None:
        path = locate(model)
        self._device = _device(device, path)
        self._options: dict[str, Any] = {"imgsz": image_size} if image_size else {}
        self._threads = threads
        self._yolo: Any = None
        try:
            with ultralytics() as library:
                _refuse_unknown(path)
                self._yolo = library.YOLO(str(path))
                _refuse_task(path, str(self._yolo.task))
                self.names = self._try(path)
        except DetectorError:
            raise
        except Exception as error:  # of many kinds: pickle, zip, protobuf, runtime, network
            raise DetectorError(_unloadable(path, error)) from error
        finally:
            use_threads(threads)  # ultralytics has set its own
        self._input = DeviceInput(self._yolo.predictor)
        backend = self._yolo.predictor.model
        without_spinning(backend, path, threads)
        self.device, self.engine, self.weights_id = str(backend.device), str(backend.format), str(path)
        self.dtype = "fp16" if backend.fp16 else "fp32" if self.engine == "pt" else "as exported"

    def detect(self, rgb: Bytes, wanted: Wanted, on_device: torch.Tensor | None = None) -> Detections:
        """See Detector."""
        self._input.image = on_device
        try:
            (result,) = self._predict(rgb, wanted)
        finally:
            self._input.image = None
        boxes = result.boxes.cpu().numpy()
        order = np.argsort(-boxes.conf, kind="stable")
        return Detections(
            np.asarray(boxes.xyxy, np.float32).reshape(-1, 4)[order],
            np.asarray(boxes.cls, np.int64)[order],
            np.asarray(boxes.conf, np.float32)[order],
        )

    def enter_thread(self) -> None:
        """See Detector."""
        use_threads(self._threads)

    def close(self) -> None:
        """See Detector."""
        self._yolo = None
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    def _predict(self, rgb: Bytes, wanted: Wanted) -> Any:
        return self._yolo.predict(
            cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
            conf=wanted.confidence,
            iou=wanted.overlap,
            classes=list(wanted.classes) or None,
            max_det=wanted.most,
            device=self._device,
            verbose=False,
            save=False,
            **self._options,
        )

    def _try(self, path: Path) -> dict[int, str]:
        """The names of the classes, once the model has looked at an image."""
        (result,) = self._predict(np.full((64, 64, 3), 114, np.uint8), Wanted())
        if result.boxes is None:
            raise DetectorError(_no_boxes(path, "something without boxes"))
        return {int(index): str(name) for index, name in result.names.items()}


def _device(device: str, path: Path) -> str:
    try:
        chosen = str(resolve_device(device))
    except EngineError as error:
        raise DetectorError(str(error)) from error
    if path.suffix.lower() == ".engine" and not chosen.startswith("cuda"):
        raise DetectorError(
            f"{path.name}: a TensorRT engine runs on the NVIDIA device that it was built on only"
        )
    return "cuda:0" if chosen == "cuda" else chosen


def _refuse_unknown(path: Path) -> None:
    """A name that is neither a file nor one of ultralytics' own."""
    offered = importlib.import_module("ultralytics.utils.downloads").GITHUB_ASSETS_NAMES
    if path.exists() or path.name in offered:
        return
    detectors = [name for name in offered if "-" not in name]
    near = difflib.get_close_matches(path.name, detectors, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise DetectorError(
        f"{path.name}: no such file in {os.getcwd()}, nor a model that ultralytics offers{hint}"
    )


def _refuse_task(path: Path, task: str) -> None:
    if task not in _WITH_BOXES:
        raise DetectorError(_no_boxes(path, _WITHOUT_BOXES.get(task, task)))


def _no_boxes(path: Path, task: str) -> str:
    return (
        f"{path.name} is a model for {task}, which gives no boxes: take one for detection (yolo11n.pt), or "
        "for instance segmentation or poses (-seg, -pose), whose boxes are used"
    )


def _unloadable(path: Path, error: Exception) -> str:
    said = " ".join(str(error).replace("ERROR", "").encode("ascii", "ignore").decode().split())
    reason = said.split(". ")[0][:200]
    if not path.exists():
        return (
            f"{path.name} is not here and could not be downloaded ({reason}): copy a model onto this "
            "machine and set the parameter `model` to its path"
        )
    mend = "export or download it again"
    if "types outside the supported" in said:
        mend = "if you trust where it comes from, set ULTRALYTICS_SAFE_LOAD=false in the environment"
    return f"{path}: ultralytics cannot load it ({type(error).__name__}: {reason}); {mend}"
