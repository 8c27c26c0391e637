"""Two rigs on one robot, each with a thermal and an RGB camera: an example to copy and change.

Every rig has a namespace; its cameras publish <rig>/rgb/image_raw and <rig>/thermal/image_raw, its fused
camera is <rig>/fused/image_raw, and its prompt is the parameter of /<rig>/textdifuse. Try it without
cameras: ros2 launch textdifuse_ros two_camera_rig.launch.py simulate:=true
"""

from launch import LaunchDescription

from textdifuse_ros.nodes.launch_actions import describe
from textdifuse_ros.nodes.launch_spec import TWO_RIG_ARGUMENTS, rigs


def generate_launch_description() -> LaunchDescription:
    return describe(TWO_RIG_ARGUMENTS, rigs)
