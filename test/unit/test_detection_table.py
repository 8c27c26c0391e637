"""Counts and average precision by light, on detections made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from textdifuse_ros.evaluation.detection_table import RATIO, Seen, is_night, report, table
from textdifuse_ros.evaluation.detector_file import Detections

PERSON, CAR = 0, 2
BOX = (10.0, 10.0, 30.0, 40.0)
ELSEWHERE = (60.0, 60.0, 80.0, 90.0)


def found(*each: tuple[int, float, tuple[float, ...]]) -> Detections:
    """class, score, box; falling scores."""
    classes, scores, boxes = zip(*each, strict=True) if each else ((), (), ())
    return Detections(
        np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray(classes, np.int64),
        np.asarray(scores, np.float32),
    )  # fmt: skip


def truth(**boxes: list[tuple[float, ...]]) -> dict[str, np.ndarray]:
    return {name: np.asarray(each, np.float64).reshape(-1, 4) for name, each in boxes.items()}


def day_and_night() -> list[Seen]:
    """By day RGB finds the person and thermal does not; at night it is the other way round."""
    there, nowhere = found((PERSON, 0.9, BOX)), found((PERSON, 0.9, ELSEWHERE))
    labels = truth(person=[BOX], car=[])
    return [
        Seen(False, labels, {"rgb": there, "thermal": found(), "fused": there}),
        Seen(True, labels, {"rgb": nowhere, "thermal": there, "fused": there}),
    ]


def test_average_precision_is_split_by_light() -> None:
    made = report(day_and_night(), ("rgb", "thermal", "fused"), 0.35)
    by_light = {
        light: {name: row["mAP@.5"] for name, row in part["methods"].items()}
        for light, part in made["light"].items()
    }
    assert by_light["day"] == {"rgb": 1.0, "thermal": 0.0, "fused": 1.0}
    assert by_light["night"] == {"rgb": 0.0, "thermal": 1.0, "fused": 1.0}
    assert by_light["all"]["fused"] == 1.0 and 0 < by_light["all"]["rgb"] < 1
    assert {light: part["labelled"] for light, part in made["light"].items()} == {
        "all": 2,
        "day": 1,
        "night": 1,
    }
    assert made["methods"]["rgb"]["mAP@.5"] == by_light["all"]["rgb"]


def test_persons_are_held_against_the_better_camera() -> None:
    frames = day_and_night()
    made = report(frames, ("rgb", "thermal", "fused"), 0.35)["methods"]
    assert (made["rgb"]["person"], made["thermal"]["person"], made["fused"]["person"]) == (2, 1, 2)
    assert made["fused"][RATIO] == 1.0 and made["thermal"][RATIO] == 0.5
    assert report(frames, ("rgb", "fused"), 0.35)["methods"]["fused"][RATIO] is None


def test_faint_detections_are_judged_but_not_counted() -> None:
    frames = [Seen(False, truth(person=[BOX]), {"fused": found((PERSON, 0.2, BOX))})]
    row = report(frames, ("fused",), 0.35)["methods"]["fused"]
    assert row["person"] == 0 and row["person AP@.5"] == 1.0


def test_a_class_that_was_not_labelled_is_not_judged() -> None:
    seen_car = found((CAR, 0.9, ELSEWHERE))
    labelled = Seen(False, truth(person=[], car=[BOX]), {"fused": found((CAR, 0.8, BOX))})
    without_cars = Seen(False, truth(person=[]), {"fused": seen_car})
    row = report([labelled, without_cars], ("fused",), 0.35)["methods"]["fused"]
    assert row["car AP@.5"] == 1.0 and row["car"] == 2
    with_cars = Seen(False, truth(person=[], car=[]), {"fused": seen_car})
    assert report([labelled, with_cars], ("fused",), 0.35)["methods"]["fused"]["car AP@.5"] == 0.5


def test_what_is_not_there_is_none_and_a_dash() -> None:
    made = report([day_and_night()[0]], ("rgb", "thermal"), 0.35)
    night = made["light"]["night"]["methods"]["rgb"]
    assert made["light"]["night"]["labelled"] == 0
    assert night["mAP@.5"] is None and night["mAP@[.5:.95]"] is None
    assert made["methods"]["rgb"]["car AP@.5"] is None and made["methods"]["rgb"]["mAP@.5"] == 1.0
    lines = table(made).splitlines()
    assert "night (0)" in lines[0] and lines[1].endswith("- / -")
    assert "1.000 / 1.000" in lines[1]


def test_without_labels_there_are_only_counts() -> None:
    frames = [Seen(False, {}, each.found) for each in day_and_night()]
    made = report(frames, ("rgb", "thermal"), 0.35)
    assert "light" not in made and set(made["methods"]["rgb"]) == {"person", "car", RATIO}
    assert [line.split()[:3] for line in table(made).splitlines()[1:]] == [
        ["rgb", "2", "0"], ["thermal", "1", "0"],
    ]  # fmt: skip


@pytest.mark.parametrize(("level", "night"), [(69, True), (70, False), (200, False)])
def test_night_is_a_mean_level_below_70(level: int, night: bool) -> None:
    assert is_night(np.full((4, 6, 3), level, np.uint8)) is night
