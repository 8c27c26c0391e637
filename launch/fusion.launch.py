"""Fuse one thermal and one RGB camera that are already running. Arguments: --show-args."""

from launch import LaunchDescription

from textdifuse_ros.nodes.launch_actions import describe
from textdifuse_ros.nodes.launch_spec import FUSION_ARGUMENTS, fusion_node


def generate_launch_description() -> LaunchDescription:
    return describe(FUSION_ARGUMENTS, lambda values, share: [fusion_node(values, share)])
