"""Turns launch_spec's plain data into actions of launch and launch_ros; nothing is decided here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from textdifuse_ros.nodes.launch_spec import PACKAGE, Argument, Composition, NodeSpec, environment

Plan = Callable[[Mapping[str, str], Path], Sequence[NodeSpec | Composition]]


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
            *(action(spec) for spec in plan(values, share)),
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


def action(spec: NodeSpec | Composition) -> Node:
    """The action that starts one process."""
    return node_action(spec) if isinstance(spec, NodeSpec) else composition_action(spec)


def composition_action(spec: Composition) -> Node:
    """The action that starts several nodes in one process. Their names, files and values are arguments of
    the executable: launch_ros itself would give them to all the nodes."""
    return Node(
        package=PACKAGE,
        executable=spec.executable,
        arguments=spec.arguments(),
        ros_arguments=["--log-level", spec.log_level],
        output="screen",
        emulate_tty=True,
    )


def node_action(spec: NodeSpec) -> Node:
    """The action that starts one node."""
    files = list(spec.params_files)
    if spec.parameters:
        files.append(overrides_file(spec))
    return Node(
        package=PACKAGE,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace,
        parameters=files,
        remappings=list(spec.remappings),
        ros_arguments=["--log-level", spec.log_level],
        output="screen",
        emulate_tty=True,
    )


def overrides_file(spec: NodeSpec) -> str:
    """A params file with the node's own values; it outlives this process, as launch_ros' own do.

    Handed to launch_ros as a dictionary they would pass through two YAML readers that disagree about text.
    """
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix=f"{spec.name}_", suffix=".yaml", delete=False
    ) as file:
        file.write(spec.overrides())
    return file.name
