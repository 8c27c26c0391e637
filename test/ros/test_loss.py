"""A camera that stops, freezes, sends rubbish or was never there; and its return."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from harness import Cameras, Rig
from pictures import at, image, rgb_array, stamp_of, thermal_array
from sensor_msgs.msg import Image
from waiting import keep_doing

from textdifuse_ros.imaging.encodings import to_array
from textdifuse_ros.msg import FusionStatus

pytestmark = pytest.mark.ros

QUICK = {"loss_timeout": 0.3}


class Scene:
    """Cameras whose stamps go on by 40 ms an image, whatever is sent."""

    def __init__(self, rig: Rig, **parameters: object) -> None:
        self.status = rig.listen("/textdifuse/status", FusionStatus)
        self.fused = rig.listen("/fused/image_raw", Image)
        self.process = rig.start({**QUICK, **{k.replace("__", "."): v for k, v in parameters.items()}})
        self.cameras = Cameras(rig).ready()
        self.sent: dict[int, np.ndarray] = {}
        self._k = 0

    def both(self, _: int = 0) -> None:
        self._k += 1
        self.cameras.pair(at(40 * self._k))

    def only(self, camera: str) -> None:
        self._k += 1
        array = rgb_array(self._k) if camera == "rgb" else thermal_array(self._k)
        self.sent[at(40 * self._k)] = array
        getattr(self.cameras, camera)(at(40 * self._k), array)

    def until_mode(self, action: object, mode: str) -> FusionStatus:
        return keep_doing(action, self.status, lambda m: m.mode == mode)  # type: ignore[arg-type]

    def picture(self, status: FusionStatus) -> Image:
        return self.fused.wait(lambda m: m.header == status.header)


def test_pass_sends_the_rgb_image_through_untouched_and_fusion_returns_by_itself(rig: Rig) -> None:
    scene, diagnostics = Scene(rig), rig.diagnostics()
    scene.until_mode(scene.both, "fused")
    passed = scene.until_mode(lambda i: scene.only("rgb"), "pass_rgb")
    assert (passed.steps, passed.prompt) == (0, "")
    got = scene.picture(passed)
    assert got.header.frame_id == "rgb_optical_frame"
    assert np.array_equal(to_array(got), scene.sent[stamp_of(got)])
    keep_doing(
        lambda i: scene.only("rgb"),
        diagnostics.collector,
        lambda m: any("no thermal image" in s.message and s.level == b"\x02" for s in m.status),
    )
    back = scene.until_mode(scene.both, "fused")
    assert stamp_of(back) > stamp_of(passed)
    keep_doing(
        scene.both,
        diagnostics.collector,
        lambda m: any(s.name.endswith(": output") and s.level == b"\x00" for s in m.status),
    )
    stamps = [stamp_of(m) for m in scene.status.messages]
    assert stamps == sorted(set(stamps))  # no image twice, none out of order
    assert (
        scene.process.output().count("no thermal image on /thermal/image_raw for") == 1
    )  # said once, not once an image


def test_pass_sends_the_thermal_image_through_as_grey_while_rgb_is_lost(rig: Rig) -> None:
    scene = Scene(rig, thermal__range_mode="fixed")
    scene.until_mode(scene.both, "fused")
    got = scene.picture(scene.until_mode(lambda i: scene.only("thermal"), "pass_thermal"))
    assert (got.encoding, got.header.frame_id) == ("rgb8", "thermal_optical_frame")
    assert np.array_equal(to_array(got), np.repeat(scene.sent[stamp_of(got)][:, :, None], 3, axis=2))
    scene.until_mode(scene.both, "fused")


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_hold_repeats_the_last_fused_image_under_its_old_stamp(rig: Rig, camera: str) -> None:
    left = "thermal" if camera == "rgb" else "rgb"
    scene = Scene(rig, **{f"on_{camera}_loss": "hold"})
    scene.until_mode(scene.both, "fused")
    held = scene.until_mode(lambda i: scene.only(left), "hold")
    last = [m for m in scene.status.messages if m.mode == "fused"][-1]
    assert held.header == last.header
    pictures = [m for m in scene.fused.messages if m.header == held.header]
    assert len(pictures) >= 1
    assert len({bytes(m.data) for m in pictures}) == 1
    scene.until_mode(scene.both, "fused")


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_stop_publishes_nothing_until_the_camera_is_back(rig: Rig, camera: str) -> None:
    left = "thermal" if camera == "rgb" else "rgb"
    scene, diagnostics = Scene(rig, **{f"on_{camera}_loss": "stop"}), rig.diagnostics()
    scene.until_mode(scene.both, "fused")
    silent = keep_doing(
        lambda i: scene.only(left),
        diagnostics.collector,
        lambda m: any(s.name.endswith(": output") and s.message.startswith("nothing") for s in m.status),
    )
    output = next(s for s in silent.status if s.name.endswith(": output"))
    assert f"no {camera} image" in output.message
    assert f"on_{camera}_loss is stop" in output.message
    scene.until_mode(scene.both, "fused")
    modes = [m.mode for m in scene.status.messages]
    assert set(modes[modes.index("fused") :]) == {"fused"}


def test_a_thermal_camera_that_never_came_lets_rgb_through(rig: Rig) -> None:
    scene, diagnostics = Scene(rig), rig.diagnostics()
    scene.until_mode(lambda i: scene.only("rgb"), "pass_rgb")
    diagnostics.wait("thermal", "yet", level=2)
    scene.until_mode(scene.both, "fused")


def test_a_frozen_thermal_camera_counts_as_lost_and_comes_back(rig: Rig) -> None:
    scene, diagnostics = Scene(rig, thermal__freeze_timeout=0.2, loss_timeout=60.0), rig.diagnostics()
    scene.until_mode(scene.both, "fused")
    still = thermal_array(99)

    def frozen(_: int) -> None:
        scene._k += 1
        scene.cameras.pair(at(40 * scene._k), thermal=still)

    scene.until_mode(frozen, "pass_rgb")
    seen = keep_doing(
        frozen,
        diagnostics.collector,
        lambda m: any("frozen" in s.message and s.level == b"\x01" for s in m.status),
    )
    assert any("on_thermal_loss is pass" in s.message for s in seen.status)
    back = scene.until_mode(scene.both, "fused")
    assert back.dropped_invalid == 0


def test_a_frozen_thermal_camera_with_stop_is_counted_as_dropped_by_policy(rig: Rig) -> None:
    scene = Scene(rig, thermal__freeze_timeout=0.2, loss_timeout=60.0, on_thermal_loss="stop")
    diagnostics = rig.diagnostics()
    scene.until_mode(scene.both, "fused")
    still = thermal_array(99)

    def frozen(_: int) -> None:
        scene._k += 1
        scene.cameras.pair(at(40 * scene._k), thermal=still)

    def dropped(array: object) -> bool:
        return any(
            pair.key == "dropped_by_policy" and int(pair.value) > 0
            for status in array.status  # type: ignore[attr-defined]
            for pair in status.values
        )

    keep_doing(frozen, diagnostics.collector, dropped)
    assert scene.until_mode(scene.both, "fused").dropped_by_policy > 0


def test_a_camera_that_sends_only_rubbish_counts_as_lost(rig: Rig) -> None:
    scene, diagnostics = Scene(rig), rig.diagnostics()
    scene.until_mode(scene.both, "fused")

    def rubbish(_: int) -> None:
        scene._k += 1
        stamp = at(40 * scene._k)
        nan = np.full((120, 160), np.nan, np.float32)
        scene.cameras.thermal(stamp, message=image(nan, "32FC1", stamp))
        scene.cameras.rgb(stamp)

    scene.until_mode(rubbish, "pass_rgb")
    seen = keep_doing(
        rubbish, diagnostics.collector, lambda m: any("no usable thermal" in s.message for s in m.status)
    )
    assert any("finite" in s.message for s in seen.status)
    scene.until_mode(scene.both, "fused")


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_camera_whose_stamp_stands_still_counts_as_lost(rig: Rig, camera: str) -> None:
    left = "thermal" if camera == "rgb" else "rgb"
    scene, diagnostics = Scene(rig), rig.diagnostics()
    scene.until_mode(scene.both, "fused")
    stuck = at(40 * scene._k)

    def stand_still(_: int) -> None:
        getattr(scene.cameras, camera)(stuck)
        scene.only(left)

    scene.until_mode(stand_still, f"pass_{left}")
    seen = keep_doing(
        stand_still,
        diagnostics.collector,
        lambda m: any(f"no usable {camera} image" in s.message and s.level == b"\x02" for s in m.status),
    )
    assert any("its stamp stands still" in s.message for s in seen.status)
    scene.until_mode(scene.both, "fused")


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_camera_that_alternates_sizes_counts_as_lost(rig: Rig, camera: str) -> None:
    left = "thermal" if camera == "rgb" else "rgb"
    scene = Scene(rig)
    scene.until_mode(scene.both, "fused")
    array = rgb_array if camera == "rgb" else thermal_array

    def alternate(i: int) -> None:
        scene._k += 1
        scene.cameras.pair(at(40 * scene._k), **{camera: array(i, 160, 120 + i % 2)})

    scene.until_mode(alternate, f"pass_{left}")
    scene.until_mode(scene.both, "fused")


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_camera_whose_images_are_too_small_counts_as_lost(rig: Rig, camera: str) -> None:
    status, diagnostics = rig.listen("/textdifuse/status", FusionStatus), rig.diagnostics()
    rig.listen("/fused/image_raw", Image)
    rig.start({"loss_timeout": 0.3})
    cameras = Cameras(rig).ready()
    tiny = {"rgb": rgb_array(0, 1, 1)} if camera == "rgb" else {"thermal": thermal_array(0, 1, 1)}
    passed = FusionStatus.PASS_THERMAL if camera == "rgb" else FusionStatus.PASS_RGB

    frames = itertools.count()

    def send(_: int) -> None:
        cameras.pair(at(40 * next(frames)), **tiny)

    def told(array: DiagnosticArray) -> bool:
        return any("too small" in s.message and "1x1" in s.message for s in array.status)

    # At first nothing has arrived yet, and the camera counts as lost for that.
    keep_doing(send, diagnostics.collector, told)
    keep_doing(send, status, lambda m: m.mode == passed)
