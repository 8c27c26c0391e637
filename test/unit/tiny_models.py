"""Small models of ultralytics' own kinds, with random weights that find something everywhere."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import pytest
import torch

from textdifuse_ros.detection.ultralytics_import import ultralytics

# Where ultralytics keeps its settings, here and in the nodes that tests start: not the user's own.
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())

NAMES = {0: "person", 1: "car", 2: "traffic light"}
SIDE = 64


def tiny_detector(path: Path, gain: float = 1.0) -> Path:
    """A .pt detector: its small boxes are persons, middle ones cars, large ones traffic lights, in falling
    order of score (about 0.9, 0.8 and 0.6). A gain of thousands makes the scores depend on the image."""
    return _saved(path, "yolov8.yaml", gain)


def tiny_classifier(path: Path) -> Path:
    """A .pt classifier: it gives no boxes."""
    return _saved(path, "yolov8-cls.yaml")


def tiny_onnx(detector: Path) -> Path:
    """The .onnx of a .pt detector, made by ultralytics."""
    for module in ("onnx", "onnxruntime"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    with ultralytics() as library, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its exporter uses what torch is about to retire
        model = library.YOLO(str(detector))
        return Path(model.export(format="onnx", imgsz=SIDE, simplify=False, verbose=False))


def _saved(path: Path, structure: str, gain: float = 1.0) -> Path:
    torch.manual_seed(3)
    with ultralytics() as library:
        from ultralytics.utils import YAML
        from ultralytics.utils.checks import check_yaml

        wanted = {**YAML.load(check_yaml(structure)), "nc": len(NAMES), "scales": {"n": [0.33, 0.0625, 1024]}}
        file = path.with_suffix(".yaml")
        YAML.save(file, wanted)
        model = library.YOLO(str(file))
        model.model.names = dict(NAMES)
        head = model.model.model[-1]
        for level, layers in enumerate(getattr(head, "cv3", ())):  # strides 8, 16 and 32
            with torch.no_grad():
                layers[-1].weight.mul_(gain)
                layers[-1].bias.fill_(-6.0)
                layers[-1].bias[level] = (2.2, 1.4, 0.4)[level]
        model.save(str(path))
    return path
