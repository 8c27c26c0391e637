"""Parameters on the running node: live changes between frames, refusals with a reason, bad starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Cameras, Rig
from pictures import at, stamp_of
from sensor_msgs.msg import Image
from waiting import until

from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.nodes.parameters import BY_NAME, PARAMETERS, START

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def node(shared_rig: Rig) -> Rig:
    """An active node whose parameters every test leaves as they were."""
    shared_rig.start()
    shared_rig.wait_state("active")
    return shared_rig


def test_every_row_of_the_table_is_declared_with_type_text_and_range(node: Rig) -> None:
    described = node.describe(*BY_NAME)
    kinds = {bool: 1, int: 2, float: 3, str: 4}
    for spec, got in zip(PARAMETERS, described, strict=True):
        assert got.name == spec.name
        assert got.type == kinds[spec.kind]
        assert spec.description in got.description
        assert got.read_only == (spec.when == START)
        if spec.kind is float and spec.minimum is not None:
            bounds = got.floating_point_range[0]
            assert (bounds.from_value, bounds.to_value) == (spec.minimum, spec.maximum)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", 3, "one of 1, 2, 4"),
        ("steps", 2.0, "type integer"),
        ("prompt_strength", 2.5, "out of range"),
        ("prompt_strength", float("nan"), "range"),
        ("prompt_strength", "strong", "type double"),
        ("thermal.range_min", float("inf"), "finite"),
        ("thermal.range_min", 300.0, "below thermal.range_max"),
        ("thermal.percentile_high", 0.5, "below thermal.percentile_high"),
        ("thermal.range_mode", "auto", "fixed, percentile, frame"),
        ("restore", True, "auto, off"),
        ("pairing.max_dt", 0.0, "out of range"),
        ("registration.mode", "homography", "registration.file"),
        ("on_rgb_loss", "ignore", "pass, hold, stop"),
        ("output_encoding", "yuv422", "rgb8, bgr8, mono8"),
        ("device", "cuda:0", "cannot change while the node is active"),
        ("device", "toaster", "cuda:N"),
        ("autostart", False, "read-only"),
    ],
)
def test_a_bad_value_is_refused_with_a_reason_and_the_old_one_stays(
    node: Rig, name: str, value: object, words: str
) -> None:
    old = node.get(name)
    result = node.set_all({name: value})[0]
    assert not result.successful
    assert words in result.reason
    assert name in result.reason or "read-only" in result.reason or "range" in result.reason
    assert node.get(name) == old


def test_an_unknown_parameter_is_refused(node: Rig) -> None:
    assert not node.set(stepps=2).successful


def test_what_yaml_does_to_harmless_values_is_undone(node: Rig) -> None:
    assert node.set(restore=False).successful  # `ros2 param set NODE restore off`
    assert node.get("restore") == "off"
    assert node.set(prompt_strength=1).successful
    assert node.get("prompt_strength") == 1.0
    assert isinstance(node.get("prompt_strength"), float)
    assert node.set(restore="auto").successful


def test_an_atomic_change_is_all_or_nothing(node: Rig) -> None:
    result = node.set_atomically({"thermal.range_min": 100.0, "prompt": "unicorns"})
    assert not result.successful
    assert node.get("thermal.range_min") == 0.0
    # both ends move past each other, which one by one would be refused
    assert node.set_atomically({"thermal.range_min": 7000.0, "thermal.range_max": 9000.0}).successful
    assert node.set_atomically({"thermal.range_min": 0.0, "thermal.range_max": 255.0}).successful


def test_a_broken_registration_file_is_refused_and_a_good_one_taken(node: Rig) -> None:
    path = node.folder / "pair.yaml"
    path.write_text("homography: [1, 0, 0, 0, 1]\nrgb_size: [160, 120]\nthermal_size: [160, 120]\n")
    change = {"registration.file": str(path), "registration.mode": "homography"}
    refused = node.set_atomically(change)
    assert not refused.successful
    assert "homography" in refused.reason and "pair.yaml" in refused.reason
    path.write_text("homography: [1,0,8, 0,1,0, 0,0,1]\nrgb_size: [160, 120]\nthermal_size: [160, 120]\n")
    assert node.set_atomically(change).successful
    assert node.set_all({"registration.mode": "none"})[0].successful


def test_changes_are_taken_over_between_frames_and_none_is_lost(rig: Rig) -> None:
    """Steps and strength change before every frame, among them both at once: each frame shows its own."""
    status, fused = rig.listen("/textdifuse/status", FusionStatus), rig.listen("/fused/image_raw", Image)
    rig.start({"prompt": "hot"})
    cameras = Cameras(rig).ready()
    wanted = [(steps, strength / 4) for strength in range(5) for steps in (1, 2, 4)]
    for k, (steps, strength) in enumerate(wanted):
        assert rig.set_atomically({"steps": steps, "prompt_strength": strength}).successful
        cameras.pair(at(40 * k))
        status.wait(lambda m, k=k: stamp_of(m) == at(40 * k))
    assert [(m.steps, m.prompt_strength) for m in status.messages] == wanted
    assert len(fused.wait_count(len(wanted))) == len(wanted)


def test_changes_under_full_load_are_all_accepted_and_shown(rig: Rig) -> None:
    """Pairs come faster than they are fused; each accepted value is seen on the images that follow."""
    status = rig.listen("/textdifuse/status", FusionStatus)
    rig.start()
    cameras = Cameras(rig).ready()
    for k in range(12):
        steps = (1, 2, 4)[k % 3]
        for _ in range(4):
            cameras.pair(at(20 * cameras.count))
        assert rig.set(steps=steps).successful
        since = status.mark()
        for _ in range(4):
            cameras.pair(at(20 * cameras.count))
        status.wait(lambda m, s=steps: m.steps == s, since)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"steps": 3}, "steps"),
        ({"prompt": "unicorns"}, "unicorns"),
        ({"thermal.range_mode": "auto"}, "percentile"),
        ({"registration.mode": "homography"}, "registration.file"),
        ({"detections_topic": "bad topic!"}, "no name of a topic"),
    ],
)
def test_a_bad_value_at_start_is_refused_with_one_line(
    rig: Rig, parameters: dict[str, object], words: str
) -> None:
    process = rig.start(parameters)
    rig.processes.remove(process)  # it must not end with 0
    assert process.wait() == 2
    lines = process.output().strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("fusion_node: refused to start:")
    assert words in lines[0]


def test_a_word_that_is_no_argument_is_refused_and_not_started_without(rig: Rig) -> None:
    process = rig.start({}, "--", "--prompt", "person")
    rig.processes.remove(process)  # it must not end with 0
    assert process.wait() == 2
    (line,) = process.output().strip().splitlines()
    assert line.startswith("fusion_node: refused to start: '--prompt'") and line.endswith("prompt:=person")


def test_help_is_printed_and_nothing_started(rig: Rig) -> None:
    process = rig.start({}, "--", "--help")
    assert process.wait() == 0
    assert process.output().startswith("usage: fusion_node [--ros-args")


def test_an_override_of_qos_that_no_topic_takes_is_named_once_the_node_is_active(rig: Rig) -> None:
    typo = "qos_overrides./rgb/image_row.subscription.depth"
    process = rig.start({typo: 3})
    rig.wait_state("active")
    until(lambda: f"parameter {typo} is ignored" in process.output(), "the warning")
    assert "did you mean qos_overrides./rgb/image_raw.subscription.depth?" in process.output()
    assert process.output().count("is ignored") == 1


def test_what_no_parameter_reads_is_named_in_the_log(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "fusion.yaml"
    file.write_text("fusion_node: {ros__parameters: {steps: 2}}\n")  # the executable's name, not the node's
    process = rig.start({"thermal.range_mod": "fixed"}, "--params-file", str(file))
    rig.wait_state("active")
    assert rig.get("steps") == 1
    output = process.output()
    assert "parameter thermal.range_mod is ignored" in output
    assert "did you mean thermal.range_mode?" in output
    assert f"parameter file {file} is ignored: it is for /fusion_node" in output
    assert output.count("is ignored") == 2
