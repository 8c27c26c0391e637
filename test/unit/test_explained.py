"""A prompt as it was understood: in words by the command, in parts for the message."""

from __future__ import annotations

import importlib.util

import pytest
from command_line import textdifuse

from textdifuse_ros.text.explained import explain
from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.localiser import CompiledPrompt, make_localiser
from textdifuse_ros.text.sentence import PACKAGE
from textdifuse_ros.text.wishes import compile_prompt

needs_encoder = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason="needs the encoder (requirements-words.txt)"
)


def compiled(text: str, localiser: str) -> CompiledPrompt:
    return compile_prompt(make_localiser(localiser), parse(text))


def test_phrases_come_in_the_order_of_the_prompt_each_with_what_it_is_taken_for() -> None:
    text = "denoise thermal, warm objects*1.5, slightly brighten the cold areas, no cold spots*0"
    wish, warm, region, cold = explain(compiled(text, "heat"))
    assert [list(each.concepts) for each in (wish, warm, region, cold)] == [[], ["warm"], ["cold"], ["cold"]]
    assert warm.wish is None and cold.wish is None
    assert wish.wish is not None and (wish.wish.degradation, wish.wish.camera) == ("noise", "thermal")
    assert region.wish is not None and (region.wish.region, region.wish.degree) == ("cold areas", 0.5)


@needs_encoder
def test_the_embedded_localiser_says_how_far_a_phrase_names_each_concept() -> None:
    vehicles, road, wish = explain(compiled("vehicles, no road*0, brighten people and cars", "embedded"))[:3]
    assert set(vehicles.concepts) >= {"car", "bus", "truck"}
    assert next(iter(vehicles.concepts.values())) == 1.0
    assert list(road.concepts) == ["road"]
    assert next(iter(wish.concepts)) in ("person", "car")


def test_the_command_prints_a_line_for_each_phrase() -> None:
    text = "no hot spots*0.5, slightly brighten the warm objects, keep the colours"
    done = textdifuse("explain", text, "--localiser", "heat")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "object  'hot spots': keep calm, weight 0.5, taken for warm 1.00",
        "wish    'slightly brighten the warm objects': remove low light, weight 1, camera any, "
        "region 'warm objects' (taken for warm 1.00), degree 0.5",
        "wish    'keep the colours': leave colour cast, weight 1, camera any, whole frame, degree 1",
    ]
    assert "plain fusion" in textdifuse("explain", "").stdout


def test_the_command_says_why_a_prompt_is_refused_on_one_line() -> None:
    done = textdifuse("explain", "people without cars", "--localiser", "heat")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("textdifuse explain: 'people without cars' holds 'without'")


@needs_encoder
def test_the_command_advises_what_the_localiser_takes_as_the_node_does() -> None:
    done = textdifuse("explain", "workers without helmets")
    assert done.returncode == 2 and "write 'workers' (" in done.stderr
