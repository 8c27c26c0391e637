"""Data, degradations, losses and the frozen detector."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from training_samples import write_data

from textdifuse_ros.model.controls import ALL, AUTO, CONTROLS, ENHANCE, NONE, controls, wholly
from textdifuse_ros.train import losses
from textdifuse_ros.train.batches import _with_flat_part
from textdifuse_ros.train.data import (
    DATA_SETS,
    DataSet,
    Pair,
    load_folder,
    load_training,
    random_crop,
    read_boxes,
)
from textdifuse_ros.train.degrade import (
    DEGRADATIONS,
    DRIFT,
    Draw,
    a_moment_later,
    degrade,
    draw,
    draw_asked,
    draw_controls,
    guessable,
)
from textdifuse_ros.train.detector import ROAD_CLASSES, FrozenDetector, cells_inside, of_cells
from textdifuse_ros.train.errors import TrainingError
from textdifuse_ros.train.stills import validation_names

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def scene(size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    visible = cv2.GaussianBlur(rng.random((size, size, 3), dtype=np.float32), (0, 0), 2)
    thermal = cv2.GaussianBlur(rng.random((size, size), dtype=np.float32), (0, 0), 2)
    return visible, thermal


def test_box_of_an_unknown_class_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n")
    boxes = read_boxes(tmp_path / "x.txt", ["Lamp", "People"])
    assert boxes.tolist() == [
        [0, pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.1), pytest.approx(0.1)]
    ]


def test_a_box_file_that_is_none_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 .5 .5 .1 .1\n7 .2 .2 .1 .1\n")
    with pytest.raises(TrainingError, match=r"x\.txt, line 2: .* among the 2 of classes\.txt"):
        read_boxes(tmp_path / "x.txt", ["Lamp", "People"])


def test_folders_that_are_not_there_are_left_out_and_own_ones_are_taken(tmp_path: Path) -> None:
    write_data(tmp_path)
    shutil.rmtree(tmp_path / "msrs")
    (tmp_path / "llvip" / "vis").rename(tmp_path / "llvip" / "rgb")
    found = [each.name for each, _ in load_training(tmp_path)]
    assert found == [each.name for each in DATA_SETS if each.name not in ("msrs", "llvip")]
    (tmp_path / "m3fd").rename(tmp_path / "mine")
    own = (DataSet("mine", 1.0, (0.5, 1.0)),)
    assert [(each.name, len(pairs)) for each, pairs in load_training(tmp_path, own)] == [("mine", 2)]


def test_a_folder_without_any_pairs_and_a_broken_image_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no pairs; one of msrs128, msrs, .* vis/ and ir/ inside"):
        load_training(tmp_path)
    write_data(tmp_path)
    (tmp_path / "m3fd" / "vis" / "a.png").write_bytes(b"not a picture")
    with pytest.raises(TrainingError, match=r"m3fd.vis.a\.png: .*cannot be read as an image"):
        load_training(tmp_path)


def test_crop_moves_its_boxes_along() -> None:
    thermal = np.zeros((100, 200), np.uint8)
    thermal[40:60, 120:140] = 255
    pair = Pair(
        "p", np.repeat(thermal[..., None], 3, 2), thermal, np.array([[0, 0.65, 0.5, 0.1, 0.2]], np.float32)
    )
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(30):
        crop = random_crop(pair, (1.0, 2.0), 96, rng)
        assert crop.thermal.shape == (96, 96)
        for _, x, y, _w, _h in crop.boxes:
            hits += 1
            assert crop.thermal[min(int(y * 96), 95), min(int(x * 96), 95)] > 128
    assert hits > 5


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_each_degradation_changes_its_camera_alone_and_says_how_much(name: str) -> None:
    visible, thermal = scene()
    state = degrade(visible, thermal, [Draw(DEGRADATIONS[name], 0.7, 1)])
    assert list(state.log) == [name]
    of_thermal = name.startswith("thermal")
    assert np.array_equal(state.visible, visible) == of_thermal
    assert np.array_equal(state.thermal, thermal) != of_thermal


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_degradation_grows_with_its_level_and_its_control_takes_it_back(name: str) -> None:
    visible, thermal = scene()
    kind = DEGRADATIONS[name]

    def changed(level: float, removed: float = 0.0) -> float:
        wish = controls({kind.control: removed}, NONE)
        state = degrade(visible, thermal, [Draw(kind, level, 3)], wish)
        away = np.abs(state.visible - visible).mean() + np.abs(state.thermal - thermal).mean()
        return float(away)

    mild, strong = changed(0.3), changed(1.0)
    assert 0 < mild < strong
    whole = wholly(kind.control)  # beyond that somebody says that it is there
    assert changed(1.0, removed=whole) == changed(1.0, removed=1.0) == 0
    assert changed(1.0, removed=0.7 * whole) == pytest.approx(mild, rel=1e-3)


def test_where_glare_blinded_the_camera_the_goal_is_a_level_and_not_hidden() -> None:
    visible, thermal = scene()
    visible = np.repeat(np.clip(4 * (thermal - 0.5) + 0.3, 0, 1)[..., None], 3, axis=2)
    glare = [Draw(DEGRADATIONS["over_exposure"], 1.0, 3)]
    seen, clean = degrade(visible, thermal, glare), degrade(visible, thermal, glare, ALL)
    goal, lost = guessable(clean, seen), seen.clipped > 0.9
    assert lost.any() and (seen.transmission == 1).all()
    assert np.ptp(goal.visible[lost]) < 0.5 * np.ptp(visible[lost])
    assert np.abs(goal.visible - visible)[seen.clipped < 0.01].max() < 0.01
    assert float(goal.visible[lost].mean()) < float(seen.visible[lost].mean()) - 0.1
    assert guessable(seen, seen) is seen  # who does not ask keeps the glare as it was seen


def test_a_flat_part_is_flat_in_both_cameras_and_what_it_covers_has_no_boxes() -> None:
    rng = np.random.default_rng(5)
    noisy = rng.random((64, 64, 4), dtype=np.float32)
    boxes = np.array([[0, x / 64, y / 64, 0.05, 0.05] for y in range(2, 64, 8) for x in range(2, 64, 8)])
    visible, thermal, kept = _with_flat_part(noisy[..., :3], noisy[..., 3], boxes.astype(np.float32), rng)
    assert visible.dtype == thermal.dtype == np.float32
    untouched = (visible == noisy[..., :3]).all(axis=2)
    rough = cv2.GaussianBlur(np.abs(cv2.Laplacian(thermal, cv2.CV_32F)), (0, 0), 2)
    assert 0.1 < untouched.mean() < 0.9 and (untouched == (thermal == noisy[..., 3])).mean() > 0.99
    assert rough[~untouched].min() < 0.1 * rough[untouched].min()
    at = [untouched[int(y * 64), int(x * 64)] for _, x, y, *_ in boxes]
    assert len(kept) >= sum(at) and 0 < len(kept) < len(boxes)


def test_a_moment_later_smoke_has_drifted_and_the_noise_is_another() -> None:
    before = [Draw(DEGRADATIONS[name], 0.5, 1) for name in ("smoke", "fog", "visible_jpeg", "visible_noise")]
    after = a_moment_later(before, np.random.default_rng(0))
    assert after[2] == before[2]
    assert after[3] == dataclasses.replace(before[3], moment=after[3].moment) != before[3]
    for one, two in zip(before[:2], after[:2], strict=True):
        assert 0 < abs(one.level - two.level) <= 0.5 * DRIFT and one.seed == two.seed


def test_drawn_degradations_are_all_seen_and_low_light_brings_its_noise() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw(rng) for _ in range(600)]
    assert {each.degradation.name for draws in drawn for each in draws} == set(DEGRADATIONS)
    for draws in drawn:
        names = [each.degradation.name for each in draws]
        assert ("low_light" in names) == ("shot_noise" in names)


def test_controls_are_drawn_whole_none_and_mixed() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_controls(rng) for _ in range(200)]
    assert AUTO in drawn and NONE in drawn and controls({"low_light": 1.0}) in drawn
    assert any(0.25 in each for each in drawn)


def test_what_is_asked_for_is_there_for_every_control() -> None:
    rng = np.random.default_rng(2)
    wishes: set[tuple[str, ...]] = set()
    for _ in range(300):
        draws, wanted = draw_asked(rng)
        faults = [each for each in draws if each.degradation.name != "shot_noise"]  # comes with low light
        asked = tuple(fault.degradation.control for fault in faults)
        ones = dict.fromkeys(asked, 1.0)
        assert wanted in (controls(ones), controls(ones, NONE))
        assert all(fault.level >= fault.degradation.least for fault in faults)
        wishes.add(asked)
    assert {each for each in wishes if len(each) == 1} == {(name,) for name in CONTROLS}
    both = {each for each in wishes if len(each) == 2}
    assert both == {(f"visible_{what}", f"thermal_{what}") for what in ("noise", "contrast", "blur")}


def test_nobody_asks_to_remove_what_is_not_there_but_for_what_any_picture_can_follow() -> None:
    rng = np.random.default_rng(1)
    fog = [Draw(DEGRADATIONS["fog"], 0.5, 1)]
    for draws, there in (([], set(ENHANCE)), (fog, {*ENHANCE, "haze"})):
        asked = {
            name
            for _ in range(300)
            for name, value in zip(CONTROLS, draw_controls(rng, draws), strict=True)
            if value > wholly(name)
        }
        assert asked == there


def test_degradation_repeats_by_seed_and_stays_in_range() -> None:
    visible, thermal = scene()
    for seed in range(40):
        one = degrade(visible, thermal, draw(np.random.default_rng(seed)))
        two = degrade(visible, thermal, draw(np.random.default_rng(seed)))
        assert np.array_equal(one.visible, two.visible) and one.log == two.log
        for image in (one.visible, one.thermal, one.transmission):
            assert image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1


def test_target_in_dense_smoke_keeps_its_grey_and_carries_thermal_detail() -> None:
    torch.manual_seed(1)
    visible, thermal = torch.rand(1, 1, 64, 64), torch.full((1, 1, 64, 64), 0.2)
    thermal[..., 24:40, 28:36] = 0.8
    smoke, nothing = torch.full((1, 1, 64, 64), 0.7), torch.zeros(1, 1, 64, 64)
    target = losses.expert(visible, thermal, nothing, smoke, losses.darkness(visible))
    assert float(target[..., 32, 32]) > float(target[..., 32, 4]) + 0.2
    assert float(target[..., 32, 4]) == pytest.approx(0.7, abs=0.05)
    clear = losses.expert(visible, thermal, torch.ones_like(nothing), smoke, losses.darkness(visible))
    assert (clear - visible).abs().mean() < (target - visible).abs().mean()


def test_prompted_target_has_more_contrast_inside_and_is_the_same_outside() -> None:
    target = torch.full((1, 1, 96, 96), 0.4)
    target[..., 40:56, 40:56] = 0.5
    relevance = torch.zeros_like(target)
    relevance[..., 38:58, 38:58] = 1
    raised = losses.salient(target, target, relevance)
    calmed = losses.salient(target, target, -relevance)
    assert raised[..., 48, 48] > target[..., 48, 48] > calmed[..., 48, 48]
    assert torch.equal(raised[..., :30, :30], target[..., :30, :30])


@pytest.mark.parametrize(("level", "way"), [(0.5, 1), (0.3, -1), (0.4, 1)], ids=["bright", "dark", "same"])
def test_a_prompted_object_moves_away_from_its_surroundings_and_up_in_doubt(level: float, way: int) -> None:
    target = torch.full((1, 1, 96, 96), 0.4)
    target[..., 40:56, 40:56] = level
    relevance = torch.zeros_like(target)
    relevance[..., 38:58, 38:58] = 1
    cold = torch.full_like(target, 0.4)  # the thermal image shows nothing of it
    moved = losses.salient(target, cold, relevance) - target
    assert way * moved[..., 44:52, 44:52].mean() > 0.02


def test_strongest_gradient_ignores_the_edges_of_smoke() -> None:
    visible = torch.zeros(1, 1, 8, 8)
    visible[..., 4:] = 1
    thermal = torch.zeros(1, 1, 8, 8)
    assert losses.strongest_gradient(visible, thermal, torch.ones_like(visible)).abs().max() == 1
    assert losses.strongest_gradient(visible, thermal, torch.zeros_like(visible)).abs().max() == 0


def test_detector_loss_is_least_where_fused_reaches_the_better_camera() -> None:
    visible = torch.full((1, 10, 6), -6.0)
    thermal = visible.clone()
    visible[0, 0, 0], thermal[0, 1, 0] = 2.0, 1.5
    labels = torch.zeros_like(visible)
    both = torch.maximum(visible, thermal)
    good = losses.as_good_as_the_best(both, both, labels)
    worse = losses.as_good_as_the_best(visible, both, labels)
    ghost = both.clone()
    ghost[0, 5, 2] = 2.0
    assert good < worse
    assert good < losses.as_good_as_the_best(ghost, both, labels)


def test_a_prompted_object_must_pass_the_better_camera_by_more() -> None:
    best = torch.full((1, 10, 6), -6.0)
    best[0, 0, 0] = 2.0
    fused, labels, prompted = best + 0.6, torch.zeros_like(best), torch.zeros(1, 10, 1)
    prompted[0, 0] = losses.AHEAD + losses.PROMPTED
    assert losses.as_good_as_the_best(fused, best, labels) < 1e-6
    assert losses.as_good_as_the_best(fused, best, labels, prompted) > 0.01


def test_a_cell_holds_the_mean_of_what_it_covers_on_every_stride() -> None:
    image = torch.zeros(1, 1, 64, 64)
    image[..., :8, :8] = 1
    cells = of_cells(image)
    assert cells.shape == (1, 8 * 8 + 4 * 4 + 2 * 2, 1)
    assert cells[0, 0] == 1 and cells[0, 64] == 0.25 and cells[0, 80] == 1 / 16 and cells.sum() == 1.3125


def test_the_camera_that_shows_an_object_better_is_preferred_around_it() -> None:
    visible = torch.full((1, 8 * 8 + 4 * 4 + 2 * 2, 6), -8.0)
    thermal = visible.clone()
    visible[0, 1 * 8 + 1, 0] = 3.0  # stride 8, upper left
    thermal[0, 6 * 8 + 6, 2] = 3.0  # stride 8, lower right
    best = losses.preferred(visible, thermal, 64)
    assert best.shape == (1, 1, 64, 64)
    assert best[0, 0, 12, 12] > 0.9 and best[0, 0, 52, 52] < -0.9
    assert best[0, 0, 4, 60].abs() < 0.01
    same = losses.preferred(visible, visible, 64)
    assert same.min() >= 0 and same[0, 0, 12, 12] > 0.9
    faint = visible.clone()
    faint[0, 1 * 8 + 1, 0] = 0.0  # a score of a half
    assert losses.preferred(faint, visible, 64)[0, 0, 12, 12] < -0.2


def test_labels_fall_on_the_cell_of_the_box() -> None:
    labels = cells_inside([torch.tensor([[2.0, 0.51, 0.26, 0.1, 0.1]])], 224, torch.device("cpu"))
    grid = 224 // 8
    cell = int(0.26 * grid) * grid + int(0.51 * grid)
    assert labels.sum() == 1 and labels[0, cell, ROAD_CLASSES.index(2)] == 1


def test_missing_detector_of_the_loss_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="set detector_weight to 0"):
        FrozenDetector(tmp_path / "yolo.safetensors")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data folder ../shared beside the repository")
def test_validation_frames_never_train() -> None:
    training = {pair.name for _, pairs in load_training(SHARED / "data") for pair in pairs}
    held_out = validation_names()
    assert not training & held_out
    found = [load_folder(SHARED / "data", each, names=held_out) for each in DATA_SETS]
    assert {pair.name for pairs in found for pair in pairs} == held_out
    frames = {name.split("/")[1] for name in held_out if name.startswith("msrs")}
    assert not frames & {name.split("/")[1] for name in training if name.startswith("msrs")}


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the models folder ../shared beside the repository")
def test_frozen_detector_sees_pedestrians() -> None:
    detector = FrozenDetector(SHARED / "models" / "yolov8n_coco.safetensors")
    path = sorted((SHARED / "data" / "pennfudan" / "vis").iterdir())[0]
    image = cv2.cvtColor(cv2.resize(cv2.imread(str(path)), (416, 320)), cv2.COLOR_BGR2RGB)  # type: ignore[arg-type]
    scores = detector(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255).sigmoid()
    assert scores[0, :, 0].max() > 0.6
    assert scores[0, :, 4].max() < 0.3
