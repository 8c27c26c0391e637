"""`textdifuse sheet`: a row a scene, a column a method."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import load, save, scene
from small_networks import TEACHER, save_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.cli.sheet import spread
from textdifuse_ros.evaluation.contact_sheet import CAPTION, CELL_WIDTH, HEAD, MARGIN, SheetRow, draw, fitted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sheet") / "street"
    for seed, (name, height) in enumerate((("one", 64), ("two", 96))):
        colour, thermal = scene(96, height, seed)
        save(root / "vis" / f"{name}.png", colour)
        save(root / "ir" / f"{name}.png", thermal)
    save_network(root / "student.safetensors")
    save_network(root / "teacher.safetensors", TEACHER)
    return root


def sheet(folder: Path, output: Path, *words: str) -> int:
    weights = [
        "--weights",
        str(folder / "student.safetensors"),
        "--teacher",
        str(folder / "teacher.safetensors"),
    ]
    return main(["sheet", "--output", str(output), "--dtype", "fp32", *weights, *words])


def test_pictures_lie_under_their_names_and_keep_their_shapes() -> None:
    red, green = (np.full((30, 60, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0)))
    tall = np.full((480, 480, 3), 7, np.uint8)
    made = draw(["a", "b"], [SheetRow("first", [red, green]), SheetRow("second", [tall, tall])])
    assert made.shape == (HEAD + 2 * (CAPTION + MARGIN) + 120 + 240, 3 * MARGIN + 2 * CELL_WIDTH, 3)
    top, right = HEAD + CAPTION, 2 * MARGIN + CELL_WIDTH
    assert np.all(made[top : top + 120, MARGIN : MARGIN + CELL_WIDTH] == (255, 0, 0))
    assert np.all(made[top : top + 120, right : right + CELL_WIDTH] == (0, 255, 0))
    assert np.all(made[-MARGIN - 240 : -MARGIN, right : right + CELL_WIDTH] == 7)
    assert made[:HEAD].min() < 100  # the names


def test_every_method_has_a_column_by_default(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sheet(folder, tmp_path / "s.png", "--set", str(folder)) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 rows into") and "teacher: weights" in said and "2 steps: weights" in said
    made = load(tmp_path / "s.png")
    assert made.shape == (HEAD + 2 * (CAPTION + MARGIN) + 160 + 240, MARGIN + 8 * (CELL_WIDTH + MARGIN), 3)
    rgb = cv2.imread(str(folder / "vis" / "one.png"))
    top = HEAD + CAPTION
    assert np.array_equal(made[top : top + 160, MARGIN : MARGIN + CELL_WIDTH], fitted(rgb))


def test_frames_of_clips_come_after_the_pairs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = [str(folder / "vis"), str(folder / "ir")]
    words = ["--columns", "rgb,max", "--frame", *clip, "1", "--frame", *clip, "0"]
    assert sheet(folder, tmp_path / "s.png", "--rgb", clip[0], "--thermal", clip[1], *words) == 0
    assert capsys.readouterr().out.startswith("4 rows into")
    assert sheet(folder, tmp_path / "s.png", *words) == 0
    assert capsys.readouterr().out.startswith("2 rows into")
    made = load(tmp_path / "s.png")
    two = fitted(cv2.imread(str(folder / "vis" / "two.png")))
    assert np.array_equal(made[HEAD + CAPTION : HEAD + CAPTION + 240, MARGIN : MARGIN + CELL_WIDTH], two)


def test_each_scene_is_shown_as_it_is_and_then_degraded(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--set", str(folder), "--columns", "rgb", "--spoil", "low_light:0.8", "--spoil", "over_exposure"]
    assert sheet(folder, tmp_path / "s.png", *words) == 0
    assert capsys.readouterr().out.startswith("6 rows into")
    made, tops = (
        load(tmp_path / "s.png"),
        [HEAD + CAPTION + row * (160 + CAPTION + MARGIN) for row in range(3)],
    )
    plain, dark, bright = (made[top : top + 160, MARGIN : MARGIN + CELL_WIDTH] for top in tops)
    assert np.array_equal(plain, fitted(cv2.imread(str(folder / "vis" / "one.png"))))
    assert dark.mean() < 0.8 * plain.mean() < 0.8 * bright.mean()


def test_many_pairs_are_thinned_out_evenly() -> None:
    assert spread(range(5), 16) == [0, 1, 2, 3, 4]
    assert spread(range(26), 4) == [0, 8, 17, 25]
    assert spread(range(26), 0) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "nothing to look at"),
        (("--frame", "a", "b", "-1"), "the last word is a number"),
        (("--frame", "{vis}", "{ir}", "9"), "have no frame 9 together"),
        (("--set", "{set}", "--columns", "rgb,best"), "--columns 'best'"),
        (("--set", "{set}", "--output", "s.jpg"), "ends in .png"),
        (("--frame", "a", "b", "0") * 17, "17 of them"),
        (("--frame", "a", "b", "0") * 6 + ("--spoil", "fog", "--spoil", "smoke"), "6 --frame and 2 --spoil"),
        (("--set", "{set}", "--spoil", "rain"), "--spoil 'rain': use"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], reason: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"{vis}": folder / "vis", "{ir}": folder / "ir", "{set}": folder}
    filled = [str(places.get(word, word)) for word in words]
    assert sheet(folder, tmp_path / "s.png", *filled) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
    assert not (tmp_path / "s.png").exists()
