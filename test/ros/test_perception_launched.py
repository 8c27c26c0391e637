"""perception.launch.py without a launch system: fusion and detector, one process or two, from its plan."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

if importlib.util.find_spec("ultralytics") is None:
    pytest.skip("ultralytics is not installed: requirements-detector.txt", allow_module_level=True)
pytest.importorskip("vision_msgs.msg", reason="vision_msgs is neither installed nor stood in for: make setup")

from detector_rig import MODULE
from harness import RELIABLE, Rig
from perception_rig import MODULE as COMPOSED
from pictures import at, image, rgb_array, stamp_of, thermal_array
from sensor_msgs.msg import Image
from tiny_models import SIDE, tiny_detector
from vision_msgs.msg import Detection2DArray

from textdifuse_ros.nodes.launch_spec import Composition, defaults
from textdifuse_ros.nodes.perception_node import DETECTOR, FUSION
from textdifuse_ros.nodes.perception_spec import PERCEPTION_ARGUMENTS, perception

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.ros


@pytest.mark.parametrize("composed", ["true", "false"])
def test_what_the_cameras_see_arrives_as_detections_and_the_prompt_reaches_the_detector(
    rig: Rig, composed: str
) -> None:
    values = {
        **defaults(PERCEPTION_ARGUMENTS),
        "composed": composed,
        "namespace": "rig",
        "prompt": "warm objects",
        "device": "cpu",
        "detector_device": "cpu",
        "model": str(tiny_detector(rig.folder / "tiny.pt")),
        "classes_from_prompt": "true",
    }
    rig.namespace, rig.target = "/rig", "/rig/fused_detector"
    patient = ["-p", "loss_timeout:=60.0"]  # as in the harness: nothing may depend on how busy the machine is
    reliable = ["-p", "qos_overrides./rig/fused/image_raw.subscription.reliability:=reliable"]
    small = ["-p", f"image_size:={SIDE}", "-p", "diagnostics_period:=0.2"]
    for spec in perception(values, ROOT):
        if isinstance(spec, Composition):
            own = [FUSION, *patient, DETECTOR, *patient, *small]
            rig.start(None, "--", *spec.arguments(), *own, module=COMPOSED)
        elif spec.name == "textdifuse":
            rig.start(None, *spec.ros_arguments(), *patient)
        else:
            rig.start(None, *spec.ros_arguments(), *patient, *reliable, *small, module=MODULE)

    found = rig.listen("/rig/fused/detections", Detection2DArray)
    rgb = rig.wait_subscribed("/rig/rgb/image_raw", Image, RELIABLE)
    thermal = rig.wait_subscribed("/rig/thermal/image_raw", Image, RELIABLE)
    diagnostics = rig.diagnostics()
    diagnostics.wait("image", publishers="1")
    diagnostics.wait("output", subscribers="1")
    thermal.publish(image(thermal_array(), "mono8", at(0), "thermal"))
    rgb.publish(image(rgb_array(), "rgb8", at(5), "rgb"))
    message = found.wait(lambda m: True)

    assert stamp_of(message) == at(5) and message.header.frame_id == "rgb"
    assert message.detections
    status = diagnostics.wait("classes", "names no class of the model", prompt="warm objects")
    assert status.level == bytes([1])
