"""Runs the launch_testing descriptions (*.test.py) where launch_testing is installed, and skips elsewhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NEEDED = ("launch_testing", "launch_testing_ros", "launch_ros")


@pytest.mark.ros
@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.py")), ids=lambda file: file.name)
def test_launch_description(file: Path, tmp_path: Path) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: they come with ROS 2 from apt only")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "launch_testing.launch_test", str(file), f"--junit-xml={report}"]
    # A domain beyond those that test/ros takes turns with.
    isolated = {**os.environ, "ROS_DOMAIN_ID": "101", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False, env=isolated)
    assert result.returncode == 0, (result.stdout + result.stderr)[-6000:]
