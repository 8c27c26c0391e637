"""What an RGB image gives away by itself, and what is done about it without a wish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import nothing_found

from textdifuse_ros.evaluation.restoration import psnr
from textdifuse_ros.evaluation.wish_measures import colour_cast
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.imaging import evidence, tone
from textdifuse_ros.imaging.evidence import (
    FAULTS,
    SIGNS,
    SMOKY,
    Evidence,
    EvidenceError,
    Found,
    describe,
)
from textdifuse_ros.imaging.small import small_copy
from textdifuse_ros.imaging.tone import Tone
from textdifuse_ros.model.controls import AUTO, CONTROLS, EVIDENT, controls, evident
from textdifuse_ros.model.weights import WeightsError, identity
from textdifuse_ros.simulation import StreetSequence
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade_bytes
from textdifuse_ros.train.stills import read_image, validation_names

Bytes = NDArray[np.uint8]
SHARED = Path(__file__).resolve().parents[3] / "shared"
Spoil = Callable[[str, float], Bytes]


@pytest.fixture(scope="module")
def seen() -> Evidence:
    return evidence.load()


@pytest.fixture(scope="module")
def street() -> Bytes:
    return StreetSequence(320, 240, seed=3, smoke=0.0).render(6.5).rgb


@pytest.fixture(scope="module")
def spoil(street: Bytes) -> Spoil:
    """The street with one fault, without noise."""

    def spoilt(name: str, level: float) -> Bytes:
        thermal = np.zeros(street.shape[:2], np.uint8)
        return degrade_bytes(street, thermal, [Draw(DEGRADATIONS[name], level, 5)])[0]

    return spoilt


@pytest.fixture(scope="module")
def fuser() -> Fuser:
    return Fuser(device="cpu", engine="eager", dtype="fp32")


def value(values: tuple[float, ...], name: str) -> float:
    return values[CONTROLS.index(name)]


def test_every_fault_is_one_of_training_and_has_a_sign() -> None:
    assert set(FAULTS) == set(SIGNS)
    assert set(FAULTS) <= set(DEGRADATIONS)
    assert {*tone.LIGHT, *tone.COLOUR, "fog"} == set(FAULTS)


@pytest.mark.parametrize("smoke", [0.0, 1.0])
def test_a_street_as_it_is_gives_away_nothing(seen: Evidence, smoke: float) -> None:
    sequence = StreetSequence(320, 240, seed=3, smoke=smoke)
    for second in range(0, 60, 6):
        assert seen.look(sequence.render(float(second)).rgb).shares == {}


def test_a_street_seen_by_another_kind_of_camera_gives_away_nothing(seen: Evidence, street: Bytes) -> None:
    grey = np.repeat(np.rint(street.mean(axis=2, keepdims=True)).astype(np.uint8), 3, axis=2)
    for picture in (grey, np.rot90(street, 2), np.rot90(street)):
        assert seen.look(np.ascontiguousarray(picture)).shares == {}


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data folder ../shared beside the repository")
@pytest.mark.parametrize("kind", ["as it is", "grey", "upside down", "within black edges"])
def test_no_clean_picture_that_never_trained_is_taken_for_faulty(seen: Evidence, kind: str) -> None:
    faulty = {}
    for name in sorted(validation_names()):
        folder, stem = name.split("/")
        picture = read_image(SHARED / "data" / folder / "vis", stem)
        if kind == "grey":
            picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        elif kind == "upside down":
            picture = np.ascontiguousarray(np.rot90(picture, 2))
        elif kind == "within black edges":
            edge = picture.shape[0] // 6
            picture[:edge] = picture[-edge:] = 0
        if shares := seen.look(picture).shares:
            faulty[name] = shares
    assert not faulty


def test_what_is_behind_smoke_is_not_judged() -> None:
    nothing = Tone(np.ones(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32))
    begins, sure = SMOKY
    for smoke, share in ((begins, 1.0), ((begins + sure) / 2, 0.5), (sure, 0.0)):
        shares = Found({"low_light": 1.0, "smoke": smoke}, nothing).shares
        assert shares.get("low_light", 0.0) == pytest.approx(share)


@pytest.mark.parametrize("name", ["low_light", "over_exposure", "visible_contrast", "fog"])
def test_a_fault_is_found_and_no_other_one(seen: Evidence, spoil: Spoil, name: str) -> None:
    assert set(seen.look(spoil(name, 0.9)).shares) == {name}


def test_what_is_found_hardly_depends_on_the_size_of_the_picture(seen: Evidence, spoil: Spoil) -> None:
    small = spoil("low_light", 0.8)
    large = np.repeat(np.repeat(small, 4, axis=0), 4, axis=1)
    first, second = seen.look(small), seen.look(large)
    assert second.levels["low_light"] == pytest.approx(first.levels["low_light"], abs=0.02)
    assert second.tone.gain == pytest.approx(first.tone.gain, rel=0.02)


@pytest.mark.parametrize("shape", [(16, 16), (17, 333), (1024, 1280), (60, 80)])
def test_any_size_is_described_by_as_many_finite_numbers(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    numbers = describe(small_copy(picture))
    assert numbers.dtype == np.float32
    assert numbers.shape == describe(small_copy(np.zeros((16, 16, 3), np.uint8))).shape
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_picture_is_no_error(seen: Evidence, level: int) -> None:
    found = seen.look(np.full((48, 64, 3), level, np.uint8))
    assert all(0 <= each <= 1 for each in found.levels.values())
    assert np.isfinite(found.tone.gain).all() and (found.tone.gain > 0).all()


def test_a_sign_begins_grows_and_ends() -> None:
    begins, sure = SIGNS["fog"]
    nothing = Tone(np.ones(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32))
    shares = [Found({"fog": at}, nothing).shares for at in (0, begins, (begins + sure) / 2, sure, 1)]
    assert shares[:2] == [{}, {}]
    assert [each["fog"] for each in shares[2:]] == pytest.approx([0.5, 1, 1])


def test_shares_raise_their_controls_alone() -> None:
    half = evident({"haze": 0.5, "low_light": 1.0})
    assert value(half, "haze") == pytest.approx(EVIDENT["haze"] / 2)  # from nothing
    assert value(half, "low_light") == EVIDENT["low_light"]
    others = [name for name in CONTROLS if name not in ("haze", "low_light")]
    assert [value(half, name) for name in others] == [value(AUTO, name) for name in others]


def test_a_control_is_never_lowered() -> None:
    asked = controls({"low_light": 1.0, "stripes": 0.0})
    assert evident({"low_light": 1.0}, asked) == asked


@pytest.mark.parametrize("name", ["low_light", "over_exposure", "visible_contrast"])
def test_levels_are_put_right(seen: Evidence, street: Bytes, spoil: Spoil, name: str) -> None:
    spoilt = spoil(name, 0.9)
    levels = tone.table(seen.look(spoilt).tone, 1.0)
    assert levels is not None
    assert psnr(tone.applied(spoilt, levels), street) > psnr(spoilt, street) + 2


def test_a_cast_is_taken_away(seen: Evidence, street: Bytes) -> None:
    yellow = np.rint(street * np.array((1.1, 1.0, 0.5))).clip(0, 255).astype(np.uint8)
    found = seen.look(yellow)
    assert "colour_cast" in found.shares
    levels = tone.table(found.tone, 1.0)
    assert levels is not None
    assert psnr(tone.applied(yellow, levels), street) > psnr(yellow, street) + 2


def test_a_sound_picture_is_fused_by_the_same_controls_bit_for_bit(fuser: Fuser, street: Bytes) -> None:
    thermal = street[..., 1].copy()
    explicit = fuser.fuse(street, thermal, restore=dict(zip(CONTROLS, AUTO, strict=True)))
    fused = fuser.fuse(street, thermal)
    assert np.array_equal(fused.image, explicit.image)
    assert fused.repaired == {}


def test_a_darkened_picture_is_lit_without_a_wish_and_says_so(
    fuser: Fuser, street: Bytes, spoil: Spoil
) -> None:
    dark, thermal = spoil("low_light", 0.8), street[..., 1].copy()
    left, lit = fuser.fuse(dark, thermal, restore="off"), fuser.fuse(dark, thermal)
    assert set(lit.repaired) == {"low_light"}
    assert lit.image.mean() > 1.3 * left.image.mean()


def test_restore_off_repairs_nothing(fuser: Fuser, street: Bytes, spoil: Spoil) -> None:
    assert fuser.fuse(spoil("low_light", 0.8), street[..., 1].copy(), restore="off").repaired == {}


def test_a_wish_to_keep_the_night_is_stronger_than_evidence(
    fuser: Fuser, street: Bytes, spoil: Spoil
) -> None:
    dark, thermal = spoil("low_light", 0.8), street[..., 1].copy()
    kept = fuser.fuse(dark, thermal, "keep the night look")
    left = fuser.fuse(dark, thermal, restore={"low_light": 0.0})
    assert np.array_equal(kept.image, left.image)
    assert kept.repaired == left.repaired == {}


@pytest.mark.parametrize(
    ("fault", "wish"),
    [
        ("low_light", "keep the night look"),
        ("over_exposure", "keep the glare"),
        ("visible_contrast", "keep the contrast"),
    ],
)
def test_what_is_kept_takes_nothing_else_with_it(
    fuser: Fuser, street: Bytes, spoil: Spoil, fault: str, wish: str
) -> None:
    spoilt, thermal = spoil(fault, 1.0), street[..., 1].copy()
    assert set(fuser.fuse(spoilt, thermal).repaired) == {fault}
    kept = fuser.fuse(spoilt, thermal, wish)
    blind = Fuser(device="cpu", engine="eager", dtype="fp32")
    blind._judge._evidence = nothing_found()
    assert np.array_equal(kept.image, blind.fuse(spoilt, thermal, wish).image)
    assert kept.repaired == {}


def test_what_stays_with_what_is_kept_is_not_called_repaired(
    fuser: Fuser, street: Bytes, spoil: Spoil
) -> None:
    assert (
        fuser.fuse(spoil("over_exposure", 1.0), street[..., 1].copy(), "keep the night look").repaired == {}
    )


@pytest.mark.parametrize(("restore", "blue"), [("off", 0.75), ("auto", 0.92)])  # auto lets little tints be
def test_a_wish_for_right_colours_follows_what_the_picture_tells_of_them(
    fuser: Fuser, street: Bytes, restore: str, blue: float
) -> None:
    thermal = street[..., 1].copy()
    yellow = np.rint(street * np.array((1.05, 1.0, blue))).clip(0, 255).astype(np.uint8)
    slightly = fuser.fuse(yellow, thermal, "slightly correct the colours", restore=restore)
    casts = [
        colour_cast(fuser.fuse(yellow, thermal, restore=restore).image), colour_cast(slightly.image),
        colour_cast(fuser.fuse(yellow, thermal, "correct the colours", restore=restore).image),
    ]  # fmt: skip
    assert casts[0] > casts[1] > casts[2]
    right = colour_cast(fuser.fuse(street, thermal, restore=restore).image)
    assert casts[0] - casts[2] > 0.5 * (casts[0] - right)


def test_a_wish_for_right_colours_leaves_right_ones(fuser: Fuser, street: Bytes) -> None:
    thermal = street[..., 1].copy()
    plain, asked = (fuser.fuse(street, thermal, text).image for text in ("", "correct the colours"))
    assert np.abs(plain.mean(axis=(0, 1)) - asked.mean(axis=(0, 1))).max() < 2


def test_a_missing_file_is_an_error_of_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    load = evidence.load
    monkeypatch.setattr(evidence, "load", lambda: load(tmp_path / "gone.safetensors"))
    with pytest.raises(WeightsError, match=r"gone\.safetensors: cannot be read"):
        Fuser(device="cpu", engine="eager", dtype="fp32")


def test_a_wish_of_strength_zero_keeps_nothing(fuser: Fuser, street: Bytes, spoil: Spoil) -> None:
    dark, thermal = spoil("low_light", 0.8), street[..., 1].copy()
    kept, plain = fuser.fuse(dark, thermal, "keep the night look", strength=0.0), fuser.fuse(dark, thermal)
    assert np.array_equal(kept.image, plain.image)


def test_the_callers_image_stays_as_it_was(fuser: Fuser, street: Bytes, spoil: Spoil) -> None:
    dark = spoil("low_light", 0.8)
    before = dark.copy()
    fuser.fuse(dark, street[..., 1].copy())
    assert np.array_equal(dark, before)


def test_the_file_survives_a_round_trip(seen: Evidence, street: Bytes, tmp_path: Path) -> None:
    evidence.save(seen, tmp_path / "e.safetensors", {"note": "x"})
    again = evidence.load(tmp_path / "e.safetensors")
    assert again.look(street).levels == seen.look(street).levels
    assert len(identity(tmp_path / "e.safetensors")) == 12


def test_a_file_that_cannot_be_used_is_named(seen: Evidence, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"gone\.safetensors: cannot be read .*install the package again"):
        evidence.load(tmp_path / "gone.safetensors")
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(EvidenceError, match=r"text\.safetensors: cannot be read"):
        evidence.load(tmp_path / "text.safetensors")
    evidence.save(seen, tmp_path / "other.safetensors", {"format": "x"})
    with pytest.raises(EvidenceError, match="format is 'x', this version reads 'textdifuse-evidence-3'"):
        evidence.load(tmp_path / "other.safetensors")
    evidence.save(seen, tmp_path / "faults.safetensors", {"faults": '["rain"]'})
    with pytest.raises(EvidenceError, match="its faults are others"):
        evidence.load(tmp_path / "faults.safetensors")
    short = Evidence(seen.mean[:5], seen.spread[:5], seen.layers)
    evidence.save(short, tmp_path / "short.safetensors")
    with pytest.raises(EvidenceError, match=r"short\.safetensors: cannot be used"):
        evidence.load(tmp_path / "short.safetensors")
