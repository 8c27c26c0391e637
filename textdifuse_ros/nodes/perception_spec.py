"""What perception.launch.py decides, as plain data: fusion and a detector that sees the fused camera."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textdifuse_ros.nodes.launch_spec import (
    FALSE_TRUE,
    FUSION_ARGUMENTS,
    Argument,
    Composition,
    NodeSpec,
    Value,
    existing,
    fusion_node,
)
from textdifuse_ros.nodes.perception_node import DETECTOR, FUSION

_DETECTOR: tuple[Argument, ...] = (
    Argument(
        "composed",
        "true",
        "Run both nodes in one process, which hands the fused image over without a copy; false starts a "
        "process for each. Names, topics, parameters and services are the same.",
        ("true", "false"),
    ),
    Argument(
        "detector_params_file",
        "",
        "YAML file with parameters of the detector node. Empty: config/detector.yaml of this package, "
        "which holds every parameter with its default.",
    ),
    Argument(
        "model",
        "",
        "The detector's model: the path of a .pt, .onnx, .engine or .tflite file, or the name of one of "
        "ultralytics' own. Empty: as in detector_params_file.",
    ),
    Argument(
        "detector_device",
        "",
        "Where the detector runs: auto, cpu, cuda or cuda:N. Empty: as in detector_params_file.",
    ),
    Argument(
        "classes",
        "",
        "Names of the classes to report, separated by commas. Empty: as in detector_params_file (all).",
    ),
    Argument(
        "classes_from_prompt",
        "",
        "Report only what the prompt asks for. Empty: as in detector_params_file (false).",
        FALSE_TRUE,
    ),
)
PERCEPTION_ARGUMENTS: tuple[Argument, ...] = (*FUSION_ARGUMENTS, *_DETECTOR)


def detector_node(values: Mapping[str, str], share: Path) -> NodeSpec:
    """The detector node for launch arguments `values`; `share` is the folder that holds config/.

    It hears the fusion node of its namespace. Raises ValueError for a file that does not exist.
    """
    parameters: dict[str, Value] = {}
    for argument, name in (("model", "model"), ("detector_device", "device"), ("classes", "classes")):
        if values[argument]:
            parameters[name] = values[argument]
    for name in ("classes_from_prompt", "use_sim_time", "autostart"):
        if values[name]:
            parameters[name] = values[name] == "true"
    file = values["detector_params_file"] or str(share / "config" / "detector.yaml")
    return NodeSpec(
        executable="fused_detector",
        name="fused_detector",
        namespace=values.get("namespace", ""),
        params_files=(existing(file, "detector_params_file"),),
        parameters=parameters,
        log_level=values["log_level"],
    )


def perception(values: Mapping[str, str], share: Path) -> list[NodeSpec | Composition]:
    """perception.launch.py: the fusion node and the detector, in one process or in a process each."""
    fusion, detector = fusion_node(values, share), detector_node(values, share)
    if values["composed"] == "true":
        return [Composition("perception", {FUSION: fusion, DETECTOR: detector}, values["log_level"])]
    return [fusion, detector]
