"""`textdifuse fuse` as a person runs it: the real command in a process of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import files, load, refused, save, scene, textdifuse


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    colour, thermal = scene()
    return save(tmp_path / "rgb.png", colour), save(tmp_path / "thermal.png", thermal)


def test_two_files_become_one_png_and_a_salience_map(pair: tuple[Path, Path], tmp_path: Path) -> None:
    rgb, thermal = pair
    output, salience = tmp_path / "new folder" / "füsed.png", tmp_path / "map.png"
    result = textdifuse("fuse", "--rgb", rgb, "--thermal", thermal, "--output", output,
                        "--salience", salience, "--prompt", "warm objects*1.5", "--threads", 1)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    fused, relevance = load(output), load(salience)
    assert fused.shape == (64, 96, 3) and fused.dtype == np.uint8
    assert relevance.shape == (64, 96) and relevance.dtype == np.uint8
    assert relevance[32, 72] > 200 and relevance[:, :40].max() < 30
    assert files(tmp_path) == ["map.png", "new folder/füsed.png", "rgb.png", "thermal.png"]
    again = tmp_path / "again.png"
    assert textdifuse("fuse", "--rgb", rgb, "--thermal", thermal, "--output", again,
                      "--prompt", "warm objects*1.5", "--threads", 1).returncode == 0  # fmt: skip
    assert again.read_bytes() == output.read_bytes()


def test_directories_pair_by_stem_whatever_kind_the_files_are(tmp_path: Path) -> None:
    colour, thermal = scene()
    rgb_folder, thermal_folder = tmp_path / "rgb images", tmp_path / "thermal"
    save(rgb_folder / "colour.jpg", colour)
    save(rgb_folder / "grey.png", cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY))
    save(rgb_folder / "rgba.png", cv2.cvtColor(colour, cv2.COLOR_BGR2BGRA))
    save(rgb_folder / "nacht 夜.bmp", colour)
    save(rgb_folder / "only_rgb.png", colour)
    (rgb_folder / "notes.txt").write_text("not an image")
    save(thermal_folder / "colour.png", thermal)
    save(thermal_folder / "grey.tiff", thermal.astype(np.uint16) * 20 + 7000)
    save(thermal_folder / "rgba.png", cv2.resize(thermal, (40, 30)).astype(np.uint16) * 20 + 7000)
    save(thermal_folder / "nacht 夜.tif", cv2.resize(thermal, (200, 150)).astype(np.float32) / 7 + 20)
    save(thermal_folder / "only_thermal.png", thermal)
    output, salience = tmp_path / "out", tmp_path / "maps"
    result = textdifuse("fuse", "--rgb", rgb_folder, "--thermal", thermal_folder, "--output", output,
                        "--salience", salience, "--prompt", "hot", "--steps", 2)  # fmt: skip
    assert result.returncode == 0, result.stderr
    stems = ["colour.png", "grey.png", "nacht 夜.png", "rgba.png"]
    assert files(output) == files(salience) == stems
    assert result.stderr == ""
    assert "only_rgb.png" in result.stdout and "only_thermal.png" in result.stdout
    for name in stems:
        assert load(output / name).shape == (64, 96, 3)
        relevance = load(salience / name)
        assert relevance[32, 72] > 200 and relevance[:, :30].max() < 60, name


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--prompt", "a red balloon"], ["--prompt", "'red balloon'", "nearest phrase", "character 3"]),
        (["--prompt", "hot*7"], ["--prompt", "from 0 to 2", "character 5"]),
        (["--prompt=-unicorns"], ["'unicorns'"]),
        (["--prompt", "hot\nthings"], ["one line"]),
        (["--steps", "3"], ["--steps 3", "use 1, 2, 4 or teacher"]),
        (["--steps", "3"], ["--steps 3"]),
        (["--restore", "maybe"], ["--restore maybe", "auto or off"]),
        (["--strength", "2.5"], ["--strength 2.5", "between 0 and 2"]),
        (["--strength", "nan"], ["--strength nan"]),
    ],
)
def test_an_option_that_cannot_be_followed_is_refused(
    pair: tuple[Path, Path], tmp_path: Path, extra: list[str], words: list[str]
) -> None:
    result = textdifuse(
        "fuse", "--rgb", pair[0], "--thermal", pair[1], "--output", tmp_path / "o.png", *extra
    )
    refused(result, *words)
    assert files(tmp_path) == ["rgb.png", "thermal.png"]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--engine", "warp"], ["engine 'warp'"]),
        (["--device", "tpu"], ["'tpu'"]),
        (["--dtype", "int3"], ["'int3'"]),
        (["--weights", "missing.safetensors"], ["missing.safetensors", "no such file"]),
        (["--threads", "100000"], ["--threads 100000: must lie between 0, torch's choice, and 256"]),
    ],
)
def test_an_engine_that_is_not_there_is_refused(
    pair: tuple[Path, Path], tmp_path: Path, extra: list[str], words: list[str]
) -> None:
    result = textdifuse(
        "fuse", "--rgb", pair[0], "--thermal", pair[1], "--output", tmp_path / "o.png", *extra
    )
    refused(result, *words)
    assert files(tmp_path) == ["rgb.png", "thermal.png"]


@pytest.mark.parametrize("which", ["rgb", "thermal"])
@pytest.mark.parametrize(
    ("damage", "word"),
    [("missing", "no such file"), ("empty", "empty"), ("text", "not an image"), ("cut", "cut short")],
)
def test_a_bad_input_is_named_and_nothing_is_written(
    pair: tuple[Path, Path], tmp_path: Path, which: str, damage: str, word: str
) -> None:
    bad = pair[0] if which == "rgb" else pair[1]
    content = {"empty": b"", "text": b"hello", "cut": bad.read_bytes()[:-40], "missing": b""}[damage]
    bad.write_bytes(content)
    if damage == "missing":
        bad.unlink()
    output = tmp_path / "deep" / "o.png"
    refused(textdifuse("fuse", "--rgb", pair[0], "--thermal", pair[1], "--output", output), bad, word)
    assert not output.parent.exists()


def test_one_bad_file_in_a_directory_stops_everything_before_the_first_output(tmp_path: Path) -> None:
    colour, thermal = scene()
    for name in ("a", "b", "c"):
        save(tmp_path / "rgb" / f"{name}.png", colour)
        save(tmp_path / "ir" / f"{name}.png", thermal)
    (tmp_path / "ir" / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = textdifuse(
        "fuse", "--rgb", tmp_path / "rgb", "--thermal", tmp_path / "ir", "--output", tmp_path / "out"
    )
    refused(result, tmp_path / "ir" / "c.png", "header")
    assert not (tmp_path / "out").exists()


def test_an_input_is_never_overwritten(pair: tuple[Path, Path], tmp_path: Path) -> None:
    before = pair[0].read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(pair[0])
    for target in (pair[0], link, tmp_path / "." / "rgb.png"):
        refused(textdifuse("fuse", "--rgb", pair[0], "--thermal", pair[1], "--output", target), "is an input")
    shutil.copy(pair[1], tmp_path / "same_thermal.png")
    same_stem = save(tmp_path / "ir" / "rgb.png", load(pair[1]))
    result = textdifuse("fuse", "--rgb", pair[0], "--thermal", same_stem, "--output", tmp_path)
    refused(result, "rgb.png", "is an input")
    assert pair[0].read_bytes() == before


def test_targets_that_cannot_be_are_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    rgb, thermal = pair
    common = ("fuse", "--rgb", rgb, "--thermal", thermal, "--output")
    refused(textdifuse(*common, tmp_path / "o.jpg"), "o.jpg", ".png")
    refused(textdifuse(*common, tmp_path / "o.png", "--salience", tmp_path / "o.png"), "twice")
    refused(textdifuse("fuse", "--rgb", tmp_path, "--thermal", thermal, "--output", "o"), "not one of each")
    result = textdifuse("fuse", "--rgb", tmp_path, "--thermal", tmp_path, "--output", thermal)
    refused(result, thermal, "is a file")


def test_a_target_that_cannot_be_written_is_named(pair: tuple[Path, Path], tmp_path: Path) -> None:
    blocked = tmp_path / "rgb.png" / "o.png"  # its folder would have to be a file
    refused(
        textdifuse("fuse", "--rgb", pair[0], "--thermal", pair[1], "--output", blocked), "cannot be written"
    )
    assert files(tmp_path) == ["rgb.png", "thermal.png"]


def test_a_name_that_no_file_can_have_is_one_line(pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = textdifuse("fuse", "--rgb", "x" * 300, "--thermal", pair[1], "--output", tmp_path / "o.png")
    refused(result, "x" * 300)


def test_folders_that_do_not_match_are_refused(tmp_path: Path) -> None:
    colour, thermal = scene()
    save(tmp_path / "rgb" / "a.png", colour)
    save(tmp_path / "ir" / "b.png", thermal)
    common = ("fuse", "--rgb", tmp_path / "rgb", "--thermal", tmp_path / "ir", "--output", tmp_path / "out")
    refused(textdifuse(*common), "no file name")
    save(tmp_path / "ir" / "b.jpg", thermal)
    refused(textdifuse(*common), "b.png", "b.jpg", "keep one")
    (tmp_path / "empty").mkdir()
    refused(textdifuse(*common[:4], tmp_path / "empty", *common[5:]), tmp_path / "empty", "no images")


def test_images_that_are_too_small_are_named(tmp_path: Path) -> None:
    colour, thermal = scene(40, 12)
    rgb, ir = save(tmp_path / "rgb.png", colour), save(tmp_path / "ir.png", thermal)
    result = textdifuse("fuse", "--rgb", rgb, "--thermal", ir, "--output", tmp_path / "o.png")
    refused(result, rgb, "40x12 is too small")


def test_a_thermal_image_without_a_finite_value_is_named(tmp_path: Path) -> None:
    colour, thermal = scene()
    rgb = save(tmp_path / "rgb.png", colour)
    nan = save(tmp_path / "nan.tiff", np.full(thermal.shape, np.nan, np.float32))
    refused(textdifuse("fuse", "--rgb", rgb, "--thermal", nan, "--output", tmp_path / "o.png"), nan)
