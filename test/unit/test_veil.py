"""Smoke and fog over an RGB image: where they lie, and lifting them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import nothing_found

from textdifuse_ros.evaluation.restoration import psnr
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.imaging.repair import VEIL
from textdifuse_ros.imaging.small import SMALL
from textdifuse_ros.imaging.veil import FLAT, SIGN, UNASKED, Veil, lifted
from textdifuse_ros.model import judge, veil
from textdifuse_ros.model.controls import ALL, CONTROLS, farther, spared
from textdifuse_ros.model.judge import Judge
from textdifuse_ros.model.veil import VeilNetwork
from textdifuse_ros.model.weights import WeightsError
from textdifuse_ros.simulation import StreetSequence
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade_bytes
from textdifuse_ros.train.stills import read_image, validation_names

Bytes = NDArray[np.uint8]
SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="module")
def seen() -> VeilNetwork:
    return veil.load()


@pytest.fixture(scope="module")
def street() -> Bytes:
    return StreetSequence(320, 240, seed=3, smoke=0.0).render(6.5).rgb


@pytest.fixture(scope="module")
def fuser() -> Fuser:
    return Fuser(device="cpu", engine="eager", dtype="fp32")


def fogged(picture: Bytes, level: float = 0.5, name: str = "fog") -> Bytes:
    nothing = np.zeros(picture.shape[:2], np.uint8)
    return degrade_bytes(picture, nothing, [Draw(DEGRADATIONS[name], level, 5)])[0]


def maps_of(gain: float = 1.0, change: float = 0.0, density: float = 0.0) -> Veil:
    maps = np.zeros((SMALL[1], SMALL[0], 5), np.float32)
    maps[..., 0], maps[..., 1:4], maps[..., 4] = np.log(gain), change, density
    return Veil(maps)


def test_a_share_of_nothing_is_the_same_image(street: Bytes) -> None:
    assert lifted(street, maps_of(2.0, 0.2, 1.0), 0.0) is street


def test_maps_that_change_nothing_change_nothing(street: Bytes) -> None:
    assert np.array_equal(lifted(street, maps_of(), 1.0, 1.0), street)


def test_an_even_veil_is_lifted_by_the_maps_that_undo_it() -> None:
    rng = np.random.default_rng(0)
    clear = cv2.GaussianBlur(rng.integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 9)
    veiled = np.rint(0.5 * clear + 0.5 * 200).astype(np.uint8)
    maps = maps_of(2.0).maps
    maps[..., 1:4] = (cv2.resize(clear, SMALL) - cv2.resize(veiled, SMALL).astype(np.float32)) / 255
    assert np.abs(lifted(veiled, Veil(maps), 0.0, 1.0).astype(int) - clear).mean() < 1.5


def test_without_a_wish_the_means_go_part_of_the_way() -> None:
    grey = np.full((60, 80, 3), 150, np.uint8)
    plain, asked = (lifted(grey, maps_of(1.0, -0.2), 1.0, each) for each in (0.0, 1.0))
    assert abs(int(plain[30, 40, 0]) - (150 - UNASKED * 51)) <= 1
    assert abs(int(asked[30, 40, 0]) - (150 - 51)) <= 1


def test_what_is_dense_loses_its_colour_and_most_of_its_texture() -> None:
    blue = np.full((240, 320, 3), (80, 100, 160), np.uint8)
    blue[::2] += 20  # finer than the maps
    thin, dense = (lifted(blue, maps_of(1.0, 0.0, each), 1.0) for each in (0.0, 1.0))
    assert np.array_equal(thin, blue)
    assert np.ptp(dense, axis=2).max() == 0
    assert dense[..., 0].std() == pytest.approx((1 - FLAT) * 10, abs=1)


@pytest.mark.parametrize("shape", [(16, 16), (17, 333), (1024, 1280), (60, 80)])
def test_any_size_is_looked_at_and_lifted(seen: VeilNetwork, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    looked = seen.look(picture)
    assert looked.maps.shape == (SMALL[1], SMALL[0], 5) and looked.maps.dtype == np.float32
    assert np.isfinite(looked.maps).all() and 0 <= looked.density <= 1
    assert lifted(picture, looked, 1.0, 1.0).shape == picture.shape


def test_a_network_that_has_learnt_nothing_changes_nothing(street: Bytes) -> None:
    maps = VeilNetwork().look(street).maps
    assert not maps[..., :4].any()


def test_the_same_picture_gives_the_same_maps(seen: VeilNetwork, street: Bytes) -> None:
    assert np.array_equal(seen.look(street).maps, seen.look(street).maps)


def test_a_share_begins_grows_and_ends() -> None:
    begins, sure = SIGN
    shares = [maps_of(density=each).share for each in (0.0, begins, (begins + sure) / 2, sure, 1.0)]
    assert shares == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-5)


@pytest.mark.parametrize("name", ["fog", "smoke"])
@pytest.mark.parametrize("level", [0.4, 0.7, 1.0])
def test_a_veil_is_found_and_what_lifts_it_leads_to_the_scene(
    seen: VeilNetwork, street: Bytes, name: str, level: float
) -> None:
    veiled = fogged(street, level, name)
    looked = seen.look(veiled)
    assert looked.share > 0
    plain, asked = lifted(veiled, looked, looked.share), lifted(veiled, looked, looked.share, 1.0)
    assert min(psnr(plain, street), psnr(asked, street)) > psnr(veiled, street) + 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data folder ../shared beside the repository")
def test_no_clean_picture_that_never_trained_is_taken_for_veiled(monkeypatch: pytest.MonkeyPatch) -> None:
    looking, veiled = Judge(), {}
    for name in sorted(validation_names()):
        folder, stem = name.split("/")
        found = looking.look(read_image(SHARED / "data" / folder / "vis", stem))
        if found.veil is not None and found.veil.share > 0:
            veiled[name] = found.veil.density
    assert not veiled


def test_nobody_looks_where_there_is_no_sign_of_it(street: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Judge()
    assert looking.look(street).veil is None
    assert looking.look(street, asked=True).veil is not None
    assert looking.look(fogged(street, 0.8)).veil is not None
    monkeypatch.setattr(judge, "HINT", -1.0)
    assert looking.look(street).veil is not None


def test_a_veil_is_lifted_without_a_wish_and_said_to_be(fuser: Fuser, street: Bytes) -> None:
    foggy, thermal = fogged(street), street[..., 1].copy()
    clear = fuser.fuse(street, thermal).image
    left, better = fuser.fuse(foggy, thermal, restore="off"), fuser.fuse(foggy, thermal)
    assert VEIL in better.repaired and left.repaired == {}
    assert psnr(better.image, clear) > psnr(left.image, clear) + 1


def test_a_wish_lifts_more_of_it_and_from_off_too(fuser: Fuser, street: Bytes) -> None:
    foggy, thermal = fogged(street), street[..., 1].copy()
    clear = fuser.fuse(street, thermal, restore="off").image
    for restore in ("auto", "off"):
        plain, slightly, asked = (
            psnr(fuser.fuse(foggy, thermal, text, restore=restore).image, clear)
            for text in ("", "slightly remove the haze", "remove the haze")
        )
        assert plain < slightly < asked


@pytest.mark.parametrize("how", ["keep the haze", "haze: 0"])
def test_haze_that_is_to_stay_stays(fuser: Fuser, street: Bytes, how: str) -> None:
    foggy, thermal = fogged(street), street[..., 1].copy()
    blind = Fuser(device="cpu", engine="eager", dtype="fp32")
    blind._judge._evidence = nothing_found()
    if how == "haze: 0":
        kept, without = (each.fuse(foggy, thermal, restore={"haze": 0.0}) for each in (fuser, blind))
    else:
        kept, without = (each.fuse(foggy, thermal, how) for each in (fuser, blind))
    assert np.array_equal(kept.image, without.image)
    assert kept.repaired == {}


def test_a_control_counts_as_asked_for_beyond_what_undoes_a_fault() -> None:
    assert [farther("haze", each) for each in (0.0, 0.5, 0.75, 1.0, 1.25)] == [0, 0, 0.5, 1, 1]
    assert farther("visible_noise", 1.0) == 0


def test_a_control_is_spared_beyond_what_undoes_a_fault_and_no_other_one() -> None:
    half = spared(ALL, "haze", 0.5)
    assert half[CONTROLS.index("haze")] == 0.75
    assert [each for name, each in zip(CONTROLS, half, strict=True) if name != "haze"] == [1.0] * 10
    emphatic = spared((1.25,) * len(CONTROLS), "haze", 1.0)
    assert emphatic[CONTROLS.index("haze")] == 0.75
    low = (0.25,) * len(CONTROLS)
    assert spared(low, "haze", 1.0) == low


def test_the_callers_image_stays_as_it_was(fuser: Fuser, street: Bytes) -> None:
    foggy = fogged(street)
    before = foggy.copy()
    fuser.fuse(foggy, street[..., 1].copy(), "remove the haze")
    assert np.array_equal(foggy, before)


def test_the_file_survives_a_round_trip(seen: VeilNetwork, street: Bytes, tmp_path: Path) -> None:
    veil.save(seen, tmp_path / "v.safetensors", {"note": "x"})
    assert np.array_equal(veil.load(tmp_path / "v.safetensors").look(street).maps, seen.look(street).maps)


def test_a_file_that_cannot_be_used_is_named(seen: VeilNetwork, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.safetensors: cannot be read .*install the package again"):
        veil.load(tmp_path / "gone.safetensors")
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(WeightsError, match=r"text\.safetensors: cannot be read"):
        veil.load(tmp_path / "text.safetensors")
    veil.save(seen, tmp_path / "other.safetensors", {"format": "x"})
    with pytest.raises(WeightsError, match="format is 'x', this version reads 'textdifuse-veil-1'"):
        veil.load(tmp_path / "other.safetensors")
    veil.save(seen, tmp_path / "widths.safetensors", {"widths": "[8, 8]"})
    with pytest.raises(WeightsError, match=r"widths\.safetensors: cannot be used .*install the package"):
        veil.load(tmp_path / "widths.safetensors")
