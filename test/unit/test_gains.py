"""The last layer's gains: contrast, level and chroma, and what wishes and prompts do through them."""

from __future__ import annotations

import math

import pytest
import torch
from small_networks import SMALL, network_inputs

from textdifuse_ros.model import sampler
from textdifuse_ros.model.controls import AS_IT_WAS, CONTROLS, NONE, controls, most
from textdifuse_ros.model.estimate import FINE, LEVEL, SALIENT, Estimate
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.model.prompted import LEAST, MORE
from textdifuse_ros.model.wished import GREY, LIGHT, VEIL


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
    given = network_inputs(64, 96)
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
    given = network_inputs(64, 96)
    given["relevance"] = torch.zeros(1, 1, 64, 96)
    noise = torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(2))
    start = given["start"] = given["state"] = 0.4 + 0.05 * noise
    with torch.inference_mode():
        halved = says({6: math.log(0.5) / LEVEL})(**given).luminance
    assert float(halved.mean() / start.mean()) == pytest.approx(0.5, rel=0.01)
    assert float(halved.std() / start.std()) == pytest.approx(1, rel=0.05)


def wished(**removals: float) -> torch.Tensor:
    """Luminance of a picture without a fault, from a network that changes nothing by itself."""
    given = network_inputs(64, 96)
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


@pytest.mark.parametrize("what", ["visible_contrast", "visible_blur", "low_light"])
def test_an_emphatic_wish_does_half_as_much_again_of_what_any_picture_gets(what: str) -> None:
    plain, asked, emphatically = (wished(**{what: value}) for value in (0.0, 1.0, most(what)))
    more, most_of_all = ((each - plain).abs().mean() for each in (asked, emphatically))
    assert float(most_of_all / more) == pytest.approx(1.5, rel=0.1)


def test_the_network_itself_reads_an_emphatic_wish_as_a_plain_one() -> None:
    read: list[torch.Tensor] = []
    network = FusionNetwork(SMALL).eval()
    network.embedding.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    wanted = controls({"haze": most("haze"), "low_light": 0.4}, NONE)
    given = network_inputs(64, 96)
    given["scalars"] = sampler.scalars(1.0, 1.0, torch.tensor([wanted]))
    with torch.inference_mode():
        network(**given)
    assert read[0].max() == 1 and read[0][0, 2 + CONTROLS.index("low_light")] == pytest.approx(0.4)
    with pytest.raises(ValueError, match=r"lie in \[0, 1\] \(up to 1.25 for .*haze\)"):
        controls({"stripes": 1.25})


def test_a_wish_against_haze_takes_off_what_lies_over_the_darkest_around_and_leaves_white() -> None:
    given = network_inputs(192, 256)
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
    given = network_inputs(192, 256)
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
    given = network_inputs(192, 256)
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
    given = network_inputs(192, 256)
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
    network, given = says({}), network_inputs(64, 96)
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
    given = network_inputs(192, 256)
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
    given = network_inputs(192, 256)
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
    given = network_inputs()
    grey = torch.rand(1, 1, 2, 3, generator=torch.Generator().manual_seed(2)).repeat_interleave(16, 2)
    grey = grey.repeat_interleave(16, 3)
    given["visible"] = torch.cat((grey, 0.2 * grey, -0.1 * grey), dim=1)
    with torch.inference_mode():
        estimate = says({4: -0.2, 5: 0.1})(**given)
    inside = estimate.chroma[..., 4:12, 4:12]  # away from the squares' edges, which are softened
    assert inside.abs().max() < 0.002
