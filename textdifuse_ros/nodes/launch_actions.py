"""Turns launch_spec's plain data into actions of launch and launch_ros. Needs both; nothing is decided here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from textdifuse_ros.nodes.launch_spec import PACKAGE, Argument, NodeSpec, environment

Plan = Callable[[Mapping[str, str], Path], Sequence[NodeSpec]]


def describe(arguments: Sequence[Argument], plan: Plan) -> LaunchDescription:
    """A launch description with these arguments that starts what `plan` answers for their values."""
    share = Path(get_package_share_directory(PACKAGE))

    def start(context: Any) -> list[Any]:
        values = {
            argument.name: LaunchConfiguration(argument.name).perform(context) for argument in arguments
        }
        variables = environment(values, share, os.environ)
        return [
            *(SetEnvironmentVariable(name, value) for name, value in variables.items()),
            *(node_action(spec) for spec in plan(values, share)),
        ]

    return LaunchDescription([*map(declare, arguments), OpaqueFunction(function=start)])


def declare(argument: Argument) -> DeclareLaunchArgument:
    """The declaration that `--show-args` prints."""
    return DeclareLaunchArgument(
        argument.name,
        default_value=argument.default,
        description=argument.description,
        choices=list(argument.choices) or None,
    )


def node_action(spec: NodeSpec) -> Node:
    """The action that starts one node."""
    # The type is given with every value: launch_ros would read bare text as YAML and turn "5" into a number.
    values = {name: ParameterValue(value, value_type=type(value)) for name, value in spec.parameters.items()}
    return Node(
        package=PACKAGE,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace,
        parameters=[*spec.params_files, *([values] if values else [])],
        remappings=list(spec.remappings),
        ros_arguments=["--log-level", spec.log_level],
        output="screen",
        emulate_tty=True,
    )
