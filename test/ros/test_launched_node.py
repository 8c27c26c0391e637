"""The real fusion node, started with the command line that the launch files make."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import RELIABLE, Rig
from pictures import at, image, rgb_array, thermal_array
from sensor_msgs.msg import Image
from waiting import DEADLINE, until

from textdifuse_ros.msg import FusionStatus
from textdifuse_ros.nodes.launch_spec import FUSION_ARGUMENTS, defaults, fusion_node

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.ros


def test_launch_arguments_reach_the_node(rig: Rig) -> None:
    values = {
        **defaults(FUSION_ARGUMENTS),
        "namespace": "rig",
        "prompt": "warm objects*1.5, no hot spots",
        "rgb_topic": "/front/rgb",
        "thermal_topic": "/boson/image_raw",
        "driver": "flir_boson",
        "device": "cpu",
    }
    # As in the harness: nothing may depend on how busy the machine is.
    patient = ["-p", "loss_timeout:=60.0"]
    for topic in ("/front/rgb", "/boson/image_raw"):
        patient += ["-p", f"qos_overrides.{topic}.subscription.reliability:=reliable"]
    rig.start(None, *fusion_node(values, ROOT).ros_arguments(), *patient)
    statuses = rig.listen("/rig/textdifuse/status", FusionStatus)
    rgb = rig.wait_subscribed("/front/rgb", Image, RELIABLE)
    thermal = rig.wait_subscribed("/boson/image_raw", Image, RELIABLE)
    rig.wait_publishers("/rig/textdifuse/status")

    thermal.publish(image(thermal_array(), "mono8", at(0), "thermal"))
    rgb.publish(image(rgb_array(), "rgb8", at(5), "rgb"))
    status = statuses.wait(lambda message: message.mode == FusionStatus.FUSED)

    assert status.prompt == values["prompt"]
    assert status.device == "cpu"


def test_the_installed_executable_runs_from_any_folder(rig: Rig) -> None:
    """What launch and `ros2 run` start, where the development set-up put it."""
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        prefix = Path(get_package_prefix("textdifuse_ros"))
    except PackageNotFoundError:
        pytest.skip("textdifuse_ros is not installed anywhere: make setup, or colcon build and source it")
    executable = prefix / "lib" / "textdifuse_ros" / "fusion_node"
    assert os.access(executable, os.X_OK)
    values = {**defaults(FUSION_ARGUMENTS), "autostart": "false"}
    words = fusion_node(values, ROOT).ros_arguments()
    # A development environment needs nothing sourced; an install space of colcon does.
    sourced = () if prefix != Path(sys.prefix) else ("PYTHONPATH", "AMENT_PREFIX_PATH")
    environment = {name: value for name, value in os.environ.items() if name not in sourced}
    environment |= {"ROS_DOMAIN_ID": str(rig.domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    with (rig.folder / "executable.log").open("w+") as log:
        process = subprocess.Popen(
            [str(executable), *words], env=environment, cwd="/", stdout=log, stderr=log
        )
        try:
            until(lambda: "textdifuse" in rig.probe.get_node_names(), "the node to appear")
            process.send_signal(signal.SIGINT)
            code = process.wait(DEADLINE)
        finally:
            process.kill()
        log.seek(0)
        assert code == 0, log.read()
