"""COCO average precision on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from textdifuse_ros.evaluation.average_precision import (
    Judged,
    average_precision,
    mean_over_thresholds,
    overlaps,
)

BOX = [0.0, 0.0, 10.0, 10.0]
FAR = [50.0, 50.0, 60.0, 60.0]


def judged(scores: list[float], boxes: list[list[float]], truth: list[list[float]]) -> Judged:
    return Judged(np.array(scores), np.array(boxes).reshape(-1, 4), np.array(truth).reshape(-1, 4))


def test_overlap_of_half_covered_boxes_is_a_third() -> None:
    assert overlaps(np.array([BOX]), np.array([[5.0, 0.0, 15.0, 10.0]]))[0, 0] == pytest.approx(1 / 3)
    assert overlaps(np.array([BOX]), np.array([FAR]))[0, 0] == 0


def test_everything_found_is_one_and_nothing_found_is_zero() -> None:
    assert average_precision([judged([0.9], [BOX], [BOX])], 0.5) == 1
    assert average_precision([judged([], [], [BOX])], 0.5) == 0


def test_class_without_objects_has_no_precision() -> None:
    assert np.isnan(average_precision([judged([0.9], [BOX], [])], 0.5))


def test_second_detection_of_the_same_box_is_false() -> None:
    # Precision 1 up to half of the recall, nothing beyond: 51 of the 101 points.
    twice = judged([0.9, 0.8], [BOX, BOX], [BOX, FAR])
    assert average_precision([twice], 0.5) == pytest.approx(51 / 101)


def test_false_alarm_with_the_highest_score_halves_precision() -> None:
    assert average_precision([judged([0.9, 0.8], [FAR, BOX], [BOX])], 0.5) == pytest.approx(0.5)


def test_scores_are_ranked_over_all_images() -> None:
    images = [judged([0.3], [FAR], []), judged([0.9], [BOX], [BOX])]
    assert average_precision(images, 0.5) == 1


def test_loose_box_counts_only_at_loose_thresholds() -> None:
    loose = [0.0, 0.0, 10.0, 7.2]  # IoU .72: right at .50, .55, .60, .65 and .70
    assert mean_over_thresholds([judged([0.9], [loose], [BOX])]) == pytest.approx(0.5)
