"""Thermal window and registration on a device against the host's, and the frames that take that way."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from engine_samples import tiny_network
from fake_device import FakeAccelerator
from numpy.typing import NDArray
from test_engine_cuda import ORDERS, made
from test_registration import EXTRINSICS_FILE, HOMOGRAPHY_FILE, RGB, THERMAL, write

from textdifuse_ros.engines.background import BackgroundEngine
from textdifuse_ros.engines.compare import difference
from textdifuse_ros.engines.cuda import CudaEngine, EagerMaker
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.graph import Graph
from textdifuse_ros.engines.intake import Intake, uploaded, window_numbers
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.imaging.registration import Registration
from textdifuse_ros.imaging.thermal import ThermalNormaliser
from textdifuse_ros.imaging.window import Windowed
from textdifuse_ros.model import weights
from textdifuse_ros.model.controls import ALL, AS_IT_WAS, CONTROLS, Controls, controls
from textdifuse_ros.model.network import FusionNetwork

Size = tuple[int, int]
FILES = {"scaled": "", "homography": HOMOGRAPHY_FILE, "extrinsics": EXTRINSICS_FILE}


def rough(size: Size, seed: int) -> NDArray[np.float64]:
    """(H, W) in 0..1: waves with some noise, as a lens would pass it on."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    noise = np.random.default_rng(seed).normal(0, 0.02, (size[1], size[0]))
    return np.asarray(np.clip(0.5 + 0.4 * np.sin(x / 7 + seed) * np.cos(y / 9) + noise, 0, 1))


def counts(size: Size, dtype: str, seed: int = 0) -> NDArray[Any]:
    """A raw thermal image in the units of its type: levels, counts, kelvins."""
    low, high = {"uint8": (20, 240), "uint16": (29_000, 34_000), "float32": (280.0, 320.0)}[dtype]
    return (low + (high - low) * rough(size, seed)).astype(dtype)


def pair(
    registration: Registration,
    reference: str = "rgb",
    dtype: str = "uint16",
    rgb: Size = RGB,
    thermal: Size = THERMAL,
    seed: int = 0,
    polarity: str = "white_hot",
) -> Cameras:
    colour = np.stack([rough(rgb, seed + k) * 255 for k in range(3)], axis=-1).astype(np.uint8)
    window = ThermalNormaliser(polarity=polarity).windowed(counts(thermal, dtype, seed), 0)
    return Cameras(colour, window, registration.prepare(rgb, thermal, reference))


def on_device(cameras: Cameras) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    window, raw = window_numbers(cameras.thermal), torch.from_numpy(uploaded(cameras.thermal))
    take = Intake(cameras.remap, torch.device("cpu"))
    rgb, thermal = take(torch.from_numpy(cameras.rgb), raw, torch.from_numpy(window))
    return rgb.numpy(), thermal.numpy()


def registration_of(name: str, tmp_path: Any) -> Registration:
    return Registration.load(write(tmp_path, FILES[name])) if FILES[name] else Registration()


@pytest.mark.parametrize("reference", ["rgb", "thermal"])
@pytest.mark.parametrize("name", FILES)
def test_both_images_are_those_of_the_host_to_a_grey_level(tmp_path: Any, name: str, reference: str) -> None:
    cameras = pair(registration_of(name, tmp_path), reference)
    for got, expected in zip(on_device(cameras), cameras.registered(), strict=True):
        assert got.shape == expected.shape and got.dtype == np.uint8
        assert np.abs(got.astype(int) - expected).max() <= 1


SIZES = [((320, 240), (320, 240)), ((64, 50), (160, 120)), ((161, 99), (80, 64)), ((90, 200), (70, 220))]


@pytest.mark.parametrize(("rgb", "thermal"), SIZES)
def test_scaling_up_and_down_and_both_and_not_at_all(rgb: Size, thermal: Size) -> None:
    for reference in ("rgb", "thermal"):
        cameras = pair(Registration(), reference, rgb=rgb, thermal=thermal)
        for got, expected in zip(on_device(cameras), cameras.registered(), strict=True):
            assert np.abs(got.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("polarity", ["white_hot", "black_hot"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_every_type_of_raw_values_is_shown_as_on_the_host(dtype: str, polarity: str) -> None:
    cameras = pair(Registration(), "thermal", dtype, polarity=polarity)
    assert np.abs(on_device(cameras)[1].astype(int) - cameras.registered()[1]).max() <= (dtype != "uint8")


@pytest.mark.parametrize("window", [(-1e30, 1e30), (65_536.0, 65_552.0), (-9.0, -1.0), (299.99, 300.02)])
def test_windows_beyond_all_values_and_narrow_ones_saturate(window: tuple[float, float]) -> None:
    remap = Registration().prepare((40, 32), (40, 32))
    for dtype in ("uint16", "float32"):
        thermal = Windowed(counts((40, 32), dtype), *window, False)
        cameras = Cameras(np.zeros((32, 40, 3), np.uint8), thermal, remap)
        assert np.abs(on_device(cameras)[1].astype(int) - cameras.registered()[1]).max() <= 1


def test_counts_above_32767_are_no_negative_ones() -> None:
    raw = np.array([[0, 32_767], [32_768, 65_535]], np.uint16)
    cameras = Cameras(
        np.zeros((2, 2, 3), np.uint8), Windowed(raw, 0, 65_535, False), Registration().prepare((2, 2), (2, 2))
    )
    assert on_device(cameras)[1].tolist() == [[0, 127], [128, 255]]


def by_host(
    engine: EagerEngine, cameras: Cameras, steps: int = 1, wanted: Controls = ALL
) -> NDArray[np.uint8]:
    rgb, thermal = cameras.registered()
    return cameras.restored(engine.run(rgb, thermal, None, steps, wanted)[0], rgb, thermal)


@pytest.mark.parametrize("early", ORDERS, ids=["late late", "late early", "early late", "early early"])
@pytest.mark.parametrize("reference", ["rgb", "thermal"])
def test_the_recorded_graph_sees_each_pair_and_its_window_in_whatever_order_the_device_works(
    tmp_path: Any, early: tuple[bool, bool], reference: str
) -> None:
    accelerator, eager = FakeAccelerator(early), EagerEngine(tiny_network(), "cpu", "fp32")
    engine, registration = made(accelerator), registration_of("extrinsics", tmp_path)
    frames = [pair(registration, reference, seed=seed) for seed in range(3)]
    under_way = [engine.start_cameras(frames[0], 1, ALL)]
    for number, cameras in enumerate(frames):
        if number + 1 < len(frames):
            under_way.append(engine.start_cameras(frames[number + 1], 1, ALL))
        image, model_ms = engine.finish(under_way.pop(0))
        assert model_ms > 0
        levels, _ = difference(image, by_host(eager, cameras))
        assert levels <= 2
    assert [each.launched for each in accelerator.replays] == [3]


def test_another_registration_type_or_size_is_recorded_anew(tmp_path: Any) -> None:
    accelerator = FakeAccelerator()
    engine, registration = made(accelerator), registration_of("homography", tmp_path)
    other = registration_of("extrinsics", tmp_path)
    for cameras in (
        pair(registration), pair(other), pair(registration, dtype="uint8"), pair(registration, "thermal"),
        pair(registration, seed=4),
    ):  # fmt: skip
        engine.run_cameras(cameras, 1, ALL)
    assert [each.launched for each in accelerator.replays] == [2, 1, 1, 1]


class Waiting(EagerMaker):
    """Takes as long as it is let."""

    name, quick = "tensorrt", False

    def __init__(self) -> None:
        self.go = threading.Event()

    def make(self, network: FusionNetwork, height: int, width: int, steps: int) -> Graph:
        assert self.go.wait(60)
        return super().make(network, height, width, steps)


def test_what_the_cameras_send_is_recorded_by_whoever_builds_and_not_in_the_first_frame_after(
    tmp_path: Any,
) -> None:
    """With an engine that runs meanwhile, as in the node; for the last kind that came."""
    cameras = pair(registration_of("extrinsics", tmp_path))
    height, width = cameras.remap.size[::-1]
    accelerator, maker = FakeAccelerator(), Waiting()
    second = CudaEngine(maker, tiny_network(), accelerator, "fp32")
    engine = BackgroundEngine(made(FakeAccelerator()), second)
    for given in (pair(Registration(), dtype="uint8"), cameras):
        assert engine.takes_cameras(height, width, 1)
        engine.run_cameras(given, 1, ALL)
    assert engine.name.startswith("eager, tensorrt is being built")
    maker.go.set()
    engine.prepare(height, width, 1)
    assert [each.launched for each in accelerator.replays] == [0, 0, 0]
    assert engine.takes_cameras(height, width, 1) and engine.name == "tensorrt"
    image, _ = engine.run_cameras(cameras, 1, ALL)
    assert [each.launched for each in accelerator.replays] == [0, 1, 0]  # plain, as they come, with relevance
    eager = EagerEngine(tiny_network(), "cpu", "fp32")
    assert difference(image, by_host(eager, cameras))[0] <= 2


def test_images_of_other_sizes_than_the_registration_is_for_are_refused() -> None:
    cameras = pair(Registration())
    wrong = Cameras(cameras.rgb[:-1], cameras.thermal, cameras.remap)
    with pytest.raises(ValueError, match="was given images of"):
        made(FakeAccelerator()).run_cameras(wrong, 1, ALL)


class Unregistered(Cameras):
    """Cameras whose images nobody may register on the host."""

    def registered(self) -> tuple[NDArray[Any], NDArray[Any]]:
        raise AssertionError("registered on the host")


@pytest.fixture(scope="module")
def fuser() -> Fuser:
    made = Fuser(device="cpu", dtype="fp32")
    made._engine = CudaEngine(EagerMaker(), weights.load(), FakeAccelerator(), "fp32")
    return made


def test_while_another_engine_is_built_the_host_does_what_the_device_will(
    fuser: Fuser, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager = EagerEngine(tiny_network(), "cpu", "fp32")
    cameras = pair(registration_of("extrinsics", tmp_path))
    # Haze beyond that is a wish, for which more is done than an engine does.
    everything = {**dict.fromkeys(CONTROLS, 1.0), "haze": AS_IT_WAS}
    for first, done_on_host, most in (
        (EagerEngine(tiny_network(), "cpu", "fp32"), True, 0),
        (made(FakeAccelerator()), False, 2),
    ):
        monkeypatch.setattr(fuser, "_engine", BackgroundEngine(first, None))
        fused = fuser.fuse_cameras(cameras, restore=everything)
        levels, largest = difference(fused.image, by_host(eager, cameras, 1, controls(everything)))
        assert levels <= most and (largest == 0 or not done_on_host)
        assert (fused.register_ms > 0) == done_on_host  # the node counts it


def test_without_objects_to_find_all_is_done_on_the_device(fuser: Fuser, tmp_path: Any) -> None:
    given = pair(registration_of("extrinsics", tmp_path), seed=2)
    cameras = Unregistered(given.rgb, given.thermal, given.remap)
    on_host = Fuser(device="cpu", dtype="fp32")
    for prompt, strength in (("", 1.0), ("brighten the dark", 1.0), ("warm objects", 0.0)):
        fused = fuser.fuse_cameras(cameras, prompt, strength=strength, keep_on_device=True)
        expected = on_host.fuse_cameras(given, prompt, strength=strength)
        assert difference(fused.image, expected.image)[0] <= 2 and fused.register_ms == 0
        assert fused.on_device is not None and fused.salience is not None and not fused.salience.any()
        np.testing.assert_array_equal(fused.on_device.numpy(), fused.image)


def test_objects_are_found_in_images_that_the_host_registers(fuser: Fuser, tmp_path: Any) -> None:
    cameras = pair(registration_of("extrinsics", tmp_path), seed=2)
    fused = fuser.fuse_cameras(cameras, "warm objects", keep_on_device=True)
    rgb, thermal = cameras.registered()
    by_hand = fuser.fuse(rgb, thermal, "warm objects")
    assert fused.register_ms > 0 and fused.total_ms >= fused.register_ms
    np.testing.assert_array_equal(fused.image, cameras.restored(by_hand.image, rgb, thermal))
    assert fused.on_device is None  # what only the reference sees is copied in on the host
    regional = fuser.fuse_cameras(cameras, "brighten the warm objects", restore="off")
    assert regional.register_ms > 0


@pytest.mark.parametrize(("wrong", "words"), [({"steps": 3}, "steps is 3"), ({"strength": 3.0}, "strength")])
def test_what_does_not_fit_is_refused_on_the_way_through_the_device_too(
    fuser: Fuser, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        fuser.fuse_cameras(pair(Registration()), **wrong)
