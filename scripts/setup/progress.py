"""Runs the tools of the set-up: everything they say goes to a log, a short account of it to the terminal."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HEARTBEAT_S = 10.0  # without a terminal (CI), a line at most this often

# pip's chatter that tells nobody anything about the installation
_NOISE = re.compile(r"is ignored: it is neither a file|Requirement already satisfied|^\s*$|━|^Looking in ")
_TELLING = (
    re.compile(r"^\s*Downloading (?P<what>\S+) \((?P<size>[^)]+)\)"),
    re.compile(r"^\s*Using cached (?P<what>\S+)"),
    re.compile(r"^Processing (?P<what>\S+)"),
    re.compile(r"^(?P<what>Installing collected packages)"),
    re.compile(r"^(?P<what>\[\s*\d+%\] .+)"),
)


class StepFailed(RuntimeError):
    """A step's command failed; the message is ready to be shown."""


def telling(line: str) -> str:
    """What a line of pip's or make's output says about progress, in a few words; '' when nothing."""
    for pattern in _TELLING:
        match = pattern.match(line)
        if match:
            words = match.groupdict()
            name = words["what"].rsplit("/", 1)[-1] if " " not in words["what"] else words["what"]
            return f"{name} ({words['size']})" if words.get("size") else name
    return ""


def last_words(log: str, count: int = 12) -> list[str]:
    """The lines of a log that say why it ended: the errors if there are any, the last lines otherwise."""
    lines = [line for line in log.splitlines() if not _NOISE.search(line)]
    errors = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
    return (errors or lines)[-count:]


class Reporter:
    """Shows one step after another on `stream`: `[2/4] title ... 12 s`, with what is going on meanwhile."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.number = 0
        self.live = sys.stdout.isatty()
        self._shown = 0.0
        self._started = 0.0

    def start(self, title: str) -> None:
        self.number += 1
        self._started = self._shown = time.monotonic()
        print(f"[{self.number}/{self.total}] {title}", flush=True)

    def skip(self) -> None:
        """Count a step that is already done."""
        self.number += 1

    def note(self, text: str) -> None:
        """Say what the running step is at, without flooding a log file."""
        now = time.monotonic()
        if not text or now - self._shown < (0.1 if self.live else HEARTBEAT_S):
            return
        self._shown = now
        line = f"      {now - self._started:4.0f} s  {text}"
        print(f"\r\033[K{line[:100]}" if self.live else line, end="" if self.live else "\n", flush=True)

    def finish(self) -> None:
        clear = "\r\033[K" if self.live else ""
        print(f"{clear}      done in {time.monotonic() - self._started:.0f} s", flush=True)


def run_logged(
    command: Sequence[str], log: Path, reporter: Reporter, env: Mapping[str, str], advice: str = ""
) -> None:
    """Run `command`, append its output to `log`, show its progress; raises StepFailed when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        file.write("$ " + " ".join(command) + "\n")
        process = subprocess.Popen(
            list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", env=dict(env),
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            said.append(line)
            reporter.note(telling(line.rstrip()))
        code = process.wait()
    if code != 0:
        words = "\n".join("    " + line for line in last_words("".join(said)))
        hint = f"\n  {advice}" if advice else ""
        what = " ".join([Path(command[0]).name, *command[1:4]])
        raise StepFailed(f"`{what} ...` failed (exit {code}):\n{words}\n  full output: {log}{hint}")
