"""JPEG and PNG messages to arrays, without ROS: any object with the fields of sensor_msgs/CompressedImage.

The kind of file is read from its first bytes, never believed from the `format` text; the text (for example
"mono16; png compressed" or "rgb8; jpeg compressed bgr8") only says which encoding the driver had.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from .encodings import ImageError, check_rgb_role, check_size

MAX_PIXELS = 1 << 26
"""Largest decoded picture, 67 megapixels. Checked in the file's header, before anything is unpacked."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start-of-frame markers of JPEG


class CompressedLike(Protocol):
    """The fields of sensor_msgs/CompressedImage that are used."""

    format: str
    data: Any


class Header(NamedTuple):
    """What a JPEG's or PNG's own header says."""

    kind: str
    width: int
    height: int
    bits: int


def decode_compressed(msg: CompressedLike, want: str = "rgb", max_pixels: int | None = None) -> np.ndarray:
    """Decode a JPEG or PNG message.

    want "rgb": (H, W, 3) uint8 in R, G, B order. want "thermal": (H, W) uint8, or uint16 for a 16-bit PNG;
    colour becomes luminance. Orientation tags are ignored, as calibrations refer to the sensor. max_pixels: a
    limit below MAX_PIXELS.
    Raises ImageError: cause "format" (not JPEG or PNG, or a depth codec), "truncated", "corrupt", "size"
    (empty, too large or a decompression bomb) or "encoding".
    """
    if want not in ("rgb", "thermal"):
        raise ValueError(f"want must be 'rgb' or 'thermal', not '{want}'")
    text = str(msg.format)
    if "compressedDepth" in text or "rvl" in text.lower():
        raise ImageError(
            "format",
            f"'{text}' comes from the compressedDepth transport, whose files carry a private header: "
            "subscribe to .../compressed (PNG keeps 16 bits) or to the raw image",
        )
    encoding, reversed_channels = _parse_format(text)
    if want == "rgb":
        check_rgb_role(encoding)
    image = decode_bytes(bytes(msg.data), want, max_pixels)
    if reversed_channels and want == "rgb":
        return np.ascontiguousarray(image[..., ::-1])
    return image


def decode_bytes(data: bytes, want: str = "rgb", max_pixels: int | None = None) -> np.ndarray:
    """Decode the bytes of a JPEG or PNG file; arrays and errors as in `decode_compressed`."""
    header = read_header(data)
    check_size(header.width, header.height, header.kind, max_pixels)
    if header.width * header.height > MAX_PIXELS:
        raise ImageError(
            "size",
            f"{header.kind} of {header.width}x{header.height} pixels is refused: more than {MAX_PIXELS}",
        )
    flags = cv2.IMREAD_COLOR if want == "rgb" else cv2.IMREAD_UNCHANGED
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        reason = " ".join(str(error).split())
        raise ImageError("corrupt", f"{header.kind} cannot be decoded: {reason}") from None
    if image is None or image.shape[:2] != (header.height, header.width):
        raise ImageError("corrupt", f"{header.kind} of {len(data)} bytes is damaged and cannot be decoded")
    if want == "rgb":
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if image.ndim == 3:
        code = cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY
        image = cv2.cvtColor(image, code)
    return image


def lost_precision(msg: CompressedLike) -> str | None:
    """A sentence when a 16-bit camera was squeezed into a JPEG's 8 bits, else None. For a warning, once."""
    encoding, _ = _parse_format(str(msg.format))
    if encoding in ("mono16", "16UC1") and bytes(msg.data[:3]) == _JPEG:
        return (
            f"the thermal camera's {encoding} was compressed as JPEG, which keeps 8 of its 16 bits: "
            "set the publisher's compressed format to png"
        )
    return None


def read_header(data: bytes) -> Header:
    """Size and depth from the file's own header; ImageError for other formats and for files cut short."""
    if not data:
        raise ImageError("truncated", "the compressed message is empty")
    if data.startswith(_PNG):
        return _png_header(data)
    if data.startswith(_JPEG):
        return _jpeg_header(data)
    raise ImageError(
        "format",
        f"compressed data starts with {data[:4].hex(' ')}, neither JPEG nor PNG: set the publisher to one",
    )


def _png_header(data: bytes) -> Header:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ImageError("truncated", f"PNG of {len(data)} bytes ends inside its header")
    # Decoders return half a picture for a file cut short: its last chunk must be there.
    if data.rfind(b"IEND", 33) < 0:
        raise ImageError("truncated", f"PNG of {len(data)} bytes has no end mark: it was cut short")
    width, height, bits = struct.unpack(">IIB", data[16:25])
    return Header("PNG", width, height, bits)


def _jpeg_header(data: bytes) -> Header:
    """Walk the segments up to the pixels; an embedded thumbnail is skipped with its segment."""
    at, found = 2, None
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise ImageError("corrupt", "JPEG is damaged: its segments do not follow each other")
        marker = data[at + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD7 or marker == 0x01:  # fill byte or marker without content
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if marker in _SOF and at + 9 <= len(data):
            bits, height, width = struct.unpack(">BHH", data[at + 4 : at + 9])
            found = Header("JPEG", width, height, bits)
        if marker == 0xDA:
            break
        at += 2 + max(length, 2)
    else:
        raise ImageError("truncated", f"JPEG of {len(data)} bytes ends inside its header")
    if found is None:
        raise ImageError("corrupt", "JPEG has no frame header")
    # Decoders fill the missing rest of a file with grey: its end mark must be there.
    if data.rfind(b"\xff\xd9", at) < 0:
        raise ImageError("truncated", f"JPEG of {len(data)} bytes has no end mark: it was cut short")
    return found


def _parse_format(text: str) -> tuple[str, bool]:
    """Encoding named by image_transport's format text ("" if none), and whether R and B were swapped.

    image_transport writes "<encoding>; <codec> compressed <channel order of the file>". A file made from RGB
    bytes as if they were BGR says "compressed rgb8".
    """
    if ";" not in text:
        return "", False
    encoding, rest = text.split(";", 1)
    return encoding.strip(), "compressed rgb" in rest
