"""Fusion and detection in one process: two nodes with their own names, the fused image handed over inside.

    perception [--fusion ARGUMENTS] [--detector ARGUMENTS] [--ros-args ...]

What follows --ros-args is for both nodes, or for the one whose name stands in front (-r fused_detector:a:=b).
What follows --fusion or --detector is meant as if --ros-args stood before it, for that node alone: so a
parameter file that begins with /**: says nothing to the other one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textdifuse_ros.nodes.detector_node import require_messages
from textdifuse_ros.nodes.node_main import StartRefused, run

if TYPE_CHECKING:
    from textdifuse_ros.nodes.managed_node import ManagedNode

FUSION, DETECTOR = "--fusion", "--detector"


def own_arguments(words: Sequence[str]) -> dict[str, list[str]]:
    """The ROS arguments of each node, by option; ``words`` are those of the process without ROS's own.

    Raises StartRefused for a word that belongs to neither.
    """
    parts: dict[str, list[str]] = {FUSION: [], DETECTOR: []}
    part: list[str] | None = None
    for word in words:
        if word in parts:
            part = parts[word]
        elif part is None:
            raise StartRefused(f"{word!r} belongs to neither node: it must follow {FUSION} or {DETECTOR}")
        else:
            part.append(word)
    return parts


def make_nodes(words: Sequence[str]) -> list[ManagedNode]:
    """Import and construct both. Raises StartRefused with the reason, naming the node that refuses."""
    own = own_arguments(words)
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

    def make() -> list[ManagedNode]:
        from rclpy.utilities import remove_ros_args

        return make_nodes(remove_ros_args(sys.argv if args is None else args)[1:])

    return run("perception", make, args)


if __name__ == "__main__":
    sys.exit(main())
