"""Image conversion against an oracle that decodes sample by sample with `struct`."""

import struct
from array import array
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from textdifuse_ros.imaging.encodings import LAYOUTS, ImageError, fill_image, to_array, to_rgb8, to_thermal

# Written out again, on purpose: sample format, samples a pixel, position of red, green and blue.
FORMATS = {
    "mono8": ("B", 1, (0, 0, 0)),
    "8UC1": ("B", 1, (0, 0, 0)),
    "mono16": ("H", 1, (0, 0, 0)),
    "16UC1": ("H", 1, None),
    "32FC1": ("f", 1, None),
    "rgb8": ("B", 3, (0, 1, 2)),
    "bgr8": ("B", 3, (2, 1, 0)),
    "8UC3": ("B", 3, (2, 1, 0)),
    "rgba8": ("B", 4, (0, 1, 2)),
    "bgra8": ("B", 4, (2, 1, 0)),
    "8UC4": ("B", 4, (2, 1, 0)),
}


def oracle(msg: SimpleNamespace) -> list[list[tuple]]:
    """Pixels as tuples of samples, row by row."""
    kind, channels, _ = FORMATS[msg.encoding]
    order = ">" if msg.is_bigendian else "<"
    pixel = struct.Struct(f"{order}{channels}{kind}")
    data = bytes(msg.data)
    return [
        [pixel.unpack_from(data, row * msg.step + column * pixel.size) for column in range(msg.width)]
        for row in range(msg.height)
    ]


@st.composite
def messages(draw):
    encoding = draw(st.sampled_from(sorted(FORMATS)))
    kind, channels, _ = FORMATS[encoding]
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    row = width * channels * struct.calcsize(kind)
    step = row + draw(st.integers(0, 7))  # padding need not be a multiple of anything
    size = step * height + draw(st.sampled_from([0, 0, 5]))
    seed = draw(st.integers(0, 2**32 - 1))
    data = np.random.default_rng(seed).bytes(size)
    wrap = draw(
        st.sampled_from([bytes, bytearray, lambda b: array("B", b), lambda b: np.frombuffer(b, np.uint8)])
    )
    big = draw(st.sampled_from([0, 1, True, False]))
    return SimpleNamespace(
        height=height, width=width, encoding=encoding, is_bigendian=big, step=step, data=wrap(data)
    )


def test_the_oracle_covers_every_encoding_of_the_fast_path():
    assert set(FORMATS) == set(LAYOUTS)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(messages())
def test_every_sample_is_where_the_oracle_finds_it(msg):
    image = to_array(msg)
    assert image.dtype.isnative and image.flags.aligned
    expected = oracle(msg)
    assert image.shape[:2] == (msg.height, msg.width)
    if msg.encoding == "32FC1":
        got = image.view(np.uint32) if image.flags.c_contiguous else image.copy().view(np.uint32)
        want = np.frombuffer(
            b"".join(bytes(msg.data)[r * msg.step : r * msg.step + 4 * msg.width] for r in range(msg.height)),
            ">u4" if msg.is_bigendian else "<u4",
        )
        assert got.ravel().tolist() == want.tolist()
        return
    assert image.reshape(msg.height, msg.width, -1).tolist() == [[list(p) for p in row] for row in expected]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(messages())
def test_rgb_pictures_match_the_oracle(msg):
    places = FORMATS[msg.encoding][2]
    if places is None:
        with pytest.raises(ImageError):
            to_rgb8(msg)
        return
    image = to_rgb8(msg)
    assert image.dtype == np.uint8 and image.shape == (msg.height, msg.width, 3)
    scale = 257.0 if msg.encoding == "mono16" else 1.0
    expected = np.array([[[pixel[p] / scale for p in places] for pixel in row] for row in oracle(msg)])
    assert np.abs(image - expected).max() <= (0.51 if scale > 1.0 else 0.0)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(messages())
def test_thermal_values_match_the_oracle(msg):
    thermal = to_thermal(msg)
    assert thermal.shape == (msg.height, msg.width)
    _, channels, places = FORMATS[msg.encoding]
    if channels == 1:
        expected = np.array([[p[0] for p in row] for row in oracle(msg)])
        assert np.array_equal(thermal, expected, equal_nan=msg.encoding == "32FC1")
        return
    assert places is not None
    weights = (0.299, 0.587, 0.114)
    luminance = np.array([[[p[i] for i in places] for p in row] for row in oracle(msg)]) @ weights
    assert np.abs(thermal - luminance).max() <= 1.0


@settings(max_examples=300, deadline=None, derandomize=True)
@given(messages(), st.data())
def test_a_damaged_message_is_refused_or_read_but_never_crashes(msg, data):
    field = data.draw(st.sampled_from(["height", "width", "step", "data", "encoding"]))
    if field == "data":
        msg.data = bytes(msg.data)[: data.draw(st.integers(0, len(msg.data)))]
    elif field == "encoding":
        msg.encoding = data.draw(st.sampled_from([*FORMATS, "", "mono", "yuv422"]))
    else:
        setattr(msg, field, data.draw(st.one_of(st.integers(0, 40), st.just(2**32 - 1))))
    for convert in (to_rgb8, to_thermal):
        try:
            image = convert(msg)
        except ImageError as error:
            assert error.cause in ("encoding", "size", "step", "truncated") and len(str(error)) > 20
        else:
            assert image.shape[:2] == (msg.height, msg.width)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(messages())
def test_writing_and_reading_back_changes_nothing(msg):
    image = to_array(msg)
    assume(not np.isnan(image).any())
    written = SimpleNamespace()
    fill_image(written, image, msg.encoding)
    assert np.array_equal(to_array(written), image)
    assert (written.height, written.width, written.encoding) == (msg.height, msg.width, msg.encoding)
