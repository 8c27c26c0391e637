"""Which file a model's path or name means, and what must be installed to run it."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

from textdifuse_ros.detection.detections import DetectorError
from textdifuse_ros.engines.cache import folder

SHIPPED = "shipped"
SHIPPED_FILE = Path(__file__).resolve().parent.parent / "weights" / "textdifuse_detector.onnx"

# What runs a kind of file: the module that must be there, and what to install.
RUNTIMES = {
    ".pt": ("torch", "torch"),
    ".onnx": ("onnxruntime", "onnxruntime (onnxruntime-gpu for CUDA)"),
    ".tflite": ("ai_edge_litert", "ai-edge-litert"),
    ".engine": ("tensorrt", "tensorrt (on a Jetson: JetPack's python3-libnvinfer)"),
}


def locate(model: str) -> Path:
    """The file of a model given by path, as "shipped", or by a name such as yolo11n.pt: then where it is, or
    will be, kept.

    Raises DetectorError for a path without a file, for another kind of file, and for a missing runtime.
    """
    path = SHIPPED_FILE if model.strip() == SHIPPED else Path(model.strip()).expanduser()
    is_name = path.name == str(path)
    if is_name and not path.suffix:
        path = path.with_suffix(".pt")
    if not model.strip() or path.suffix.lower() not in RUNTIMES:
        raise DetectorError(
            f"model {model!r} is neither {SHIPPED}, nor a {', '.join(RUNTIMES)} file, nor a name such as "
            "yolo11n.pt"
        )
    if path.exists() and not path.is_file():
        raise DetectorError(f"{path}: not a file")
    if not is_name and not path.exists():
        raise DetectorError(
            f"{path}: no such file; set the parameter `model` to a {', '.join(RUNTIMES)} file"
        )
    if not path.exists():
        path = folder() / "models" / path.name
    if path.suffix.lower() == ".pt" and path.exists() and not zipfile.is_zipfile(path):
        raise DetectorError(f"{path}: not a PyTorch model: empty, cut short, or another kind of file")
    _require_runtime(path)
    return path


def _require_runtime(path: Path) -> None:
    module, install = RUNTIMES[path.suffix.lower()]
    if importlib.util.find_spec(module) is None:
        raise DetectorError(f"{path.name}: a {path.suffix} model needs {module}: pip install {install}")
