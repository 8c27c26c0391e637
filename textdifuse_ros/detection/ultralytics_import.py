"""ultralytics, imported where it is needed, tamed for a robot, and beside a torchvision that does not fit.

It is AGPL-3.0 and an optional extra; nothing but the detector imports it. By default it installs packages,
reports usage and asks the network at import, unpickles whatever is in a .pt, and changes the threads of the
whole process.
"""

from __future__ import annotations

import enum
import importlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2

from textdifuse_ros.detection.detections import DetectorError
from textdifuse_ros.torchvision_shim import Modules, importable_torchvision

INSTALL = "pip install --no-deps -r requirements-detector.txt (docs/detector.md)"

# Read by ultralytics when it is imported; whoever has set one is left alone.
DEFAULTS = {
    "YOLO_AUTOINSTALL": "false",  # never run pip from inside a node
    "YOLO_OFFLINE": "true",  # no usage reports, no look-ups; a model is still downloaded when it is asked for
    "YOLO_VERBOSE": "false",  # errors come as exceptions; the rest is noise in a node's log
    "ULTRALYTICS_SAFE_LOAD": "true",  # a .pt is a pickle: make objects of known classes only
}


@contextmanager
def ultralytics() -> Iterator[Any]:
    """The module, to load and try a model with: `import torchvision` succeeds as long as the context lasts.

    Raises DetectorError with what to install.
    """
    if importlib.util.find_spec("ultralytics") is None:
        raise DetectorError(f"the detector needs ultralytics: {INSTALL}")
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    with importable_torchvision(_STAND_IN):
        yield _imported()


def _imported() -> Any:
    threads, openmp = cv2.getNumThreads(), os.environ.get("OMP_NUM_THREADS")
    try:
        module = importlib.import_module("ultralytics")
        importlib.import_module("ultralytics.models")
    except Exception as error:
        reason = " ".join(str(error).split())
        raise DetectorError(
            f"ultralytics is installed but fails at import ({type(error).__name__}: {reason}): {INSTALL}"
        ) from error
    finally:
        cv2.setNumThreads(threads)
        if openmp is None:
            os.environ.pop("OMP_NUM_THREADS", None)
    return module


def _nms(boxes: Any, scores: Any, overlap: float) -> Any:
    """torchvision.ops.nms in torch alone, by ultralytics itself."""
    return importlib.import_module("ultralytics.utils.nms").TorchNMS.nms(boxes, scores, overlap)


class _InterpolationMode(enum.Enum):
    BILINEAR = "bilinear"


_InterpolationMode.__module__, _InterpolationMode.__qualname__ = (
    "torchvision.transforms.functional",
    "InterpolationMode",
)
# Classifiers carry these in their files. They can be unpickled, so that one is refused for what it is.
_TRANSFORMS = {
    name: type(name, (), {"__module__": "torchvision.transforms.transforms"})
    for name in ("Compose", "Normalize", "Resize", "CenterCrop", "ToTensor")
}
_STAND_IN: Modules = {
    "torchvision": {"__version__": "0.0.0"},
    "torchvision.ops": {"nms": _nms},
    "torchvision.transforms": _TRANSFORMS,
    "torchvision.transforms.transforms": _TRANSFORMS,
    "torchvision.transforms.functional": {"InterpolationMode": _InterpolationMode},
}
