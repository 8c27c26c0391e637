"""Parameters that were given at start and that nobody reads: a typo must not pass in silence."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

QOS = "qos_overrides."  # declared later, with the publisher or subscription that they are for


def warn_of_unused(nodes: Sequence[Any], arguments: Sequence[str]) -> None:
    """Log each parameter that a node does not have, and each parameter file with nothing for any node.

    ``nodes`` and ``arguments`` are those of the process; a node may have ``arguments`` of its own besides.
    rclpy itself ignores both without a word. Where nodes share a process, what is given to all of them need
    only be a parameter of one.
    """
    for node in nodes:
        given = getattr(node, "_parameter_overrides", {})  # rclpy has no public name for them
        unknown = [name for name in given if not name.startswith(QOS)]
        unknown = [name for name in unknown if not any(each.has_parameter(name) for each in nodes)]
        declared = [name for name in node._parameters if not name.startswith(QOS)]
        for name in sorted(unknown):
            node.get_logger().warning(f"parameter {name} is ignored: {unknown_reason(name, declared)}")
        _warn_of_unheard([node], getattr(node, "arguments", ()))
    _warn_of_unheard(nodes, arguments)


class QosWatch:
    """Names overrides of QoS that no topic took, once every node has been active: before that the topics are
    not there yet. Where nodes share a process, an override need only be for one of them."""

    def __init__(self, nodes: Sequence[Any]) -> None:
        self._nodes = nodes
        self._waiting = {id(node) for node in nodes}

    def activated(self, node: Any) -> None:
        """A node has been activated; only the last one of all of them to be so for the first time counts."""
        if id(node) not in self._waiting:
            return
        self._waiting.discard(id(node))
        if not self._waiting:
            self._warn()

    def _warn(self) -> None:
        taken = [name for node in self._nodes for name in node._parameters if name.startswith(QOS)]
        for node in self._nodes:
            for name in idle_overrides(getattr(node, "_parameter_overrides", {}), taken):
                near = difflib.get_close_matches(name, taken, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                node.get_logger().warning(
                    f"parameter {name} is ignored: no publisher or subscription uses it at present{hint}"
                )


def idle_overrides(given: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Overrides of QoS among the parameters ``given`` that are not among those that topics have taken.

    Of a camera's raw and its compressed topic one is subscribed to; an override of the other one waits.
    """
    known = set(taken)
    return sorted(
        name
        for name in given
        if name.startswith(QOS) and name not in known and _other_transport(name) not in known
    )


def _other_transport(name: str) -> str:
    topic, dot, rest = name.removeprefix(QOS).partition(".")
    other = topic.removesuffix("/compressed") if topic.endswith("/compressed") else f"{topic}/compressed"
    return f"{QOS}{other}{dot}{rest}"


def _warn_of_unheard(nodes: Sequence[Any], arguments: Sequence[str]) -> None:
    for path in parameter_files(arguments):
        reasons = [unheard_reason(path, node.get_fully_qualified_name()) for node in nodes]
        if all(reasons):
            nodes[0].get_logger().warning(f"parameter file {path} is ignored: {'; '.join(reasons)}")


def unknown_reason(name: str, declared: Iterable[str]) -> str:
    """Why a name is no parameter of the node, with the nearest one that is."""
    near = difflib.get_close_matches(name, list(declared), n=1)
    return "this node has no such parameter" + (f"; did you mean {near[0]}?" if near else "")


def parameter_files(arguments: Sequence[str]) -> list[str]:
    """The values of ``--params-file`` on a command line."""
    pairs = itertools.pairwise(arguments)
    return [value for option, value in pairs if option == "--params-file"]


def unheard_reason(path: str, node: str) -> str:
    """Why a parameter file holds nothing for ``node`` (its fully qualified name), "" when it does."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ""  # rclpy has refused it, with its own words
    names = sorted(set(_addressed(content, "")))
    if not names or any(_matches(pattern, node) for pattern in names):
        return ""
    return f"it is for {', '.join(names)}, and this node is {node}; begin it with {node}: or with /**:"


def _addressed(content: Any, prefix: str) -> Iterator[str]:
    """Names of the nodes that a parameter file speaks to; namespaces may be nested."""
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if key == "ros__parameters":
            yield prefix or "/"
        else:
            yield from _addressed(value, f"{prefix}/{str(key).strip('/')}")


def _matches(pattern: str, node: str) -> bool:
    """ROS's wildcards: ``*`` stands for one part of a name, ``**`` for any number of them."""
    expression = "".join(
        r"(/[^/]+)*" if part == "**" else "/" + re.escape(part).replace(r"\*", "[^/]*")
        for part in pattern.strip("/").split("/")
    )
    return re.fullmatch(expression, node) is not None
