"""`textdifuse prompts-sheet`: a row a prompt, before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import load, save, scene
from small_networks import save_network

from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.image_files import write_jpeg
from textdifuse_ros.cli.main import main
from textdifuse_ros.cli.prompts_sheet import (
    CALMED,
    COLUMNS,
    MOST_BYTES,
    SCENES,
    WANTED,
    relevance_picture,
    signed_relevance,
)
from textdifuse_ros.evaluation.contact_sheet import CAPTION, CELL_WIDTH, HEAD, MARGIN
from textdifuse_ros.fuser import Fuser
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.train.data import Pair
from textdifuse_ros.train.stills import validation_names

PAIR = "msrs/00006N"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    colour, thermal = scene(96, 64)
    save(root / "msrs" / "vis" / "00006N.png", colour)
    save(root / "msrs" / "ir" / "00006N.png", thermal)
    save_network(root / "weights.safetensors")
    return root


def sheet(data: Path, output: Path, *words: str) -> int:
    weights = str(data / "weights.safetensors")
    return main(["prompts-sheet", "--data", str(data), "--output", str(output), "--weights", weights,
                 "--dtype", "fp32", "--localiser", "heat", *words])  # fmt: skip


def test_the_default_rows_show_every_kind_of_phrase_on_pairs_that_never_train() -> None:
    prompts = [parse(each.prompt).phrases for each in SCENES]
    assert len(SCENES) == 8 and {each.pair for each in SCENES} <= validation_names()
    assert sum(any(p.kind == "restoration" for p in phrases) for phrases in prompts) == 3
    assert any(p.wish and p.wish.region for phrases in prompts for p in phrases)
    assert sum(any(p.suppressed and p.kind == "object" for p in phrases) for phrases in prompts) == 2
    assert any(p.weight != 1 for phrases in prompts for p in phrases)


def test_a_row_has_both_cameras_before_after_and_where(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--row", PAIR, "warm objects", "auto", "--row", PAIR, "brighten", "off")
    assert sheet(data, tmp_path / "s.jpg", *words) == 0
    assert capsys.readouterr().out.startswith("2 rows into ")
    made = load(tmp_path / "s.jpg")
    height = CELL_WIDTH * 64 // 96
    assert made.shape == (HEAD + 2 * (CAPTION + height + MARGIN),
                          MARGIN + len(COLUMNS) * (CELL_WIDTH + MARGIN), 3)  # fmt: skip
    assert (tmp_path / "s.jpg").stat().st_size <= MOST_BYTES

    def cell(row: int, column: int) -> np.ndarray:
        top = HEAD + CAPTION + row * (CAPTION + height + MARGIN)
        left = MARGIN + column * (CELL_WIDTH + MARGIN)
        return made[top : top + height, left : left + CELL_WIDTH].astype(int)

    for row in (0, 1):
        assert np.abs(cell(row, 3) - cell(row, 2)).mean() > 0.5  # the prompt acts
    assert np.ptp(cell(0, 4), axis=2).max() > 100 and np.ptp(cell(1, 4), axis=2).max() < 30


def test_what_is_to_stand_out_and_what_is_to_keep_calm_have_colours_of_their_own(data: Path) -> None:
    fuser = Fuser(data / "weights.safetensors", device="cpu", dtype="fp32", localiser="heat")
    colour, thermal = scene(96, 64)
    pair = Pair(PAIR, np.ascontiguousarray(colour[..., ::-1]), thermal)
    hot = signed_relevance(fuser, pair, parse("warm objects"))
    calm = signed_relevance(fuser, pair, parse("no warm objects, denoise"))
    assert hot[32, 72] > 0.5 and np.array_equal(calm, -hot)
    assert np.array_equal(signed_relevance(fuser, pair, parse("brighten the warm objects")), hot)
    shown = relevance_picture(np.array([[1.0, -1.0, 0.0]], np.float32), np.full((1, 3), 100, np.uint8))
    assert shown[0].tolist() == [list(WANTED), list(CALMED), [35, 35, 35]]


def test_a_picture_that_cannot_be_small_enough_is_not_written(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert write_jpeg(tmp_path / "a.jpg", noise, 100_000) == (tmp_path / "a.jpg").stat().st_size
    smaller = write_jpeg(tmp_path / "b.jpg", noise, 4_000)
    assert smaller <= 4_000
    with pytest.raises(CliError, match=r"c\.jpg: takes more than 1 kB"):
        write_jpeg(tmp_path / "c.jpg", noise, 1_000)
    assert not (tmp_path / "c.jpg").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "has no pair m3fd/00061"),
        (("--row", "msrs/00001D", "hot", "auto"), "--row msrs/00001D: is not in validation.txt"),
        (("--row", PAIR, "hot", "maybe"), "the last word is auto or off"),
        (("--row", PAIR, "a balloon", "auto"), "--row msrs/00006N 'a balloon': 'balloon' cannot be located"),
        (("--row", PAIR, "hot", "auto", "--output", "s.png"), "ends in .jpg"),
        (("--row", PAIR, "hot", "auto", "--steps", "3"), "--steps 3"),
        (("--row", PAIR, "hot", "auto", "--strength", "-1"), "--strength -1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], reason: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sheet(data, tmp_path / "s.jpg", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
    assert not (tmp_path / "s.jpg").exists()
