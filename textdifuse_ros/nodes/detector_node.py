"""Entry point of the detector node. Its modules are imported when the signal handlers stand: node_main."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from textdifuse_ros.nodes.command_line import Program
from textdifuse_ros.nodes.node_main import StartRefused, run

if TYPE_CHECKING:
    from textdifuse_ros.nodes.detector import DetectorNode


PROGRAM = Program(
    "fused_detector", "The detector node: finds objects in an image topic, the fused one for one."
)


def require_messages() -> None:
    """Raises StartRefused where the messages of the detector are not installed."""
    if importlib.util.find_spec("vision_msgs") is None:
        raise StartRefused("vision_msgs is not installed: sudo apt install ros-$ROS_DISTRO-vision-msgs")


def make_node() -> DetectorNode:
    """Import and construct the node. Raises StartRefused where its messages are not installed."""
    require_messages()
    from textdifuse_ros.nodes.detector import DetectorNode

    return DetectorNode()


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to end; never returns to the caller."""
    return run(PROGRAM, lambda: [make_node()], args)


if __name__ == "__main__":
    sys.exit(main())
