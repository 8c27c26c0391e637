"""Parameters of the simulated cameras: one table that declares, bounds and documents them."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from textdifuse_ros.nodes.parameters import START, ParameterError, ParameterSpec
from textdifuse_ros.nodes.process import StartError


def _row(
    name: str, default: Any, text: str, low: float | None = None, high: float | None = None, **more: Any
) -> Any:
    return ParameterSpec(name, type(default), default, text, START, minimum=low, maximum=high, **more)


SIM_PARAMETERS: tuple[ParameterSpec, ...] = (
    _row("width", 640, "Width of the RGB picture", 32, 4096, unit="px"),
    _row("height", 480, "Height of the RGB picture", 32, 4096, unit="px"),
    _row("rate", 30.0, "RGB pictures a second", 0.5, 120.0, unit="Hz"),
    _row("seed", 0, "Which street, people and noise: the same seed gives the same sequence", 0, 2**31 - 1),
    _row("smoke", 1.0, "Density of the smoke: 0 clear air, 1 people behind it vanish from RGB", 0.0, 3.0),
    _row("start_time", 0.0, "Where in the sequence to begin", 0.0, 1e6, unit="s"),
    _row("loop", 0.0, "Length of the sequence before it begins again; 0 never repeats", 0.0, 1e5, unit="s"),
    _row(
        "prerender",
        0.0,
        "Seconds of the sequence rendered before publishing and then repeated, to spare the CPU "
        "while running (about 1.5 MB a picture at 640x480); 0 renders live",
        0.0,
        600.0,
        unit="s",
    ),
    _row("max_frames", 0, "Stop after this many RGB pictures; 0 never stops", 0, 2**31 - 1),
    _row("wait_for_subscribers", False, "Begin when both images have a subscriber"),
    _row("ground_truth", True, "Publish ground_truth/mask and ground_truth/boxes"),
    _row("rgb.frame_id", "rgb_optical", "Frame of the RGB camera"),
    _row("rgb.noise", 3.5, "Noise of the RGB camera", 0.0, 60.0, unit="grey levels"),
    _row("rgb.drop", 0.0, "Share of RGB pictures that get lost", 0.0, 1.0),
    _row("thermal.frame_id", "thermal_optical", "Frame of the thermal camera"),
    _row("thermal.width", 0, "Width of the thermal picture; 0 is that of RGB", 0, 4096, unit="px"),
    _row("thermal.height", 0, "Height of the thermal picture; 0 is that of RGB", 0, 4096, unit="px"),
    _row(
        "thermal.rate",
        0.0,
        "Thermal pictures a second, at most the RGB rate; 0 is the RGB rate",
        0.0,
        120.0,
        unit="Hz",
    ),
    _row(
        "thermal.encoding",
        "mono8",
        "mono8 after gain control; mono16, 16UC1: radiometric counts of 0.01 K",
        choices=("mono8", "mono16", "16UC1"),
    ),
    _row(
        "thermal.agc",
        "fixed",
        "Gain control of mono8: a fixed span, or each frame's span as cheap cores do",
        choices=("fixed", "frame"),
    ),
    _row(
        "thermal.range_min",
        -6.0,
        "Black with thermal.agc fixed",
        -100.0,
        400.0,
        unit="deg C",
    ),
    _row(
        "thermal.range_max",
        36.0,
        "White with thermal.agc fixed",
        -100.0,
        400.0,
        unit="deg C",
    ),
    _row("thermal.noise", 0.07, "Noise of one thermal pixel over time", 0.0, 5.0, unit="K"),
    _row("thermal.drop", 0.0, "Share of thermal pictures that get lost", 0.0, 1.0),
    _row(
        "thermal.time_offset",
        0.0,
        "Added to the thermal stamps only: a camera that stamps on arrival",
        -2.0,
        2.0,
        unit="s",
    ),
    _row(
        "thermal.freeze_period",
        0.0,
        "Time between two flat-field corrections; 0 has none",
        0.0,
        3600.0,
        unit="s",
    ),
    _row(
        "thermal.freeze_duration",
        1.0,
        "How long the thermal picture stands still meanwhile",
        0.0,
        10.0,
        unit="s",
    ),
)


def declare(node: Node, table: tuple[ParameterSpec, ...]) -> dict[str, Any]:
    """Declare a table of start-up parameters and return their values; raises StartError for a bad one."""
    values = {}
    for spec in table:
        descriptor = ParameterDescriptor(
            description=_text(spec), additional_constraints=spec.constraint, read_only=True
        )
        if spec.kind is float and spec.minimum is not None and spec.maximum is not None:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=spec.minimum, to_value=spec.maximum)
            ]
        elif spec.kind is int and spec.minimum is not None and spec.maximum is not None:
            descriptor.integer_range = [
                IntegerRange(from_value=int(spec.minimum), to_value=int(spec.maximum))
            ]
        # Typed by hand: 30 for a double is what everybody writes.
        descriptor.dynamic_typing = spec.kind is float
        try:
            value = node.declare_parameter(spec.name, spec.default, descriptor).value
            values[spec.name] = spec.validate(value)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise StartError(f"parameter {spec.name}: {' '.join(str(error).split())}") from None
        except ParameterError as error:
            raise StartError(f"parameter {error}") from None
    return values


def _text(spec: ParameterSpec) -> str:
    return f"{spec.description} [{spec.unit}]" if spec.unit else spec.description
