"""JPEG and PNG messages: both roles, 16 bits, channel order, damage and bombs."""

import struct
import types
import zlib
from array import array

import cv2
import numpy as np
import pytest

from textdifuse_ros.imaging.compressed import MAX_PIXELS, decode_compressed, lost_precision, read_header
from textdifuse_ros.imaging.encodings import ImageError

RNG = np.random.default_rng(11)
COLOUR = cv2.GaussianBlur(RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8), (0, 0), 4)
COLOUR[..., 0] = 200  # red, so that a swapped order shows
RAW = RNG.integers(20000, 40000, (48, 64), dtype=np.uint16)


def message(image: np.ndarray, extension: str, text: str) -> types.SimpleNamespace:
    """`image` as OpenCV would write it: colour in B, G, R order."""
    ok, data = cv2.imencode(extension, image)
    assert ok
    return types.SimpleNamespace(format=text, data=array("B", data.tobytes()))


def refusal(msg, want="rgb") -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode_compressed(msg, want)
    return caught.value


@pytest.mark.parametrize(
    "text", ["png", "rgb8; png compressed bgr8", "bgr8; png compressed bgr8", "", "jpeg"]
)
def test_png_colour_is_exact_whatever_the_format_text_calls_it(text):
    image = decode_compressed(message(COLOUR[..., ::-1], ".png", text))
    assert np.array_equal(image, COLOUR)


@pytest.mark.parametrize("text", ["jpeg", "rgb8; jpeg compressed bgr8"])
def test_jpeg_colour_is_close(text):
    image = decode_compressed(message(COLOUR[..., ::-1], ".jpg", text))
    assert image.shape == COLOUR.shape and np.abs(image.astype(int) - COLOUR).mean() < 4


def test_a_file_made_from_red_first_bytes_is_put_right():
    image = decode_compressed(message(COLOUR, ".png", "rgb8; png compressed rgb8"))
    assert np.array_equal(image, COLOUR)


@pytest.mark.parametrize("text", ["mono16; png compressed", "16UC1; png compressed ", "png"])
def test_sixteen_bit_png_keeps_sixteen_bits_for_thermal(text):
    image = decode_compressed(message(RAW, ".png", text), "thermal")
    assert image.dtype == np.uint16 and np.array_equal(image, RAW)


def test_colourised_thermal_becomes_luminance():
    image = decode_compressed(message(COLOUR[..., ::-1], ".png", "bgr8; png compressed bgr8"), "thermal")
    assert np.abs(image - COLOUR @ np.array([0.299, 0.587, 0.114])).max() <= 1.0


def test_a_picture_with_alpha_is_read_in_both_roles():
    four = np.dstack([COLOUR[..., ::-1], np.full(COLOUR.shape[:2], 9, np.uint8)])
    assert np.array_equal(decode_compressed(message(four, ".png", "png")), COLOUR)
    assert decode_compressed(message(four, ".png", "png"), "thermal").shape == COLOUR.shape[:2]


def test_a_grey_jpeg_serves_both_roles():
    grey = COLOUR[..., 1]
    assert decode_compressed(message(grey, ".jpg", "mono8; jpeg compressed "), "thermal").shape == grey.shape
    assert decode_compressed(message(grey, ".jpg", "mono8; jpeg compressed ")).shape == COLOUR.shape


def test_sixteen_bit_grey_in_the_rgb_role():
    image = decode_compressed(message(RAW, ".png", "mono16; png compressed"))
    assert image.dtype == np.uint8 and np.abs(image[..., 0].astype(int) - RAW / 257.0).max() <= 1.0
    assert refusal(message(RAW, ".png", "16UC1; png compressed")).cause == "encoding"


def test_orientation_tags_are_ignored_in_both_roles():
    jpeg = bytes(message(COLOUR, ".jpg", "jpeg").data)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + b"\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    for want in ("rgb", "thermal"):
        image = decode_compressed(types.SimpleNamespace(format="jpeg", data=turned), want)
        assert image.shape[:2] == COLOUR.shape[:2]


@pytest.mark.parametrize(
    "text", ["16UC1; compressedDepth", "16UC1; compressedDepth png", "16UC1; compressedDepth rvl"]
)
def test_the_depth_transport_is_refused_with_the_way_out(text):
    error = refusal(message(RAW, ".png", text), "thermal")
    assert error.cause == "format" and "compressedDepth" in str(error) and "/compressed" in str(error)


@pytest.mark.parametrize("data", [b"", b"\x89PN", b"GIF89a" + bytes(50), b"II*\0" + bytes(50)])
def test_other_files_are_refused(data):
    error = refusal(types.SimpleNamespace(format="png", data=data))
    assert error.cause in ("format", "truncated") and len(str(error)) > 20


@pytest.mark.parametrize("extension", [".png", ".jpg"])
@pytest.mark.parametrize("want", ["rgb", "thermal"])
def test_a_file_cut_anywhere_is_refused_and_never_half_a_picture(extension, want):
    whole = bytes(message(COLOUR, extension, "").data)
    for end in [*range(1, 40), *range(40, len(whole) - 2, 97), len(whole) - 2]:
        cut = types.SimpleNamespace(format="", data=whole[:end])
        assert refusal(cut, want).cause in ("truncated", "format", "corrupt")


@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_flipped_bytes_never_crash(extension):
    whole = bytes(message(COLOUR, extension, "").data)
    refused = 0
    for seed in range(150):
        damaged = bytearray(whole)
        for at in np.random.default_rng(seed).integers(0, len(whole), 3):
            damaged[at] ^= 0x5A
        try:
            image = decode_compressed(types.SimpleNamespace(format="", data=bytes(damaged)), "rgb")
            assert image.ndim == 3 and image.dtype == np.uint8
        except ImageError as error:
            refused += 1
            assert error.cause in ("format", "truncated", "corrupt", "size")
    assert refused > 0


def png_header(width: int, height: int) -> bytes:
    """A valid PNG frame with a header and no pixels: what a bomb looks like from outside."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(16000, 16000), (2**31 - 1, 1), (0, 10), (10, 0)])
def test_a_decompression_bomb_is_refused_by_its_header(width, height):
    error = refusal(types.SimpleNamespace(format="png", data=png_header(width, height)))
    assert error.cause == "size" and f"{width}x{height}" in str(error)


def test_the_limit_is_stated():
    error = refusal(types.SimpleNamespace(format="png", data=png_header(16000, 16000)))
    assert str(MAX_PIXELS) in str(error)


def test_a_lower_limit_is_held_by_the_header_alone():
    large = types.SimpleNamespace(format="png", data=png_header(2000, 2001))
    with pytest.raises(ImageError) as caught:
        decode_compressed(large, "rgb", 4_000_000)
    assert caught.value.cause == "size"
    assert "PNG image of 2000x2001 has 4.002 megapixels, more than max_megapixels 4:" in str(caught.value)
    assert decode_compressed(message(COLOUR, ".png", ""), "rgb", 64 * 48).shape == COLOUR.shape


def test_headers_are_read_without_decoding():
    assert read_header(bytes(message(RAW, ".png", "").data)) == ("PNG", 64, 48, 16)
    assert read_header(bytes(message(COLOUR, ".jpg", "").data)) == ("JPEG", 64, 48, 8)


def test_sixteen_bits_squeezed_into_jpeg_are_noticed():
    grey = (RAW >> 8).astype(np.uint8)
    text = lost_precision(message(grey, ".jpg", "mono16; jpeg compressed "))
    assert text is not None and "mono16" in text and "png" in text
    assert lost_precision(message(RAW, ".png", "mono16; png compressed ")) is None
    assert lost_precision(message(grey, ".jpg", "mono8; jpeg compressed ")) is None


def test_an_unknown_role_is_a_programming_error():
    with pytest.raises(ValueError, match="rgb"):
        decode_compressed(message(RAW, ".png", "png"), "depth")
