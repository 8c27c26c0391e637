"""The demo as a user runs it: a bag, a sheet and a report; Ctrl-C leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from node_process import ROOT
from rosbags.rosbag2 import Reader
from waiting import until

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "textdifuse_ros.demo", *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        preexec_fn=heed_interrupts,
    )  # fmt: skip


def heed_interrupts() -> None:
    """A shell that starts the tests in the background has them, and their children, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.timeout(300)
def test_a_short_run_leaves_bag_sheet_and_report(tmp_path: Path) -> None:
    process = start("--out", str(tmp_path), "--seconds", "8")
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 0, output
    folder = next(tmp_path.iterdir())
    sheet = cv2.imread(str(folder / "contact_sheet.png"))
    assert sheet is not None and sheet.shape[1] > 1500
    report = (folder / "report.txt").read_text()
    assert "topic to topic" in report and "'unicorns' cannot be located" in report
    assert "prompt = 'no hot': accepted" in report
    for line in (folder / "contact_sheet.png", folder / "report.txt", folder / "bag"):
        assert str(line) in output
    with Reader(folder / "bag") as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
    assert counts["/fused/image_raw"] > 0 and counts["/textdifuse/prompt"] > 0
    assert counts["/rgb/image_raw"] > 20 and counts["/textdifuse/status"] > 0


@pytest.mark.timeout(200)
def test_interrupting_stops_every_child(tmp_path: Path) -> None:
    process = start("--out", str(tmp_path), "--seconds", "600")
    until(lambda: len(children(process.pid)) >= 2, "the demo to start its nodes")
    started = children(process.pid)
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.terminate()  # its children would burden every test that follows
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "all nodes were stopped" in output
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def children(pid: int) -> list[int]:
    """Child processes of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found
