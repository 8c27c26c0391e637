"""Fuse a thermal and an RGB camera, and detect objects in the fused image: two nodes, one process or two."""

from launch import LaunchDescription

from textdifuse_ros.nodes.launch_actions import describe
from textdifuse_ros.nodes.perception_spec import PERCEPTION_ARGUMENTS, perception


def generate_launch_description() -> LaunchDescription:
    return describe(PERCEPTION_ARGUMENTS, perception)
