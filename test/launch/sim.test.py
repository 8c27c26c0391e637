"""launch_testing: sim.launch.py brings up cameras and fusion, which fuses, and both end cleanly."""

import unittest
from pathlib import Path

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from textdifuse_ros.msg import FusionStatus

PROMPT = "warm objects"


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description() -> LaunchDescription:
    file = Path(get_package_share_directory("textdifuse_ros")) / "launch" / "sim.launch.py"
    arguments = {"namespace": "rig", "rate": "5", "prompt": PROMPT, "device": "cpu"}
    simulation = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(file)), launch_arguments=arguments.items()
    )
    return LaunchDescription([simulation, launch_testing.actions.ReadyToTest()])


class TestFusing(unittest.TestCase):
    """While the nodes run."""

    @classmethod
    def setUpClass(cls) -> None:
        rclpy.init()
        cls.node = rclpy.create_node("probe")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.node.destroy_node()
        rclpy.shutdown()

    def receive(self, kind: type, topic: str, wanted, qos=10, seconds: float = 60.0):
        """The first message on `topic` for which `wanted` holds."""
        got = []
        subscription = self.node.create_subscription(kind, topic, got.append, qos)
        deadline = self.node.get_clock().now().nanoseconds + int(seconds * 1e9)
        try:
            while self.node.get_clock().now().nanoseconds < deadline:
                rclpy.spin_once(self.node, timeout_sec=0.5)
                for message in got:
                    if wanted(message):
                        return message
                got.clear()
        finally:
            self.node.destroy_subscription(subscription)
        self.fail(f"no such message on {topic} in {seconds} s")

    def test_frames_are_fused_with_the_prompt_of_the_launch_argument(self) -> None:
        fused = self.receive(
            FusionStatus, "/rig/textdifuse/status", lambda status: status.mode == FusionStatus.FUSED
        )
        self.assertEqual(fused.prompt, PROMPT)
        self.assertEqual(fused.device, "cpu")

    def test_the_fused_image_is_a_colour_image_of_the_rgb_camera(self) -> None:
        image = self.receive(Image, "/rig/fused/image_raw", lambda _: True, qos_profile_sensor_data)
        self.assertEqual((image.width, image.height, image.encoding), (640, 480, "rgb8"))
        self.assertEqual(image.header.frame_id, "rgb_optical")


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After the nodes were interrupted."""

    def test_every_node_ended_with_code_zero(self, proc_info) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
