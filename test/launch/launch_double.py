"""A small stand-in for launch and launch_ros, so that our launch files are evaluated where neither exists.

It knows the few classes that they use, checks arguments as the real ones do, and builds the command line of a
node in the order in which launch_ros builds it. It starts nothing.
"""

from __future__ import annotations

import runpy
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Context:
    """Values of the arguments, and what the actions have done so far."""

    configurations: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)


class DeclareLaunchArgument:
    def __init__(
        self,
        name: str,
        *,
        default_value: str | None = None,
        description: str | None = None,
        choices: list[str] | None = None,
    ) -> None:
        # The real one refuses an empty list of choices, and a default that is not among them.
        if choices is not None and (
            not choices or (default_value is not None and default_value not in choices)
        ):
            raise RuntimeError(f"{name}: default {default_value!r} is not among {choices}")
        self.name, self.default, self.description, self.choices = name, default_value, description, choices

    def visit(self, context: Context) -> None:
        if self.name not in context.configurations:
            if self.default is None:
                raise RuntimeError(f"argument {self.name} is required")
            context.configurations[self.name] = self.default
        value = context.configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(f"argument {self.name}: {value!r} is not among {self.choices}")


class LaunchConfiguration:
    def __init__(self, name: str) -> None:
        self.name = name

    def perform(self, context: Context) -> str:
        return context.configurations[self.name]


class OpaqueFunction:
    def __init__(self, *, function: Any) -> None:
        self.function = function

    def visit(self, context: Context) -> None:
        for action in self.function(context) or []:
            action.visit(context)


class SetEnvironmentVariable:
    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def visit(self, context: Context) -> None:
        context.environment[self.name] = self.value


@dataclass
class Node:
    """The keyword arguments that our launch files use; an unknown one is a TypeError, as in launch_ros."""

    package: str
    executable: str
    ros_arguments: list[str]
    output: str
    emulate_tty: bool
    name: str = ""
    namespace: str = ""
    parameters: list[str] = field(default_factory=list)
    remappings: list[tuple[str, str]] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    def visit(self, context: Context) -> None:
        context.nodes.append(self)

    def words(self) -> list[str]:
        """What follows the executable."""
        words = [*self.arguments, "--ros-args", *self.ros_arguments, "--ros-args"]
        if self.name:
            words += ["-r", f"__node:={self.name}"]
        if self.namespace:
            words += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for file in self.parameters:
            assert isinstance(file, str), "launch_ros would read a dictionary's text as YAML"
            words += ["--params-file", file]
        for source, target in self.remappings:
            words += ["-r", f"{source}:={target}"]
        return words


class LaunchDescription:
    def __init__(self, entities: list[Any]) -> None:
        self.entities = entities

    def declared(self) -> list[DeclareLaunchArgument]:
        """What --show-args lists."""
        return [entity for entity in self.entities if isinstance(entity, DeclareLaunchArgument)]


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in where `import launch` looks, until the test ends."""
    content: dict[str, dict[str, Any]] = {
        "launch": {"LaunchDescription": LaunchDescription},
        "launch.actions": {
            "DeclareLaunchArgument": DeclareLaunchArgument,
            "OpaqueFunction": OpaqueFunction,
            "SetEnvironmentVariable": SetEnvironmentVariable,
        },
        "launch.substitutions": {"LaunchConfiguration": LaunchConfiguration},
        "launch_ros": {},
        "launch_ros.actions": {"Node": Node},
    }
    for name, members in content.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    # Imported anew against the stand-in, and forgotten afterwards.
    monkeypatch.delitem(sys.modules, "textdifuse_ros.nodes.launch_actions", raising=False)


def load(file: Path) -> LaunchDescription:
    """The description that a launch file generates."""
    description = runpy.run_path(str(file))["generate_launch_description"]()
    assert isinstance(description, LaunchDescription)
    return description


def evaluate(file: Path, given: Mapping[str, str]) -> Context:
    """Evaluate a launch file with these arguments, as `ros2 launch FILE name:=value ...` would."""
    description = load(file)
    unknown = set(given) - {argument.name for argument in description.declared()}
    assert not unknown, f"{file.name} has no arguments {unknown}"
    context = Context(dict(given))
    for entity in description.entities:
        entity.visit(context)
    return context
