"""Fixtures of the tests with real nodes. Without rclpy they skip and say so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("textdifuse_ros.msg", reason="the messages are not built yet: run make setup")

sys.path.insert(0, str(Path(__file__).parent))

from harness import Rig
from node_process import ros_domain


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A domain of its own with a probe; the nodes that the test starts must end with code 0."""
    with ros_domain() as domain:
        rig = Rig(domain, tmp_path)
        try:
            yield rig
        finally:
            rig.close()
            for process in rig.processes:
                print(process.output())
    for process in rig.processes:
        assert process.process.returncode in (0, getattr(process, "expected_code", 0)), process.output()[
            -3000:
        ]


@pytest.fixture(scope="module")
def shared_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for all tests of a module, for tests that leave the node as they found it."""
    with ros_domain() as domain:
        rig = Rig(domain, tmp_path_factory.mktemp("ros"))
        try:
            yield rig
        finally:
            rig.close()
    for process in rig.processes:
        assert process.process.returncode == 0, process.output()[-3000:]
