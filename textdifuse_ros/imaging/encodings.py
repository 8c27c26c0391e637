"""Image messages to arrays and back, without ROS: anything with the fields of sensor_msgs/Image will do.

The plain encodings are read as views of the message's own buffer wherever its layout allows. What lies
outside the table (Bayer, YUV ...) is handed to `cv_bridge` where that is installed.
"""

from __future__ import annotations

import difflib
import re
import sys
from array import array
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

MAX_SIDE = 16384
"""Longest accepted side in pixels. No camera is larger; a header that says so is damaged."""


class ImageError(ValueError):
    """An input that cannot become an image.

    `cause` is one short stable word for counters: "encoding", "size", "step", "truncated", "format",
    "corrupt", "nan" or "data". The text names what was found and how to mend it.
    """

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


class ImageLike(Protocol):
    """The fields of sensor_msgs/Image that are used."""

    height: int
    width: int
    encoding: str
    is_bigendian: Any
    step: int
    data: Any


class Layout(NamedTuple):
    """Pixel layout of one encoding: sample type (native byte order) and samples per pixel."""

    dtype: np.dtype[Any]
    channels: int


_U8, _U16, _F32 = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)

LAYOUTS: dict[str, Layout] = {
    "mono8": Layout(_U8, 1),
    "8UC1": Layout(_U8, 1),
    "mono16": Layout(_U16, 1),
    "16UC1": Layout(_U16, 1),
    "32FC1": Layout(_F32, 1),
    "rgb8": Layout(_U8, 3),
    "bgr8": Layout(_U8, 3),
    "8UC3": Layout(_U8, 3),
    "rgba8": Layout(_U8, 4),
    "bgra8": Layout(_U8, 4),
    "8UC4": Layout(_U8, 4),
}
"""Encodings of the fast path. The nameless 8UC3 and 8UC4 are taken in OpenCV's channel order, B first."""

_TO_RGB = {
    "mono8": cv2.COLOR_GRAY2RGB,
    "8UC1": cv2.COLOR_GRAY2RGB,
    "bgr8": cv2.COLOR_BGR2RGB,
    "8UC3": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "8UC4": cv2.COLOR_BGRA2RGB,
}
_TO_LUMINANCE = {
    "rgb8": cv2.COLOR_RGB2GRAY,
    "bgr8": cv2.COLOR_BGR2GRAY,
    "8UC3": cv2.COLOR_BGR2GRAY,
    "rgba8": cv2.COLOR_RGBA2GRAY,
    "bgra8": cv2.COLOR_BGRA2GRAY,
    "8UC4": cv2.COLOR_BGRA2GRAY,
}


# What an RGB camera cannot mean: raw values with no agreed brightness.
_VALUES = ("16UC1", "32FC1")
# Further ones that sensor_msgs names, all of which cv_bridge reads or refuses in its own words.
_NAMED = re.compile(
    r"(rgb|bgr|rgba|bgra)16|bayer_(rggb|bggr|gbrg|grbg)(8|16)|yuv422(_yuy2)?|uyvy|yuyv|nv\d\d|\d+[USF]C\d*"
)


def to_array(msg: ImageLike) -> np.ndarray:
    """Array of the message's samples, (H, W) or (H, W, C), uint8 | uint16 | float32 in native byte order.

    A view of `msg.data` where the byte order and alignment allow (do not write to it), otherwise a copy.
    Rows may be padded. Only encodings of `LAYOUTS`; raises ImageError otherwise and for any damage.
    """
    layout = LAYOUTS.get(msg.encoding)
    if layout is None:
        raise ImageError(
            "encoding", f"encoding '{msg.encoding}' is not read directly; known: {', '.join(LAYOUTS)}"
        )
    height, width, step = _checked_geometry(msg, layout)
    buffer = _buffer(msg.data)
    pixel = layout.dtype.itemsize * layout.channels
    needed = step * (height - 1) + width * pixel  # padding of the last row may be missing
    if buffer.size < needed:
        raise ImageError(
            "truncated",
            f"{width}x{height} '{msg.encoding}' with step {step} needs {needed} bytes, "
            f"the message holds {buffer.size}: it was cut short or its header is wrong",
        )
    swap = layout.dtype.itemsize > 1 and bool(msg.is_bigendian) == (sys.byteorder == "little")
    dtype = layout.dtype.newbyteorder() if swap else layout.dtype
    shape: tuple[int, ...] = (height, width)
    strides: tuple[int, ...] = (step, pixel)
    if layout.channels > 1:
        shape, strides = (*shape, layout.channels), (*strides, layout.dtype.itemsize)
    view: np.ndarray = np.ndarray(shape, dtype, buffer, 0, strides)
    if swap:
        return view.astype(layout.dtype)
    return view if view.flags.aligned else view.copy()


def to_rgb8(msg: ImageLike) -> np.ndarray:
    """Image of the RGB camera, (H, W, 3) uint8 in R, G, B order; a view for rgb8, do not write to it.

    mono16 is scaled from its full 16-bit range. 16UC1 and 32FC1 have no agreed brightness and are refused.
    Raises ImageError.
    """
    encoding = msg.encoding
    if encoding not in LAYOUTS:
        return _by_cv_bridge(msg, "rgb")
    check_rgb_role(encoding)
    image = to_array(msg)
    if encoding == "rgb8":
        return image
    if encoding == "mono16":
        image = cv2.convertScaleAbs(image, alpha=1.0 / 257.0)
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(image, _TO_RGB[encoding])


def to_thermal(msg: ImageLike) -> np.ndarray:
    """Raw values of the thermal camera, (H, W) uint8 | uint16 | float32; a view where possible.

    A colourised picture becomes its luminance (uint8). Raises ImageError.
    """
    encoding = msg.encoding
    if encoding not in LAYOUTS:
        return _by_cv_bridge(msg, "thermal")
    image = to_array(msg)
    if image.ndim == 2:
        return image
    return cv2.cvtColor(image, _TO_LUMINANCE[encoding])


def check_rgb_role(encoding: str) -> None:
    """Raise ImageError for an encoding that cannot be a picture of the RGB camera."""
    if encoding in _VALUES:
        raise ImageError(
            "encoding",
            f"the RGB camera sends '{encoding}', raw values with no agreed brightness: "
            "check that the thermal topic is not remapped to rgb/image_raw, "
            "or publish mono16 or a colour encoding",
        )


def from_rgb8(image: np.ndarray, encoding: str) -> np.ndarray:
    """Convert (H, W, 3) uint8 RGB to the output encoding rgb8, bgr8 or mono8; rgb8 is passed through."""
    if encoding == "rgb8":
        return image
    if encoding == "bgr8":
        return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    if encoding == "mono8":
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    raise ValueError(f"output encoding '{encoding}' is unknown: use rgb8, bgr8 or mono8")


def fill_image(msg: Any, image: np.ndarray, encoding: str) -> None:
    """Write the array, laid out as `encoding` says, into the message; the header is left alone.

    image: (H, W) or (H, W, C) of the encoding's type. Raises ValueError where it does not fit the encoding.
    """
    layout = LAYOUTS.get(encoding)
    if layout is None:
        raise ValueError(f"cannot write encoding '{encoding}'; known: {', '.join(LAYOUTS)}")
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.ndim not in (2, 3) or channels != layout.channels or image.dtype != layout.dtype:
        raise ValueError(
            f"an array {image.shape} {image.dtype} does not fit '{encoding}' "
            f"({layout.channels} channels of {layout.dtype})"
        )
    image = np.ascontiguousarray(image)
    # An array.array is the one type that rclpy takes over as it is; an ndarray costs it tens of milliseconds.
    data = array("B")
    data.frombytes(image.reshape(-1).view(np.uint8).data)
    msg.height, msg.width = int(image.shape[0]), int(image.shape[1])
    msg.encoding = encoding
    msg.is_bigendian = int(sys.byteorder == "big")
    msg.step = int(image.shape[1]) * layout.channels * layout.dtype.itemsize
    msg.data = data


def _checked_geometry(msg: ImageLike, layout: Layout) -> tuple[int, int, int]:
    """Height, width and step after checks against absurd headers."""
    height, width, step = int(msg.height), int(msg.width), int(msg.step)
    check_size(width, height, f"'{msg.encoding}'")
    row = width * layout.channels * layout.dtype.itemsize
    if step < row:
        raise ImageError(
            "step",
            f"step {step} is shorter than a row of {width} '{msg.encoding}' pixels ({row} bytes): "
            "the driver fills width, step or encoding wrongly",
        )
    return height, width, step


def check_size(width: int, height: int, what: str, max_pixels: int | None = None) -> None:
    """Raise ImageError for an empty image, one with a side beyond MAX_SIDE or one of more than max_pixels."""
    if width <= 0 or height <= 0:
        raise ImageError("size", f"empty {what} image of {width}x{height}: the driver sends no pixels")
    if width > MAX_SIDE or height > MAX_SIDE:
        raise ImageError(
            "size",
            f"{what} image of {width}x{height} exceeds {MAX_SIDE} pixels a side: its header is damaged",
        )
    if max_pixels is not None and width * height > max_pixels:
        raise ImageError(
            "size",
            f"{what} image of {width}x{height} has {width * height / 1e6:.4g} megapixels, more than "
            f"max_megapixels {max_pixels / 1e6:.4g}: set the driver's binning, put an image_proc resize node "
            "in front, or raise max_megapixels",
        )


def _buffer(data: Any) -> np.ndarray:
    """The bytes of a message as (N,) uint8, without a copy for any contiguous buffer."""
    try:
        raw = memoryview(data)
        if raw.nbytes == 0:
            return np.empty(0, np.uint8)
        return np.frombuffer(raw if raw.c_contiguous else raw.tobytes(), np.uint8)
    except (TypeError, ValueError, BufferError):
        pass
    try:
        return np.frombuffer(bytes(data), np.uint8)
    except (TypeError, ValueError):
        raise ImageError(
            "data", f"image data of type {type(data).__name__} is not bytes: give array('B'), bytes or uint8"
        ) from None


def _by_cv_bridge(msg: ImageLike, role: str) -> np.ndarray:
    """Decode with cv_bridge what the fast path does not know: (H, W, 3) uint8 RGB, or raw thermal (H, W)."""
    _refuse_misspelt(msg.encoding, role)
    check_size(int(msg.width), int(msg.height), f"'{msg.encoding}'")
    buffer = _buffer(msg.data)
    needed = int(msg.step) * int(msg.height)
    if buffer.size < needed or int(msg.step) < int(msg.width):  # every encoding has a byte a pixel or more
        cause = "truncated" if buffer.size < needed else "step"
        raise ImageError(
            cause,
            f"{msg.width}x{msg.height} '{msg.encoding}' with step {msg.step} and {buffer.size} bytes "
            "does not hold together: it was cut short or its header is wrong",
        )
    bridge = _cv_bridge(msg.encoding, role)
    wanted = "rgb8" if role == "rgb" else _thermal_target(msg.encoding)
    try:
        image = np.asarray(bridge.imgmsg_to_cv2(msg, desired_encoding=wanted))
    except Exception as error:  # cv_bridge raises its own type, cv2.error, KeyError and more
        reason = " ".join(str(error).split()) or type(error).__name__
        text = f"cv_bridge cannot convert '{msg.encoding}' to {wanted}: {reason}"
        raise ImageError("encoding", text) from None
    if role == "rgb":
        return image
    if image.ndim == 3:
        image = image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
    return image if image.dtype in (_U8, _U16, _F32) else image.astype(np.float32)


def _thermal_target(encoding: str) -> str:
    """What to ask cv_bridge for: grey for pictures, untouched values for everything numeric."""
    numeric = encoding[:1].isdigit()
    if numeric:
        return "passthrough"
    return "mono16" if encoding.endswith("16") else "mono8"


def _readable(role: str) -> list[str]:
    """What an image of this camera may be sent as."""
    return [name for name in LAYOUTS if role != "rgb" or name not in _VALUES]


def _refuse_misspelt(encoding: str, role: str) -> None:
    """Raise ImageError for no encoding at all, and for one that is written otherwise: 'RGB8'."""
    readable = _readable(role)
    if not encoding.strip():
        text = f"the image names no encoding: have the driver fill it with one of {', '.join(readable)}"
        raise ImageError("encoding", text)
    meant = next((name for name in LAYOUTS if name.casefold() == encoding.strip().casefold()), "")
    if meant:
        hint = f"did you mean '{meant}'?" if meant in readable else f"publish one of {', '.join(readable)}"
        raise ImageError("encoding", f"encoding '{encoding}' is unknown: {hint}")


def _cv_bridge(encoding: str, role: str) -> Any:
    """A CvBridge of the ROS distribution; ImageError where there is none."""
    needs = f"encoding '{encoding}' needs ROS's cv_bridge"
    one_of = f"publish one of {', '.join(_readable(role))}"
    mend = f"{one_of}, or run: apt install ros-$ROS_DISTRO-cv-bridge"
    try:
        import cv_bridge
    except Exception as error:  # a build against another numpy fails with more than ImportError
        if not _NAMED.fullmatch(encoding):  # a bridge to come may know more, so that is asked first
            near = difflib.get_close_matches(encoding.casefold(), _readable(role), n=1)
            hint = f"did you mean '{near[0]}'? Or {one_of}" if near else one_of
            raise ImageError("encoding", f"encoding '{encoding}' is unknown: {hint}") from None
        why = "is missing" if isinstance(error, ImportError) else f"fails to import ({type(error).__name__})"
        raise ImageError("encoding", f"{needs}, which {why}: {mend}") from None
    # The Python package index carries an unofficial 1.x that reads 16-bit images wrongly.
    if not hasattr(cv_bridge, "CvBridge") or not _is_ros_bridge():
        raise ImageError("encoding", f"{needs}; the cv-bridge installed by pip is another library: {mend}")
    return cv_bridge.CvBridge()


def _is_ros_bridge() -> bool:
    """False for the repackaged ROS 1 library of the package index."""
    from importlib import metadata

    for name in ("cv-bridge", "cv_bridge"):
        try:
            return not metadata.version(name).startswith("1.")
        except metadata.PackageNotFoundError:
            continue
    return True
