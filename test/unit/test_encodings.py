"""Image messages to arrays: roles, refusals with their causes, and the way back into a message."""

import sys
import types
from array import array
from importlib import metadata

import numpy as np
import pytest

from textdifuse_ros.imaging.encodings import ImageError, fill_image, from_rgb8, to_array, to_rgb8, to_thermal

RNG = np.random.default_rng(5)


def message(image: np.ndarray, encoding: str, **changes) -> types.SimpleNamespace:
    fields = {
        "height": image.shape[0],
        "width": image.shape[1],
        "encoding": encoding,
        "is_bigendian": 0,
        "step": image.strides[0],
        "data": array("B", image.tobytes()),
    }
    return types.SimpleNamespace(**{**fields, **changes})


def refusal(function, *args) -> ImageError:
    with pytest.raises(ImageError) as caught:
        function(*args)
    return caught.value


COLOUR = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 8), dtype=np.uint8)
RAW = RNG.integers(0, 65536, (6, 8), dtype=np.uint16)


def test_rgb8_is_a_view_of_the_message():
    msg = message(COLOUR, "rgb8")
    image = to_rgb8(msg)
    msg.data[0] = (msg.data[0] + 1) % 256
    assert image[0, 0, 0] == msg.data[0]
    assert np.array_equal(image.ravel()[1:], COLOUR.ravel()[1:])


def test_thermal_is_a_view_of_the_message():
    msg = message(RAW, "mono16")
    image = to_thermal(msg)
    assert image.dtype == np.uint16 and np.array_equal(image, RAW)
    assert np.shares_memory(image, np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize("encoding", ["bgr8", "8UC3"])
def test_blue_first_becomes_red_first(encoding):
    assert np.array_equal(to_rgb8(message(COLOUR, encoding)), COLOUR[..., ::-1])


@pytest.mark.parametrize(
    ("encoding", "order"), [("rgba8", [0, 1, 2]), ("bgra8", [2, 1, 0]), ("8UC4", [2, 1, 0])]
)
def test_alpha_is_dropped(encoding, order):
    image = RNG.integers(0, 256, (6, 8, 4), dtype=np.uint8)
    assert np.array_equal(to_rgb8(message(image, encoding)), image[..., order])


def test_grey_cameras_become_rgb():
    assert np.array_equal(to_rgb8(message(GREY, "mono8")), np.repeat(GREY[..., None], 3, axis=2))
    wide = to_rgb8(message(RAW, "mono16")).astype(int)
    assert np.abs(wide - np.rint(RAW / 257.0)[..., None]).max() <= 1


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_raw_values_are_no_picture_of_the_rgb_camera(encoding):
    image = RAW if encoding == "16UC1" else RAW.astype(np.float32)
    error = refusal(to_rgb8, message(image, encoding))
    assert error.cause == "encoding" and encoding in str(error) and "remapped" in str(error)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "8UC3", "rgba8", "bgra8"])
def test_colourised_thermal_becomes_its_luminance(encoding):
    image = RNG.integers(0, 256, (6, 8, 4 if "a" in encoding else 3), dtype=np.uint8)
    order = [0, 1, 2] if encoding.startswith("rgb") else [2, 1, 0]
    luminance = image[..., order] @ np.array([0.299, 0.587, 0.114])
    thermal = to_thermal(message(image, encoding))
    assert thermal.dtype == np.uint8
    assert np.abs(thermal - luminance).max() <= 1.0


def test_float_thermal_keeps_its_values():
    image = RNG.normal(300.0, 5.0, (6, 8)).astype(np.float32)
    assert np.array_equal(to_thermal(message(image, "32FC1")), image)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda b: np.frombuffer(b, np.uint8), list])
def test_data_of_any_bytes_like_type_is_read(wrap):
    assert np.array_equal(to_thermal(message(RAW, "16UC1", data=wrap(RAW.tobytes()))), RAW)


def test_data_that_is_not_bytes_is_refused():
    for data in (["a"], [300], object(), None):
        assert refusal(to_array, message(RAW, "mono16", data=data)).cause == "data"


def test_a_truncated_buffer_is_refused_with_both_sizes():
    msg = message(RAW, "mono16", data=array("B", RAW.tobytes()[:-1]))
    error = refusal(to_thermal, msg)
    assert error.cause == "truncated" and "needs 96 bytes" in str(error) and "holds 95" in str(error)


def test_padding_missing_from_the_last_row_is_accepted():
    padded = np.zeros((6, 11), np.uint8)
    padded[:, :8] = GREY
    msg = message(GREY, "mono8", step=11, data=padded.tobytes()[:-3])
    assert np.array_equal(to_thermal(msg), GREY)


@pytest.mark.parametrize(("height", "width"), [(0, 8), (6, 0), (0, 0)])
def test_an_image_without_pixels_is_refused(height, width):
    error = refusal(to_rgb8, message(COLOUR, "rgb8", height=height, width=width))
    assert error.cause == "size" and f"{width}x{height}" in str(error)


@pytest.mark.parametrize(("height", "width"), [(2**32 - 1, 8), (6, 2**32 - 1), (16385, 8)])
def test_absurd_sizes_are_refused_before_anything_is_allocated(height, width):
    error = refusal(to_rgb8, message(COLOUR, "rgb8", height=height, width=width, step=2**32 - 1))
    assert error.cause == "size" and "damaged" in str(error)


def test_a_step_shorter_than_a_row_is_refused():
    for step in (0, 23):
        error = refusal(to_rgb8, message(COLOUR, "rgb8", step=step))
        assert error.cause == "step" and f"step {step}" in str(error) and "24 bytes" in str(error)


@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_gbrg16", "yuv422_yuy2", "nv12", "64FC1", "16SC1"])
@pytest.mark.parametrize("role", [to_rgb8, to_thermal])
def test_other_encodings_without_cv_bridge_say_what_to_do(encoding, role, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)  # import raises ImportError
    error = refusal(role, message(GREY, encoding))
    assert error.cause == "encoding"
    assert f"'{encoding}'" in str(error) and "cv_bridge" in str(error) and "mono8" in str(error)
    # what is offered must not be refused in turn
    assert ("16UC1" in str(error)) == ("32FC1" in str(error)) == (role is to_thermal)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("RGB8", "encoding 'RGB8' is unknown: did you mean 'rgb8'?"),
        ("Mono16 ", "did you mean 'mono16'?"),
        ("rbg8", "encoding 'rbg8' is unknown: did you mean 'rgb8'? Or publish one of mono8"),
        ("nonsense", "encoding 'nonsense' is unknown: publish one of mono8"),
        ("", "the image names no encoding: have the driver fill it with one of mono8"),
    ],
)
@pytest.mark.parametrize("role", [to_rgb8, to_thermal])
def test_an_encoding_that_there_is_not_needs_no_cv_bridge(encoding, said, role, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    error = refusal(role, message(GREY, encoding))
    assert error.cause == "encoding" and said in str(error)
    assert "cv_bridge" not in str(error)


def test_the_rgb_camera_is_not_led_to_an_encoding_that_it_must_not_send(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    assert "did you mean '16UC1'?" in str(refusal(to_thermal, message(RAW, "16uc1")))
    assert "16UC1" not in str(refusal(to_rgb8, message(RAW, "16uc1")))


def test_an_encoding_that_nobody_knows_is_left_to_cv_bridge_where_there_is_one(bridge):
    fake = bridge(COLOUR)
    assert np.array_equal(to_rgb8(message(GREY, "nv99x")), COLOUR)
    assert fake.asked == ["rgb8"]


class FakeBridge:
    """Answers like cv_bridge; remembers what it was asked for."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def imgmsg_to_cv2(self, msg, desired_encoding):
        self.asked.append(desired_encoding)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def bridge(monkeypatch):
    def install(answer) -> FakeBridge:
        fake = FakeBridge(answer)
        monkeypatch.setitem(sys.modules, "cv_bridge", types.SimpleNamespace(CvBridge=lambda: fake))
        return fake

    return install


def test_bayer_goes_through_cv_bridge(bridge):
    fake = bridge(COLOUR)
    assert np.array_equal(to_rgb8(message(GREY, "bayer_rggb8")), COLOUR)
    assert fake.asked == ["rgb8"]


@pytest.mark.parametrize(
    ("encoding", "asked"), [("bayer_rggb8", "mono8"), ("bayer_rggb16", "mono16"), ("16SC1", "passthrough")]
)
def test_thermal_through_cv_bridge_asks_for_values_where_there_are_values(bridge, encoding, asked):
    fake = bridge(RAW.astype(np.int32))
    thermal = to_thermal(message(RAW, encoding))
    assert fake.asked == [asked] and thermal.dtype == np.float32
    assert np.array_equal(thermal, RAW.astype(np.float32))


def test_whatever_cv_bridge_raises_becomes_an_image_error(bridge):
    bridge(RuntimeError("no\nway"))
    error = refusal(to_rgb8, message(GREY, "bayer_rggb8"))
    assert error.cause == "encoding" and "no way" in str(error)


def test_cv_bridge_is_not_given_a_buffer_that_is_too_short(bridge):
    fake = bridge(COLOUR)
    assert refusal(to_rgb8, message(GREY, "bayer_rggb8", data=b"123")).cause == "truncated"
    assert refusal(to_rgb8, message(GREY, "bayer_rggb8", step=4)).cause == "step"
    assert fake.asked == []


def test_the_unofficial_cv_bridge_of_the_package_index_is_refused(bridge, monkeypatch):
    bridge(COLOUR)
    monkeypatch.setattr(metadata, "version", lambda name: "1.13.0.post0")
    error = refusal(to_rgb8, message(GREY, "bayer_rggb8"))
    assert error.cause == "encoding" and "pip" in str(error)


@pytest.mark.parametrize(
    ("image", "encoding"),
    [(COLOUR, "rgb8"), (COLOUR, "bgr8"), (GREY, "mono8"), (RAW, "mono16"), (RAW.astype(np.float32), "32FC1")],
)
def test_a_filled_message_reads_back_as_the_same_array(image, encoding):
    msg = types.SimpleNamespace()
    fill_image(msg, image, encoding)
    assert isinstance(msg.data, array) and msg.data.typecode == "B"
    assert msg.step * msg.height == len(msg.data)
    assert np.array_equal(to_array(msg), image)


def test_a_strided_array_is_written_row_by_row():
    msg = types.SimpleNamespace()
    fill_image(msg, COLOUR[::-1, ::2], "rgb8")
    assert (msg.height, msg.width, msg.step) == (6, 4, 12)
    assert np.array_equal(to_array(msg), COLOUR[::-1, ::2])


@pytest.mark.parametrize(
    ("image", "encoding"),
    [(COLOUR, "mono8"), (GREY, "rgb8"), (RAW, "mono8"), (COLOUR, "bayer"), (GREY[0], "mono8")],
)
def test_an_array_that_does_not_fit_the_encoding_is_not_written(image, encoding):
    with pytest.raises(ValueError):
        fill_image(types.SimpleNamespace(), image, encoding)


def test_output_encodings():
    assert from_rgb8(COLOUR, "rgb8") is COLOUR
    assert np.array_equal(from_rgb8(COLOUR, "bgr8"), COLOUR[..., ::-1])
    assert from_rgb8(COLOUR, "mono8").shape == (6, 8)
    with pytest.raises(ValueError, match="rgb16"):
        from_rgb8(COLOUR, "rgb16")
