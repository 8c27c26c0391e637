"""Nodes in processes of their own, each test in a ROS domain of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from waiting import DEADLINE

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def ros_domain() -> Iterator[int]:
    """A ROS domain that no other test on this machine uses, held by a lock on a file."""
    folder = Path(tempfile.gettempdir()) / "textdifuse_ros_domains"
    folder.mkdir(exist_ok=True)
    first = os.getpid() % 100
    for index in range(100):
        number = 1 + (first + index) % 100
        with open(folder / f"{number}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    raise RuntimeError("all 100 ROS domains of the tests are in use")


class NodeProcess:
    """A node of the package in a process of its own."""

    def __init__(self, module: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with open(log, "w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], env=environment, stdout=out, stderr=out, cwd=ROOT
            )

    def kill(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = DEADLINE) -> int:
        return self.process.wait(timeout)

    def stop(self, number: int = signal.SIGINT) -> int:
        """End the node and return its exit code."""
        if self.process.poll() is None:
            self.kill(number)
        return self.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def handles_sigterm(self) -> bool:
        """Whether the process has installed its handlers yet."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return False
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
