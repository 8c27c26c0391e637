"""Fusion and detection in one process: two nodes with their own names, the fused image handed over inside.

    perception [--fusion ARGUMENTS] [--detector ARGUMENTS] [--ros-args ...]

What follows --ros-args is for both nodes, or for the one whose name stands in front (-r fused_detector:a:=b).
What follows --fusion or --detector is meant as if --ros-args stood before it, for that node alone: so a
parameter file that begins with /**: says nothing to the other one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textdifuse_ros.nodes.command_line import Program
from textdifuse_ros.nodes.detector_node import require_messages
from textdifuse_ros.nodes.node_main import StartRefused, run

if TYPE_CHECKING:
    from textdifuse_ros.nodes.managed_node import ManagedNode

FUSION, DETECTOR = "--fusion", "--detector"
PROGRAM = Program(
    "perception",
    "Fusion and detection in one process; what follows --ros-args is for both nodes.",
    f"[{FUSION} ARGUMENTS] [{DETECTOR} ARGUMENTS]",
    f"is for neither node: write it after {FUSION} or {DETECTOR}",
)


def own_arguments(words: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The ROS arguments of each node alone, by option, and the rest of a command line, ROS's own included.

    A node's arguments end at the other node's option or at --ros-args. They must be taken away before rcl
    sees the line: it reads every a:=b on it as a rule for the whole process.
    """
    parts: dict[str, list[str]] = {FUSION: [], DETECTOR: []}
    rest: list[str] = []
    part, of_ros = rest, False
    for word in words:
        if of_ros or word == "--ros-args":
            part, of_ros = rest, word != "--"
        elif word in parts:
            part = parts[word]
            continue
        part.append(word)
    return parts, rest


def make_nodes(own: Mapping[str, Sequence[str]]) -> list[ManagedNode]:
    """Import and construct both, each with its own arguments. Raises StartRefused with the reason, naming
    the node that refuses."""
    require_messages()
    from textdifuse_ros.nodes.detector import DetectorNode
    from textdifuse_ros.nodes.fusion import FusionNode
    from textdifuse_ros.nodes.parameter_spec import ParameterError

    made: list[ManagedNode] = []
    try:
        fusion = FusionNode(own[FUSION])
        made.append(fusion)
        made.append(DetectorNode(fusion.handover, own[DETECTOR]))
    except ParameterError as error:
        raise StartRefused(f"{'fused_detector' if made else 'textdifuse'}: {error}") from error
    names = [node.get_fully_qualified_name() for node in made]
    if len(set(names)) < len(names):
        raise StartRefused(
            f"both nodes are called {names[0]}: rename one of them, as in -r textdifuse:__node:=front"
        )
    return made


def main(args: list[str] | None = None) -> int:
    """Run both nodes until they are told to end; never returns to the caller."""
    own, rest = own_arguments(sys.argv if args is None else args)
    return run(PROGRAM, lambda: make_nodes(own), rest)


if __name__ == "__main__":
    sys.exit(main())
