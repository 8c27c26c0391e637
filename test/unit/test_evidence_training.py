"""`textdifuse train-evidence`: what it draws, that it repeats and resumes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import textdifuse

from textdifuse_ros.imaging import evidence
from textdifuse_ros.imaging.evidence import FAULTS, TOLD, TOLD_OF
from textdifuse_ros.simulation import StreetSequence
from textdifuse_ros.train import evidence as training
from textdifuse_ros.train.degrade import DEGRADATIONS, Draw, degrade
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.evidence import EvidenceTraining, judged, train
from textdifuse_ros.train.evidence_examples import (
    Examples,
    _example,
    as_another_camera,
    draw_examples,
    edged,
    load_scenes,
    turned,
    undoing,
)

SMALL = EvidenceTraining(parts=2, epochs=2, batch=16)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for folder, seed in (("pennfudan", 1), ("msrs", 2)):
        (root / folder / "vis").mkdir(parents=True)
        street = StreetSequence(160, 120, seed=seed)
        for index in range(6):
            picture = street.render(index * 7.0).rgb
            cv2.imwrite(str(root / folder / "vis" / f"made{index}.png"), picture[..., ::-1])
    return root


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PART", 24)


def test_the_same_part_is_drawn_again(data: Path) -> None:
    scenes = load_scenes(data)
    first, again = (draw_examples(scenes, 7, 3, 8) for _ in range(2))
    assert np.array_equal(first.numbers, again.numbers) and np.array_equal(first.levels, again.levels)
    other = draw_examples(scenes, 7, 4, 8)
    assert not np.array_equal(first.numbers, other.numbers)


def test_examples_say_what_was_done_to_them(data: Path) -> None:
    scenes = load_scenes(data)
    examples = draw_examples(scenes, 1, 0, 200)
    assert examples.levels.shape == (200, len(TOLD_OF))
    sound = (examples.levels[:, : len(FAULTS)] == 0).all(axis=1)
    assert 0.2 < sound.mean() < 0.5
    assert (examples.levels.max(axis=0) > 0.5).all()
    assert set(examples.scenes) == set(range(12))


def test_another_camera_stays_in_range() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    for seed in range(20):
        seen = as_another_camera(picture, np.random.default_rng(seed))
        assert seen.dtype == np.float32 and seen.min() >= 0 and seen.max() <= 1


def test_smoke_is_told_and_is_no_fault(data: Path) -> None:
    levels = draw_examples(load_scenes(data), 1, 0, 200).levels
    smoky, sound = levels[:, TOLD_OF.index("smoke")] > 0, (levels[:, : len(FAULTS)] == 0).all(axis=1)
    assert smoky[sound].any() and not smoky[sound].all()


def test_a_camera_is_now_and_then_turned_exchanged_or_without_colours() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    seen = [turned(picture, np.random.default_rng(seed)) for seed in range(100)]
    assert {each.shape for each in seen} == {(12, 16, 3), (16, 12, 3)}
    assert any((each[..., :1] == each).all() for each in seen)
    assert any(np.array_equal(each, picture[..., ::-1]) for each in seen)
    assert sum(np.array_equal(each, picture) for each in seen) > 50


def test_edges_are_black_and_what_is_within_stays() -> None:
    picture = np.random.default_rng(0).integers(1, 256, (60, 80, 3), np.uint8)
    seen = [edged(picture, np.random.default_rng(seed)) for seed in range(100)]
    for each in seen:
        black = (each == 0).all(axis=2)
        assert np.array_equal(each[~black], picture[~black])
        assert not black[30, 40] and black.mean() < 0.7
    changed = sum(not np.array_equal(each, picture) for each in seen)
    assert 0 < changed < 30


def test_a_cast_counts_by_how_far_channels_went_apart(data: Path) -> None:
    scenes, index = load_scenes(data), FAULTS.index("colour_cast")
    casts = [_example(scenes, np.random.default_rng(seed))[1][index] for seed in range(150)]
    found = [each for each in casts if each > 0]
    assert len(found) > 5 and max(found) <= 1 and min(found) < 0.5


def test_what_undoes_a_darkening_is_its_inverse() -> None:
    picture = np.random.default_rng(1).uniform(0.2, 0.9, (24, 32, 3)).astype(np.float32)
    draws = [Draw(DEGRADATIONS["colour_cast"], 0.6, 3), Draw(DEGRADATIONS["over_exposure"], 0.05, 4)]
    spoilt = degrade(picture, np.zeros(picture.shape[:2], np.float32), draws).visible
    mean = spoilt.mean(axis=(0, 1))
    tone = undoing(picture, draws, mean)
    again = np.exp(tone[:3]) * (spoilt - mean) + mean + tone[3:]
    within = (spoilt > 0.01) & (spoilt < 0.99)
    assert np.abs(again - picture)[within].max() < 0.01


def test_nothing_undoes_what_is_no_matter_of_levels() -> None:
    picture = np.full((8, 8, 3), 0.5, np.float32)
    assert not undoing(picture, [Draw(DEGRADATIONS["fog"], 1.0, 3)], picture.mean(axis=(0, 1))).any()


@pytest.mark.usefixtures("small_parts")
def test_a_training_writes_a_file_that_loads_and_repeats(data: Path, tmp_path: Path) -> None:
    paths = [train(data, tmp_path / name, SMALL) for name in ("a", "b")]
    first, second = (evidence.load(path) for path in paths)
    picture = cv2.imread(str(data / "msrs" / "vis" / "made0.png"))
    assert picture is not None
    assert (
        first.look(np.asarray(picture, np.uint8)).levels == second.look(np.asarray(picture, np.uint8)).levels
    )


@pytest.mark.usefixtures("small_parts")
def test_parts_that_are_there_are_not_drawn_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(data, tmp_path, SMALL)
    drawn: list[int] = []
    draw = training._draw_part

    def watched(data: Path, output: Path, seed: int, part: int, camera: str) -> int:
        drawn.append(part)
        return draw(data, output, seed, part, camera)

    monkeypatch.setattr(training, "_draw_part", watched)
    (tmp_path / "examples-001.npz").unlink()
    train(data, tmp_path, SMALL)
    assert drawn == [1]


@pytest.mark.usefixtures("small_parts")
def test_examples_of_another_seed_are_refused(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path, SMALL)
    with pytest.raises(TrainingError, match="examples with seed 7, now it is 8; take another --output"):
        train(data, tmp_path, EvidenceTraining(parts=2, epochs=2, seed=8))


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("broken", [b"no", b"PK\x03\x04 cut off"])
def test_a_broken_part_is_named(data: Path, tmp_path: Path, broken: bytes) -> None:
    train(data, tmp_path, SMALL)
    (tmp_path / "examples-000.npz").write_bytes(broken)
    with pytest.raises(TrainingError, match=r"examples-000\.npz: cannot be read .*delete it"):
        train(data, tmp_path, SMALL)


def test_what_was_held_back_is_judged_by_what_sound_pictures_reach() -> None:
    class Told:
        def of(self, numbers: np.ndarray) -> np.ndarray:
            return np.repeat(numbers[:, :1], TOLD, axis=1)

    levels = np.zeros((4, len(TOLD_OF)), np.float32)
    levels[2:, 0] = 0.5
    numbers = np.array([[0.1], [0.2], [0.15], [0.9]], np.float32)
    report = judged(Told(), Examples(numbers, levels, np.zeros((4, 6), np.float32), np.arange(4)))  # type: ignore[arg-type]
    assert report["low_light"]["sound_0.999"] == pytest.approx(0.2, abs=0.001)
    assert report["low_light"]["found_0.4"] == 0.5
    assert report["fog"]["found_0.4"] == 0.0


def test_a_folder_without_pictures_is_one_line(tmp_path: Path) -> None:
    result = textdifuse("train-evidence", "--data", tmp_path, "--output", tmp_path / "out")
    assert result.returncode == 2
    assert "no images; one of msrs128, msrs" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_field_that_is_none_is_one_line(tmp_path: Path) -> None:
    arguments = ("--data", tmp_path, "--output", tmp_path / "out", "--set", "parts=0")
    result = textdifuse("train-evidence", *arguments)
    assert result.returncode == 2
    assert "parts is 0; it must be" in result.stderr
