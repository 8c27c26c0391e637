"""What the launch files start, evaluated without a launch system."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("ament_index_python", reason="ROS 2 (ament_index_python) is not installed")

sys.path.insert(0, str(Path(__file__).parent))

import launch_double

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
FILES = sorted((ROOT / "launch").glob("*.launch.py"))
PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"

Evaluate = Callable[..., launch_double.Context]


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Evaluate:
    """Evaluate a launch file of the package with the given arguments."""
    launch_double.install(monkeypatch)
    monkeypatch.setattr("ament_index_python.packages.get_package_share_directory", lambda package: str(ROOT))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(PROFILE, raising=False)

    def run(name: str, **given: str) -> launch_double.Context:
        return launch_double.evaluate(ROOT / "launch" / f"{name}.launch.py", given)

    return run


def own_values(node: launch_double.Node) -> dict[str, Any]:
    """Parameters that the node gets from the launch arguments, not from a file in config/."""
    own = [file for file in node.parameters if not file.startswith(str(CONFIG))]
    assert len(own) <= 1
    if not own:
        return {}
    assert node.parameters[-1] == own[0], "the launch arguments must win over every file"
    values = yaml.safe_load(Path(own[0]).read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    assert isinstance(values, dict)
    return values


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_argument_is_explained_once_and_has_a_default(
    file: Path, monkeypatch: pytest.MonkeyPatch, evaluate: Evaluate
) -> None:
    declared = launch_double.load(file).declared()
    names = [argument.name for argument in declared]
    assert len(set(names)) == len(names) > 0
    for argument in declared:
        assert argument.default is not None, argument.name
        assert argument.description and argument.description.strip().endswith("."), argument.name


def test_fusion_offers_the_documented_arguments(evaluate: Evaluate) -> None:
    context = evaluate("fusion")
    assert set(context.configurations) == {
        "rgb_topic", "thermal_topic", "rgb_info_topic", "thermal_info_topic", "namespace", "params_file",
        "driver", "prompt", "device", "use_sim_time", "autostart", "log_level", "fastdds_profile",
    }  # fmt: skip


def test_fusion_without_arguments_leaves_everything_to_the_params_file(evaluate: Evaluate) -> None:
    (node,) = evaluate("fusion").nodes
    assert (node.package, node.executable, node.name) == ("textdifuse_ros", "fusion_node", "textdifuse")
    assert node.parameters == [str(CONFIG / "fusion.yaml")]
    assert node.remappings == []
    assert node.namespace == ""


@pytest.mark.parametrize(
    "prompt",
    ["warm objects", "5", "3.5", "1e3", "yes", "y", "no", "null", "~", "a, b", "[car, dog]", "- x", "it's: x",
     "été \"q\" \\ 温", "2024-01-01", "!x", "# x", "😀"],
)  # fmt: skip
def test_a_prompt_stays_the_text_that_was_typed(evaluate: Evaluate, prompt: str) -> None:
    (node,) = evaluate("fusion", prompt=prompt).nodes
    assert own_values(node) == {"prompt": prompt}


@pytest.mark.parametrize("prompt", ["5", "1e3", "yes", "y", "null", "a, b", "é 温", "😀"])
def test_ros_reads_the_prompt_as_text_too(
    evaluate: Evaluate, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    (node,) = evaluate("fusion", prompt=prompt).nodes
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=101)
    try:
        probe = rclpy.create_node(
            "probe",
            context=context,
            cli_args=["--ros-args", "--params-file", node.parameters[-1]],
            use_global_arguments=False,
            start_parameter_services=False,
            automatically_declare_parameters_from_overrides=True,
        )
        value = probe.get_parameter("prompt").value
        probe.destroy_node()
    finally:
        context.try_shutdown()
    assert value == prompt


def test_switches_become_truth_values_and_words_stay_words(evaluate: Evaluate) -> None:
    (node,) = evaluate("fusion", use_sim_time="true", autostart="false", device="cpu").nodes
    assert own_values(node) == {"device": "cpu", "use_sim_time": True, "autostart": False}


def test_topics_are_remapped_with_their_compressed_form(evaluate: Evaluate) -> None:
    (node,) = evaluate("fusion", thermal_topic="/boson/image_raw", rgb_info_topic="/cam/info").nodes
    assert node.remappings == [
        ("thermal/image_raw", "/boson/image_raw"),
        ("thermal/image_raw/compressed", "/boson/image_raw/compressed"),
        ("rgb/camera_info", "/cam/info"),
    ]


def test_a_driver_comes_after_the_defaults_and_before_a_params_file(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("/**:\n  ros__parameters:\n    steps: 2\n", encoding="utf-8")
    lepton = str(CONFIG / "drivers" / "lepton_uvc.yaml")
    (node,) = evaluate("fusion", driver="lepton_uvc").nodes
    assert node.parameters == [str(CONFIG / "fusion.yaml"), lepton]
    (node,) = evaluate("fusion", driver="lepton_uvc", params_file=str(own)).nodes
    assert node.parameters == [lepton, str(own)]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"params_file": "/nowhere.yaml"}, "params_file: there is no file /nowhere.yaml"),
        ({"fastdds_profile": "/nowhere.xml"}, "fastdds_profile: there is no file /nowhere.xml"),
        ({"driver": "toaster"}, "'toaster' is not among"),
        ({"use_sim_time": "maybe"}, "'maybe' is not among"),
        ({"log_level": "loud"}, "'loud' is not among"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(evaluate: Evaluate, given: dict[str, str], named: str) -> None:
    with pytest.raises((ValueError, RuntimeError), match=named):
        evaluate("fusion", **given)


def test_the_shared_memory_profile_is_set_unless_there_is_one(
    evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evaluate("fusion").environment == {PROFILE: str(CONFIG / "fastdds_shm.xml")}
    assert evaluate("fusion", fastdds_profile="").environment == {}
    monkeypatch.setenv(PROFILE, "/robot/profile.xml")
    assert evaluate("fusion").environment == {}


def test_sim_starts_cameras_and_fusion_in_one_namespace(evaluate: Evaluate) -> None:
    cameras, fusion = evaluate("sim", namespace="rig", seed="7", rate="12.5", prompt="hot").nodes
    assert (cameras.executable, fusion.executable) == ("sim_cameras", "fusion_node")
    assert cameras.namespace == fusion.namespace == "rig"
    assert own_values(cameras) == {"seed": 7, "rate": 12.5}
    assert own_values(fusion) == {"prompt": "hot"}
    assert cameras.parameters[0] == str(CONFIG / "sim.yaml")


def test_sim_refuses_a_rate_that_is_no_number(evaluate: Evaluate) -> None:
    with pytest.raises(ValueError, match="rate:=fast is not a number"):
        evaluate("sim", rate="fast")


def test_perception_offers_the_arguments_of_fusion_and_those_of_the_detector(evaluate: Evaluate) -> None:
    context = evaluate("perception")
    assert set(context.configurations) - set(evaluate("fusion").configurations) == {
        "composed", "detector_params_file", "model", "detector_device", "classes", "classes_from_prompt",
    }  # fmt: skip


def test_perception_starts_one_process_that_gets_what_two_would_get(evaluate: Evaluate) -> None:
    given = {"namespace": "rig", "prompt": "hot", "model": "street.onnx", "rgb_topic": "/cam/rgb"}
    (process,) = evaluate("perception", **given).nodes
    assert (process.executable, process.name, process.namespace) == ("perception", "", "")
    assert process.parameters == process.remappings == []  # launch_ros would give them to both nodes
    from textdifuse_ros.nodes.perception_node import DETECTOR, FUSION, own_arguments

    own, rest = own_arguments(process.arguments)
    assert rest == []
    apart = evaluate("perception", composed="false", **given).nodes
    for words, node in zip((own[FUSION], own[DETECTOR]), apart, strict=True):
        pairs = list(itertools.pairwise(words))
        assert ("-r", f"__node:={node.name}") in pairs and ("-r", "__ns:=/rig") in pairs
        assert [file for option, file in pairs if option == "--params-file"] == node.parameters[:1]
        assert [rule for option, rule in pairs if option == "-r"][2:] == [
            f"{source}:={target}" for source, target in node.remappings
        ]
        values = dict(rule.split(":=", 1) for option, rule in pairs if option == "-p")
        assert {name: yaml.safe_load(value) for name, value in values.items()} == own_values(node)


def test_perception_starts_fusion_and_a_detector_that_hears_it(evaluate: Evaluate) -> None:
    fusion, detector = evaluate("perception", composed="false", namespace="rig", prompt="hot").nodes
    assert (fusion.executable, fusion.name) == ("fusion_node", "textdifuse")
    assert (detector.executable, detector.name) == ("fused_detector", "fused_detector")
    assert fusion.namespace == detector.namespace == "rig"
    assert detector.remappings == []
    assert detector.parameters == [str(CONFIG / "detector.yaml")]
    assert own_values(fusion) == {"prompt": "hot"}


def test_perceptions_arguments_reach_the_detector_alone_unless_both_have_them(evaluate: Evaluate) -> None:
    fusion, detector = evaluate(
        "perception",
        composed="false",
        model="/models/street.onnx",
        device="cpu",
        detector_device="cuda:0",
        classes="5, person",
        classes_from_prompt="true",
        use_sim_time="true",
    ).nodes
    assert own_values(fusion) == {"device": "cpu", "use_sim_time": True}
    assert own_values(detector) == {
        "model": "/models/street.onnx",
        "device": "cuda:0",
        "classes": "5, person",
        "classes_from_prompt": True,
        "use_sim_time": True,
    }


def test_two_rigs_are_two_fusion_nodes_with_namespaces_of_their_own(evaluate: Evaluate) -> None:
    nodes = evaluate("two_camera_rig", prompt="warm objects").nodes
    assert [node.namespace for node in nodes] == ["front", "rear"]
    assert {node.executable for node in nodes} == {"fusion_node"}
    assert all(own_values(node) == {"prompt": "warm objects"} for node in nodes)


def test_simulated_rigs_see_different_streets(evaluate: Evaluate) -> None:
    nodes = evaluate("two_camera_rig", rigs="a, b,c", simulate="true", seed="5").nodes
    cameras = [node for node in nodes if node.executable == "sim_cameras"]
    assert [node.namespace for node in cameras] == ["a", "b", "c"]
    assert [own_values(node)["seed"] for node in cameras] == [5, 6, 7]


@pytest.mark.parametrize("rigs", ["", ",", "front,front", "front,/front/"])
def test_rigs_without_names_of_their_own_are_refused(evaluate: Evaluate, rigs: str) -> None:
    with pytest.raises(ValueError, match="must name at least one rig"):
        evaluate("two_camera_rig", rigs=rigs)


def test_the_nodes_own_command_line_means_what_launch_would_pass(evaluate: Evaluate) -> None:
    from textdifuse_ros.nodes.launch_spec import FUSION_ARGUMENTS, defaults, fusion_node

    given = {"prompt": "5", "namespace": "rig/", "rgb_topic": "/cam/rgb"}
    (node,) = evaluate("fusion", **given).nodes
    spec = fusion_node({**defaults(FUSION_ARGUMENTS), **given}, ROOT)
    direct = spec.ros_arguments()
    files = node.parameters[:-1]
    assert '-p prompt:="5"' in " ".join(direct)
    for word in ("__node:=textdifuse", "__ns:=/rig", "rgb/image_raw:=/cam/rgb", *files):
        assert word in direct and word in node.words()
