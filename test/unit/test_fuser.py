"""`Fuser`, the path that the command line, the node and the benchmarks share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from fake_device import FakeAccelerator
from numpy.typing import NDArray

from textdifuse_ros import fuser as fuser_module
from textdifuse_ros.engines import cpu_threads
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.cuda import CudaEngine, EagerMaker
from textdifuse_ros.engines.registry import make_engine
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.model import weights
from textdifuse_ros.text.boxes import Hint, Hints
from textdifuse_ros.text.grammar import PromptError

Bytes = NDArray[np.uint8]


@pytest.fixture(scope="module")
def fuser() -> Fuser:
    return Fuser(device="cpu", dtype="fp32")


def night(height: int = 120, width: int = 160, warmth: int = 220) -> tuple[Bytes, Bytes]:
    """A dim textured street, and a warm figure that only the thermal camera sees."""
    rng = np.random.default_rng(11)
    ramp = np.linspace(20, 90, width)[None, :, None] * np.ones((height, 1, 3))
    rgb = np.clip(ramp + rng.normal(0, 4, (height, width, 3)), 0, 255).astype(np.uint8)
    thermal = np.clip(60 + rng.normal(0, 3, (height, width)), 0, 255)
    thermal[height // 3 : height // 3 * 2, width // 2 : width // 2 + width // 10] = warmth
    return rgb, thermal.astype(np.uint8)


def figure(image: Bytes) -> tuple[Bytes, Bytes]:
    """The pixels of the warm figure and those around it."""
    height, width = image.shape[:2]
    rows = slice(height // 3 + 4, height // 3 * 2 - 4)
    left, right = width // 2, width // 2 + width // 10
    inside = image[rows, left + 3 : right - 3].astype(float).mean(axis=-1)
    outside = np.concatenate((image[rows, left - 14 : left - 4], image[rows, right + 4 : right + 14]), axis=1)
    return inside, outside.astype(float).mean(axis=-1)


def test_same_input_gives_the_same_bits(fuser: Fuser) -> None:
    rgb, thermal = night()
    first = fuser.fuse(rgb, thermal, "warm objects")
    second = Fuser(device="cpu", dtype="fp32").fuse(rgb, thermal, "warm objects")
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.salience, second.salience)


def test_what_only_the_thermal_camera_sees_is_in_the_fused_image(fuser: Fuser) -> None:
    rgb, thermal = night()
    inside, outside = figure(fuser.fuse(rgb, thermal).image)
    assert inside.mean() > outside.mean() + 20


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_one_set_of_weights_serves_1_2_and_4_steps(fuser: Fuser, steps: int) -> None:
    rgb, thermal = night()
    image = fuser.fuse(rgb, thermal, steps=steps).image
    assert image.shape == rgb.shape and image.dtype == np.uint8
    inside, outside = figure(image)
    assert inside.mean() > outside.mean() + 20


def test_a_prompt_for_heat_raises_the_contrast_of_what_is_hardly_warm(fuser: Fuser) -> None:
    rgb, thermal = night(warmth=110)  # what is hot stands out already, and stays natural
    plain_inside, plain_outside = figure(fuser.fuse(rgb, thermal, restore="off").image)
    prompted = fuser.fuse(rgb, thermal, "warm objects", restore="off")
    inside, outside = figure(prompted.image)
    assert inside.mean() - outside.mean() > plain_inside.mean() - plain_outside.mean()
    assert prompted.salience is not None and prompted.salience.max() > 128


def test_strength_zero_equals_no_prompt_bit_for_bit(fuser: Fuser) -> None:
    rgb, thermal = night()
    without = fuser.fuse(rgb, thermal, "")
    with_zero = fuser.fuse(rgb, thermal, "warm objects", strength=0.0)
    assert np.array_equal(without.image, with_zero.image)
    assert with_zero.salience is not None and not with_zero.salience.any()


def test_phrase_that_nothing_locates_is_refused(fuser: Fuser) -> None:
    with pytest.raises(PromptError, match="balloon"):
        fuser.compile_prompt("a red balloon")


def test_salience_is_left_out_when_nobody_wants_it(fuser: Fuser) -> None:
    rgb, thermal = night()
    assert fuser.fuse(rgb, thermal, "warm objects", want_salience=False).salience is None


@pytest.mark.parametrize("size", [(16, 16), (37, 53), (120, 160), (119, 161), (256, 321)])
def test_any_size_comes_back_as_it_went_in(fuser: Fuser, size: tuple[int, int]) -> None:
    rgb, thermal = night(*size)
    assert fuser.fuse(rgb, thermal).image.shape == (*size, 3)


def test_inputs_are_left_alone_and_may_be_read_only(fuser: Fuser) -> None:
    rgb, thermal = night()
    kept = rgb.copy(), thermal.copy()
    rgb.setflags(write=False)
    thermal.setflags(write=False)
    fuser.fuse(rgb, thermal)
    assert np.array_equal(rgb, kept[0]) and np.array_equal(thermal, kept[1])


def test_strided_views_give_the_same_picture(fuser: Fuser) -> None:
    rgb, thermal = night()
    padded = np.zeros((120, 170, 3), np.uint8)
    padded[:, :160] = rgb
    assert np.array_equal(fuser.fuse(padded[:, :160], thermal).image, fuser.fuse(rgb, thermal).image)


def test_restoration_can_be_switched_off(fuser: Fuser) -> None:
    rgb, thermal = night()
    assert not np.array_equal(fuser.fuse(rgb, thermal).image, fuser.fuse(rgb, thermal, restore="off").image)


def test_bf16_agrees_with_fp32(fuser: Fuser) -> None:
    rgb, thermal = night(240, 320)
    half = Fuser(device="cpu", dtype="bf16").fuse(rgb, thermal).image.astype(int)
    assert np.percentile(np.abs(half - fuser.fuse(rgb, thermal).image), 99) <= 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rgb": np.zeros((32, 32), np.uint8)}, r"rgb must be uint8 \(H, W, 3\)"),
        ({"rgb": np.zeros((32, 32, 3), np.float32)}, r"got float32"),
        ({"thermal": np.zeros((32, 32), np.uint16)}, r"thermal must be uint8"),
        ({"thermal": np.zeros((32, 40), np.uint8)}, "register them to one size"),
        ({"rgb": np.zeros((8, 32, 3), np.uint8), "thermal": np.zeros((8, 32), np.uint8)}, "too small"),
        ({"steps": 3}, "steps is 3"),
        ({"strength": 2.5}, "strength is 2.5"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"restore": "maybe"}, "restore is 'maybe'"),
        ({"restore": None}, "restore is None"),
    ],
)
def test_bad_arguments_are_named(fuser: Fuser, change: dict[str, object], reason: str) -> None:
    arguments = {"rgb": np.zeros((32, 32, 3), np.uint8), "thermal": np.zeros((32, 32), np.uint8), **change}
    with pytest.raises(ValueError, match=reason):
        fuser.fuse(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "device", "dtype", "reason"),
    [
        ("warp", "cpu", "auto", "engine 'warp' is not one of"),
        ("auto", "quantum", "auto", "device 'quantum'"),
        ("auto", "mps", "auto", "device 'mps' is not supported"),
        ("auto", "cpu", "int3", "dtype 'int3' is not one of"),
        ("auto", "cpu", "fp16", "fp16 needs a CUDA device"),
    ],
)
def test_engines_that_cannot_be_are_refused(name: str, device: str, dtype: str, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        make_engine(name, weights.load(), device, dtype)


@pytest.mark.parametrize(("threads", "background"), [(2, False), (2, True), (0, True), (0, False)])
def test_the_number_of_threads_is_set_before_the_engine_is_chosen(
    threads: int, background: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a number it is the caller's own business, unless other networks may have set theirs."""
    seen: list[int] = []

    def make(*arguments: Any) -> Any:
        seen.extend((torch.get_num_threads(), arguments[-1]))
        return make_engine("eager", weights.load(), "cpu", "fp32")

    before, others = torch.get_num_threads(), cpu_threads._DEFAULT + 4
    monkeypatch.setattr(fuser_module, "make_engine", make)
    torch.set_num_threads(others)
    try:
        Fuser(device="cpu", threads=threads, background=background, localiser="heat")
    finally:
        torch.set_num_threads(before)
    assert seen == [threads or (cpu_threads._DEFAULT if background else others), threads]


def test_closed_fuser_says_so() -> None:
    closed = Fuser(device="cpu")
    closed.close()
    with pytest.raises(EngineError, match="closed"):
        closed.fuse(*night())


def test_boxes_change_the_image_where_they_are_and_none_change_nothing(fuser: Fuser) -> None:
    rgb, thermal = night()
    plain = fuser.fuse(rgb, thermal, "warm objects")
    for nothing in (None, Hints(), Hints(1.0), Hints(0.0, (Hint((0.0, 0.0, 40.0, 40.0), 1.0),), 1.0)):
        same = fuser.fuse(rgb, thermal, "warm objects", hints=nothing)
        np.testing.assert_array_equal(same.image, plain.image)
    hints = Hints(1.0, (Hint((0.0, 0.0, 40.0, 40.0), 1.0),))
    sharp = fuser.fuse(rgb, thermal, "warm objects", hints=hints)
    assert sharp.salience is not None and (sharp.salience[:40, :40] == 255).all()
    assert (sharp.image[:30, :30] != plain.image[:30, :30]).any()
    np.testing.assert_array_equal(
        fuser.fuse(rgb, thermal, "", hints=hints).image, fuser.fuse(rgb, thermal, "").image
    )


def test_the_image_is_left_on_the_device_where_it_is_the_one_that_comes_out(
    fuser: Fuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb, thermal = night()
    assert fuser.fuse(rgb, thermal, keep_on_device=True).on_device is None  # this one is on the CPU
    on_device = CudaEngine(EagerMaker(), weights.load(), FakeAccelerator(), "fp32")
    monkeypatch.setattr(fuser, "_engine", on_device)
    assert fuser.fuse(rgb, thermal).on_device is None
    fused = fuser.fuse(rgb, thermal, keep_on_device=True)
    assert fused.on_device is not None
    np.testing.assert_array_equal(fused.on_device.numpy(), fused.image)
    # blended on the host
    regional = fuser.fuse(rgb, thermal, "brighten the warm objects", restore="off", keep_on_device=True)
    assert regional.on_device is None
