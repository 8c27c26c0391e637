"""docs/prompts.md tells the truth: every example in it is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from textdifuse_ros.text.grammar import MAX_PHRASES, format_prompt, parse
from textdifuse_ros.text.heat import HeatLocaliser
from textdifuse_ros.text.lexer import MAX_LENGTH
from textdifuse_ros.text.prompt import PromptError
from textdifuse_ros.text.wishes import compile_prompt

REFERENCE = (Path(__file__).resolve().parents[2] / "docs" / "prompts.md").read_text(encoding="utf-8")


def _examples(kind: str) -> list[tuple[str, str]]:
    block = re.search(rf"```{kind}\n(.*?)```", REFERENCE, re.DOTALL)
    assert block is not None
    rows = [line.partition("=>") for line in block[1].splitlines()]
    return [(typed.strip(), told.strip()) for typed, _, told in rows]


@pytest.mark.parametrize(("typed", "plain"), _examples("accepted"))
def test_accepted_examples_read_as_the_reference_says(typed: str, plain: str) -> None:
    assert format_prompt(parse(typed)) == plain


@pytest.mark.parametrize(("typed", "reason"), _examples("refused"))
def test_refused_examples_say_what_the_reference_says(typed: str, reason: str) -> None:
    with pytest.raises(PromptError) as caught:
        compile_prompt(HeatLocaliser(), parse(typed))
    assert str(caught.value) == reason


def test_the_limits_are_those_of_the_reference() -> None:
    assert f"Up to {MAX_PHRASES} phrases, up to {MAX_LENGTH} characters" in REFERENCE


@pytest.mark.parametrize("typed", [typed for typed, _ in _examples("accepted") if typed])
def test_accepted_examples_survive_being_read_as_yaml(typed: str) -> None:
    """`ros2 param set` reads its value as YAML."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load(typed) == typed
