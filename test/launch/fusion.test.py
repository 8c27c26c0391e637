"""launch_testing: fusion.launch.py starts a node that waits for its cameras and says so."""

import unittest
from pathlib import Path

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from diagnostic_msgs.msg import DiagnosticArray
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description() -> LaunchDescription:
    file = Path(get_package_share_directory("textdifuse_ros")) / "launch" / "fusion.launch.py"
    arguments = {"thermal_topic": "/boson/image_raw", "driver": "flir_boson", "device": "cpu"}
    fusion = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(file)), launch_arguments=arguments.items()
    )
    return LaunchDescription([fusion, launch_testing.actions.ReadyToTest()])


class TestWaiting(unittest.TestCase):
    """Without cameras."""

    def test_diagnostics_name_the_remapped_topic_that_is_silent(self) -> None:
        rclpy.init()
        node = rclpy.create_node("probe")
        said = []
        node.create_subscription(
            DiagnosticArray,
            "/diagnostics",
            lambda array: said.extend(status.message for status in array.status),
            10,
        )
        try:
            for _ in range(120):
                rclpy.spin_once(node, timeout_sec=0.5)
                if any("/boson/image_raw" in message for message in said):
                    return
            self.fail(f"nothing about /boson/image_raw in {sorted(set(said))}")
        finally:
            node.destroy_node()
            rclpy.shutdown()


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After the node was interrupted."""

    def test_the_node_ended_with_code_zero(self, proc_info) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
