"""Package metadata agrees with itself: versions, executables, pinned requirements, licence."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import textdifuse_ros

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = (
    "requirements.txt", "requirements-ros.txt", "requirements-words.txt", "requirements-clip.txt",
    "requirements-detector.txt", "requirements-dev.txt",
)  # fmt: skip
PIN = re.compile(r"^[A-Za-z0-9._-]+==[A-Za-z0-9.+]+(; python_version [<>=]+ \"3\.\d+\")?\s+# \S.+$")


def requirement_lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_package_xml_and_the_module_state_one_version_and_the_licence() -> None:
    package = ET.parse(ROOT / "package.xml").getroot()
    assert package.get("format") == "3"
    assert package.findtext("name") == "textdifuse_ros"
    assert package.findtext("version") == textdifuse_ros.__version__
    assert package.findtext("license") == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_package_xml_leaves_to_pip_only_what_rosdep_cannot_install() -> None:
    package = ET.parse(ROOT / "package.xml").getroot()
    keys = {element.text for element in package if element.tag.endswith("depend")}
    assert {"rclpy", "sensor_msgs", "cv_bridge", "launch_ros", "python3-numpy", "python3-opencv"} <= keys
    assert "message_filters" not in keys
    names = {line.split("==")[0] for line in requirement_lines("requirements.txt")}
    assert {"torch", "safetensors"} <= names
    # These come from apt on a robot; wheels of them beside apt's cv_bridge would break it.
    assert not names & {"numpy", "opencv-python", "opencv-python-headless"}


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_and_says_why(name: str) -> None:
    lines = requirement_lines(name)
    assert lines
    assert [line for line in lines if not PIN.match(line)] == []


def test_every_script_is_executable_installed_and_has_a_python_line() -> None:
    scripts = sorted(file for file in (ROOT / "scripts").iterdir() if file.is_file())
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert {"fusion_node", "fused_detector", "perception", "sim_cameras", "playback", "textdifuse"} <= {
        file.name for file in scripts
    }
    for file in scripts:
        assert os.access(file, os.X_OK), file
        assert file.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n"), file
        assert f"scripts/{file.name}" in cmake, file
        module = re.search(r"from (textdifuse_ros\.\S+) import main", file.read_text(encoding="utf-8"))
        assert module and (ROOT / (module[1].replace(".", "/") + ".py")).is_file(), file


def test_every_message_says_what_its_fields_are() -> None:
    for file in sorted((ROOT / "msg").glob("*.msg")):
        assert file.read_text(encoding="utf-8").startswith("# "), file
