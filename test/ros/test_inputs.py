"""Every encoding a camera may send, and every kind of damage, through real DDS."""

from __future__ import annotations

import sys
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from harness import Cameras, Rig
from pictures import at, image, put_stamp, rgb_array, stamp_of, thermal_array
from sensor_msgs.msg import CompressedImage, Image
from waiting import Collector, values_of

from textdifuse_ros.imaging.encodings import to_array
from textdifuse_ros.msg import FusionStatus

pytestmark = pytest.mark.ros

RGB, THERMAL = rgb_array(7), thermal_array(7)
# 0..255 raw means that 8, 16 and 32 bits of the same values must give the same picture
PLAIN = {"thermal.range_mode": "fixed", "thermal.range_max": 255.0, "thermal.freeze_timeout": 0.0}


def padded(array: np.ndarray, encoding: str) -> Image:
    """Rows with 13 bytes of rubbish behind each."""
    message = image(array, encoding, 0)
    rows = np.frombuffer(bytes(message.data), np.uint8).reshape(array.shape[0], -1)
    rubbish = np.full((array.shape[0], 13), 0xA5, np.uint8)
    message.step = rows.shape[1] + 13
    message.data = np.hstack([rows, rubbish]).tobytes()
    return message


def swapped(array: np.ndarray, encoding: str) -> Image:
    """The other byte order than this machine's."""
    message = image(array, encoding, 0)
    message.is_bigendian = int(sys.byteorder == "little")
    message.data = array.byteswap().tobytes()
    return message


def with_nan(array: np.ndarray) -> np.ndarray:
    """32FC1 with NaN where the picture has its minimum: the value that they are replaced with."""
    out = array.astype(np.float32)
    rows, columns = np.nonzero(array == array.min())
    out[rows[1:], columns[1:]] = np.nan
    return out


def alpha(array: np.ndarray) -> np.ndarray:
    return np.dstack([array, np.full(array.shape[:2], 77, np.uint8)])


def grey(array: np.ndarray) -> np.ndarray:
    return np.repeat(array[:, :, None], 3, axis=2)


MESSAGES: dict[str, tuple[str, Callable[[], Image]]] = {
    "rgb bgr8": ("rgb", lambda: image(RGB[..., ::-1].copy(), "bgr8", 0)),
    "rgb rgba8": ("rgb", lambda: image(alpha(RGB), "rgba8", 0)),
    "rgb bgra8": ("rgb", lambda: image(alpha(RGB[..., ::-1]), "bgra8", 0)),
    "rgb padded": ("rgb", lambda: padded(RGB, "rgb8")),
    "thermal padded": ("thermal", lambda: padded(THERMAL, "mono8")),
    "thermal mono16": ("thermal", lambda: image(THERMAL.astype(np.uint16), "mono16", 0)),
    "thermal mono16 other endianness": ("thermal", lambda: swapped(THERMAL.astype(np.uint16), "mono16")),
    "thermal 16UC1": ("thermal", lambda: image(THERMAL.astype(np.uint16), "16UC1", 0)),
    "thermal 16UC1 other endianness": ("thermal", lambda: swapped(THERMAL.astype(np.uint16), "16UC1")),
    "thermal 32FC1": ("thermal", lambda: image(THERMAL.astype(np.float32), "32FC1", 0)),
    "thermal 32FC1 other endianness": ("thermal", lambda: swapped(THERMAL.astype(np.float32), "32FC1")),
    "thermal 32FC1 with some NaN": ("thermal", lambda: image(with_nan(THERMAL), "32FC1", 0)),
    "thermal rgb8": ("thermal", lambda: image(grey(THERMAL), "rgb8", 0)),
    "thermal bgr8": ("thermal", lambda: image(grey(THERMAL), "bgr8", 0)),
    "thermal rgba8": ("thermal", lambda: image(alpha(grey(THERMAL)), "rgba8", 0)),
    "thermal bgra8": ("thermal", lambda: image(alpha(grey(THERMAL)), "bgra8", 0)),
}


class Line:
    """One node for all encodings: sends a pair, returns the fused picture."""

    def __init__(self, rig: Rig) -> None:
        self.fused: Collector[Image] = rig.listen("/fused/image_raw", Image)
        rig.start(PLAIN)
        self.cameras = Cameras(rig).ready()
        self._k = 0
        self.plain = self.send()

    def send(self, rgb: Image | None = None, thermal: Image | None = None) -> np.ndarray:
        self._k += 1
        stamp = at(40 * self._k)
        for camera, given, array, encoding in (
            (self.cameras.thermal, thermal, THERMAL, "mono8"),
            (self.cameras.rgb, rgb, RGB, "rgb8"),
        ):
            message = image(array, encoding, stamp) if given is None else put_stamp(given, stamp, "camera")
            camera(stamp, message=message)
        return to_array(self.fused.wait(lambda m: stamp_of(m) == stamp)).copy()


@pytest.fixture(scope="module")
def line(shared_rig: Rig) -> Line:
    return Line(shared_rig)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_encoding_gives_the_picture_of_the_plain_one(line: Line, name: str) -> None:
    camera, make = MESSAGES[name]
    assert np.array_equal(line.send(**{camera: make()}), line.plain)


def test_compressed_transport_takes_png_jpeg_and_16_bit_png(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    rig.start(
        {
            **PLAIN,
            "thermal.range_max": 25500.0,
            "rgb.transport": "compressed",
            "thermal.transport": "compressed",
        }
    )
    rgb, thermal = (
        rig.wait_subscribed(f"/{camera}/image_raw/compressed", CompressedImage)
        for camera in ("rgb", "thermal")
    )

    def send(k: int, suffix: str, scale: int, options: tuple[int, ...] = ()) -> np.ndarray:
        data = cv2.imencode(suffix, RGB[..., ::-1], options)[1].tobytes()
        heat = cv2.imencode(".png", THERMAL.astype(np.uint16) * scale)[1].tobytes()
        kind = "jpeg" if suffix == ".jpg" else "png"
        message = CompressedImage(format=f"rgb8; {kind} compressed bgr8", data=data)
        rgb.publish(put_stamp(message, at(40 * k), "c"))
        thermal.publish(
            put_stamp(CompressedImage(format="mono16; png compressed ", data=heat), at(40 * k), "t")
        )
        return to_array(fused.wait(lambda m: stamp_of(m) == at(40 * k))).astype(int)

    png = send(0, ".png", 100)
    assert np.array_equal(send(1, ".png", 100), png)
    jpeg = send(2, ".jpg", 100, (cv2.IMWRITE_JPEG_QUALITY, 98))
    assert 0 < np.abs(jpeg - png).mean() < 4
    dimmer = send(3, ".png", 50)  # half the counts: 16 bits arrive as 16 bits
    assert np.abs(dimmer - png).mean() > 1


def test_compressed_images_are_taken_from_below_the_topic_that_the_raw_one_is_remapped_to(rig: Rig) -> None:
    rig.start(
        {"rgb.transport": "compressed", "thermal.transport": "compressed"},
        *("-r", "rgb/image_raw:=/cam/image"),
        *("-r", "thermal/image_raw:=/boson/image", "-r", "thermal/image_raw/compressed:=/boson/png"),
    )
    rig.wait_subscribed("/cam/image/compressed", CompressedImage)
    rig.wait_subscribed("/boson/png", CompressedImage)  # its own remap goes first
    assert rig.diagnostics().wait("rgb", level=0).hardware_id == "/cam/image/compressed"


def test_cameras_of_different_resolution_fuse_at_the_reference_size(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    rig.start()
    cameras = Cameras(rig).ready()
    cameras.pair(at(0), rgb=rgb_array(0, 320, 240), thermal=thermal_array(0, 80, 60))
    got = fused.wait(lambda m: stamp_of(m) == at(0))
    assert (got.width, got.height) == (320, 240)


def test_telemetry_rows_are_cut_off_and_a_black_hot_camera_is_turned_over(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    rig.start({**PLAIN, "thermal.telemetry_rows": 2, "thermal.polarity": "black_hot"})
    cameras = Cameras(rig).ready()
    with_telemetry = np.vstack([255 - THERMAL, np.full((2, 160), 200, np.uint8)])
    cameras.pair(at(0), rgb=RGB, thermal=with_telemetry)
    first = to_array(fused.wait(lambda m: stamp_of(m) == at(0)))
    assert rig.set(thermal__telemetry_rows=0).successful
    assert rig.set(thermal__polarity="white_hot").successful
    # a change of size costs one frame; the next is the same scene sent plainly
    for k in (1, 2):
        cameras.pair(at(40 * k), rgb=RGB, thermal=THERMAL)
    second = to_array(fused.wait(lambda m: stamp_of(m) == at(80)))
    assert np.array_equal(first, second)


def broken(**changes: object) -> Image:
    """A good RGB message with some fields spoilt."""
    message = image(RGB, "rgb8", 0)
    for field, value in changes.items():
        setattr(message, field, value)
    return message


def nowhere_finite() -> Image:
    return image(np.full(THERMAL.shape, np.nan, np.float32), "32FC1", 0)


DAMAGE: dict[str, tuple[str, Callable[[], Image], str, str]] = {
    "unknown encoding": ("rgb", lambda: broken(encoding="rgb99"), "encoding", "rgb99"),
    "truncated buffer": ("rgb", lambda: broken(data=bytes(100)), "truncated", "100"),
    "empty buffer": ("rgb", lambda: broken(data=b""), "truncated", "bytes"),
    "zero size": ("rgb", lambda: broken(width=0, height=0), "size", "0x0"),
    "absurd size": ("rgb", lambda: broken(width=4_000_000_000), "size", "4000000000"),
    "too small": ("rgb", lambda: image(rgb_array(0, 15, 120), "rgb8", 0), "size", "15x120"),
    "a single pixel": ("thermal", lambda: image(thermal_array(0, 1, 1), "mono8", 0), "size", "1x1"),
    "too large": ("rgb", lambda: image(rgb_array(0, 400, 300), "rgb8", 0), "size", "max_megapixels 0.1"),
    "step too short": ("rgb", lambda: broken(step=3), "step", "step 3"),
    "raw counts as rgb": ("rgb", lambda: image(THERMAL.astype(np.uint16), "16UC1", 0), "encoding", "16UC1"),
    "NaN everywhere": ("thermal", nowhere_finite, "nan", "finite"),
    "size change": ("thermal", lambda: image(thermal_array(3, 80, 60), "mono8", 0), "size_change", "80x60"),
}


def test_each_bad_input_costs_one_counted_and_explained_drop(rig: Rig) -> None:
    fused, status = rig.listen("/fused/image_raw", Image), rig.listen("/textdifuse/status", FusionStatus)
    diagnostics = rig.diagnostics()
    rig.start({"thermal.freeze_timeout": 0.0, "max_megapixels": 0.1})
    cameras = Cameras(rig).ready()
    stamps = iter(range(0, 100_000, 40))
    refused = {"rgb": 0, "thermal": 0}

    def good_pair() -> FusionStatus:
        stamp = at(next(stamps))
        cameras.pair(stamp)
        fused.wait(lambda m: stamp_of(m) == stamp)
        return status.wait(lambda m: stamp_of(m) == stamp)

    good_pair()
    for name, (camera, make, cause, text) in DAMAGE.items():
        stamp, other = at(next(stamps)), "thermal" if camera == "rgb" else "rgb"
        getattr(cameras, other)(stamp)
        getattr(cameras, camera)(stamp, message=put_stamp(make(), stamp, "camera"))
        refused[camera] += 1
        report = diagnostics.wait(camera, text, level=1, refused=str(refused[camera]))
        assert f"refused_{cause}" in values_of(report), name
        if name == "size change":  # going back is a change as well
            cameras.pair(at(next(stamps)))
            refused[camera] += 1
            diagnostics.wait(camera, refused=str(refused[camera]))
        assert good_pair().dropped_invalid == sum(refused.values()), name
    last = good_pair()
    dropped = (
        last.dropped_superseded,
        last.dropped_unmatched_rgb,
        last.dropped_unmatched_thermal,
        last.dropped_late,
    )
    assert dropped == (0, 0, 0, 0)
    assert last.resets == 0


@pytest.mark.parametrize(
    ("sec", "nanosec", "text"),
    [(0, 0, "zero"), (-5, 0, "negative"), (2_000_000_000, 0, "ahead"), (1000, 0, "back")],
    ids=["zero", "negative", "far future", "far past"],
)
def test_an_absurd_stamp_costs_one_counted_and_explained_drop(
    stamp_line: tuple[Cameras, Collector[FusionStatus], Rig], sec: int, nanosec: int, text: str
) -> None:
    cameras, status, rig = stamp_line
    diagnostics = rig.diagnostics()
    before = next_good(cameras, status)
    wild = image(RGB, "rgb8", 0)
    wild.header.stamp.sec, wild.header.stamp.nanosec = sec, nanosec
    cameras.rgb(0, message=wild)
    diagnostics.wait("rgb", text, level=1, refused=str(before.dropped_invalid + 1))
    after = next_good(cameras, status)
    assert after.dropped_invalid == before.dropped_invalid + 1
    assert after.resets == before.resets == 0
    assert after.frames_published == before.frames_published + 1


def next_good(cameras: Cameras, status: Collector[FusionStatus]) -> FusionStatus:
    stamp = at(40 * cameras.count)
    cameras.pair(stamp)
    return status.wait(lambda m: stamp_of(m) == stamp)


@pytest.fixture(scope="module")
def stamp_line(shared_rig: Rig, line: Line) -> tuple[Cameras, Collector[FusionStatus], Rig]:
    status = shared_rig.listen("/textdifuse/status", FusionStatus)
    line.cameras.count = 100  # on from the stamps that line has used
    return line.cameras, status, shared_rig
