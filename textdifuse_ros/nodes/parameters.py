"""The fusion node's parameters: one declarative table that declares, validates, refuses and documents.

Pure Python: no ROS, so that the reference and config/fusion.yaml are generated from it anywhere.
"""

from __future__ import annotations

from textdifuse_ros.nodes.loss import LONGEST_TIMEOUT
from textdifuse_ros.nodes.parameter_spec import (
    INACTIVE,
    LIVE,
    START,
    ParameterError,
    ParameterSpec,
)
from textdifuse_ros.nodes.settings import MANAGED_ROWS, TableSettings, check_device
from textdifuse_ros.pairing_camera import LARGEST_OFFSET
from textdifuse_ros.text.localiser import localiser_names

__all__ = [
    "BY_NAME",
    "INACTIVE",
    "LIVE",
    "PARAMETERS",
    "START",
    "ParameterError",
    "ParameterSpec",
    "Settings",
]


def _choice(name: str, default: str, choices: tuple[str, ...], text: str, when: str = LIVE) -> ParameterSpec:
    return ParameterSpec(name, str, default, text, when, choices=choices)


def _number(
    name: str, default: float, low: float | None, high: float | None, unit: str, text: str, when: str = LIVE
) -> ParameterSpec:
    return ParameterSpec(name, float, default, text, when, unit, low, high)


_LOSS = ("pass", "hold", "stop")
RANGE_LIMIT = 1e30  # of raw thermal values: what the normaliser takes
_TRANSPORT = ("raw", "compressed")

PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "prompt",
        str,
        "",
        "What must stand out, and restoration wishes (keep the night look): phrases separated by commas, "
        "each optionally weighted (warm objects*1.5) or suppressed (no hot spots). Empty: plain fusion. A "
        "phrase that nothing can follow is refused.",
    ),
    _number("prompt_strength", 1.0, 0.0, 2.0, "", "How strongly the prompt acts; 0 switches it off."),
    ParameterSpec("steps", int, 1, "Steps of the sampler: more is slower and finer.", choices=(1, 2, 4)),
    _choice(
        "restore",
        "auto",
        ("auto", "off"),
        "Restoration by the network: auto repairs what the images show to be a fault (noise, stripes, blur, "
        "an RGB image too dark, too bright, flat or tinted for any scene, or behind smoke or fog) and nearly "
        "leaves what can be how the scene is (a night, a white sky), off repairs nothing; wishes in the "
        "prompt go further for what they name (remove the haze, brighten the dark) or hold back (keep the "
        "colours).",
    ),
    _number(
        "boxes_sharpen",
        0.0,
        0.0,
        1.0,
        "",
        "How far boxes of a detector sharpen the relevance map: those of classes that the prompt's objects "
        "mean raise it inside (suppressed ones lower it), and it falls a little outside. 0 is off. It needs "
        "vision_msgs.",
    ),
    _number(
        "boxes_max_age",
        0.5,
        0.0,
        10.0,
        "s",
        "Boxes count while the image they were found in is at most so much older, by the stamps, than the "
        "one that is fused.",
    ),
    ParameterSpec(
        "detections_topic",
        str,
        "fused/detections",
        "With boxes_sharpen: where detections in the fused image come from (vision_msgs/Detection2DArray); "
        "relative to this node's namespace.",
        INACTIVE,
    ),
    _choice(
        "localiser",
        "embedded",
        localiser_names(),
        "What turns phrases into a relevance map: embedded knows persons, vehicles, sky, road and warmth "
        "by many words, heat phrases about temperature only, clip any phrase (it needs open_clip and a "
        "model's weights, see docs/prompts.md).",
        INACTIVE,
    ),
    ParameterSpec(
        "localiser.model",
        str,
        "ViT-B-16",
        "With localiser clip: a model of open_clip by name, or a folder with its open_clip_config.json and "
        "weights.",
        INACTIVE,
    ),
    ParameterSpec(
        "localiser.weights",
        str,
        "openai",
        "With localiser clip: the weights of a model given by name, as one of open_clip's tags or as a "
        ".safetensors file.",
        INACTIVE,
    ),
    _number(
        "localiser.rate",
        2.0,
        0.0,
        60.0,
        "Hz",
        "With localiser clip: how often it looks at the images, in a thread of its own; what it saw last is "
        "held in between. 0 looks at every frame, and each frame waits for it.",
        INACTIVE,
    ),
    ParameterSpec("device", str, "auto", "Where the network runs: auto, cpu, cuda or cuda:N.", INACTIVE),
    _choice(
        "engine",
        "auto",
        ("auto", "eager", "compile", "onnx", "tensorrt"),
        "What executes the network. compile, onnx and tensorrt are built while eager fuses, and take over "
        "between two frames.",
        INACTIVE,
    ),
    _choice(
        "dtype",
        "auto",
        ("auto", "fp32", "bf16", "int8", "fp16"),
        "Arithmetic of the network; auto takes the fastest that the device does well.",
        INACTIVE,
    ),
    ParameterSpec(
        "weights", str, "", "Path of a .safetensors file; empty takes the weights that ship.", INACTIVE
    ),
    ParameterSpec(
        "threads", int, 0, "CPU threads of the network; 0 takes all cores.", INACTIVE, minimum=0, maximum=256
    ),
    _choice(
        "thermal.range_mode",
        "percentile",
        ("fixed", "percentile", "frame"),
        "How raw thermal values become 8 bits: fixed takes range_min..range_max, percentile follows the "
        "scene smoothly, frame stretches each frame by itself (and may flicker).",
    ),
    _number(
        "thermal.range_min",
        0.0,
        None,
        None,
        "raw counts",
        "Raw value that becomes black with range_mode fixed (centikelvin, counts or degrees, as the "
        "camera sends).",
    ),
    _number(
        "thermal.range_max",
        255.0,
        None,
        None,
        "raw counts",
        "Raw value that becomes white with range_mode fixed; above range_min.",
    ),
    _number(
        "thermal.percentile_low",
        1.0,
        0.0,
        100.0,
        "%",
        "Percentile of the frame that becomes black with range_mode percentile.",
    ),
    _number(
        "thermal.percentile_high",
        99.0,
        0.0,
        100.0,
        "%",
        "Percentile of the frame that becomes white with range_mode percentile; above percentile_low.",
    ),
    _number(
        "thermal.time_constant",
        1.0,
        0.0,
        60.0,
        "s",
        "Smoothing of the range with range_mode percentile; 0 follows each frame at once.",
    ),
    _choice(
        "thermal.polarity",
        "white_hot",
        ("white_hot", "black_hot"),
        "What the camera sends: white_hot has warm things bright, black_hot is inverted on arrival.",
    ),
    ParameterSpec(
        "thermal.telemetry_rows",
        int,
        0,
        "Rows cut off the bottom of each thermal image (a Boson with telemetry on sends 2).",
        unit="rows",
        minimum=0,
        maximum=64,
    ),
    _number(
        "thermal.freeze_timeout",
        0.5,
        0.0,
        60.0,
        "s",
        "Identical thermal images for this long count as a freeze (flat-field correction) and are treated "
        "like a lost thermal camera; 0 switches the check off.",
    ),
    _number(
        "max_megapixels",
        4.0,
        0.1,
        64.0,
        "megapixels",
        "Larger images of either camera are refused, by what their header says: each megapixel takes the "
        "network about 0.33 GB of memory and, on a CPU, 2 s. Set the driver's binning or put an image_proc "
        "resize node in front, or raise this.",
    ),
    _choice(
        "rgb.transport",
        "raw",
        _TRANSPORT,
        "raw subscribes rgb/image_raw, compressed the topic /compressed below it; both follow its remap.",
        INACTIVE,
    ),
    _choice(
        "thermal.transport",
        "raw",
        _TRANSPORT,
        "raw subscribes thermal/image_raw, compressed the topic /compressed below it; both follow its remap.",
        INACTIVE,
    ),
    _number(
        "rgb.time_offset",
        0.0,
        -LARGEST_OFFSET,
        LARGEST_OFFSET,
        "s",
        "Added to RGB stamps for pairing only; the published stamp stays untouched.",
    ),
    _number(
        "thermal.time_offset",
        0.0,
        -LARGEST_OFFSET,
        LARGEST_OFFSET,
        "s",
        "Added to thermal stamps for pairing only; the published stamp stays untouched.",
    ),
    _number(
        "pairing.max_dt", 0.02, 0.001, 1.0, "s", "Two images pair when their stamps differ by at most this."
    ),
    _choice(
        "registration.mode",
        "none",
        ("none", "homography", "extrinsics"),
        "How the other camera is brought into the reference camera's view; none only scales it.",
    ),
    ParameterSpec(
        "registration.file",
        str,
        "",
        "YAML made by `textdifuse calibrate`, or written by hand; needed by homography and extrinsics.",
    ),
    _number(
        "registration.plane_depth",
        10.0,
        0.1,
        10000.0,
        "m",
        "Distance of the plane at which extrinsics bring the two views together.",
    ),
    _choice(
        "on_thermal_loss",
        "pass",
        _LOSS,
        "While the thermal camera is lost or frozen: pass sends the RGB image through, hold repeats the "
        "last fused image, stop publishes nothing.",
    ),
    _choice(
        "on_rgb_loss",
        "pass",
        _LOSS,
        "While the RGB camera is lost: pass sends the thermal image through, hold repeats the last fused "
        "image, stop publishes nothing.",
    ),
    _number(
        "loss_timeout",
        1.0,
        0.05,
        LONGEST_TIMEOUT,
        "s",
        "A camera without a usable image for this long is lost (measured on arrivals, by a steady clock).",
    ),
    _choice(
        "reference",
        "rgb",
        ("rgb", "thermal"),
        "The camera whose view, header and CameraInfo the fused image carries.",
        INACTIVE,
    ),
    _choice("output_encoding", "rgb8", ("rgb8", "bgr8", "mono8"), "Encoding of fused/image_raw."),
    *MANAGED_ROWS,
)


class Settings(TableSettings):
    """The values of the fusion node's table."""

    rows = PARAMETERS

    def check(self, changed: set[str]) -> None:
        _check_together(self, changed)


BY_NAME = Settings.by_name


def _check_together(settings: Settings, changed: set[str]) -> None:
    """Constraints between parameters; blames the one that was just set."""
    for low, high in (
        ("thermal.range_min", "thermal.range_max"),
        ("thermal.percentile_low", "thermal.percentile_high"),
    ):
        if settings.number(low) >= settings.number(high):
            blamed = low if low in changed else high
            raise ParameterError(
                blamed,
                f"{low} ({settings.number(low):g}) must lie below {high} ({settings.number(high):g}); "
                "to move both at once set them in one atomic request or in the order that keeps them apart",
            )
    for name in ("thermal.range_min", "thermal.range_max"):
        if abs(settings.number(name)) > RANGE_LIMIT:
            raise ParameterError(name, f"{settings.number(name):g} is no value of a camera")
    if settings.text("registration.mode") != "none" and not settings.text("registration.file"):
        blamed = "registration.mode" if "registration.mode" in changed else "registration.file"
        raise ParameterError(
            blamed,
            f"registration.mode {settings.text('registration.mode')} needs a calibration: "
            "set registration.file first (make one with `textdifuse calibrate`)",
        )
    check_device(settings.text("device"))
