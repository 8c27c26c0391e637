"""Flicker, repeatability and locality: pure figures, and `textdifuse steadiness` on clips of three frames."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import save
from numpy.typing import NDArray
from small_networks import save_network

from textdifuse_ros.cli import steadiness as command
from textdifuse_ros.cli.main import main
from textdifuse_ros.cli.methods import Method
from textdifuse_ros.evaluation.steadiness import (
    OFF_GRID,
    Agreement,
    Change,
    Entry,
    crop_agreement,
    entry_of_a_hot_object,
    inner,
    ratio,
    reach_of_a_hot_object,
)

Bytes = NDArray[np.uint8]


def frame(height: int, width: int) -> tuple[Bytes, Bytes]:
    rng = np.random.default_rng(8)
    rgb = rng.integers(0, 200, (height, width, 3)).astype(np.uint8)
    return rgb, rng.integers(0, 200, (height, width)).astype(np.uint8)


def local(rgb: Bytes, thermal: Bytes) -> Bytes:
    """Looks five pixels far."""
    blurred = cv2.blur(thermal, (11, 11))
    return np.asarray(cv2.addWeighted(rgb, 0.5, cv2.merge([blurred] * 3), 0.5, 0), np.uint8)


def everywhere(rgb: Bytes, thermal: Bytes) -> Bytes:
    """Adds the mean of the whole thermal image."""
    return np.asarray(cv2.add(rgb, np.full_like(rgb, round(thermal.mean() / 4))), np.uint8)


def test_change_is_the_mean_step_from_frame_to_frame() -> None:
    change = Change()
    assert change.mean == 0
    for level in (10, 14, 12):
        change.see(np.full((4, 4), level, np.uint8))
    assert change.mean == 3
    assert ratio(change.mean, 2.0) == 1.5 and ratio(change.mean, 0.0) is None


@pytest.mark.parametrize(
    ("side", "span"),
    [(640, (160, 480)), (480, (128, 352)), (240, (80, 160)), (176, (80, 96)), (160, None), (64, None)],
)
def test_a_crop_begins_on_the_grid_and_inside_the_frame(side: int, span: tuple[int, int] | None) -> None:
    assert inner(side) == span


def test_a_local_fusion_does_not_notice_the_crop() -> None:
    rgb, thermal = frame(240, 256)
    assert crop_agreement(local, rgb, thermal, local(rgb, thermal)) == Agreement(0, 0.0)


def test_a_fusion_that_looks_everywhere_notices_the_crop() -> None:
    rgb, thermal = frame(240, 256)
    thermal[:10] = 255
    found = crop_agreement(everywhere, rgb, thermal, everywhere(rgb, thermal))
    assert found is not None and found.highest >= found.percentile_99 > 0


def test_a_frame_without_room_for_a_crop_has_no_figure() -> None:
    rgb, thermal = frame(100, 400)
    assert crop_agreement(local, rgb, thermal, local(rgb, thermal)) is None


def test_a_hot_object_stays_where_it_is_in_a_local_fusion() -> None:
    rgb, thermal = frame(120, 320)
    found = reach_of_a_hot_object(local, rgb, thermal, local(rgb, thermal))
    assert found is not None and found.there > 30 and (found.far, found.far_highest) == (0, 0)
    assert thermal.max() < 255  # the frame itself is left alone


def test_a_hot_object_is_seen_far_away_where_a_fusion_looks_everywhere() -> None:
    rgb, thermal = frame(120, 320)
    found = reach_of_a_hot_object(everywhere, rgb, thermal, everywhere(rgb, thermal))
    assert found is not None and found.far > 0.5
    small = frame(64, 64)
    assert reach_of_a_hot_object(everywhere, *small, everywhere(*small)) is None


def test_a_crop_beside_the_grid_is_found_out_where_a_fusion_works_on_cells() -> None:
    def on_cells(rgb: Bytes, thermal: Bytes) -> Bytes:
        whole = np.repeat(np.repeat(thermal[::16, ::16], 16, axis=0), 16, axis=1)[: len(thermal)]
        return cv2.merge([np.ascontiguousarray(whole[:, : thermal.shape[1]])] * 3).astype(np.uint8)

    rgb, thermal = frame(240, 256)
    seen = (rgb, thermal, on_cells(rgb, thermal))
    assert crop_agreement(on_cells, *seen) == Agreement(0, 0.0)
    beside = crop_agreement(on_cells, *seen, OFF_GRID)
    assert beside is not None and beside.percentile_99 > 20
    assert crop_agreement(local, rgb, thermal, local(rgb, thermal), OFF_GRID) == Agreement(0, 0.0)
    assert inner(480, 5) == (133, 357) and inner(225, 0) == (80, 160) and inner(225, 5) == (85, 149)


def test_an_object_that_comes_in_changes_nothing_beyond_a_margin_in_a_local_fusion() -> None:
    rgb, thermal = frame(120, 320)
    assert entry_of_a_hot_object(local, rgb, thermal, local(rgb, thermal)) == Entry(0.0, 0)
    found = entry_of_a_hot_object(everywhere, rgb, thermal, everywhere(rgb, thermal))
    assert found is not None and found.highest >= found.mean > 0.5
    assert thermal.max() < 255  # the frame itself is left alone
    narrow = frame(64, 140)
    assert entry_of_a_hot_object(local, *narrow, local(*narrow)) is None


def test_a_jump_in_one_frame_alone_is_what_an_entry_is_judged_by() -> None:
    rgb, thermal = frame(120, 320)
    seen: list[int] = []

    def jumping(rgb: Bytes, thermal: Bytes) -> Bytes:
        seen.append(int(np.flatnonzero((thermal == 255).any(axis=0)).max()) + 1)
        return np.full_like(rgb, 100 if seen[-1] < 64 else 109)

    found = entry_of_a_hot_object(jumping, rgb, thermal, np.full_like(rgb, 100))
    assert seen == [8 * number for number in range(1, 13)]
    assert found == Entry(9.0, 9)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three frames: RGB brightens by 4 and 8 levels, thermal by 1 and 1."""
    root = tmp_path_factory.mktemp("clips")
    rgb, thermal = frame(64, 64)
    for number, (more, warmer) in enumerate(((0, 0), (4, 1), (12, 2))):
        save(root / "rgb" / f"{number}.png", (rgb // 2 + 20 + more).astype(np.uint8))
        save(root / "ir" / f"{number}.png", (thermal // 2 + warmer).astype(np.uint8))
    save_network(root / "weights.safetensors")
    return root


def steadiness(clips: Path, *words: str) -> int:
    folders = ["--rgb", str(clips / "rgb"), "--thermal", str(clips / "ir")]
    weights = ["--weights", str(clips / "weights.safetensors"), "--dtype", "fp32"]
    return main(["steadiness", *folders, *weights, *words])


def test_change_is_reported_over_the_larger_and_over_the_mean_camera(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steadiness(clips, "--json", "--steps", "1,2") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == 3 and report["sources"] == {"rgb": pytest.approx(6, abs=0.1), "thermal": 1}
    assert list(report["methods"]) == ["1 step", "2 steps", "mean", "max", "detail"]
    mean = report["methods"]["mean"]
    assert mean["change"] == pytest.approx(3.5, abs=0.2)
    assert mean["over_larger"] == pytest.approx(mean["change"] / report["sources"]["rgb"], abs=1e-3)
    assert mean["over_mean"] == pytest.approx(mean["change"] / 3.5, abs=0.05)
    assert all(row["same_bits_twice"] for row in report["methods"].values())
    assert mean["crop"] is None and mean["hot_object"] is None
    assert mean["any_crop"] is None and mean["hot_object_enters"] is None
    assert list(report["fused_by"]) == ["1 step", "2 steps"]


def test_only_the_frames_asked_for_are_taken(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert steadiness(clips, "--frames", "2", "--method", "max,rgb") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["method", "max", "rgb"]
    assert lines[2].split()[2] == "1.000"  # the RGB camera against itself, the livelier of the two
    assert "2 frames" in lines[4]


def test_a_method_with_a_memory_is_found_out(
    clips: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = [np.zeros((64, 64, 3), np.uint8)]

    def smoothed(rgb: Bytes, thermal: Bytes) -> Bytes:
        last[0] = np.asarray(cv2.addWeighted(rgb, 0.5, last[0], 0.5, 0), np.uint8)
        return last[0]

    monkeypatch.setattr(command, "make_methods", lambda *_: [Method("smoothed", smoothed)])
    assert steadiness(clips, "--json") == 0
    assert json.loads(capsys.readouterr().out)["methods"]["smoothed"]["same_bits_twice"] is False


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("--frames", "1"), "--frames 1: must be 2"), (("--rgb", "gone.mp4"), "gone.mp4"),
     (("--method", "best"), "--method 'best'")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], reason: str, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steadiness(clips, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and reason in captured.err
