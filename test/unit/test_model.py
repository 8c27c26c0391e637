"""The network and the sampler."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from small_networks import SMALL, network_inputs, random_network

from textdifuse_ros.model import sampler, weights
from textdifuse_ros.model.anchor import FLAT, RAISED, anchor, prepared
from textdifuse_ros.model.colour import rgb_to_ycbcr, ycbcr_to_rgb
from textdifuse_ros.model.controls import AUTO, CONTROLS, NONE, controls
from textdifuse_ros.model.estimate import Estimate
from textdifuse_ros.model.network import FusionNetwork


def sources(given: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return given["visible"], given["thermal"], given["relevance"]


def test_colour_conversion_goes_there_and_back() -> None:
    rgb = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb, atol=1e-5)


def test_grey_has_no_chroma_and_its_own_luminance() -> None:
    ycbcr = rgb_to_ycbcr(torch.full((1, 3, 2, 2), 0.4))
    assert torch.allclose(ycbcr[:, :1], torch.tensor(0.4), atol=1e-6)
    assert ycbcr[:, 1:].abs().max() < 1e-6


def test_untrained_network_stays_near_its_anchor() -> None:
    given = network_inputs()
    estimate = FusionNetwork(SMALL)(**given)
    away = (estimate.luminance - given["start"]).abs().mean()
    assert 0 < away < 0.25 * (given["visible"][:, :1] - given["thermal"]).abs().mean()
    chroma = given["visible"][:, 1:]
    assert (estimate.chroma - chroma).abs().mean() < 0.1 * chroma.abs().mean()


@pytest.mark.parametrize(
    "changed", ["state", "start", "visible", "thermal", "relevance", "time", "step", *CONTROLS]
)
def test_every_input_reaches_the_output(changed: str) -> None:
    network, given = random_network(), network_inputs()
    before = network(**given)
    if changed in given:
        given[changed] = given[changed] + 0.1
    else:
        column = ["time", "step", *CONTROLS].index(changed)
        given["scalars"] = given["scalars"].clone()
        given["scalars"][:, column] = 0.5 * given["scalars"][:, column] + 0.2
    after = network(**given)
    assert (before.luminance - after.luminance).abs().max() > 1e-4


def test_both_cameras_meet_in_every_fusion_control_module() -> None:
    network = random_network()
    reached: list[bool] = []

    def note(_module: torch.nn.Module, arguments: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        visible, thermal, embedding = arguments
        other = _module.forward(visible, thermal + 1, embedding)  # type: ignore[operator]
        one = _module.forward(visible + 1, thermal, embedding)  # type: ignore[operator]
        reached.append(bool((other != output).any() and (one != output).any()))

    for control in network.control:
        control.register_forward_hook(note)
    network(**network_inputs())
    assert reached == [True] * len(SMALL.widths)


def test_conditions_of_one_image_go_into_the_biases_and_change_nothing() -> None:
    network, given = random_network(), network_inputs()
    alone = network(**given)
    beside = network(**{name: torch.cat((value, 0.5 * value)) for name, value in given.items()})
    assert torch.allclose(alone.luminance, beside.luminance[:1], atol=1e-5)
    assert torch.allclose(alone.chroma, beside.chroma[:1], atol=1e-5)


def test_an_exported_network_has_constant_biases() -> None:
    program = torch.export.export(random_network(), (), kwargs=network_inputs())
    convolutions = [node for node in program.graph.nodes if node.target is torch.ops.aten.conv2d.default]
    assert len(convolutions) > 20
    for node in convolutions:
        bias = node.args[2] if len(node.args) > 2 else None
        assert bias is None or bias.op == "placeholder", node.format_node()


@pytest.mark.parametrize("path", [weights.SHIPPED, weights.TEACHER])
def test_every_level_of_the_shipped_networks_reaches_the_picture(path: Path) -> None:
    network, given = weights.load(path), network_inputs(64, 96)
    before = network(**given).luminance
    for level, control in enumerate(network.control):
        silent = control.register_forward_hook(lambda _module, _arguments, output: torch.zeros_like(output))
        change = (network(**given).luminance - before).abs().mean()
        silent.remove()
        assert change > 0.1 / 255, f"level {level} is dead"


def test_times_run_evenly_from_one_to_zero() -> None:
    assert sampler.times(4) == [1.0, 0.75, 0.5, 0.25, 0.0]
    with pytest.raises(ValueError, match="at least 1"):
        sampler.times(0)


def test_last_step_lands_on_the_estimate() -> None:
    state, goal = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 4, 4)
    assert torch.equal(sampler.advance(state, goal, 0.25, 0.0), goal)
    assert torch.allclose(sampler.advance(state, goal, 1.0, 0.5), 0.5 * (state + goal))


def test_sampler_gives_each_step_its_time_and_its_size() -> None:
    seen: list[list[float]] = []

    def denoise(*given: torch.Tensor) -> Estimate:
        state, _start, visible, _thermal, _relevance, scalars = given
        seen.append([round(value, 4) for value in scalars[0].tolist()])
        return Estimate(torch.zeros_like(state), visible[:, 1:])

    given = network_inputs()
    controls = sampler.as_tensor(NONE, given["thermal"])
    sampler.sample(denoise, SMALL, *sources(given), steps=2, controls=controls)
    assert seen == [[1.0, 0.5, *NONE], [0.5, 0.5, *NONE]]


def test_teacher_starts_from_the_same_noise_each_time_and_the_student_from_none() -> None:
    states: list[torch.Tensor] = []

    def denoise(*given: torch.Tensor) -> Estimate:
        states.append(given[0])
        return Estimate(given[0], given[2][:, 1:])

    given = network_inputs()
    start = prepared(given["visible"], given["thermal"])[0]
    noisy = dataclasses.replace(SMALL, start_noise=0.1, steps=(25,))
    for config in (SMALL, noisy, noisy):
        sampler.sample(denoise, config, *sources(given), steps=1)
    assert torch.equal(states[0], start)
    assert torch.equal(states[1], states[2])
    assert 0.05 < float((states[1] - start).std()) < 0.15


def test_an_auto_encoder_never_sees_a_state() -> None:
    config = dataclasses.replace(SMALL, start="none")
    given = network_inputs()
    seen: list[torch.Tensor] = []

    def denoise(*values: torch.Tensor) -> Estimate:
        seen.append(values[0])
        return Estimate(torch.rand_like(values[0]), values[2][:, 1:])

    sampler.sample(denoise, config, *sources(given), steps=2)
    assert torch.equal(seen[0], seen[1]) and float(seen[0].std()) == 0


@pytest.mark.parametrize("coupling", ["mean", "max"])
def test_ablated_coupling_has_no_parameters_and_runs(coupling: str) -> None:
    network = FusionNetwork(dataclasses.replace(SMALL, coupling=coupling))
    assert not list(network.control.parameters())
    assert network(**network_inputs()).luminance.shape == (1, 1, 32, 48)


def test_anchor_is_the_visible_image_where_the_thermal_one_is_flat() -> None:
    given = network_inputs()
    flat = torch.full_like(given["thermal"], 0.4)
    assert torch.allclose(anchor(given["visible"], flat), given["visible"][:, :1], atol=0.02)


def test_anchor_shows_a_warm_figure_that_the_visible_camera_misses() -> None:
    visible, thermal = torch.full((1, 3, 96, 96), 0.3), torch.full((1, 1, 96, 96), 0.3)
    thermal[..., 32:64, 40:52] = 0.9
    start = anchor(visible, thermal)
    assert float(start[..., 48, 46]) > float(start[..., 48, 10]) + 0.2


def smoke_and_figure(level: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """Even blue smoke of that luminance; in the right half somebody whom the thermal camera alone sees."""
    visible = torch.tensor((level, 0.1, -0.06)).view(1, 3, 1, 1).repeat(1, 1, 128, 256)
    thermal = torch.full((1, 1, 128, 256), 0.2)
    thermal[..., 32:96, 180:204] = 0.9
    return visible, thermal


def kept_colour(visible: torch.Tensor, thermal: torch.Tensor) -> torch.Tensor:
    """Share of both colour differences that is left, (H, W)."""
    _, seen, _ = prepared(visible, thermal)
    share: torch.Tensor = (seen[:, 1:] / visible[:, 1:])[0]
    assert torch.allclose(share[0], share[1], atol=1e-5)
    return share[0]


def test_colour_of_smoke_is_gone_around_somebody_whom_only_the_thermal_camera_sees() -> None:
    kept = kept_colour(*smoke_and_figure())
    assert float(kept[32:96, 176:208].max()) < 0.1
    assert float(kept[:, :100].min()) > 0.999, "nobody is there: the smoke keeps its colour"


def test_texture_of_smoke_is_flattened_around_somebody_whom_only_the_thermal_camera_sees() -> None:
    visible, thermal = smoke_and_figure()
    ripple = 0.02 * torch.sin(torch.arange(256) / 3 + 0.1)
    visible[:, 0] += ripple
    _, seen, _ = prepared(visible, thermal)
    left = (seen[0, 0] - 0.5) / ripple
    assert float(left[48:80, 180:200].median()) == pytest.approx(1 - FLAT, abs=0.1)
    assert float((left[:, :90] - 1).abs().max()) < 0.01


def test_colour_and_texture_stay_where_the_visible_camera_sees_as_well() -> None:
    visible, thermal = smoke_and_figure()
    visible[:, :1, 32:96, 180:204] = 0.9
    thermal = 0.2 + (thermal - 0.2) * 0.4 / 0.7  # as much as the visible camera shows
    assert float(kept_colour(visible, thermal).min()) > 0.85
    assert float((prepared(visible, thermal)[1] - visible)[:, :1].abs().max()) < 0.05


def test_colour_stays_in_the_dark() -> None:
    assert float(kept_colour(*smoke_and_figure(level=0.12)).min()) > 0.999


def test_thermal_image_gains_contrast_pixel_by_pixel() -> None:
    visible, thermal = smoke_and_figure()
    _, _, raised = prepared(visible, thermal)
    assert float(raised.max() - raised.min()) == pytest.approx(RAISED * 0.7, abs=1e-5)
    cut = prepared(visible[..., :128], thermal[..., :128])[2]
    assert torch.equal(cut, raised[..., :128])


def test_network_is_given_what_is_prepared_but_not_for_training() -> None:
    visible, thermal = smoke_and_figure()
    given: list[tuple[torch.Tensor, ...]] = []

    def denoise(*tensors: torch.Tensor) -> Estimate:
        given.append(tensors[1:4])
        return Estimate(tensors[0], tensors[2][:, 1:])

    for prepare in (True, False):
        sampler.sample(denoise, SMALL, visible, thermal, torch.zeros_like(thermal), 1, prepare=prepare)
    for got, expected in zip(given[0], prepared(visible, thermal), strict=True):
        assert torch.equal(got, expected)
    for got, expected in zip(given[1], (anchor(visible, thermal), visible, thermal), strict=True):
        assert torch.equal(got, expected)


def test_controls_are_checked_by_name_and_range() -> None:
    assert controls({"haze": 0.5})[CONTROLS.index("haze")] == 0.5
    assert controls({}) == AUTO and controls({}, NONE) == NONE
    with pytest.raises(ValueError, match="no such restoration control: fog"):
        controls({"fog": 1.0})
    with pytest.raises(ValueError, match="lie in"):
        controls({"haze": 1.5})


def test_default_network_is_within_its_budget() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = FusionNetwork().eval()
    assert sum(parameter.numel() for parameter in network.parameters()) <= 8e6
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        sampler.sample(network, network.config, *sources(network_inputs(480, 640)), steps=1)
    assert counter.get_total_flops() / 2 <= 25e9
