"""The network and the sampler."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from small_networks import SMALL, random_network

from textdifuse_ros.model import sampler, weights
from textdifuse_ros.model.anchor import anchor
from textdifuse_ros.model.colour import rgb_to_ycbcr, ycbcr_to_rgb
from textdifuse_ros.model.controls import AS_IT_WAS, AUTO, CONTROLS, NONE, controls
from textdifuse_ros.model.network import FINE, GREY, LEVEL, LIGHT, SALIENT, VEIL, Estimate, FusionNetwork
from textdifuse_ros.model.prompted import LEAST, MORE


def inputs(height: int = 32, width: int = 48) -> dict[str, torch.Tensor]:
    """What the network takes, at t = 1."""
    generator = torch.Generator().manual_seed(5)
    visible = rgb_to_ycbcr(torch.rand(1, 3, height, width, generator=generator))
    thermal = torch.rand(1, 1, height, width, generator=generator)
    relevance = torch.rand(1, 1, height, width, generator=generator)
    start = anchor(visible, thermal)
    scalars = sampler.scalars(1.0, 1.0, sampler.as_tensor(AUTO, thermal))
    return {
        "state": start, "start": start, "visible": visible, "thermal": thermal,
        "relevance": relevance, "scalars": scalars,
    }  # fmt: skip


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
    given = inputs()
    estimate = FusionNetwork(SMALL)(**given)
    away = (estimate.luminance - given["start"]).abs().mean()
    assert 0 < away < 0.25 * (given["visible"][:, :1] - given["thermal"]).abs().mean()
    chroma = given["visible"][:, 1:]
    assert (estimate.chroma - chroma).abs().mean() < 0.1 * chroma.abs().mean()


@pytest.mark.parametrize(
    "changed", ["state", "start", "visible", "thermal", "relevance", "time", "step", *CONTROLS]
)
def test_every_input_reaches_the_output(changed: str) -> None:
    network, given = random_network(), inputs()
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
    network(**inputs())
    assert reached == [True] * len(SMALL.widths)


def test_conditions_of_one_image_go_into_the_biases_and_change_nothing() -> None:
    network, given = random_network(), inputs()
    alone = network(**given)
    beside = network(**{name: torch.cat((value, 0.5 * value)) for name, value in given.items()})
    assert torch.allclose(alone.luminance, beside.luminance[:1], atol=1e-5)
    assert torch.allclose(alone.chroma, beside.chroma[:1], atol=1e-5)


def test_an_exported_network_has_constant_biases() -> None:
    program = torch.export.export(random_network(), (), kwargs=inputs())
    convolutions = [node for node in program.graph.nodes if node.target is torch.ops.aten.conv2d.default]
    assert len(convolutions) > 20
    for node in convolutions:
        bias = node.args[2] if len(node.args) > 2 else None
        assert bias is None or bias.op == "placeholder", node.format_node()


@pytest.mark.parametrize("path", [weights.SHIPPED, weights.TEACHER])
def test_every_level_of_the_shipped_networks_reaches_the_picture(path: Path) -> None:
    network, given = weights.load(path), inputs(64, 96)
    before = network(**given).luminance
    for level, control in enumerate(network.control):
        silent = control.register_forward_hook(lambda _module, _arguments, output: torch.zeros_like(output))
        change = (network(**given).luminance - before).abs().mean()
        silent.remove()
        assert change > 0.1 / 255, f"level {level} is dead"


def says(coarse: dict[int, float]) -> FusionNetwork:
    """A network whose last layer answers the same for every pixel: these coarse outputs, and no smoothing."""
    network = FusionNetwork(SMALL).eval()
    bias = network.head.bias.detach()
    bias[: 4 * 2] = -10.0  # towards neither camera
    bias[4 * 3 : 4 * 4] = -10.0
    for output, value in coarse.items():
        bias[4 * FINE + output] = value
    return network


def test_a_gain_doubles_the_contrast_and_leaves_the_level() -> None:
    given = inputs(64, 96)
    given["relevance"] = torch.zeros(1, 1, 64, 96)
    start = given["start"] = given["state"] = 0.4 + 0.05 * torch.randn(
        1, 1, 64, 96, generator=torch.Generator().manual_seed(2)
    )
    with torch.inference_mode():
        plain, raised = (says({0: gain})(**given).luminance for gain in (0.0, math.log(2)))
    assert torch.allclose(plain, start, atol=1e-4)
    assert abs(float(raised.mean() - start.mean())) < 1e-3
    assert float(raised.std() / start.std()) == pytest.approx(2, rel=0.02)


def test_a_gain_of_the_level_halves_it_and_leaves_the_contrast() -> None:
    given = inputs(64, 96)
    given["relevance"] = torch.zeros(1, 1, 64, 96)
    noise = torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(2))
    start = given["start"] = given["state"] = 0.4 + 0.05 * noise
    with torch.inference_mode():
        halved = says({6: math.log(0.5) / LEVEL})(**given).luminance
    assert float(halved.mean() / start.mean()) == pytest.approx(0.5, rel=0.01)
    assert float(halved.std() / start.std()) == pytest.approx(1, rel=0.05)


def wished(**removals: float) -> torch.Tensor:
    """Luminance of a picture without a fault, from a network that changes nothing by itself."""
    given = inputs(64, 96)
    noise = torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(2))
    given["start"] = given["state"] = 0.4 + 0.05 * noise
    given["relevance"] = torch.zeros(1, 1, 64, 96)
    given["scalars"] = sampler.scalars(1.0, 1.0, sampler.as_tensor(controls(removals, NONE), noise))
    with torch.inference_mode():
        luminance: torch.Tensor = says({})(**given).luminance
    return luminance


@pytest.mark.parametrize("what", ["contrast", "blur"])
def test_a_wish_for_contrast_or_sharpness_is_followed_on_any_picture_and_repair_is_none(what: str) -> None:
    names = [f"visible_{what}", f"thermal_{what}"]
    plain = wished()
    assert torch.equal(plain, wished(**dict.fromkeys(names, AS_IT_WAS)))
    one, half, both = (
        float(wished(**dict.fromkeys(asked, value)).std() / plain.std())
        for asked, value in ((names[:1], 1.0), (names, 0.75), (names, 1.0))
    )
    assert 1.1 < one < both and one == pytest.approx(half, rel=0.01)
    if what == "contrast":
        assert both == pytest.approx(1.52, rel=0.02)


def test_a_wish_against_haze_takes_off_what_lies_over_the_darkest_around_and_leaves_white() -> None:
    given = inputs(192, 256)
    given["relevance"] = torch.zeros(1, 1, 192, 256)
    given["start"] = torch.full((1, 1, 192, 256), 0.5)
    for column in range(4, 256, 16):
        given["start"][..., column : column + 4] = 0.4
    given["start"][..., 96:104, 100:110] = 1.0
    given["visible"][:, 1:] = 0.05
    pictures = {asked: answer(given, says({}), haze=asked) for asked in (0.0, AS_IT_WAS, 1.0)}
    plain, clear = pictures[0.0], pictures[1.0]
    assert all(map(torch.equal, plain, pictures[AS_IT_WAS]))
    veil = VEIL * 0.4
    for there in ((0, 0, 96, 54), (0, 0, 48, 122)):
        wanted = (float(plain.luminance[there]) - veil) / (1 - veil)
        assert float(clear.luminance[there]) == pytest.approx(wanted, abs=0.02)
    assert float(clear.luminance[0, 0, 99, 105]) == pytest.approx(
        float(plain.luminance[0, 0, 99, 105]), abs=0.02
    )
    ratio = float(clear.chroma[0, 0, 48, 122] / plain.chroma[0, 0, 48, 122])
    assert ratio == pytest.approx(1 / (1 - veil), rel=0.05)


def test_a_wish_against_haze_hardly_changes_a_place_where_something_near_is_black() -> None:
    given = inputs(192, 256)
    given["relevance"] = torch.zeros(1, 1, 192, 256)
    given["start"] = torch.full((1, 1, 192, 256), 0.5)
    given["start"][..., ::16, :] = given["start"][..., 1::16, :] = 0.0
    given["start"][..., 2::16, :] = given["start"][..., 3::16, :] = 0.0
    plain, clear = (answer(given, says({}), haze=asked) for asked in (0.0, 1.0))
    assert torch.allclose(plain.luminance, clear.luminance, atol=0.03)


def answer(given: dict[str, torch.Tensor], network: FusionNetwork, **asked: float) -> Estimate:
    scalars = given["scalars"].clone()
    for name, value in asked.items():
        scalars[:, 2 + CONTROLS.index(name)] = value
    with torch.inference_mode():
        estimate: Estimate = network(**{**given, "scalars": scalars})
    return estimate


def test_a_wish_for_light_multiplies_what_is_dark_detail_and_colours_with_it() -> None:
    given = inputs(192, 256)
    given["relevance"] = torch.zeros(1, 1, 192, 256)
    given["start"] = torch.full((1, 1, 192, 256), 0.1)
    given["start"][..., 128:] = 0.9
    given["start"][..., 96:98, 64:66] = 0.15  # a detail of the dark half
    given["visible"][:, 1:] = 0.05
    pictures = {asked: answer(given, says({}), low_light=asked) for asked in (0.0, AS_IT_WAS, 1.0)}
    plain, lit = pictures[0.0], pictures[1.0]
    assert all(map(torch.equal, plain, pictures[AS_IT_WAS]))  # only who asks beyond what undoes a fault
    factor = 1 + LIGHT * 0.9**2
    for there in ((0, 0, 96, 65), (0, 0, 96, 30)):
        assert float(lit.luminance[there] / plain.luminance[there]) == pytest.approx(factor, rel=0.02)
    assert float(lit.chroma[0, 0, 96, 30] / plain.chroma[0, 0, 96, 30]) == pytest.approx(factor, rel=0.02)
    assert float(lit.luminance[0, 0, 96, 230] / plain.luminance[0, 0, 96, 230]) < 1.02


def test_what_the_network_adds_for_a_wish_for_light_raises_detail_and_colours_by_as_much() -> None:
    given = inputs(192, 256)
    given["relevance"] = torch.zeros(1, 1, 192, 256)
    given["start"] = torch.full((1, 1, 192, 256), 0.2)
    given["start"][..., 96:98, 64:66] = 0.25
    given["visible"][:, 1:] = 0.05
    doubles = says({6: math.log(2) / LEVEL})  # what is around, and not the detail
    pictures = (
        answer(given, says({}), low_light=0.0),
        answer(given, doubles, low_light=0.0),
        answer(given, doubles, low_light=1.0),
    )
    detail = [float(p.luminance[0, 0, 96, 65] - p.luminance[0, 0, 96, 20]) for p in pictures]
    chroma = [float(p.chroma[0, 0, 96, 20]) for p in pictures]
    assert detail[1] == pytest.approx(detail[0], rel=0.05) and chroma[1] == pytest.approx(chroma[0], rel=0.01)
    grown, factor = (0.4 + GREY) / (0.2 + GREY), 1 + LIGHT * 0.8**2
    assert detail[2] / detail[0] == pytest.approx(grown * factor, rel=0.05)
    assert chroma[2] / chroma[0] == pytest.approx(grown * factor, rel=0.02)


def test_a_control_reaches_the_gains_by_itself() -> None:
    network, given = says({}), inputs(64, 96)
    given["relevance"] = torch.zeros(1, 1, 64, 96)
    zeros = torch.zeros_like(given["scalars"])
    ones = zeros + 1
    for name in ("low_light", "haze"):  # wishes that act by themselves
        ones[:, 2 + CONTROLS.index(name)] = AS_IT_WAS
    with torch.no_grad():
        off, on = network.embedding(zeros)[0], network.embedding(ones)[0]
        along = (on - off) / (on - off).square().sum()
        network.asked.weight[6] = math.log(0.5) / LEVEL * along  # a half with the controls on
        network.asked.bias[6] = -math.log(0.5) / LEVEL * along.dot(off)
        plain, halved = (
            network(**{**given, "scalars": scalars}).luminance.mean() for scalars in (zeros, ones)
        )
    assert float(halved / plain) == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize(("level", "gain"), [(0.2, 1.5), (0.58, 3.0)])
def test_a_gain_moves_a_prompted_object_as_a_whole_away_from_what_is_around_it(
    level: float, gain: float
) -> None:
    """So far that nothing is missing, or where it stands out already: what is said outright adds nothing."""
    given = inputs(192, 256)
    given["relevance"], given["start"] = torch.zeros(1, 1, 192, 256), torch.full((1, 1, 192, 256), 0.5)
    middle = (..., slice(64, 128), slice(96, 160))
    given["start"][middle] = level
    with torch.inference_mode():
        alone = says({0: math.log(gain)})(**given).luminance
        given["relevance"][middle] = 0.5
        prompted = says({0: math.log(gain)})(**given).luminance
    wanted = 0.5 + gain * math.exp(SALIENT * 0.5) * (level - 0.5)
    assert float(prompted[..., 96, 128]) == pytest.approx(wanted, abs=0.02)
    assert abs(float(alone[..., 96, 128]) - level) < 0.08  # mostly compared with itself
    assert torch.allclose(prompted[..., :16, :16], given["start"][..., :16, :16], atol=0.005)


def test_where_a_prompt_points_what_is_weak_is_raised_outright_and_where_it_calms_nothing_is() -> None:
    given = inputs(192, 256)
    middle = (..., slice(64, 128), slice(96, 160))
    lifted = math.exp(SALIENT * 0.8) * 0.08
    moved = 0.8 * ((1 + MORE) * 0.08 + LEAST - lifted)
    for above, relevance, wanted, close in (
        (0.08, 0.8, lifted + moved, 0.03),  # the object's mean takes in what is beyond its edges
        (0.4, 0.8, 0.4, 0.005),
        (0.08, -0.8, 0.08, 0.005),
    ):
        given["start"] = torch.full((1, 1, 192, 256), 0.4)
        given["start"][middle] += above
        given["relevance"] = torch.zeros(1, 1, 192, 256)
        given["relevance"][middle] = relevance
        with torch.inference_mode():
            luminance = says({})(**given).luminance
        assert float(luminance[..., 96, 128]) == pytest.approx(0.4 + wanted, abs=close)
        assert torch.allclose(luminance[..., :16, :16], given["start"][..., :16, :16], atol=1e-4)


def test_a_chroma_per_luminance_undoes_a_cast_on_grey() -> None:
    given = inputs()
    grey = torch.rand(1, 1, 2, 3, generator=torch.Generator().manual_seed(2)).repeat_interleave(16, 2)
    grey = grey.repeat_interleave(16, 3)
    given["visible"] = torch.cat((grey, 0.2 * grey, -0.1 * grey), dim=1)
    with torch.inference_mode():
        estimate = says({4: -0.2, 5: 0.1})(**given)
    inside = estimate.chroma[..., 4:12, 4:12]  # away from the squares' edges, which are softened
    assert inside.abs().max() < 0.002


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

    given = inputs()
    controls = sampler.as_tensor(NONE, given["thermal"])
    sampler.sample(denoise, SMALL, *sources(given), steps=2, controls=controls)
    assert seen == [[1.0, 0.5, *NONE], [0.5, 0.5, *NONE]]


def test_teacher_starts_from_the_same_noise_each_time_and_the_student_from_none() -> None:
    states: list[torch.Tensor] = []

    def denoise(*given: torch.Tensor) -> Estimate:
        states.append(given[0])
        return Estimate(given[0], given[2][:, 1:])

    given = inputs()
    noisy = dataclasses.replace(SMALL, start_noise=0.1, steps=(25,))
    for config in (SMALL, noisy, noisy):
        sampler.sample(denoise, config, *sources(given), steps=1)
    assert torch.equal(states[0], given["start"])
    assert torch.equal(states[1], states[2])
    assert 0.05 < float((states[1] - given["start"]).std()) < 0.15


def test_an_auto_encoder_never_sees_a_state() -> None:
    config = dataclasses.replace(SMALL, start="none")
    given = inputs()
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
    assert network(**inputs()).luminance.shape == (1, 1, 32, 48)


def test_anchor_is_the_visible_image_where_the_thermal_one_is_flat() -> None:
    given = inputs()
    flat = torch.full_like(given["thermal"], 0.4)
    assert torch.allclose(anchor(given["visible"], flat), given["visible"][:, :1], atol=0.02)


def test_anchor_shows_a_warm_figure_that_the_visible_camera_misses() -> None:
    visible, thermal = torch.full((1, 3, 96, 96), 0.3), torch.full((1, 1, 96, 96), 0.3)
    thermal[..., 32:64, 40:52] = 0.9
    start = anchor(visible, thermal)
    assert float(start[..., 48, 46]) > float(start[..., 48, 10]) + 0.2


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
        sampler.sample(network, network.config, *sources(inputs(480, 640)), steps=1)
    assert counter.get_total_flops() / 2 <= 25e9
