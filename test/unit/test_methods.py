"""What the commands compare: names, rows, and networks that are loaded once."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import STUDENT, TEACHER, save_network

from textdifuse_ros.cli import methods
from textdifuse_ros.cli.errors import CliError
from textdifuse_ros.cli.methods import Choice, add_teacher_argument, choose, make_methods, parse_steps
from textdifuse_ros.cli.model_options import add_engine_arguments, add_fusion_arguments
from textdifuse_ros.evaluation.baselines import baseline_image, baseline_luminance, luminance

Bytes = NDArray[np.uint8]
EVERYTHING = ("fused", "mean", "max")


def options(**given: str) -> argparse.Namespace:
    """What the commands' parsers make of no options but these."""
    parser = argparse.ArgumentParser()
    for add in (add_fusion_arguments, add_engine_arguments, add_teacher_argument):
        add(parser)
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    return parser.parse_args(["--device", "cpu", "--dtype", "fp32", *words])


def pair() -> tuple[Bytes, Bytes]:
    rng = np.random.default_rng(6)
    rgb = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3)).astype(np.uint8), (0, 0), 2)
    return np.asarray(rgb, np.uint8), rng.integers(0, 256, (64, 64)).astype(np.uint8)


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_network(tmp_path_factory.mktemp("weights") / "student.safetensors", STUDENT))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_network(tmp_path_factory.mktemp("weights") / "teacher.safetensors", TEACHER, seed=4))


def test_one_step_value_is_the_row_fused() -> None:
    assert choose("all", ("2",), EVERYTHING) == [
        Choice("2", "fused"), Choice("mean", "mean"), Choice("max", "max"),
    ]  # fmt: skip


def test_a_list_of_steps_is_a_row_each() -> None:
    rows = choose("fused,rgb", parse_steps("1, 2,teacher"), EVERYTHING)
    assert [each.row for each in rows] == ["1 step", "2 steps", "teacher", "rgb"]
    assert [each.kind for each in rows] == ["1", "2", "teacher", "rgb"]


def test_steps_may_be_named_as_methods() -> None:
    assert choose("4,teacher,fused", ("1",), EVERYTHING) == [
        Choice("4", "4 steps"), Choice("teacher", "teacher"), Choice("1", "fused"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "steps", "words"),
    [
        ("median", ("1",), ["--method 'median'", "teacher", "detail or all"]),
        ("max,max", ("1",), ["names a method twice"]),
        ("1,fused", ("1", "2"), ["names a method twice"]),
    ],
)
def test_a_wrong_list_of_methods_is_refused(text: str, steps: tuple[str, ...], words: list[str]) -> None:
    with pytest.raises(CliError) as caught:
        choose(text, steps, EVERYTHING)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("text", "word"),
    [("3", "--steps 3: use"), ("1,1", "twice"), ("", "--steps : use"), ("1,", "use 1, 2, 4")],
)
def test_a_wrong_list_of_steps_is_refused(text: str, word: str) -> None:
    with pytest.raises(CliError, match=word):
        parse_steps(text)


def test_cameras_and_baselines_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "make_fuser", lambda *_: pytest.fail("a network was loaded"))
    rgb, thermal = pair()
    made = make_methods(choose("rgb,thermal,mean,max,detail", ("1",), ()), options())
    pictures = {each.name: each.fuse(rgb, thermal) for each in made}
    assert np.array_equal(pictures["rgb"], rgb)
    assert np.array_equal(pictures["thermal"], np.dstack([thermal] * 3))
    assert np.array_equal(pictures["detail"], baseline_image("detail", rgb, thermal))
    assert {each.made_by for each in made} == {""}


def test_luminance_of_a_baseline_is_the_one_it_computed() -> None:
    rgb, thermal = pair()
    made = {each.name: each for each in make_methods(choose("thermal,max", ("1",), ()), options())}
    expected = baseline_luminance("max", luminance(rgb), thermal)
    assert np.array_equal(made["max"].luminance(rgb, thermal), expected)
    assert np.array_equal(made["thermal"].luminance(rgb, thermal), thermal)


def test_each_network_is_loaded_once(student: str, teacher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    make_fuser = methods.make_fuser
    monkeypatch.setattr(
        methods, "make_fuser", lambda args, steps: (loaded.append(args.weights), make_fuser(args, steps))[1]
    )
    made = make_methods(
        choose("fused,mean", ("1", "2", "teacher"), ()), options(weights=student, teacher=teacher)
    )
    assert loaded == [student, teacher]
    rgb, thermal = pair()
    one, two, many, _ = (each.fuse(rgb, thermal) for each in made)
    assert one.shape == rgb.shape and one.dtype == np.uint8
    assert not np.array_equal(one, two) and not np.array_equal(one, many)
    assert [each.steps for each in made] == [1, 2, 25, 0]
    assert [each.is_teacher for each in made] == [False, False, True, False]
    assert "2 steps, fp32" in made[1].made_by and made[1].weights in made[1].made_by


def test_weights_are_the_teachers_where_it_is_alone(teacher: str) -> None:
    (alone,) = make_methods(choose("fused", ("teacher",), ()), options(weights=teacher))
    assert alone.is_teacher and alone.name == "fused"


def test_weights_for_other_steps_are_refused_by_name(student: str, teacher: str) -> None:
    with pytest.raises(CliError, match=r"--steps 2: weights .* are for 25 steps"):
        make_methods(choose("fused", ("2",), ()), options(weights=teacher))
    with pytest.raises(CliError, match=r"--steps teacher: weights .* are for 1, 2, 4 steps"):
        make_methods(choose("1,teacher", (), ()), options(weights=student, teacher=student))


def test_restoration_may_be_switched_off_for_one_method_alone(student: str) -> None:
    networks = methods.Networks(options(weights=student), ["1"])
    rgb, thermal = pair()
    auto, off = networks.method("1"), networks.method("1", "bare", restore="off")
    assert (auto.name, off.name) == ("1 step", "bare")
    assert not np.array_equal(auto.fuse(rgb, thermal), off.fuse(rgb, thermal))


def test_missing_teacher_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"gone\.safetensors: no such file"):
        make_methods(choose("teacher", (), ()), options(teacher=str(tmp_path / "gone.safetensors")))
