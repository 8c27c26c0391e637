"""How the two cameras lie to each other: read from YAML, checked, made into a `Remap` for given sizes.

The file is described in docs/registration.md. Sizes are (width, height) everywhere, in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import yaml

from .camera_model import CameraModel
from .remap import Remap, build_extrinsics, build_homography, build_scaling

MODES = ("none", "homography", "extrinsics")
REFERENCES = ("rgb", "thermal")
DEFAULT_PLANE_DEPTH = 10.0
_CACHED = 4

Size = tuple[int, int]


class RegistrationError(ValueError):
    """A registration that cannot be used. The text names the file, the key and how to mend it."""


@dataclass(frozen=True)
class Homography:
    """(3, 3) float64 taking thermal pixels to RGB pixels, and the sizes (width, height) it was made for."""

    matrix: np.ndarray
    thermal_size: Size
    rgb_size: Size


@dataclass(frozen=True)
class Extrinsics:
    """Both cameras, and X_rgb = rotation @ X_thermal + translation with metres."""

    rgb: CameraModel
    thermal: CameraModel
    rotation: np.ndarray
    translation: np.ndarray


class Registration:
    """One way of bringing both cameras into one picture; immutable.

    `Registration.load(path, mode)` reads a file, `Registration()` is the identity: images are only scaled to
    the reference camera's size.
    """

    def __init__(
        self,
        homography: Homography | None = None,
        extrinsics: Extrinsics | None = None,
        plane_depth: float = DEFAULT_PLANE_DEPTH,
    ) -> None:
        if homography is not None and extrinsics is not None:
            raise ValueError("give a homography or extrinsics, not both")
        if not (math.isfinite(plane_depth) and plane_depth > 0.0):
            raise RegistrationError(f"registration.plane_depth {plane_depth:g} m must be positive")
        self.homography, self.extrinsics, self.plane_depth = homography, extrinsics, float(plane_depth)
        self._cache: dict[tuple[Size, Size, str], Remap] = {}

    @property
    def mode(self) -> str:
        """One of MODES."""
        if self.homography is not None:
            return "homography"
        return "extrinsics" if self.extrinsics is not None else "none"

    @classmethod
    def load(
        cls, path: str | Path, mode: str | None = None, plane_depth: float | None = None
    ) -> Registration:
        """Read a YAML file.

        mode: which of the file's sections to use; None takes the file's own `mode`. "none" reads nothing.
        plane_depth: metres, in place of the file's own `plane_depth`. Raises RegistrationError.
        """
        if mode is not None and mode not in MODES:
            raise RegistrationError(f"registration mode '{mode}' is unknown: use {', '.join(MODES)}")
        if mode == "none":
            return cls()
        content = _read(Path(path))
        reader = _Reader(str(path))
        mode = mode or reader.mode(content)
        if mode == "none":
            return cls()
        if mode == "homography":
            return cls(homography=reader.homography(content))
        if plane_depth is None:
            plane_depth = reader.number(content.get("plane_depth", DEFAULT_PLANE_DEPTH), "plane_depth")
            if plane_depth <= 0.0:
                reader.fail("plane_depth", "must be positive metres")
        return cls(extrinsics=reader.extrinsics(content), plane_depth=plane_depth)

    def prepare(self, rgb_size: Size, thermal_size: Size, reference: str = "rgb") -> Remap:
        """The remap for images of these sizes (width, height), made at the first call and kept.

        Calibrations made at other sizes are scaled. Output frame and size are the reference camera's.
        """
        if reference not in REFERENCES:
            raise ValueError(f"reference '{reference}' is unknown: use rgb or thermal")
        key = ((int(rgb_size[0]), int(rgb_size[1])), (int(thermal_size[0]), int(thermal_size[1])), reference)
        if key not in self._cache:
            while len(self._cache) >= _CACHED:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = self._build(*key)
        return self._cache[key]

    def _build(self, rgb_size: Size, thermal_size: Size, reference: str) -> Remap:
        if min(*rgb_size, *thermal_size) < 1:
            raise ValueError(f"empty image size: rgb {rgb_size}, thermal {thermal_size}")
        if self.homography is not None:
            matrix = (
                pixel_scaling(self.homography.rgb_size, rgb_size)
                @ self.homography.matrix
                @ pixel_scaling(thermal_size, self.homography.thermal_size)
            )
            return build_homography(matrix, rgb_size, thermal_size, reference)
        if self.extrinsics is not None:
            e = self.extrinsics
            scaled = replace(e, rgb=e.rgb.scaled(rgb_size), thermal=e.thermal.scaled(thermal_size))
            return build_extrinsics(
                scaled.rgb, scaled.thermal, e.rotation, e.translation, self.plane_depth, reference
            )
        return build_scaling(rgb_size, thermal_size, reference)


def pixel_scaling(source: Size, target: Size) -> np.ndarray:
    """(3, 3) taking pixels of an image of size (width, height) to pixels of the same image resized.

    Pixel centres are whole numbers, so the corner of the image lies at -0.5.
    """
    sx, sy = target[0] / source[0], target[1] / source[1]
    return np.array([[sx, 0.0, 0.5 * sx - 0.5], [0.0, sy, 0.5 * sy - 0.5], [0.0, 0.0, 1.0]])


class _Loader(yaml.SafeLoader):
    """Dates are text: one that there is not would end reading before anybody knows which key holds it."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in entries if not tag.endswith(":timestamp")]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _read(path: Path) -> Mapping[str, Any]:
    if str(path) in ("", "."):
        raise RegistrationError(
            "registration.file is empty: name a YAML file, or set registration.mode to none "
            "(textdifuse calibrate makes such a file from point pairs)"
        )
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise RegistrationError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RegistrationError(f"{path}: is not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise RegistrationError(f"{path}: is nested too deeply; see docs/registration.md") from None
    except ValueError as error:  # outside yaml's own errors
        raise RegistrationError(f"{path}: holds a value that YAML cannot read ({error})") from None
    if not isinstance(content, dict):
        raise RegistrationError(f"{path}: holds no keys; see docs/registration.md for the format")
    return content


class _Reader:
    """Turns parsed YAML into checked numbers; every complaint names the file and the key."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, key: str, text: str) -> NoReturn:
        raise RegistrationError(f"{self.file}: {key}: {text}")

    def mode(self, content: Mapping[str, Any]) -> str:
        mode = content.get("mode")
        if mode is None:
            found = [
                m for m, key in (("homography", "homography"), ("extrinsics", "rotation")) if key in content
            ]
            if len(found) != 1:
                self.fail("mode", f"is missing: set it to one of {', '.join(MODES)}")
            return found[0]
        if mode not in MODES:
            self.fail("mode", f"'{mode}' is unknown: use one of {', '.join(MODES)}")
        return str(mode)

    def homography(self, content: Mapping[str, Any]) -> Homography:
        matrix = self.matrix(content, "homography", 9).reshape(3, 3)
        scale = np.abs(matrix).max()
        if scale == 0.0 or np.linalg.cond(matrix) > 1e12:
            self.fail("homography", "is singular: make it again, with points that do not lie on one line")
        return Homography(matrix, self.size(content, "thermal_size"), self.size(content, "rgb_size"))

    def extrinsics(self, content: Mapping[str, Any]) -> Extrinsics:
        rotation = self.matrix(content, "rotation", 9).reshape(3, 3)
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3 or np.linalg.det(rotation) < 0.0:
            self.fail(
                "rotation", "is no rotation matrix: rows must be orthogonal, of length 1, determinant +1"
            )
        translation = self.matrix(content, "translation", 3)
        return Extrinsics(self.camera(content, "rgb"), self.camera(content, "thermal"), rotation, translation)

    def camera(self, content: Mapping[str, Any], key: str) -> CameraModel:
        section = content.get(key)
        if not isinstance(section, dict):
            self.fail(key, "is missing: give image_width, image_height and camera_matrix of this camera")
        width = self.whole(section.get("image_width"), f"{key}.image_width")
        height = self.whole(section.get("image_height"), f"{key}.image_height")
        name = "camera_matrix" if "camera_matrix" in section else "K"
        matrix = self.matrix(section, name, 9, prefix=f"{key}.").reshape(3, 3)
        fx, fy = matrix[0, 0], matrix[1, 1]
        if fx <= 0.0 or fy <= 0.0 or np.abs(matrix[[1, 2, 2], [0, 0, 1]]).max() > 0.0 or matrix[2, 2] != 1.0:
            self.fail(f"{key}.{name}", "must be [fx, 0, cx, 0, fy, cy, 0, 0, 1] with positive fx and fy")
        return CameraModel((width, height), matrix, self.distortion(section, key))

    def distortion(self, section: Mapping[str, Any], key: str) -> np.ndarray:
        name = "distortion_coefficients" if "distortion_coefficients" in section else "D"
        if section.get(name) is None:
            return np.zeros(5)
        model = section.get("distortion_model", "plumb_bob")
        counts = {"plumb_bob": (0, 4, 5), "rational_polynomial": (8,)}.get(str(model))
        if counts is None:
            self.fail(
                f"{key}.distortion_model", f"'{model}' is not supported: use plumb_bob or rational_polynomial"
            )
        values = self.matrix(section, name, None, prefix=f"{key}.")
        if values.size not in counts:
            wanted = " or ".join(str(n) for n in counts if n)
            self.fail(f"{key}.{name}", f"has {values.size} numbers, {model} needs {wanted}")
        return values if values.size else np.zeros(5)

    def size(self, content: Mapping[str, Any], key: str) -> Size:
        values = self.matrix(content, key, 2)
        if (values < 1).any() or (values != np.rint(values)).any():
            self.fail(key, f"must be [width, height] in whole pixels, not {content.get(key)}")
        return int(values[0]), int(values[1])

    def whole(self, value: Any, key: str) -> int:
        number = self.number(value, key)
        if number < 1 or number != round(number):
            self.fail(key, f"must be a whole number of pixels, not {value}")
        return int(number)

    def matrix(self, content: Mapping[str, Any], key: str, count: int | None, prefix: str = "") -> np.ndarray:
        """Numbers of a flat list, a nested list, or the {rows, cols, data} of camera calibration files."""
        key_text, value = prefix + key, content.get(key)
        if isinstance(value, dict):
            value = value.get("data")
        if value is None or not isinstance(value, Sequence) or isinstance(value, str):
            self.fail(
                key_text, "is missing" if value is None else f"must be a list of numbers, not '{value}'"
            )
        flat: list[Any] = []
        for entry in value:
            flat.extend(entry) if isinstance(entry, list) else flat.append(entry)
        if count is not None and len(flat) != count:
            self.fail(key_text, f"has {len(flat)} numbers, {count} are needed")
        return np.array([self.number(v, key_text) for v in flat], dtype=np.float64)

    def number(self, value: Any, key: str) -> float:
        """A finite number; YAML reads 1e-5 as text, which is accepted."""
        try:
            number = math.nan if isinstance(value, bool) or value is None else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            self.fail(key, "is missing" if value is None else f"'{value}' is not a finite number")
        return number
