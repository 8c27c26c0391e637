"""The prompt's whole way: parameter, refusal with a reason, latched state, first image that shows it."""

from __future__ import annotations

import importlib.util

import pytest
from harness import HISTORY, LATCHED, Cameras, Rig
from pictures import at, rgb_array, stamp_of, thermal_array
from sensor_msgs.msg import Image

from textdifuse_ros.imaging.encodings import to_array
from textdifuse_ros.msg import FusionStatus, PromptState
from textdifuse_ros.text.sentence import PACKAGE

pytestmark = pytest.mark.ros

# What the default is here: without its encoder `heat` stands in for it.
LOCALISER = "embedded" if importlib.util.find_spec(PACKAGE) is not None else "heat"
needs_encoder = pytest.mark.skipif(LOCALISER != "embedded", reason="needs requirements-words.txt")


def test_a_prompt_is_in_force_with_the_first_image_that_shows_it(rig: Rig) -> None:
    prompts = rig.listen("/textdifuse/prompt", PromptState, HISTORY)
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start()
    cameras = Cameras(rig).ready()
    cameras.pair(at(0))
    assert status.wait(lambda m: stamp_of(m) == at(0)).prompt == ""
    since = prompts.mark()
    assert rig.set(prompt="warm objects*1.5, no hot spots").successful
    accepted = prompts.wait(lambda m: m.prompt == "warm objects*1.5, no hot spots", since)
    assert not accepted.in_force
    assert stamp_of(accepted) == 0
    assert [(p.text, round(p.weight, 3), p.suppressed, p.kind) for p in accepted.phrases] == [
        ("warm objects", 1.5, False, "object"),
        ("hot spots", 1.0, True, "object"),
    ]
    assert accepted.localiser == LOCALISER
    for k in (1, 2):
        cameras.pair(at(40 * k))
        status.wait(lambda m, k=k: stamp_of(m) == at(40 * k))
    shown = prompts.wait(lambda m: m.in_force and m.prompt != "", since)
    assert stamp_of(shown) == at(40)
    assert shown.header.frame_id == "rgb_optical_frame"
    first = next(m for m in status.messages if m.prompt)
    assert stamp_of(first) == at(40)


def test_who_comes_late_gets_the_prompt_in_force(rig: Rig) -> None:
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start({"prompt": "warm objects"})
    cameras = Cameras(rig).ready()
    cameras.pair(at(0))
    status.wait(lambda m: True)
    late = rig.listen("/textdifuse/prompt", PromptState, LATCHED)
    got = late.wait(lambda m: m.in_force)
    assert (got.prompt, stamp_of(got)) == ("warm objects", at(0))


def test_a_prompt_changes_the_picture_and_an_empty_one_takes_it_back(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    rig.start({"thermal.freeze_timeout": 0.0, "thermal.range_mode": "fixed"})
    cameras = Cameras(rig).ready()
    rgb, thermal = rgb_array(1), thermal_array(1)
    pictures = []
    for k, prompt in enumerate(("", "warm objects", "")):
        assert rig.set(prompt=prompt).successful
        cameras.pair(at(40 * k), rgb=rgb, thermal=thermal)
        message = fused.wait(lambda m, k=k: stamp_of(m) == at(40 * k))
        pictures.append(to_array(message).astype(int))
    changed = abs(pictures[1] - pictures[0])
    assert changed[45:75, 82:94].mean() > 0  # the warm body of thermal_array()
    assert (pictures[2] == pictures[0]).all()


def test_wishes_are_listed_as_understood_and_change_the_picture(rig: Rig) -> None:
    fused = rig.listen("/fused/image_raw", Image)
    prompts = rig.listen("/textdifuse/prompt", PromptState, HISTORY)
    rig.start({"thermal.freeze_timeout": 0.0, "thermal.range_mode": "fixed", "restore": "off"})
    cameras = Cameras(rig).ready()
    rgb, thermal = rgb_array(1), thermal_array(1)
    pictures = []
    texts = ("", "brighten*0.5, keep the colours, more contrast in the warm objects", "")
    for k, prompt in enumerate(texts):
        assert rig.set(prompt=prompt).successful
        cameras.pair(at(40 * k), rgb=rgb, thermal=thermal)
        message = fused.wait(lambda m, k=k: stamp_of(m) == at(40 * k))
        pictures.append(to_array(message).astype(int))
    state = prompts.wait(lambda m: m.in_force and m.prompt == texts[1])
    assert [(p.text, round(p.weight, 3), p.suppressed, p.kind) for p in state.phrases] == [
        ("brighten", 0.5, False, "restoration"),
        ("keep the colours", 1.0, True, "restoration"),
        ("more contrast in the warm objects", 1.0, False, "restoration"),
    ]
    assert (pictures[1] != pictures[0]).any()
    assert (pictures[2] == pictures[0]).all()


def test_the_latched_state_says_what_each_phrase_is_taken_for(rig: Rig) -> None:
    prompts = rig.listen("/textdifuse/prompt", PromptState, HISTORY)
    rig.start({"localiser": "heat"})
    text = "no hot spots, slightly brighten the cold areas, remove the noise in the thermal image"
    assert rig.set(prompt=text).successful
    spots, brighten, noise = prompts.wait(lambda m: m.prompt == text).phrases
    assert (list(spots.concepts), spots.degradation, spots.degree) == (["warm"], "", 0.0)
    assert (list(brighten.concepts), brighten.degradation, brighten.region) == (
        ["cold"],
        "low_light",
        "cold areas",
    )
    assert (brighten.camera, brighten.degree) == ("", 0.5)
    assert (list(noise.concepts), noise.degradation, noise.camera) == ([], "noise", "thermal")
    assert (noise.region, noise.degree) == ("", 1.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a red balloon", ["red balloon", "cannot be located", "nearest phrase"]),
        ("brighten the unicorns", ["unicorns", "nearest phrase"]),
        ("hot, dehaze the thermal image", ["thermal image never has haze", "remove the haze"]),
        ("warm objects, a wedding cake", ["wedding cake", "nearest phrase"]),
        ("warm objects*", []),
        (5, ["text", "quote", '"5"']),
        (True, ["text", "quote", '"yes"']),
        (2.5, ["text", "quote", "2.5"]),
        (["car", "dog"], ["text", "list", "car, dog"]),
        ("two\nlines", ["one line"]),
    ],
    ids=[
        "unknown",
        "unknown region",
        "impossible wish",
        "one of two unknown",
        "malformed",
        "number",
        "truth value",
        "double",
        "list",
        "two lines",
    ],
)
def test_a_prompt_that_cannot_work_is_refused_with_what_to_type(
    prompt_rig: Rig, value: object, words: list[str]
) -> None:
    rig = prompt_rig
    result = rig.set(prompt=value)
    assert not result.successful
    assert result.reason.startswith("prompt: ")
    for word in words:
        assert word in result.reason
    assert rig.get("prompt") == "warm objects"
    assert rig.describe("prompt")[0].type == 4  # still a string


def test_a_refused_prompt_is_seen_in_the_latched_state_and_the_old_one_stays(prompt_rig: Rig) -> None:
    result = prompt_rig.set(prompt="unicorns")
    late = prompt_rig.listen("/textdifuse/prompt", PromptState, LATCHED)
    state = late.wait(lambda m: m.last_refused == "unicorns")
    assert state.prompt == "warm objects"
    assert state.last_reason and state.last_reason in result.reason
    prompt_rig.diagnostics().wait("prompt", last_refused="unicorns")
    prompt_rig.set(prompt=5)
    late.wait(lambda m: m.last_refused == "5")


@pytest.fixture(scope="module")
def prompt_rig(shared_rig: Rig) -> Rig:
    shared_rig.start({"prompt": "warm objects"})
    return shared_rig


def test_every_accepted_prompt_is_announced_and_none_is_lost(rig: Rig) -> None:
    prompts = rig.listen("/textdifuse/prompt", PromptState, HISTORY)
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start()
    cameras = Cameras(rig).ready()
    wanted = [f"warm objects*{weight / 10:.1f}" for weight in range(1, 16)]
    for k, prompt in enumerate(wanted):
        assert rig.set(prompt=prompt).successful
        cameras.pair(at(40 * k))
        assert status.wait(lambda m, k=k: stamp_of(m) == at(40 * k)).prompt == prompt
    prompts.wait(lambda m: m.prompt == wanted[-1] and m.in_force)
    assert [m.prompt for m in prompts.messages if m.in_force and m.prompt] == wanted
    assert [m.prompt for m in prompts.messages if not m.in_force and m.prompt] == wanted


def test_strength_and_prompt_set_at_once_are_shown_at_once(rig: Rig) -> None:
    status = rig.listen("/textdifuse/status", FusionStatus)
    prompts = rig.listen("/textdifuse/prompt", PromptState, HISTORY)
    rig.start()
    cameras = Cameras(rig).ready()
    assert rig.set_atomically({"prompt": "hot", "prompt_strength": 1.75}).successful
    cameras.pair(at(0))
    got = status.wait(lambda m: True)
    assert (got.prompt, got.prompt_strength) == ("hot", 1.75)
    assert prompts.wait(lambda m: m.in_force).strength == pytest.approx(1.75)


@needs_encoder
def test_objects_are_found_by_the_embedded_localiser_and_an_unknown_one_leaves_the_old_prompt(
    rig: Rig,
) -> None:
    prompts = rig.listen("/textdifuse/prompt", PromptState, HISTORY)
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start({"prompt": "pedestrians behind the smoke, no sky"})
    cameras = Cameras(rig).ready()
    cameras.pair(at(0))
    assert status.wait(lambda m: stamp_of(m) == at(0)).prompt == "pedestrians behind the smoke, no sky"
    assert prompts.wait(lambda m: m.in_force).localiser == "embedded"
    result = rig.set(prompt="a red balloon")
    assert not result.successful
    for word in ("'red balloon' cannot be located", "'embedded'", "nearest phrase", "'clip'"):
        assert word in result.reason
    refused = prompts.wait(lambda m: m.last_refused == "a red balloon")
    assert (refused.prompt, refused.in_force) == ("pedestrians behind the smoke, no sky", True)
    assert refused.last_reason in result.reason
    cameras.pair(at(40))
    assert status.wait(lambda m: stamp_of(m) == at(40)).prompt == "pedestrians behind the smoke, no sky"
