"""How restoration is judged: pure figures, and `textdifuse restoration` with a tiny network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command_line import save, scene
from numpy.typing import NDArray
from small_networks import save_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.evaluation.baselines import baseline_image
from textdifuse_ros.evaluation.restoration import (
    HIGHEST_PSNR,
    Case,
    Closeness,
    average,
    closeness,
    left_alone,
    psnr,
    survey,
)
from textdifuse_ros.fuser import Fuser

Bytes = NDArray[np.uint8]


def picture(seed: int = 1) -> Bytes:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)


def darker(case: Case, rgb: Bytes, thermal: Bytes) -> tuple[Bytes, Bytes]:
    return (rgb * (1 - case.strength)).astype(np.uint8), thermal


def test_psnr_of_a_known_error_and_of_none() -> None:
    level = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(level, level + np.uint8(5)) == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(level, level) == HIGHEST_PSNR


def test_an_image_is_closest_to_itself() -> None:
    image = picture()
    same = closeness(image, image)
    blurred = closeness(image, np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8))
    assert same == Closeness(HIGHEST_PSNR, pytest.approx(1.0))
    assert blurred.psnr < 50 and blurred.vif < 0.8


def test_every_method_is_held_against_its_own_clean_picture() -> None:
    rgb, thermal = picture(), picture(2)[..., 0]
    cases = [Case("dark", 0.3), Case("dark", 0.6)]
    methods = {"rgb": lambda v, t: v, "thermal": lambda v, t: np.dstack([t] * 3)}
    clean, close = survey(rgb, thermal, cases, darker, methods)
    assert np.array_equal(clean["rgb"], rgb)
    assert close[cases[0], "thermal"].psnr == HIGHEST_PSNR  # the darkness never reached it
    assert close[cases[0], "rgb"] == closeness(rgb, darker(cases[0], rgb, thermal)[0])
    assert close[cases[1], "rgb"].psnr < close[cases[0], "rgb"].psnr


def test_averages_are_of_decibels() -> None:
    assert average([Closeness(20, 0.5), Closeness(40, 1.0)]) == Closeness(30, 0.75)


def test_a_clean_pair_that_is_left_alone_differs_by_nothing() -> None:
    image = picture()
    assert left_alone(image, image) == (0.0, HIGHEST_PSNR)
    assert left_alone(np.full((8, 8, 3), 9, np.uint8), np.full((8, 8, 3), 12, np.uint8))[0] == 3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """vis/ and ir/ with two pairs, and weights."""
    root = tmp_path_factory.mktemp("restoration") / "street"
    for seed, name in enumerate(("one", "two")):
        colour, thermal = scene(64, 64, seed)
        save(root / "vis" / f"{name}.png", colour)
        save(root / "ir" / f"{name}.png", thermal)
    save_network(root / "weights.safetensors")
    return root


def restoration(folder: Path, *words: str) -> int:
    return main(["restoration", "--set", str(folder), "--weights", str(folder / "weights.safetensors"),
                 "--dtype", "fp32", *words])  # fmt: skip


def test_a_row_for_every_degradation_and_strength(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--degradations", "low_light,shot_noise,thermal_noise", "--strengths", "0.5,1", "--json")
    assert restoration(folder, *words) == 0
    text = capsys.readouterr().out
    report = json.loads(text)
    cases = [(row["degradation"], row["strength"]) for row in report["rows"]]
    assert cases == [(n, s) for n in ("low_light", "shot_noise", "thermal_noise") for s in (0.5, 1.0)]
    assert report["count"] == 2 and list(report["fused_by"]) == ["1 step"]
    for row in [*report["rows"], report["mean"]]:
        assert list(row["methods"]) == ["1 step", "1 step, off", "mean", "max", "detail", "1 step, asked"]
        for kind, method in (("gain_db", "1 step"), ("asked_gain_db", "1 step, asked")):
            gain = row["methods"][method]["psnr"] - row["methods"]["1 step, off"]["psnr"]
            assert row[kind]["1 step"] == pytest.approx(gain, abs=0.011)
    gains = {row["degradation"]: (row["gain_db"], row["asked_gain_db"]) for row in report["rows"]}
    assert gains["thermal_noise"][0] == gains["thermal_noise"][1]  # it is removed without being asked for
    weak, strong = (row["methods"]["mean"]["psnr"] for row in report["rows"][:2])
    assert strong < weak
    assert report["clean_pair"]["1 step"]["mean_absolute_difference"] > 0
    assert restoration(folder, *words) == 0
    assert capsys.readouterr().out == text  # the same fields of noise are drawn again


def test_what_is_asked_away_is_the_fault_that_is_there_and_the_clean_pair_is_asked_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, seen = Fuser.fuse, []

    def noted(*given: Any, **named: Any) -> Any:
        seen.append(named["restore"])
        return plain(*given, **named)

    monkeypatch.setattr(Fuser, "fuse", noted)
    assert restoration(folder, "--degradations", "fog,thermal_saturation", "--strengths", "1") == 0
    clean_and_spoilt = [{"haze": 1.0}] * 2 + [{"thermal_contrast": 1.0}] * 2
    a_pair = ["auto", "off", *["auto", "off"] * 2, *clean_and_spoilt]
    assert seen == a_pair * 2


def test_figures_of_a_baseline_are_those_of_the_training_degradation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = folder / "list.txt"
    listed.write_text("street/one\n")
    assert restoration(folder, "--degradations", "thermal_blur", "--strengths", "1", "--json",
                       "--only", str(listed)) == 0  # fmt: skip
    row = json.loads(capsys.readouterr().out)["rows"][0]["methods"]["max"]
    rgb = np.asarray(cv2.imread(str(folder / "vis" / "one.png"))[..., ::-1], np.uint8)
    thermal = np.asarray(cv2.imread(str(folder / "ir" / "one.png"), cv2.IMREAD_GRAYSCALE), np.uint8)
    blurred = cv2.GaussianBlur(thermal.astype(np.float32) / 255, (0, 0), 2.2)  # has no random part
    spoilt = np.rint(np.clip(blurred, 0, 1) * 255).astype(np.uint8)
    rgb = np.ascontiguousarray(rgb)
    expected = closeness(baseline_image("max", rgb, thermal), baseline_image("max", rgb, spoilt))
    assert row["psnr"] == pytest.approx(expected.psnr, abs=0.01)
    assert row["vif"] == pytest.approx(expected.vif, abs=1e-4)


def test_the_table_has_the_gain_and_the_mean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert restoration(folder, "--degradations", "fog", "--strengths", "1", "--steps", "1,2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["1", "step", "2", "steps", "mean", "max", "detail"]
    assert lines[1].split()[2:8] == ["PSNR", "off", "gain", "asked", "VIF", "off"]
    assert lines[2].split()[:2] == ["fog", "1.00"] and lines[3].split()[0] == "mean"
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[5].startswith("clean pair, 1 step, restore auto against off: ")


def test_a_pair_too_small_to_be_judged_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    colour, thermal = scene(20, 20)
    rgb, ir = save(tmp_path / "rgb20.png", colour), save(tmp_path / "th8.png", thermal)
    weights = save_network(tmp_path / "weights.safetensors")
    given = ["--rgb", str(rgb), "--thermal", str(ir), "--weights", str(weights), "--dtype", "fp32"]
    assert main(["restoration", *given, "--degradations", "smoke", "--strengths", "1"]) == 2
    assert capsys.readouterr().err == (
        f"textdifuse restoration: {rgb}: 20x20 is too small: 48 pixels a side are needed\n"
    )
    small = np.zeros((20, 90, 3), np.uint8)
    with pytest.raises(ValueError, match="90x20 is too small"):
        closeness(small, small)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--degradations", "rain"), "--degradations 'rain': use smoke, fog"),
        (("--strengths", "0.5,2"), "--strengths 0.5,2: must lie above 0"),
        (("--strengths", "much"), "--strengths much: write numbers"),
        (("--steps", "3"), "--steps 3"),
        (("--rgb", "x"), "--rgb and --thermal: give both"),
        (("--rgb", "x", "--thermal", "y"), "--set: takes the place of"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restoration(folder, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
