"""docs/detector.md holds the detector's parameter table as it is."""

from __future__ import annotations

from pathlib import Path

from textdifuse_ros.nodes import reference

FILE = Path(__file__).resolve().parents[2] / "docs" / "detector.md"


def test_the_table_in_the_documentation_is_what_the_node_declares() -> None:
    text = FILE.read_text(encoding="utf-8")
    command = "python -m textdifuse_ros.nodes.reference --node detector --update docs/detector.md"
    assert reference.update(text, "detector") == text, f"run: {command}"
