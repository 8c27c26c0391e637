"""Boxes of a detector on the relevance map of a prompt: which are meant, and what they may change."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdifuse_ros.detection.prompt_boxes import Found, hints
from textdifuse_ros.nodes.box_keeper import BoxKeeper
from textdifuse_ros.nodes.parameters import ParameterError, Settings
from textdifuse_ros.nodes.prompts import PromptRecord
from textdifuse_ros.text.boxes import Hint, Hints, sharpened
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.localiser import CompiledPrompt

SHAPE = (40, 60)
BOX = (20.0, 10.0, 40.0, 30.0)
INSIDE, OUTSIDE = (slice(10, 30), slice(20, 40)), (slice(0, 6), slice(0, 60))


def relevance(value: float) -> np.ndarray:
    return np.full(SHAPE, value, np.float32)


# -- the map --------------------

shares = st.floats(0, 1, allow_subnormal=False)
sides = st.tuples(st.floats(-30, 90), st.floats(-30, 70), st.floats(0.5, 90), st.floats(0.5, 90))
boxes = st.builds(
    lambda at, amount, suppressed: Hint((at[0], at[1], at[0] + at[2], at[1] + at[3]), amount, suppressed),
    sides,
    st.floats(0.01, 1),
    st.booleans(),
)
some_hints = st.builds(Hints, shares, st.lists(boxes, max_size=5).map(tuple), shares, shares)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(some_hints, st.integers(0, 2**16))
def test_the_result_stays_a_relevance_map_and_the_input_untouched(known: Hints, seed: int) -> None:
    before = np.random.default_rng(seed).uniform(-1, 1, SHAPE).astype(np.float32)
    kept = before.copy()
    after = sharpened(before, known)
    assert after.dtype == np.float32 and after.shape == SHAPE
    assert np.isfinite(after).all() and np.abs(after).max() <= 1
    np.testing.assert_array_equal(before, kept)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(some_hints, st.integers(0, 2**16))
def test_asked_boxes_never_lower_what_is_inside_nor_take_much_outside(known: Hints, seed: int) -> None:
    before = np.random.default_rng(seed).uniform(-1, 1, SHAPE).astype(np.float32)
    asked = Hints(known.strength, tuple(b for b in known.boxes if not b.suppressed), known.asked, 0.0)
    after = sharpened(before, asked)
    for box in asked.boxes:
        left, top, right, bottom = (round(value) for value in box.box)
        core = (slice(max(0, top + 1), max(0, bottom - 1)), slice(max(0, left + 1), max(0, right - 1)))
        assert (after[core] >= before[core] - 1e-6).all()
    least = np.where(before > 0, before * (1 - 0.3 * asked.strength * asked.asked), before)
    assert (after >= least - 1e-6).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(some_hints, st.integers(0, 2**16))
def test_suppressed_boxes_are_the_mirror_image_of_asked_ones(known: Hints, seed: int) -> None:
    before = np.random.default_rng(seed).uniform(-1, 1, SHAPE).astype(np.float32)
    one = Hints(known.strength, tuple(Hint(b.box, b.amount, False) for b in known.boxes), known.asked, 0.0)
    other = Hints(known.strength, tuple(Hint(b.box, b.amount, True) for b in known.boxes), 0.0, known.asked)
    np.testing.assert_allclose(sharpened(-before, other), -sharpened(before, one), atol=1e-6)


@pytest.mark.parametrize(
    "known",
    [
        Hints(),
        Hints(1.0),
        Hints(0.0, (Hint(BOX, 1.0),), 1.0),
        Hints(1.0, (Hint((-50.0, -50.0, -20.0, -20.0), 1.0),), 1.0),  # beside the picture
    ],
)
def test_without_strength_or_a_box_nothing_changes_bit_for_bit(known: Hints) -> None:
    before = relevance(0.4)
    assert sharpened(before, known) is before


def test_a_sure_box_is_fully_relevant_its_edge_is_soft_and_the_rest_falls_a_little() -> None:
    after = sharpened(relevance(0.5), Hints(1.0, (Hint(BOX, 1.0),), 1.0))
    assert (after[INSIDE] == 1).all()
    np.testing.assert_allclose(after[OUTSIDE], 0.35)
    edge = after[20, 40:44]
    assert (np.diff(edge) < 0).all() and edge[0] < 1 and edge[-1] > 0.34


def test_strength_and_score_say_how_far_it_goes() -> None:
    weak, strong = (sharpened(relevance(0.2), Hints(s, (Hint(BOX, 1.0),), 1.0)) for s in (0.25, 0.75))
    assert (relevance(0.2)[INSIDE] < weak[INSIDE]).all() and (weak[INSIDE] < strong[INSIDE]).all()
    assert (weak[OUTSIDE] > strong[OUTSIDE]).all()
    doubtful = sharpened(relevance(0.2), Hints(1.0, (Hint(BOX, 0.3),), 1.0))
    np.testing.assert_allclose(doubtful[INSIDE], 0.2 + 0.3 * 0.8, atol=1e-6)


# -- which boxes are meant --------------------


def found(name: str, score: float = 0.8, box: tuple[float, ...] = BOX) -> Found:
    return Found(name, score, box)  # type: ignore[arg-type]


def meant(prompt: str, *boxes: Found) -> Hints:
    objects = CompiledPrompt(parse(prompt), "test").objects
    return hints(objects, boxes, 1.0)


def test_a_phrase_means_the_boxes_of_its_classes_weighted_by_score_and_weight() -> None:
    known = meant("pedestrians behind the smoke*0.5", found("person"), found("car"))
    assert known.boxes == (Hint(BOX, 0.4),)
    assert meant("people*2", found("person")).boxes == (Hint(BOX, 1.0),)


def test_what_has_no_box_is_not_held_against_the_other_phrases() -> None:
    known = meant("people, warm objects", found("person"))
    assert (known.asked, known.calmed) == (0.5, 0.0)
    assert meant("people, no cars", found("car")).asked == 0.0


def test_suppressed_phrases_have_boxes_too_and_win() -> None:
    known = meant("vehicles, no cars", found("car"), found("bus", box=(0.0, 0.0, 5.0, 5.0)))
    assert [(hint.box, hint.suppressed) for hint in known.boxes] == [
        ((0.0, 0.0, 5.0, 5.0), False),
        (BOX, True),
    ]


@pytest.mark.parametrize(
    "one",
    [
        found("person", float("nan")),
        found("person", 0.0),
        found("person", box=(1.0, 1.0, float("inf"), 5.0)),
        found("person", box=(5.0, 1.0, 5.0, 9.0)),
        found("person", box=(9.0, 1.0, 5.0, 9.0)),
    ],
)
def test_a_box_that_makes_no_sense_is_left_out(one: Found) -> None:
    assert meant("people", one).boxes == ()


# -- freshness --------------------


def detections(stamp: float, *names: str) -> Any:
    def one(name: str) -> Any:
        sure = SimpleNamespace(hypothesis=SimpleNamespace(class_id=name, score=0.8))
        unsure = SimpleNamespace(hypothesis=SimpleNamespace(class_id="tree", score=0.1))
        centre = SimpleNamespace(position=SimpleNamespace(x=30.0, y=20.0))
        return SimpleNamespace(
            results=[unsure, sure], bbox=SimpleNamespace(center=centre, size_x=20.0, size_y=20.0)
        )

    return SimpleNamespace(header=header(stamp), detections=[one(name) for name in names])


def header(stamp: float) -> Any:
    sec, nanosec = divmod(round(stamp * 1e9), 1_000_000_000)
    return SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec))


def record(prompt: str = "people") -> PromptRecord:
    return PromptRecord(1, prompt, CompiledPrompt(parse(prompt), "test"), 1.0, "test", 0.0)


ON = Settings().changed({"boxes_sharpen": 0.5})


def test_fresh_boxes_count_for_the_frames_that_follow() -> None:
    keeper = BoxKeeper()
    assert keeper.hints(header(10.0), ON, record()) == Hints()
    assert keeper.said == "no detections have come yet"
    keeper.hear(detections(10.0, "person", "car"))
    assert keeper.hints(header(10.2), ON, record()) == Hints(0.5, (Hint(BOX, 0.8),), 1.0)
    assert keeper.said == "1 of 2 used, 0.20 s old"


@pytest.mark.parametrize("stamp", [10.6, 9.9, 500.0])
def test_boxes_that_are_too_old_or_of_another_time_do_not_count(stamp: float) -> None:
    keeper = BoxKeeper()
    keeper.hear(detections(10.0, "person"))
    assert keeper.hints(header(stamp), ON, record()) == Hints()
    assert keeper.said.startswith("not used: the latest are ")
    keeper.forget()
    assert keeper.hints(header(10.1), ON, record()) == Hints()


def test_without_strength_or_objects_the_boxes_are_not_even_looked_at() -> None:
    keeper = BoxKeeper()
    keeper.hear(detections(10.0, "person"))
    assert keeper.hints(header(10.1), Settings(), record()) == Hints()
    assert keeper.hints(header(10.1), ON, record("")) == Hints()
    assert keeper.hints(header(10.1), ON, record("remove the noise")) == Hints()


def test_without_vision_msgs_it_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    BoxKeeper().vet(Settings(), set())
    with pytest.raises(ParameterError, match=r"boxes_sharpen: .* apt install ros-\$ROS_DISTRO-vision-msgs"):
        BoxKeeper().vet(ON, {"boxes_sharpen"})
