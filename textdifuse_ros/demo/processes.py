"""Child processes of a run: started in a private ROS domain, logged to files, stopped in any event."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class ChildFailed(RuntimeError):
    """A child ended although it should still run; the text names it and repeats its last words."""


def free_domain() -> int:
    """A ROS domain id whose discovery port nobody on this machine uses."""
    for domain in random.sample(range(20, 100), 80):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                # Where the first participant of a domain listens; 0..101 keep clear of ephemeral ports.
                probe.bind(("127.0.0.1", 7400 + 250 * domain + 10))
            except OSError:
                continue
            return domain
    raise RuntimeError("every ROS domain from 20 to 99 is in use on this machine")


def private_environment(domain: int) -> dict[str, str]:
    """Variables for ROS nodes that nobody outside this machine and this run hears."""
    environment = dict(os.environ)
    environment.update(
        ROS_DOMAIN_ID=str(domain),
        ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
        PYTHONUNBUFFERED="1",
    )
    environment.pop("ROS_LOCALHOST_ONLY", None)
    environment.pop("ROS_STATIC_PEERS", None)
    profile = shared_memory_profile()
    if profile is not None:
        environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(profile)
    root = Path(__file__).resolve().parents[2]
    paths = [str(root), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment


def shared_memory_profile() -> Path | None:
    """The Fast DDS profile that this package ships, of the checkout or of the installed share folder."""
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    folders = [Path(__file__).resolve().parents[2]]
    folders += [prefix / "share" / "textdifuse_ros" for prefix in [*prefixes, Path(sys.prefix)]]
    for folder in folders:
        file = folder / "config" / "fastdds_shm.xml"
        if file.is_file():
            return file
    return None


class Child:
    """One process; it dies with its parent."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                list(command),
                env=dict(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # Ctrl-C reaches the parent only, which then ends its children in order.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def check(self) -> None:
        """Raise ChildFailed if it ended with an error."""
        code = self.process.poll()
        if code not in (None, 0):
            raise ChildFailed(f"{self.name} ended with code {code}: {self.last_words()}")

    def last_words(self, lines: int = 4) -> str:
        """The end of its log, in one line."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " | ".join(text[-lines:]) if text else f"(nothing in {self.log})"

    def stop(self, patience: float = 10.0) -> int:
        """SIGINT, after `patience` seconds SIGTERM, then SIGKILL; returns the exit code."""
        for number, wait in ((signal.SIGINT, patience), (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
            if not self.running():
                break
            self.process.send_signal(number)
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                continue
        return int(self.process.wait())


class Family:
    """All children of a run; leaving the `with` block stops them, the first one last."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment, self.logs = environment, logs
        self.children: dict[str, Child] = {}

    def start(self, name: str, module: str, arguments: Sequence[str] = ()) -> Child:
        """Start `python -m module arguments`."""
        command = [sys.executable, "-m", module, *arguments]
        with _interrupts_postponed():
            self.children[name] = Child(name, command, self.environment, self.logs / f"{name}.log")
        return self.children[name]

    def check(self) -> None:
        """Raise ChildFailed if a child ended with an error."""
        for child in self.children.values():
            child.check()

    def __enter__(self) -> Family:
        return self

    def __exit__(self, *_: object) -> None:
        # A second Ctrl-C must not leave nodes behind.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for child in self.children.values():
                if child.running():
                    child.process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + 10.0
            for child in reversed(self.children.values()):
                child.stop(max(deadline - time.monotonic(), 0.5))
        finally:
            signal.signal(signal.SIGINT, previous)


@contextlib.contextmanager
def _interrupts_postponed() -> Iterator[None]:
    """Between a fork and the entry in the list of children an interrupt would leave the child behind."""
    arrived: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, lambda n, _: arrived.append(n)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for postponed in arrived:
            signal.raise_signal(postponed)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
