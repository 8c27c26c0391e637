"""A dry run without hardware: simulated cameras (a rendered night street) and a fusion node."""

from launch import LaunchDescription

from textdifuse_ros.nodes.launch_actions import describe
from textdifuse_ros.nodes.launch_spec import SIM_ARGUMENTS, simulation


def generate_launch_description() -> LaunchDescription:
    return describe(SIM_ARGUMENTS, simulation)
