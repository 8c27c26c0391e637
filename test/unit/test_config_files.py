"""config/: what ships there agrees with the nodes and with itself."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from textdifuse_ros.nodes.detector_parameters import DetectorSettings
from textdifuse_ros.nodes.launch_spec import DRIVERS
from textdifuse_ros.nodes.parameters import PARAMETERS, Settings
from textdifuse_ros.nodes.reference import yaml_text

CONFIG = Path(__file__).resolve().parents[2] / "config"
BIGGEST_FRAME = 1280 * 1024 * 3


def parameters(file: Path) -> dict[str, Any]:
    """The parameters of a file that is meant for a node of any name."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert list(content) == ["/**"] and list(content["/**"]) == ["ros__parameters"]
    values = content["/**"]["ros__parameters"]
    assert isinstance(values, dict)
    return values


def uncommented(file: Path) -> list[str]:
    """Parameters whose line has no comment above it or above the group that it belongs to."""
    bare, explained = [], False
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("#"):
            explained = True
        elif not line.strip():
            explained = False
        elif re.match(r"    \S+:", line) and not explained:
            bare.append(line.strip())
    return bare


def test_fusion_yaml_is_what_the_parameter_table_generates() -> None:
    text = (CONFIG / "fusion.yaml").read_text(encoding="utf-8")
    assert text == yaml_text(), "run: python -m textdifuse_ros.nodes.reference --yaml > config/fusion.yaml"


def test_fusion_yaml_holds_every_parameter_with_its_default_and_type() -> None:
    values = parameters(CONFIG / "fusion.yaml")
    assert list(values) == [spec.name for spec in PARAMETERS]
    for spec in PARAMETERS:
        assert values[spec.name] == spec.default and type(values[spec.name]) is spec.kind, spec.name


def test_every_parameter_of_fusion_yaml_is_explained() -> None:
    assert uncommented(CONFIG / "fusion.yaml") == []


def test_detector_yaml_is_what_the_parameter_table_generates() -> None:
    file = CONFIG / "detector.yaml"
    command = "python -m textdifuse_ros.nodes.reference --node detector --yaml > config/detector.yaml"
    assert file.read_text(encoding="utf-8") == yaml_text("detector"), f"run: {command}"
    assert parameters(file) == dict(DetectorSettings())
    assert uncommented(file) == []


def test_each_driver_has_a_file() -> None:
    assert tuple(sorted(file.stem for file in (CONFIG / "drivers").glob("*.yaml"))) == DRIVERS


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_node_accepts_the_settings_for_a_driver(driver: str) -> None:
    values = parameters(CONFIG / "drivers" / f"{driver}.yaml")
    assert {"thermal.range_mode", "pairing.max_dt", "thermal.freeze_timeout"} <= set(values)
    settings = Settings().changed(values)  # raises for an unknown name, a wrong type, a value out of range
    assert all(settings[name] == value for name, value in values.items())


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_file_says_which_topics_to_remap_and_what_the_camera_sends(driver: str) -> None:
    head = (CONFIG / "drivers" / f"{driver}.yaml").read_text(encoding="utf-8").split("/**:")[0]
    for needed in (f"driver:={driver}", "thermal_topic:=", "Encoding", "Trap"):
        assert needed in head, needed


def test_slow_cameras_pair_within_half_a_period() -> None:
    lepton = parameters(CONFIG / "drivers" / "lepton_uvc.yaml")
    assert 0.5 / 9.0 <= lepton["pairing.max_dt"] <= 0.6 / 9.0


def test_sim_yaml_holds_every_parameter_of_the_simulated_cameras() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    from textdifuse_ros.nodes.sim_options import SIM_PARAMETERS

    values = parameters(CONFIG / "sim.yaml")
    assert list(values) == [spec.name for spec in SIM_PARAMETERS]
    for spec in SIM_PARAMETERS:
        assert values[spec.name] == spec.default and type(values[spec.name]) is spec.kind, spec.name
    assert uncommented(CONFIG / "sim.yaml") == []


def test_the_shared_memory_profile_holds_several_of_the_biggest_frames() -> None:
    root = ET.parse(CONFIG / "fastdds_shm.xml").getroot()
    space = {"p": "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"}

    def text(path: str) -> str:
        found = root.find(path, space)
        assert found is not None and found.text, path
        return found.text

    transports = {
        element.findtext("p:transport_id", namespaces=space): element.findtext("p:type", namespaces=space)
        for element in root.iterfind(".//p:transport_descriptor", space)
    }
    assert transports == {"shm": "SHM", "udp": "UDPv4"}
    assert int(text(".//p:segment_size")) >= 4 * BIGGEST_FRAME
    assert int(text(".//p:maxMessageSize")) >= BIGGEST_FRAME
    used = [element.text for element in root.iterfind(".//p:userTransports/p:transport_id", space)]
    assert used == ["shm", "udp"]
    assert text(".//p:useBuiltinTransports") == "false"
