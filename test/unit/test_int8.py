"""The network with its convolutions in 8 bits, and the ranges that it needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from engine_samples import SOME, needs_int8, off, relevance, tiny_network
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from textdifuse_ros.engines import int8
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.compare import TOLERANCE, difference, scene
from textdifuse_ros.engines.compiled import CompileEngine
from textdifuse_ros.engines.device import check_dtype
from textdifuse_ros.engines.eager import EagerEngine
from textdifuse_ros.engines.frames import Frames
from textdifuse_ros.engines.graph import FusionGraph
from textdifuse_ros.engines.onnx_runtime import OnnxEngine
from textdifuse_ros.model import ranges, weights
from textdifuse_ros.model.network import FusionNetwork


def watched(network: FusionNetwork) -> FusionNetwork:
    """With the ranges of one made-up pair under a prompt."""
    frames = Frames(16, torch.device("cpu"))
    sources = (*frames.bring(*scene(64, 96), relevance(64, 96)), frames.controls(SOME))
    with torch.no_grad(), ranges.RangeWatch(network) as watch:
        for steps in (1, 2, 4):
            FusionGraph(network, steps)(*sources)
    network.ranges = watch.ranges()
    return network


def test_every_convolution_that_int8_takes_is_watched_and_nothing_else() -> None:
    network = watched(tiny_network())
    assert network.ranges.keys() == ranges.convolutions(network).keys()
    assert {"head", "down.0", "encoder.3.0.first", "decoder.0.0.second"} <= network.ranges.keys()
    assert not any("spatial" in name or name == "stem" for name in network.ranges)
    assert all(each.low <= 0 < each.high for each in network.ranges.values())


def range_of(values: torch.Tensor, times: int = 40) -> ranges.Range:
    """As it is measured of a convolution that reads these, again and again."""
    network = torch.nn.Sequential(torch.nn.Conv2d(values.shape[1], 2, 3))
    with torch.no_grad(), ranges.RangeWatch(network) as watch:
        for _ in range(times):
            network(values)
    return watch.ranges()["0"]


def test_the_ends_of_a_range_are_those_of_nearly_all_values() -> None:
    values = torch.linspace(-1, 1, 40_000).reshape(1, 1, 200, 200)
    values[..., 0, 0] = 1000
    low, high, scales, bits = range_of(values)
    assert bits == 8 and -1.0 <= low < -0.98 and 0.98 < high <= 1.0 and scales == (1.0,)


def test_a_channel_that_reaches_a_quarter_as_far_gets_levels_twice_as_fine() -> None:
    reach = torch.tensor([2.0, 0.5, 1e-6])[None, :, None, None]
    low, high, scales, _ = range_of(reach * torch.linspace(-1, 1, 10_000).reshape(1, 1, 100, 100))
    assert scales == pytest.approx((1.0, 0.5, ranges.LEAST**ranges.EVENNESS), rel=0.02)
    assert (low, high) == pytest.approx((-2.0, 2.0), rel=0.02)


def test_ranges_are_kept_in_the_weight_file(tmp_path: Path) -> None:
    network = watched(tiny_network())
    weights.save(network, tmp_path / "w.safetensors", {"updates": "7"})
    again = weights.load(tmp_path / "w.safetensors")
    assert again.ranges.keys() == network.ranges.keys()
    for name in ("head", "down.0"):  # of 8 bits, and of 16
        (*ends, scales, bits), (*before, expected, same) = again.ranges[name], network.ranges[name]
        assert ends == pytest.approx(before, rel=1e-3) and bits == same
        assert scales == pytest.approx(expected, rel=1e-3)
    assert weights.notes(tmp_path / "w.safetensors") == {"updates": "7"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "ranges"),
        ('{"tail": [0, 1]}', "not of this network"),
        ('{"head": 3}', "ranges"),
        ('{"head": [0, 1, [1, 1]]}', "head needs a scale above 0 for each of its channels"),
        ('{"head": [0, 1, [1, 1, 0, 1, 1, 1, 1, 1]]}', "head needs a scale above 0"),
        ('{"head": [0, 1, [], 12]}', "head has 12 bits, not 8 or 16"),
    ],
)
def test_a_file_with_ranges_that_make_no_sense_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "w.safetensors"
    weights.save(watched(tiny_network()), path)
    with safe_open(str(path), framework="pt") as file:
        notes = file.metadata() | {"ranges": text}
    save_file(load_file(str(path)), str(path), metadata=notes)
    with pytest.raises(weights.WeightsError, match=says):
        weights.load(path)


def test_a_range_that_does_not_hold_zero_is_refused() -> None:
    network = watched(tiny_network())
    text = ranges.to_json(dict(network.ranges) | {"head": ranges.Range(0.5, 1.0)})
    with pytest.raises(ValueError, match=r"head is 0\.5 to 1"):
        ranges.from_json(text, network)


@needs_int8
@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("prompt", [False, True], ids=["plain", "prompt"])
@pytest.mark.parametrize("size", [(119, 161), (480, 640)], ids=["161x119", "640x480"])
def test_int8_gives_the_image_of_the_shipped_weights(size: tuple[int, int], prompt: bool, steps: int) -> None:
    network = weights.load()
    quick, full = (EagerEngine(network, "cpu", dtype) for dtype in ("int8", "fp32"))
    assert off(quick, full, *size, steps, prompt) <= TOLERANCE


@needs_int8
def test_int8_really_computes_in_int8_and_the_same_each_time() -> None:
    network = weights.load()
    quick, full = (EagerEngine(network, "cpu", dtype) for dtype in ("int8", "fp32"))
    kinds = {type(module) for module in quick._opened().modules()}
    assert {int8.Int8Block, int8.Int8Conv} <= kinds
    assert not network.ranges.keys() & ranges.convolutions(quick._opened()).keys()  # none of them is left
    first, second = (quick.run(*scene(96, 128), None, 1, SOME)[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert difference(first, full.run(*scene(96, 128), None, 1, SOME)[0])[1] > 0
    assert ranges.convolutions(network)  # the network that was given is as it was


@needs_int8
def test_layers_without_ranges_stay_in_fp32_and_a_block_has_one_precision() -> None:
    network = watched(tiny_network())
    both = ("decoder.0.0.first", "decoder.0.0.second")
    network.ranges = {name: network.ranges[name] for name in (*both, "encoder.3.0.first", "down.1")}
    quick, full = (EagerEngine(network, "cpu", dtype) for dtype in ("int8", "fp32"))
    left = ranges.convolutions(quick._opened()).keys()
    assert left == ranges.convolutions(network).keys() - {*both, "down.1"}
    assert off(quick, full, 61, 83, 1, prompt=True) <= TOLERANCE


@needs_int8
def test_one_convolution_in_8_bits_is_the_one_in_fp32_to_its_levels() -> None:
    torch.manual_seed(1)
    layer = torch.nn.Conv2d(8, 16, 3, stride=2, padding=1)
    x = torch.rand(2, 8, 20, 24) * 3 - 1
    x[:, 1] *= 0.1
    plain, scaled = ranges.Range(-1.0, 2.0), ranges.Range(-1.0, 2.0, (1.0, 0.1, *(1.0,) * 6))
    with torch.no_grad():
        got, finer, expected = int8.Int8Conv(layer, plain)(x), int8.Int8Conv(layer, scaled)(x), layer(x)
        beyond = int8.Int8Conv(layer, ranges.Range(-1.0, 0.5))(x)
    assert got.dtype == torch.float32
    for each in (got, finer):
        assert float((each - expected).abs().max()) < 0.02 * float(expected.abs().max())
    with torch.no_grad():
        assert float((beyond - layer(x.clamp(max=0.5))).abs().max()) < 0.02  # cut off, not wrapped around


@needs_int8
def test_even_ground_keeps_its_level_where_the_nearest_level_would_be_off() -> None:
    torch.manual_seed(2)
    layer = torch.nn.Conv2d(16, 8, 3, padding=1, bias=False)
    layer.weight.data = layer.weight.data.abs()  # each of the levels counts upwards
    even = torch.full((1, 16, 32, 32), 0.4 / 255)  # nearest level: 0
    with torch.no_grad():
        got, expected = int8.Int8Conv(layer, ranges.Range(0.0, 1.0))(even), layer(even)
    inner = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    assert float((got[inner].mean((2, 3)) / expected[inner].mean((2, 3)) - 1).abs().max()) < 0.1


@needs_int8
def test_sixteen_bits_are_a_hundred_times_as_fine_as_eight() -> None:
    torch.manual_seed(3)
    layer = torch.nn.Conv2d(8, 16, 3, padding=1)
    layer.weight.data = torch.randint(-127, 128, layer.weight.shape) / 127.0  # nothing is lost of these
    layer.weight.data[:, 0, 0, 0] = 1.0
    x = torch.rand(2, 8, 20, 24) * 3 - 1
    with torch.no_grad():
        expected = layer(x)
        coarse, fine = (int8.convolution(layer, ranges.Range(-1.0, 2.0, bits=b))(x) for b in (8, 16))
    errors = [float((each - expected).square().mean().sqrt()) for each in (coarse, fine)]
    assert errors[1] < 0.01 * errors[0]


def test_the_shipped_weights_take_all_of_their_convolutions_in_8_bits_or_16() -> None:
    network = weights.load()
    assert network.ranges.keys() == ranges.convolutions(network).keys()
    assert {name for name, read in network.ranges.items() if read.bits == 16} == set(ranges.FINE)


def test_offsets_fill_each_neighbourhood_evenly() -> None:
    every = int8.offsets(5, 9, 11)
    assert every.shape == (1, 5, 9, 11) and float(every.min()) >= 0 and float(every.max()) <= 1
    for window in torch.nn.functional.unfold(every.transpose(0, 1), 3).permute(0, 2, 1).flatten(0, 1):
        assert torch.allclose(window.sort().values.diff(), torch.tensor(1 / 9), atol=1e-4)


@pytest.mark.slow
@needs_int8
def test_compile_in_int8_gives_the_image_of_eager_fp32() -> None:
    network = weights.load()
    engine, reference = CompileEngine(network, "cpu", "int8"), EagerEngine(network, "cpu", "fp32")
    for prompt in (False, True):
        assert off(engine, reference, 64, 81, 2, prompt) <= TOLERANCE


def test_a_processor_without_the_instructions_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "cpu_has_int8", lambda: False)
    with pytest.raises(EngineError, match="needs a processor with VNNI or AMX; use auto"):
        EagerEngine(watched(tiny_network()), "cpu", "int8")


def test_weights_without_ranges_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "cpu_has_int8", lambda: True)
    with pytest.raises(EngineError, match="textdifuse ranges"):
        EagerEngine(tiny_network(), "cpu", "int8")


def test_int8_is_refused_where_nothing_computes_in_it() -> None:
    with pytest.raises(EngineError, match="int8 is for the CPU; use fp16"):
        check_dtype("int8", torch.device("cuda"))
    pytest.importorskip("onnxruntime", reason="needs onnxruntime (requirements-dev.txt)")
    with pytest.raises(EngineError, match="not in int8"):
        OnnxEngine(tiny_network(), "cpu", "int8")
