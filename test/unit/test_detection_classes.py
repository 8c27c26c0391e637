"""Which classes of a model are meant: exact names of a parameter, and the words of a prompt."""

from __future__ import annotations

import pytest

from textdifuse_ros.detection.classes import by_names, by_phrase, by_phrases, nearest, singular
from textdifuse_ros.detection.detections import DetectorError

_COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "dog", "sheep", "skis", "wine glass", "scissors", "bench", "backpack",
)  # fmt: skip
COCO = dict(enumerate(_COCO))


def meant(phrase: str, names: dict[int, str] = COCO) -> set[str]:
    return {names[index] for index in by_phrase(phrase, names)}


def test_names_are_taken_in_any_case_and_order_and_once() -> None:
    assert by_names(" Car , person,car, Traffic  Light", COCO) == (0, 2, 9)
    assert by_names("", COCO) == by_names(" , ", COCO) == ()


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("persn", "person"), ("vehicles", "car"), ("trafic light", "traffic light"), ("cars", "car")],
)
def test_an_unknown_name_is_refused_with_the_nearest_ones(wrong: str, near: str) -> None:
    with pytest.raises(DetectorError, match="is not a class of this model: the nearest are") as refused:
        by_names(f"person, {wrong}", COCO)
    assert repr(wrong) in str(refused.value)
    assert near in str(refused.value)


def test_a_name_that_is_near_to_nothing_is_refused_with_what_there_is() -> None:
    assert nearest("qqqq", COCO) == "it has person, bicycle, car, motorcycle, airplane, bus and 12 more"
    assert nearest("qqqq", {0: "crack"}) == "it has crack"


@pytest.mark.parametrize(
    ("phrase", "classes"),
    [
        ("people", {"person"}),
        ("pedestrians behind the smoke", {"person"}),
        ("the firefighters", {"person"}),
        ("parked cars", {"car"}),
        ("warm cars in the fog", {"car"}),
        ("vehicles", {"car", "truck", "bus", "motorcycle", "bicycle", "train"}),
        ("buses", {"bus"}),
        ("red traffic lights", {"traffic light"}),
        ("people walking their dogs", {"person"}),
        ("Dogs", {"dog"}),
        ("animals", {"dog", "sheep"}),
        ("cyclists", {"person", "bicycle"}),
        ("benches", {"bench"}),
        ("wine glasses", {"wine glass"}),
        ("skis", {"skis"}),
        ("scissors", {"scissors"}),
        ("bags", {"backpack"}),
        ("warm objects", set()),
        ("light", set()),
        ("smoke", set()),
        ("", set()),
    ],
)
def test_phrases_mean_classes_by_their_last_words_in_the_singular(phrase: str, classes: set[str]) -> None:
    assert meant(phrase) == classes


def test_classes_of_other_data_sets_are_found_by_the_same_words() -> None:
    m3fd = {0: "People", 1: "Car", 2: "Bus", 3: "Motorcycle", 4: "Lamp", 5: "Truck"}
    assert meant("pedestrians", m3fd) == {"People"}
    assert meant("vehicles", m3fd) == {"Car", "Bus", "Motorcycle", "Truck"}
    assert meant("lamps", m3fd) == {"Lamp"}


def test_several_phrases_are_joined_and_those_without_a_class_are_named() -> None:
    assert by_phrases(["people", "warm objects", "cars"], COCO) == ((0, 2), ("warm objects",))
    assert by_phrases([], COCO) == ((), ())


@pytest.mark.parametrize("name", COCO.values())
def test_every_class_is_found_by_its_own_name_and_its_plural(name: str) -> None:
    assert name in meant(name)
    assert singular(name) == singular(singular(name))
