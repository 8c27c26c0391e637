"""Words that no node reads are refused with what to write, before anything starts with its defaults."""

from __future__ import annotations

import pytest

from textdifuse_ros.nodes.command_line import asks_for_help, stray_reason, usage


@pytest.mark.parametrize("word", ["--params-file", "-p", "-r", "--log-level", "--disable-stdout-logs"])
def test_an_argument_of_ros_lacks_what_stands_in_front_of_such(word: str) -> None:
    assert stray_reason([word, "a"]) == f"{word!r} is an argument of ROS: write --ros-args in front of it"
    assert "write --ros-args in front" in stray_reason([word], "is for neither node")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", "person"], "--ros-args -p prompt:=person"),
        (["--prompt", "warm objects"], "--ros-args -p 'prompt:=warm objects'"),
        (["--rate=5"], "--ros-args -p rate:=5"),
        (["--loop", "--rate", "5"], "--ros-args -p loop:=VALUE"),
        (["street.pt"], "--ros-args -p NAME:=VALUE"),
        (["--"], "--ros-args -p NAME:=VALUE"),
        ([""], "--ros-args -p NAME:=VALUE"),
    ],
)
def test_an_option_that_there_is_not_leads_to_the_parameter(words: list[str], said: str) -> None:
    reason = stray_reason(words)
    assert reason.startswith(f"{words[0]!r} means nothing to it")
    assert reason.endswith(said)


def test_a_program_with_arguments_of_its_own_says_where_a_word_belongs() -> None:
    assert stray_reason(["--banana"], "is for neither node") == "'--banana' is for neither node"


def test_nothing_stray_is_no_reason() -> None:
    assert stray_reason([]) == ""


def test_help_is_asked_for_in_two_ways_and_names_what_the_program_takes() -> None:
    assert asks_for_help(["--help"]) and asks_for_help(["x", "-h"]) and not asks_for_help(["help"])
    text = usage("perception", "Both nodes.", "[--fusion ARGUMENTS]")
    assert text.startswith("usage: perception [--fusion ARGUMENTS] [--ros-args [-p NAME:=VALUE]")
    assert "Both nodes." in text
