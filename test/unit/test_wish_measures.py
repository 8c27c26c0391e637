"""Measures of restoration wishes on drawn pictures, and `textdifuse wishes` with a tiny network."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import save, scene
from small_networks import save_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.cli.wishes import Seen
from textdifuse_ros.evaluation.wish_measures import (
    CASES,
    DEGREES,
    MEASURES,
    in_units,
    measure,
    ordered,
    units_of,
)
from textdifuse_ros.model.controls import CONTROLS
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.heat import HeatLocaliser
from textdifuse_ros.text.wishes import compile_prompt
from textdifuse_ros.train.degrade import DEGRADATIONS
from textdifuse_ros.train.stills import validation_names


def street(seed: int = 5) -> np.ndarray:
    """Coloured blocks with sharp edges, float in [0, 1]: broad structure, no noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.uniform(0.05, 0.8, (6, 8, 1)) + rng.uniform(-0.05, 0.05, (6, 8, 3))
    return np.asarray(cv2.resize(blocks, (256, 192), interpolation=cv2.INTER_NEAREST))


def picture(image: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(image, 0, 1) * 255), np.uint8)


def spoilt(name: str) -> np.ndarray:
    """The street with one fault."""
    image, rng = street(), np.random.default_rng(1)
    if name == "noise":
        return picture(image + rng.normal(0, 0.03, image.shape[:2])[..., None])
    if name == "stripes":
        return picture(image + rng.normal(0, 0.03, (1, image.shape[1], 1)))
    if name == "dark":
        return picture(image * 0.4)
    if name == "glare":
        return picture(image * 1.5)
    if name == "haze":
        return picture(image * 0.5 + 0.35)
    if name == "flat":
        return picture((image - image.mean()) * 0.5 + image.mean())
    if name == "cast":
        return picture(image * (1.15, 1.0, 0.8))
    return picture(cv2.GaussianBlur(image, (0, 0), 2))


@pytest.mark.parametrize(
    ("fault", "name", "more"),
    [
        ("noise", "noise", True),
        ("stripes", "stripes", True),
        ("dark", "level", False),
        ("glare", "glare", True),
        ("haze", "haze", True),
        ("flat", "contrast", False),
        ("cast", "colour cast", True),
        ("blur", "sharpness", False),
    ],
)
def test_each_fault_moves_its_own_measure(fault: str, name: str, more: bool) -> None:
    before, after = measure(picture(street()))[name], measure(spoilt(fault))[name]
    assert after > 1.3 * before + 1e-3 if more else after < before / 1.3


OWN = {
    "noise": "noise", "stripes": "stripes", "dark": "level", "glare": "glare", "haze": "haze",
    "flat": "contrast", "cast": "colour cast", "blur": "sharpness",
}  # fmt: skip


@pytest.mark.parametrize("fault", ["noise", "stripes", "dark", "cast", "blur"])
def test_faults_leave_the_measures_of_others_alone(fault: str) -> None:
    """Within a quarter of what the other's own fault does. Glare, haze and flatness really change others."""
    before, after = measure(picture(street())), measure(spoilt(fault))
    for other, name in OWN.items():
        if other != fault:
            unit = abs(measure(spoilt(other))[name] - before[name])
            assert abs(after[name] - before[name]) < 0.25 * unit, name


def test_noise_and_stripes_are_measured_in_proportion() -> None:
    image, rng = street(), np.random.default_rng(2)
    for name, shape in (("noise", (192, 256, 1)), ("stripes", (1, 256, 1))):
        field = rng.normal(0, 1, shape)
        weak, strong = (MEASURES[name](picture(image * 0.8 + 0.1 + s * field)) for s in (0.02, 0.04))
        assert strong == pytest.approx(2 * weak, rel=0.15), name


def test_a_flat_picture_has_finite_measures() -> None:
    for level in (0, 128, 255):
        assert all(np.isfinite(value) for value in measure(np.full((64, 64, 3), level, np.uint8)).values())


def test_units_are_medians_of_what_faults_do() -> None:
    units = units_of({"noise": [-1.0, 2.0, 3.0], "haze": []})
    assert units == {"noise": 2.0, "haze": 0.0}
    assert in_units({"noise": -1.0, "haze": 5.0}, units) == {"noise": -0.5, "haze": 0.0}


def test_effects_are_in_order_when_they_never_fall_and_rise_in_the_end() -> None:
    assert ordered([0.1, 0.2, 0.3, 0.3]) and not ordered([0.1, 0.3, 0.2, 0.4])
    assert not ordered([0.0, 0.0, 0.0, 0.0]) and not ordered([-0.3, -0.2, -0.1, -0.1])


def test_what_a_wish_undoes_is_a_share_of_what_the_degradation_did() -> None:
    seen = Seen([{"noise": 1.0}] * 3, [{"noise": 5.0}, {"noise": 3.0}, {"noise": 1.0}])
    seen.wished[""] = [{"noise": 2.0}, {"noise": 3.5}, {"noise": 0.5}]
    assert seen.undone("noise") == [0.75, -0.25]  # the third pair took no harm, so nothing could be undone
    assert seen.further("noise") == [-3.0, 0.5, 0.5] and seen.moved("", "noise") == [-3.0, 0.5, -0.5]


def test_every_case_wishes_for_the_controls_that_undo_its_degradations() -> None:
    for case in CASES:
        (wish,) = compile_prompt(HeatLocaliser(), parse(case.wish)).wishes
        assert {DEGRADATIONS[name].control for name in case.degradations} == set(wish.removals), case.wish
        assert case.measure in MEASURES
    wished = {DEGRADATIONS[name].control for case in CASES for name in case.degradations}
    assert wished == set(CONTROLS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    stem = min(n.split("/")[1] for n in validation_names() if n.startswith("msrs/"))
    colour, thermal = scene(96, 64)
    save(root / "msrs" / "vis" / f"{stem}.png", colour)
    save(root / "msrs" / "ir" / f"{stem}.png", thermal)
    save_network(root / "weights.safetensors")
    return root


def wishes(data: Path, *words: str) -> int:
    return main(["wishes", "--data", str(data), "--weights", str(data / "weights.safetensors"),
                 "--dtype", "fp32", "--localiser", "heat", *words])  # fmt: skip


def test_a_matrix_of_wishes_and_measures(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wishes(data, "--json", "--level", "0.5") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["pairs"] == 1 and list(report["units"]) == list(MEASURES)
    assert [row["wish"] for row in report["wishes"]] == [case.wish for case in CASES]
    for row, case in zip(report["wishes"], CASES, strict=True):
        assert list(row["moved"]) == list(MEASURES) and set(row["parameters"]) == set(case.degradations)
        assert list(row["degrees"]) == [word or "plain" for word in DEGREES]
        plain, strongly = row["degrees"]["plain"], row["degrees"]["strongly"]
        assert plain == pytest.approx(row["own"], abs=1e-3)
        if case.measure != "sharpness":  # this scene has none
            assert (strongly != plain) == (case.measure in ("level", "haze", "contrast"))
        others = {name: abs(value) for name, value in row["moved"].items() if name != case.measure}
        assert row["kept"]["others"] is (max(others.values()) <= 0.25)
        away = [row["further_from_clean"][name] for name in others]
        assert row["kept"]["others_not_away"] is (max(away) <= 0.25)
        assert row["kept"]["own"] is (row["undone"] is not None and row["undone"] >= 0.25)
    assert any(row["own"] for row in report["wishes"])  # this network's controls act


def test_from_restore_auto_a_wish_for_less_noise_moves_nothing(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wishes(data, "--json", "--level", "0.5", "--restore", "auto") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["restore"] == "auto"
    own = {row["wish"]: row["own"] for row in report["wishes"]}
    assert own["remove the noise"] == 0 and any(own.values())


def test_the_table_marks_what_is_asked_for(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wishes(data) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("brighten the dark") and lines[1].count("*") == 1
    assert lines[-3].startswith("undone by 0.25 or more: ")
    assert lines[-2].startswith("no other led away from the clean picture's by more than 0.25: ")
    assert lines[-1].startswith("1 pairs, degradations at level 0.7")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--level", "0"), "--level 0: must lie above 0"),
        (("--steps", "3"), "--steps 3"),
        (("--steps", "teacher"), "are for (1, 2, 4) steps"),
        (("--sets", "llvip"), "no validation pair of llvip"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], reason: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wishes(data, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
