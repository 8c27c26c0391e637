"""docs/dry_run.md names every parameter of the playback node with its default."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from textdifuse_ros.nodes.playback import PLAYBACK_PARAMETERS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "dry_run.md").read_text(encoding="utf-8")


def test_every_parameter_of_playback_is_documented_with_its_default() -> None:
    rows = [line.split("|")[1:3] for line in TEXT.splitlines() if line.startswith("| `")]
    documented: dict[str, str] = {}
    for names, defaults in rows:
        found, values = names.replace("`", "").split(","), defaults.replace("`", "").split(",")
        for index, name in enumerate(found):
            documented[name.strip()] = values[min(index, len(values) - 1)].strip().strip('"')
    actual = {
        spec.name: str(spec.default).lower() if spec.kind is bool else str(spec.default)
        for spec in PLAYBACK_PARAMETERS
    }
    assert documented == actual
