"""Fuse one thermal and one RGB camera, and detect objects in the fused image: two nodes, a process each."""

from launch import LaunchDescription

from textdifuse_ros.nodes.launch_actions import describe
from textdifuse_ros.nodes.perception_spec import PERCEPTION_ARGUMENTS, perception


def generate_launch_description() -> LaunchDescription:
    return describe(PERCEPTION_ARGUMENTS, perception)
