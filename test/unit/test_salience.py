"""Salience: pure figures on drawn scenes, and `textdifuse salience` with a tiny network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import save, scene
from small_networks import save_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.evaluation.given_maps import GivenMaps
from textdifuse_ros.evaluation.salience import (
    box_mask,
    changes,
    gradient_energy,
    local_contrast,
    mean_change,
    quartiles,
    soft_mask,
    stray_map,
    targets,
)
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.train.stills import validation_names

SHAPE = (80, 120)
BOX = np.array([[40.0, 20.0, 60.0, 60.0]])


def flat(inside: int, outside: int) -> np.ndarray:
    """A frame of one level with an object of another in BOX."""
    picture = np.full((*SHAPE, 3), outside, np.uint8)
    picture[20:60, 40:60] = inside
    return picture


def test_contrast_is_the_distance_of_the_object_from_its_surroundings() -> None:
    (target,) = targets(BOX, BOX, SHAPE)
    assert local_contrast(flat(90, 50)[..., 0].astype(float), target) == pytest.approx(40)
    assert local_contrast(flat(20, 50)[..., 0].astype(float), target) == pytest.approx(30)


def test_gradient_energy_of_a_ramp_is_its_slope_squared() -> None:
    (target,) = targets(BOX, BOX, SHAPE)
    ramp = np.tile(np.arange(SHAPE[1]) * 2.0, (SHAPE[0], 1))
    assert gradient_energy(ramp, target) == pytest.approx(4)
    assert gradient_energy(np.full(SHAPE, 7.0), target) == 0


def test_an_object_that_gains_half_its_contrast_has_a_ratio_of_one_and_a_half() -> None:
    objects = targets(BOX, BOX, SHAPE)
    (change,) = changes(flat(70, 50), flat(80, 50), objects)
    assert change.contrast == pytest.approx(1.5)
    (same,) = changes(flat(70, 50), flat(70, 50), objects)
    assert same.contrast == pytest.approx(1)


def test_an_object_that_was_invisible_counts_against_one_grey_level() -> None:
    (change,) = changes(flat(50, 50), flat(62, 50), targets(BOX, BOX, SHAPE))
    assert change.contrast == pytest.approx(12)


def test_neighbours_are_no_surroundings() -> None:
    neighbour = np.array([[62.0, 10.0, 90.0, 70.0]])
    (target,) = targets(BOX, np.concatenate((BOX, neighbour)), SHAPE)
    assert not target.around[10:70, 62:90].any() and target.around[20:60, 30:40].all()


def test_objects_that_cannot_be_measured_are_left_out() -> None:
    tiny = np.array([[5.0, 5.0, 9.0, 40.0]])
    assert targets(tiny, tiny, SHAPE) == []
    everywhere = np.array([[0.0, 0.0, 120.0, 80.0]])
    assert targets(BOX, np.concatenate((BOX, everywhere)), SHAPE) == []


def test_a_soft_mask_is_full_inside_and_empty_outside_its_boxes() -> None:
    mask = soft_mask(BOX, SHAPE)
    assert mask.dtype == np.float32 and mask[40, 50] == pytest.approx(1) and mask.max() <= 1
    assert mask[40, 20] == 0 and mask[21, 41] < 0.3  # the corners of a box are background
    assert not soft_mask(np.zeros((0, 4)), SHAPE).any()


def test_boxes_that_reach_over_the_border_are_cut() -> None:
    mask = box_mask(np.array([[-10.0, -5.0, 5.0, 4.0], [110.0, 70.0, 200.0, 200.0], [-9, -9, -2, -2]]), SHAPE)
    assert mask.sum() == 4 * 5 + 10 * 10


def test_change_is_measured_where_it_is_asked_for() -> None:
    outside = ~box_mask(BOX, SHAPE)
    assert mean_change(flat(70, 50), flat(99, 50), outside) == 0
    assert mean_change(flat(70, 50), flat(72, 48)) == pytest.approx(2)
    assert mean_change(flat(0, 0), flat(1, 1), np.zeros(SHAPE, bool)) == 0


def test_stray_maps_are_weak_smooth_and_the_same_for_a_seed() -> None:
    stray = stray_map(SHAPE, 3)
    assert stray.shape == SHAPE and stray.min() >= 0 and stray.max() <= 0.2 and stray.mean() > 0.05
    assert np.array_equal(stray, stray_map(SHAPE, 3)) and not np.array_equal(stray, stray_map(SHAPE, 4))


def test_quartiles_of_nothing_are_none() -> None:
    assert quartiles([])["median"] is None
    assert quartiles([1, 2, 3, 4, 5]) == {"count": 5, "q1": 2, "median": 3, "q3": 4}


def test_given_maps_are_weighted_summed_and_signed() -> None:
    given = GivenMaps()
    left, right = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    left[:, :60], right[:, 60:] = 1, 1
    given.maps = {"left": left, "right": right}
    compiled = given.compile(parse("left*0.5, no right, balloon"))
    found = given.relevance(compiled, np.zeros((*SHAPE, 3), np.uint8), np.zeros(SHAPE, np.uint8))
    assert np.all(found[:, :60] == 0.5) and np.all(found[:, 60:] == -1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two validation pairs of one set, with a person and a car each, and weights."""
    root = tmp_path_factory.mktemp("data")
    stems = sorted(n.split("/")[1] for n in validation_names() if n.startswith("msrs/"))[:2]
    for seed, stem in enumerate(stems):
        colour, thermal = scene(96, 64, seed)
        save(root / "msrs" / "vis" / f"{stem}.png", colour)
        save(root / "msrs" / "ir" / f"{stem}.png", thermal)
        (root / "msrs" / "boxes").mkdir(exist_ok=True)
        (root / "msrs" / "boxes" / f"{stem}.txt").write_text("0 0.75 0.5 0.2 0.3\n2 0.2 0.5 0.2 0.4\n")
    (root / "msrs" / "classes.txt").write_text("person\nbicycle\ncar\n")
    save_network(root / "weights.safetensors")
    return root


def salience(data: Path, *words: str) -> int:
    return main(["salience", "--data", str(data), "--weights", str(data / "weights.safetensors"),
                 "--dtype", "fp32", *words])  # fmt: skip


def test_labels_judge_the_network_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert salience(data, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["pairs"] == 2 and report["relevance"] == "labels"
    person, bicycle = report["classes"]["person"], report["classes"]["bicycle"]
    assert person["contrast_ratio"]["count"] == 2 and person["frames"] == 2
    assert person["contrast_ratio"]["median"] != 1  # every input of this network acts
    assert person["kept"]["contrast"] is (person["contrast_ratio"]["median"] >= 1.25)
    assert person["kept"]["outside"] is (person["outside_change"]["mean"] < 2)
    assert bicycle["frames"] == 0 and bicycle["kept"] == {"contrast": None, "outside": None}
    assert report["unrelated"]["refused"] == ""
    assert report["unrelated"]["empty map"]["mean_change"] == 0
    assert report["unrelated"]["stray map"]["mean_change"] > 0


def test_strength_zero_changes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert salience(data, "--strength", "0", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["classes"]["person"]["outside_change"] == {"mean": 0, "worst_frame": 0}
    assert report["unrelated"]["stray map"]["mean_change"] == 0


def test_a_localiser_is_asked_as_a_prompt_asks_it(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phrases = [word for name in ("person", "car", "bicycle") for word in ("--phrase", f"{name}=warm objects")]
    assert salience(data, "--relevance", "localiser", "--localiser", "heat", *phrases) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["person", "car", "bicycle"]
    assert lines[5].startswith("'a red balloon': refused: 'red balloon' cannot be located")
    assert "relevance from localiser heat" in lines[-1]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--relevance", "localiser", "--localiser", "heat"), "--localiser heat: 'person' cannot be located"),
        (("--phrase", "dog=dog"), "--phrase 'dog=dog': write CLASS=TEXT"),
        (("--phrase", "car=no cars"), "'no cars': give one object phrase"),
        (("--unrelated", "denoise"), "'denoise': give one object phrase"),
        (("--steps", "3"), "--steps 3"),
        (("--steps", "teacher", "--strength", "3"), "--strength 3"),
        (("--sets", "tno"), "--sets 'tno': use msrs128, msrs"),
        (("--sets", "m3fd"), "holds no labelled validation pair of m3fd"),
        (("--pairs", "-1"), "--pairs -1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], reason: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salience(data, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
