"""Entry point of the fusion node. Its modules are imported when the signal handlers stand: node_main."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from textdifuse_ros.nodes.command_line import Program
from textdifuse_ros.nodes.node_main import run

if TYPE_CHECKING:
    from textdifuse_ros.nodes.fusion import FusionNode


PROGRAM = Program("fusion_node", "The fusion node: a thermal and an RGB camera become one image topic.")


def make_node() -> FusionNode:
    """Import and construct the node."""
    from textdifuse_ros.nodes.fusion import FusionNode

    return FusionNode()


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to end; never returns to the caller."""
    return run(PROGRAM, lambda: [make_node()], args)


if __name__ == "__main__":
    sys.exit(main())
