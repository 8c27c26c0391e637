"""Fusion metrics inside the prompted region."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import save, scene
from small_networks import save_network

from textdifuse_ros.cli.main import main
from textdifuse_ros.evaluation import metrics, region_metrics


def source(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (96, 128)).astype(np.float32)
    return np.asarray(
        cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 20, 230, cv2.NORM_MINMAX), np.uint8
    )


def left() -> np.ndarray:
    """Relevance 1 left of the middle."""
    where = np.zeros((96, 128))
    where[:, :64] = 1
    return where


def test_a_region_of_everything_gives_the_metrics_of_the_frame() -> None:
    visible, thermal = source(1), source(2)
    fused = np.asarray((visible.astype(int) + thermal) // 2, np.uint8)
    whole, region = (
        metrics.evaluate(fused, visible, thermal),
        region_metrics.evaluate(fused, visible, thermal, np.full(fused.shape, 0.3)),
    )
    assert list(region) == list(region_metrics.NAMES)
    assert region["tVIF"] == pytest.approx(whole["VIF"]) and region["tQabf"] == pytest.approx(whole["Qabf"])
    assert region["tVIF"] == pytest.approx(region["tVIF_V"] + region["tVIF_I"])


def test_only_what_is_inside_counts() -> None:
    visible, thermal = source(1), source(2)
    fused = thermal.copy()
    fused[:, 80:] = 128  # spoilt, well outside the region
    spoilt = region_metrics.evaluate(fused, visible, thermal, left())
    assert spoilt["tQabf_I"] == pytest.approx(
        region_metrics.evaluate(thermal, visible, thermal, left())["tQabf_I"], abs=1e-9
    )
    assert (
        spoilt["tVIF_I"] > 0.95
        and spoilt["tVIF_I"] > 1.3 * region_metrics.evaluate(fused, visible, thermal, 1 - left())["tVIF_I"]
    )


def test_each_source_is_judged_by_itself() -> None:
    visible, thermal = source(1), source(2)
    of_thermal = region_metrics.evaluate(thermal, visible, thermal, left())
    assert of_thermal["tVIF_I"] == pytest.approx(1) and of_thermal["tVIF_V"] < 0.3
    assert of_thermal["tQabf_I"] > 0.95 > 0.6 > of_thermal["tQabf_V"]
    swapped = region_metrics.evaluate(thermal, thermal, visible, left())
    assert swapped["tVIF_V"] == of_thermal["tVIF_I"] and swapped["tQabf_V"] == of_thermal["tQabf_I"]


def test_relevance_counts_by_its_shape_not_by_its_strength() -> None:
    visible, thermal, fused = source(1), source(2), source(3)
    weak = region_metrics.evaluate(fused, visible, thermal, 0.2 * left())
    strong = region_metrics.evaluate(fused, visible, thermal, left())
    assert weak == {name: pytest.approx(value) for name, value in strong.items()}


def test_a_handful_of_pixels_is_no_region() -> None:
    speck = np.zeros((480, 640))
    speck[:10, :10] = 1
    assert not region_metrics.is_region(speck) and region_metrics.is_region(left())


@pytest.mark.parametrize(
    ("relevance", "reason"),
    [
        (np.zeros((96, 128)), "no region to judge"),
        (left() - 0.5, "no region"),
        (np.ones((9, 9)), "sizes differ"),
    ],
)
def test_what_cannot_be_judged_is_named(relevance: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        region_metrics.evaluate(source(1), source(2), source(3), relevance)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("region")
    colour, thermal = scene(96, 64)
    for name, heat in (("cold", np.full((64, 96), 50, np.uint8)), ("warm", thermal)):
        save(root / "rgb" / f"{name}.png", colour)
        save(root / "ir" / f"{name}.png", heat)
    save_network(root / "weights.safetensors")
    return root


def evaluated(folder: Path, *words: str) -> list[str]:
    return ["evaluate", "--rgb", str(folder / "rgb"), "--thermal", str(folder / "ir"), "--dtype", "fp32",
            "--weights", str(folder / "weights.safetensors"), "--localiser", "heat", *words]  # fmt: skip


def test_a_prompt_adds_the_metrics_of_its_region_to_every_row(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = evaluated(folder, "--method", "fused,max", "--prompt", "warm objects, keep the night look")
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    for row in (report, *report["others"]):
        region = row["prompted_region"]
        assert [each["name"] for each in region["images"]] == ["warm"]  # nothing is warm in the other one
        assert list(region["mean"]) == list(region_metrics.NAMES)
        assert len(row["images"]) == 2
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].split() == ["prompted", "region", *region_metrics.NAMES]
    assert lines[7] == "1 images have something of 'warm objects, keep the night look'"


@pytest.mark.parametrize("prompt", ["", "no warm objects", "denoise"])
def test_without_anything_to_stand_out_there_is_no_region(
    prompt: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(evaluated(folder, "--method", "max", "--prompt", prompt, "--json")) == 0
    assert "prompted_region" not in json.loads(capsys.readouterr().out)
