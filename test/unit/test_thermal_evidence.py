"""What a thermal image gives away by itself, what is done about it without a wish, and its training."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from textdifuse_ros.evaluation.restoration import psnr
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.imaging import thermal_evidence
from textdifuse_ros.imaging.cameras import Cameras
from textdifuse_ros.imaging.clips import open_clip
from textdifuse_ros.imaging.registration import Registration
from textdifuse_ros.imaging.settling import ThermalSettling
from textdifuse_ros.imaging.thermal import ThermalNormaliser
from textdifuse_ros.imaging.thermal_evidence import (
    FAULTS,
    MOST,
    MOST_OF,
    SIGNS,
    EvidenceError,
    ThermalEvidence,
    ThermalFound,
    describe,
    put_right,
    reduced,
    table,
)
from textdifuse_ros.imaging.window import Windowed
from textdifuse_ros.model.weights import WeightsError
from textdifuse_ros.nodes import health
from textdifuse_ros.simulation import StreetSequence
from textdifuse_ros.train import evidence as training
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade, degrade_bytes
from textdifuse_ros.train.evidence import EvidenceTraining, train
from textdifuse_ros.train.stills import read_image, validation_names
from textdifuse_ros.train.thermal_examples import draw_examples, load_scenes, stretched, undoing

Bytes = NDArray[np.uint8]
SHARED = Path(__file__).resolve().parents[3] / "shared"
needs_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the data folder ../shared beside the repository"
)
Spoil = Callable[[str, float], Bytes]
SMALL = EvidenceTraining(camera="thermal", parts=2, epochs=2, batch=16)


def shown(temperature: NDArray[np.float32]) -> Bytes:
    """As a camera with gain control shows it."""
    return ThermalNormaliser("percentile", low=0.1, high=99.9).normalise(temperature, 0)


@pytest.fixture(scope="module")
def seen() -> ThermalEvidence:
    return thermal_evidence.load()


@pytest.fixture(scope="module")
def street() -> tuple[Bytes, Bytes]:
    """RGB and thermal, both sound."""
    frame = StreetSequence(320, 240, seed=3, smoke=0.0).render(6.5)
    return frame.rgb, shown(frame.temperature)


@pytest.fixture(scope="module")
def spoil(street: tuple[Bytes, Bytes]) -> Spoil:
    """The street's thermal image with one fault."""
    return lambda name, level: degrade_bytes(*street, [Draw(DEGRADATIONS[name], level, 5)])[1]


@pytest.fixture(scope="module")
def fuser() -> Fuser:
    return Fuser(device="cpu", engine="eager", dtype="fp32")


def found(level: float, gain: float = 2.0, change: float = 0.1, mean: float = 0.4) -> ThermalFound:
    return ThermalFound({"thermal_contrast": level}, gain, mean + change, mean, 0.3, 0.5)


def as_it_came(rgb: Bytes, thermal: NDArray[Any], *window: float, inverted: bool = False) -> Cameras:
    size = (rgb.shape[1], rgb.shape[0])
    low, high = window or (0.0, 255.0)
    return Cameras(rgb, Windowed(thermal, low, high, inverted), Registration().prepare(size, size, "rgb"))


def test_every_fault_is_one_of_training_and_has_a_sign() -> None:
    assert set(FAULTS) == set(SIGNS) == set(MOST_OF) <= set(DEGRADATIONS)
    assert {DEGRADATIONS[name].control for name in FAULTS} == {thermal_evidence.CONTROL}


def test_a_street_as_it_is_gives_away_nothing(seen: ThermalEvidence) -> None:
    for smoke, second in itertools.product((0.0, 1.0), range(0, 60, 12)):
        frame = StreetSequence(320, 240, seed=3, smoke=smoke).render(float(second))
        assert seen.look(shown(frame.temperature)).shares == {}


@needs_data
@pytest.mark.parametrize("kind", ["as it is", "stretched", "equalised", "within black edges", "upside down"])
def test_no_clean_picture_that_never_trained_is_taken_for_faulty(seen: ThermalEvidence, kind: str) -> None:
    highest = dict.fromkeys(FAULTS, 0.0)
    for name in sorted(validation_names()):
        folder, stem = name.split("/")
        picture = np.ascontiguousarray(read_image(SHARED / "data" / folder / "ir", stem)[..., 0])
        if kind == "stretched":
            picture = stretched(picture)
        elif kind == "equalised":
            picture = np.asarray(cv2.equalizeHist(picture), np.uint8)
        elif kind == "within black edges":
            edge = picture.shape[0] // 6
            picture[:edge] = picture[-edge:] = 0
        elif kind == "upside down":
            picture = np.ascontiguousarray(picture[::-1, ::-1])
        levels = seen.look(picture).levels
        highest = {fault: max(highest[fault], levels[fault]) for fault in FAULTS}
    assert all(highest[fault] < SIGNS[fault][0] for fault in FAULTS), highest


@needs_data
@pytest.mark.parametrize("clip", ["0111_1716", "0117_1605"])
def test_no_frame_of_a_clip_is_taken_for_faulty(seen: ThermalEvidence, clip: str) -> None:
    path = SHARED / "data" / "clips" / f"{clip}_ir.mp4"
    for frame in itertools.islice(open_clip(path).frames(), 0, None, 5):
        assert seen.look(np.ascontiguousarray(frame[..., 0])).shares == {}


@pytest.mark.parametrize("level", [0.67, 1.0])
def test_flat_contrast_is_found_and_no_other_fault(seen: ThermalEvidence, spoil: Spoil, level: float) -> None:
    assert set(seen.look(spoil("thermal_contrast", level)).shares) == {"thermal_contrast"}


@pytest.mark.parametrize("name", sorted(each for each in DEGRADATIONS if each.startswith("thermal")))
def test_what_is_no_matter_of_levels_is_not_taken_for_it(
    seen: ThermalEvidence, spoil: Spoil, name: str
) -> None:
    if name not in FAULTS:
        assert seen.look(spoil(name, 0.7)).shares == {}


@pytest.mark.parametrize("shape", [(16, 16), (17, 333), (1024, 1280), (60, 80)])
def test_any_size_is_described_by_as_many_finite_numbers(shape: tuple[int, int]) -> None:
    numbers = describe(reduced(np.random.default_rng(0).integers(0, 256, shape, np.uint8)))
    assert numbers.dtype == np.float32 and np.isfinite(numbers).all()
    assert numbers.shape == describe(reduced(np.zeros((16, 16), np.uint8))).shape


@pytest.mark.parametrize("level", [0, 100, 255])
def test_an_even_picture_is_no_error(seen: ThermalEvidence, level: int) -> None:
    picture = np.full((48, 64), level, np.uint8)
    told = seen.look(picture)
    assert all(0 <= each <= 1 for each in told.levels.values()) and told.gain > 0
    assert put_right(picture, told).shape == picture.shape


def test_a_sign_begins_grows_and_ends() -> None:
    begins, sure = SIGNS["thermal_contrast"]
    shares = [found(at).shares for at in (0, begins, (begins + sure) / 2, sure, 1)]
    assert shares[:2] == [{}, {}]
    assert [each["thermal_contrast"] for each in shares[2:]] == pytest.approx([0.5, 1, 1])


def test_half_of_what_overdrives_a_picture_is_undone() -> None:
    shares = ThermalFound({"thermal_saturation": 1.0}, 0.64, 0.4, 0.5).shares
    assert shares == {"thermal_saturation": 0.5}
    levels = table(ThermalFound({"thermal_saturation": 1.0}, 0.64, 0.4, 0.5), shares)
    assert levels is not None and levels[200] - levels[100] == pytest.approx(80, abs=1)


def test_levels_are_put_right(seen: ThermalEvidence, street: tuple[Bytes, Bytes], spoil: Spoil) -> None:
    spoilt = spoil("thermal_contrast", 0.67)
    assert psnr(put_right(spoilt, seen.look(spoilt)), street[1]) > psnr(spoilt, street[1]) + 2


def test_where_nothing_is_lacking_there_is_no_table() -> None:
    assert table(found(0.1), found(0.1).shares) is None
    picture = np.zeros((4, 4), np.uint8)
    assert put_right(picture, found(0.1)) is picture


def test_a_table_rises_and_its_gain_is_limited() -> None:
    levels = table(found(1.0, gain=9.0), {"thermal_contrast": 1.0})
    assert levels is not None and levels.shape == (256,) and levels.dtype == np.uint8
    steps = np.diff(levels.astype(int))
    assert steps.min() >= 0 and steps.max() <= np.ceil(MOST)
    assert steps[90:110].mean() == pytest.approx(MOST, abs=0.1)


@pytest.mark.parametrize("change", [-0.4, 0.5])
def test_what_shows_is_not_driven_into_black_or_white(change: float) -> None:
    levels = table(found(1.0, gain=2.2, change=change), {"thermal_contrast": 1.0})
    assert levels is not None
    inner = levels[round(0.3 * 255) : round(0.5 * 255) + 1]
    assert len(set(inner.tolist())) == len(inner)


def test_a_sound_pair_stays_the_same_bit_for_bit(fuser: Fuser, street: tuple[Bytes, Bytes]) -> None:
    rgb, thermal = street
    plain = fuser.fuse(rgb, thermal)
    blind = Fuser(device="cpu", engine="eager", dtype="fp32")
    blind._judge.look_thermal = lambda *_: found(0.0)  # type: ignore[method-assign]
    assert plain.repaired == {} and np.array_equal(plain.image, blind.fuse(rgb, thermal).image)


def test_a_flat_image_is_put_right_without_a_wish_and_says_so(
    fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil
) -> None:
    rgb, thermal = street
    flat = spoil("thermal_contrast", 0.8)
    before = flat.copy()
    fused = fuser.fuse(rgb, flat)
    assert set(fused.repaired) == {"thermal_contrast"}
    assert np.array_equal(flat, before)
    clean, off = fuser.fuse(rgb, thermal).image, fuser.fuse(rgb, flat, restore="off").image
    assert psnr(fused.image, clean) > psnr(off, clean) + 2


def test_restore_off_repairs_nothing(fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil) -> None:
    assert fuser.fuse(street[0], spoil("thermal_contrast", 0.8), restore="off").repaired == {}


def test_a_wish_to_keep_the_contrast_is_stronger_than_evidence(
    fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil
) -> None:
    flat = spoil("thermal_contrast", 0.8)
    assert fuser.fuse(street[0], flat, "keep the contrast").repaired == {}
    assert fuser.fuse(street[0], flat, restore={"thermal_contrast": 0.0}).repaired == {}
    assert fuser.fuse(street[0], flat, "keep the contrast", strength=0.0).repaired != {}


@pytest.mark.parametrize("inverted", [False, True])
def test_cameras_that_are_shown_as_they_came_are_fused_as_the_pair_is(
    fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil, inverted: bool
) -> None:
    flat = spoil("thermal_contrast", 0.8)
    pair = fuser.fuse(street[0], flat)
    raw = 255 - flat if inverted else flat
    cameras = fuser.fuse_cameras(as_it_came(street[0], raw, inverted=inverted))
    assert cameras.repaired == pair.repaired != {}
    assert np.array_equal(cameras.image, pair.image)


def test_the_type_that_values_came_in_changes_nothing(
    fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil
) -> None:
    flat = spoil("thermal_contrast", 0.8)
    for kind in (np.uint16, np.float32):
        cameras = fuser.fuse_cameras(as_it_came(street[0], flat.astype(kind)))
        assert np.array_equal(cameras.image, fuser.fuse(street[0], flat).image)


def test_a_window_that_was_chosen_is_left_alone(
    fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil
) -> None:
    flat = spoil("thermal_contrast", 0.8)
    assert fuser.fuse_cameras(as_it_came(street[0], flat, 0.0, 250.0)).repaired == {}


def test_what_a_video_gives_away_settles(fuser: Fuser, street: tuple[Bytes, Bytes], spoil: Spoil) -> None:
    told: list[ThermalFound] = []

    def settle(each: ThermalFound) -> ThermalFound:
        told.append(each)
        return found(0.0)

    cameras = as_it_came(street[0], spoil("thermal_contrast", 0.8))
    assert fuser.fuse_cameras(cameras, settle_thermal=settle).repaired == {}
    assert told and told[0].shares


def test_jitter_is_smoothed_and_a_jump_followed() -> None:
    settling, frame = ThermalSettling(), 33_000_000
    told = [
        settling.settle(found(0.5 + 0.1 * (-1) ** i, 2 * 1.1 ** ((-1) ** i)), i * frame) for i in range(40)
    ]
    levels = [each.levels["thermal_contrast"] for each in told[10:]]
    assert max(abs(b - a) for a, b in itertools.pairwise(levels)) < 0.02
    assert told[-1].gain == pytest.approx(2, rel=0.02)
    assert told[-1].level - told[-1].mean == pytest.approx(0.1)
    jump = found(1.0)
    assert settling.settle(jump, 40 * frame) is jump


def test_the_node_says_which_image_shows_what() -> None:
    repaired = {"low_light": 0.6, "thermal_contrast": 0.7}
    output = health.OutputFacts("/f", True, action=health.Action.FUSE, published=1, repaired=repaired)
    report = health.output_report(output, (), ())  # type: ignore[arg-type]
    assert report.values["repaired"] == "low light 0.60, low thermal contrast 0.70"
    told = "the RGB image shows low light 0.60 and the thermal image shows low thermal contrast 0.70"
    assert f"{told}, which is repaired" in report.message


def test_a_missing_file_is_an_error_of_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    load = thermal_evidence.load
    monkeypatch.setattr(thermal_evidence, "load", lambda: load(tmp_path / "gone.safetensors"))
    with pytest.raises(WeightsError, match=r"gone\.safetensors: cannot be read"):
        Fuser(device="cpu", engine="eager", dtype="fp32")


def test_the_file_survives_a_round_trip(
    seen: ThermalEvidence, street: tuple[Bytes, Bytes], tmp_path: Path
) -> None:
    thermal_evidence.save(seen, tmp_path / "e.safetensors", {"note": "x"})
    assert thermal_evidence.load(tmp_path / "e.safetensors").look(street[1]) == seen.look(street[1])


def test_a_file_that_cannot_be_used_is_named(seen: ThermalEvidence, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"gone\.safetensors: cannot be read .*install the package again"):
        thermal_evidence.load(tmp_path / "gone.safetensors")
    rgb = thermal_evidence.SHIPPED.with_name("textdifuse_evidence.safetensors")
    with pytest.raises(EvidenceError, match="format is 'textdifuse-evidence-3', this version reads"):
        thermal_evidence.load(rgb)
    thermal_evidence.save(seen, tmp_path / "faults.safetensors", {"faults": '["rain"]'})
    with pytest.raises(EvidenceError, match="its faults are others"):
        thermal_evidence.load(tmp_path / "faults.safetensors")
    short = ThermalEvidence(seen.mean[:5], seen.spread[:5], seen.layers)
    thermal_evidence.save(short, tmp_path / "short.safetensors")
    with pytest.raises(EvidenceError, match=r"short\.safetensors: cannot be used"):
        thermal_evidence.load(tmp_path / "short.safetensors")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for folder, seed in (("roadscene", 1), ("msrs", 2)):
        (root / folder / "ir").mkdir(parents=True)
        sequence = StreetSequence(160, 120, seed=seed)
        for index in range(6):
            picture = shown(sequence.render(index * 7.0).temperature)
            cv2.imwrite(str(root / folder / "ir" / f"made{index}.png"), picture)
    return root


def test_examples_say_what_was_done_to_them(data: Path) -> None:
    scenes = load_scenes(data)
    first, again = (draw_examples(scenes, 7, 3, 200) for _ in range(2))
    assert np.array_equal(first.numbers, again.numbers) and np.array_equal(first.tones, again.tones)
    faulty = first.levels > 0
    assert 0.2 < (~faulty.any(axis=1)).mean() < 0.5 and not faulty.all(axis=1).any()
    assert (first.tones[~faulty.any(axis=1)] == 0).all()
    assert (first.tones[faulty[:, 0], 0] > 0).all()  # flat: a gain above one
    assert set(first.scenes) == set(range(12))


def test_what_undoes_a_flat_image_is_its_inverse() -> None:
    picture = np.random.default_rng(1).uniform(0.2, 0.9, (24, 32)).astype(np.float32)
    draws = [Draw(DEGRADATIONS["thermal_contrast"], 0.6, 3)]
    spoilt = degrade(np.zeros((24, 32, 3), np.float32), picture, draws).thermal
    gain, change = undoing(picture, draws, float(spoilt.mean()))
    again = np.exp(gain) * (spoilt - spoilt.mean()) + spoilt.mean() + change
    assert np.abs(again - picture).max() < 0.01


def test_a_training_writes_a_file_that_loads_and_repeats(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, street: tuple[Bytes, Bytes]
) -> None:
    monkeypatch.setattr(training, "PART", 24)
    first, second = (thermal_evidence.load(train(data, tmp_path / name, SMALL)) for name in ("a", "b"))
    assert first.look(street[1]) == second.look(street[1])
