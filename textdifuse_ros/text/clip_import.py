"""open_clip, imported where it is needed, also beside a torchvision that does not fit. No torch in this file.

open_clip imports torchvision for transforms and a layer that are not used here.
"""

from __future__ import annotations

import enum
import importlib
import importlib.util
import sys
from typing import Any

from textdifuse_ros.text.localiser import LocaliserError
from textdifuse_ros.torchvision_shim import Modules, importable_torchvision

_INSTALL = "run `pip install -r requirements-clip.txt` (docs/install.md)"


def require_open_clip() -> None:
    """Raises LocaliserError with what to install where open_clip is missing; imports nothing."""
    if "open_clip" not in sys.modules and importlib.util.find_spec("open_clip") is None:
        raise LocaliserError(f"the localiser 'clip' needs open_clip: {_INSTALL}")


def import_open_clip() -> Any:
    """The module open_clip. Raises LocaliserError with what to install."""
    require_open_clip()
    if "open_clip" in sys.modules:
        return importlib.import_module("open_clip")
    try:
        # timm, which open_clip can do without, needs a torchvision that works.
        with importable_torchvision(STAND_IN, hidden=("timm",)):
            return importlib.import_module("open_clip")
    except Exception as error:
        reason = f"open_clip is installed but fails at import ({type(error).__name__}: {error})"
        raise LocaliserError(f"the localiser 'clip' cannot be used, {reason}: {_INSTALL}") from error


class _InterpolationMode(enum.Enum):
    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


class _Missing:
    """Instead of a class of torchvision: can be named and derived from, not used."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError(f"torchvision does not work here, and this needs it: {_INSTALL}")


STAND_IN: Modules = {
    "torchvision": {},
    "torchvision.transforms": {
        "InterpolationMode": _InterpolationMode,
        "Normalize": _Missing,
        "Compose": _Missing,
        "RandomResizedCrop": _Missing,
        "ToTensor": _Missing,
        "Resize": _Missing,
        "CenterCrop": _Missing,
        "ColorJitter": _Missing,
        "Grayscale": _Missing,
    },
    "torchvision.transforms.functional": {},
    "torchvision.ops": {},
    "torchvision.ops.misc": {"FrozenBatchNorm2d": _Missing},
}
