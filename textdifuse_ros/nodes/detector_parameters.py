"""The detector node's parameters: one declarative table, as the fusion node has one. No ROS."""

from __future__ import annotations

from textdifuse_ros.nodes.parameter_spec import INACTIVE, LIVE, ParameterSpec
from textdifuse_ros.nodes.settings import MANAGED_ROWS, TableSettings, check_device

MODEL_KEYS = ("model", "device", "threads", "image_size")  # those that mean another network


def _number(name: str, default: float, low: float, high: float, unit: str, text: str) -> ParameterSpec:
    return ParameterSpec(name, float, default, text, LIVE, unit, low, high)


DETECTOR_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "model",
        str,
        "shipped",
        "A YOLO model: shipped (persons, bicycles and cars in colour, thermal and fused images), the path of "
        "a .pt, .onnx, .engine or .tflite file, or the name of one of ultralytics' own, which is downloaded "
        "once.",
        INACTIVE,
    ),
    ParameterSpec("device", str, "auto", "Where the model runs: auto, cpu, cuda or cuda:N.", INACTIVE),
    ParameterSpec(
        "threads",
        int,
        0,
        "CPU threads of a .pt or .onnx model; 0 takes all cores. Other kinds choose for themselves.",
        INACTIVE,
        minimum=0,
        maximum=256,
    ),
    ParameterSpec(
        "image_size",
        int,
        0,
        "Longer side to which images are scaled for the model; 0 takes what the model was trained for. A "
        "model that was exported for one size keeps that size.",
        INACTIVE,
        "px",
        0,
        4096,
    ),
    _number("confidence", 0.25, 0.0, 1.0, "", "Detections below this score are left out."),
    _number(
        "iou",
        0.7,
        0.0,
        1.0,
        "",
        "Of two boxes of a class that overlap by more than this, the weaker one is left out. Models that "
        "suppress overlaps themselves ignore it.",
    ),
    ParameterSpec(
        "classes",
        str,
        "",
        "Names of the classes to report, separated by commas, as the model calls them (person, car). "
        "Empty: all.",
    ),
    ParameterSpec("max_detections", int, 300, "Most detections in one image.", minimum=1, maximum=3000),
    ParameterSpec(
        "classes_from_prompt",
        bool,
        False,
        "Report only what the fusion node's prompt asks for; while the prompt names no class of the "
        "model, the parameter classes holds.",
    ),
    ParameterSpec(
        "prompt_topic",
        str,
        "textdifuse/prompt",
        "Where the prompt in force is read (the fusion node's ~/prompt); relative to this node's namespace.",
        INACTIVE,
    ),
    _number(
        "loss_timeout",
        1.0,
        0.05,
        60.0,
        "s",
        "Without a usable image, or without a published result, for this long /diagnostics say ERROR and "
        "why.",
    ),
    *MANAGED_ROWS,
)


class DetectorSettings(TableSettings):
    """The values of the detector node's table."""

    rows = DETECTOR_PARAMETERS

    def check(self, changed: set[str]) -> None:
        check_device(self.text("device"))
