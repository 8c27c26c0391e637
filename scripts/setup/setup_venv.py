"""Sets up everything that `make demo` and `make test` need in a virtual environment: `make setup`.

Four steps, each skipped when nothing that it depends on has changed and repeated when it was interrupted:
the environment itself, the packages (ROS 2 Jazzy, torch and the rest), the compiled messages, and the
connection with this checkout. Uses the standard library only, and nothing outside the checkout.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import checks
import develop
import messages
from progress import Reporter, StepFailed, run_logged
from stamps import Stamps, digest

HERE = Path(__file__).resolve().parent
REQUIREMENTS = ("requirements.txt", "requirements-ros.txt", "requirements-clip.txt", "requirements-dev.txt")
# Their packages ask for more than is needed, another OpenCV and another torch than those above included.
WITHOUT_DEPENDENCIES = ("requirements-words.txt", "requirements-detector.txt")
# Left behind by another environment or a sourced ROS installation, these would leak foreign packages in.
FOREIGN = (
    "PYTHONPATH", "PYTHONHOME", "_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH", "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH", "ROS_DISTRO", "ROS_PYTHON_VERSION", "VIRTUAL_ENV",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Where everything of one environment lies."""

    checkout: Path
    prefix: Path

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def state(self) -> Path:
        return self.prefix / "set-up"

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.prefix / "lib" / version / "site-packages"

    def log(self, step: str) -> Path:
        return self.state / f"{step}.log"

    def environment(self) -> dict[str, str]:
        """Variables for the tools: this environment first, nothing of another one."""
        env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        env["PATH"] = f"{self.prefix / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
        env["AMENT_PREFIX_PATH"] = env["VIRTUAL_ENV"] = str(self.prefix)
        return env


def keys(layout: Layout) -> dict[str, str]:
    """What each step depends on, as a hash that also covers the steps before it."""
    venv = digest([sys.version, str(layout.prefix)])
    packages = digest(
        [venv],
        [
            *(layout.checkout / name for name in (*REQUIREMENTS, *WITHOUT_DEPENDENCIES)),
            HERE / "patch_wheels.py",
        ],
    )
    compiled = digest(
        [packages, str(layout.checkout)], [*messages.inputs(layout.checkout), HERE / "messages.py"]
    )
    scripts = develop.executables(layout.checkout)
    connection = digest([packages, str(layout.checkout)], [*scripts, HERE / "develop.py"])
    return {"venv": venv, "packages": packages, "messages": compiled, "connection": connection}


def make_venv(layout: Layout, reporter: Reporter) -> None:
    """Create the environment, or keep one that works and has the right Python."""
    ask = "import pip, sys; print(sys.version_info[:2])"
    if layout.python.exists():
        env = layout.environment()
        answer = subprocess.run(
            [str(layout.python), "-c", ask], capture_output=True, text=True, env=env, check=False
        )
        if answer.stdout.strip() == str(sys.version_info[:2]):
            return
    # --clear only ever empties a folder that is an environment of ours, or the rest of a failed attempt.
    command = [sys.executable, "-m", "venv", "--clear", str(layout.prefix)]
    # Not under the prefix: --clear empties that.
    run_logged(command, layout.checkout / "build" / "venv.log", reporter, _plain_environment())


def install_packages(layout: Layout, reporter: Reporter) -> None:
    """Install requirement files in one resolution, so that no pin can be moved by another file, then those
    whose dependencies must not be followed."""
    log = layout.log("pip")
    log.unlink(missing_ok=True)
    pip = [str(layout.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    advice = "If the network failed, check it (and pip's proxy or index settings) and run the same again."
    for command, names in ((pip, REQUIREMENTS), ([*pip, "--no-deps"], WITHOUT_DEPENDENCIES)):
        files = [word for name in names for word in ("-r", str(layout.checkout / name))]
        run_logged([*command, *files], log, reporter, layout.environment(), advice)
    run_logged([str(layout.python), str(HERE / "patch_wheels.py")], log, reporter, layout.environment())


def build_messages(layout: Layout, reporter: Reporter) -> None:
    log = layout.log("messages")
    log.unlink(missing_ok=True)
    messages.build(
        layout.checkout,
        layout.prefix,
        layout.python,
        layout.state / "build",
        log,
        reporter,
        layout.environment(),
    )


def connect(layout: Layout, reporter: Reporter) -> None:
    """Write the connection, then prove it: import the messages from another folder."""
    develop.connect(layout.checkout, layout.prefix, layout.packages, layout.python)
    proof = "import rclpy, torch, vision_msgs.msg, textdifuse_ros.msg as m; m.FusionStatus()"
    command = [str(layout.python), "-c", f"import os; os.chdir('/'); {proof}"]
    env = {k: v for k, v in layout.environment().items() if k != "AMENT_PREFIX_PATH"}
    run_logged(command, layout.log("connection"), reporter, env)


STEPS = (
    ("venv", "virtual environment", make_venv),
    ("packages", "ROS 2 Jazzy, torch and the rest (minutes, mostly downloads)", install_packages),
    ("messages", "messages: generate, compile, install", build_messages),
    ("connection", "commands and imports of this checkout", connect),
)


def set_up(layout: Layout) -> bool:
    """Run what is not done yet; return whether anything was. Raises StepFailed."""
    wanted = keys(layout)
    stamps = Stamps(layout.state / "stamps")
    todo = [name for name, _, _ in STEPS if not stamps.is_done(name, wanted[name])]
    if "venv" not in todo and not layout.python.exists():
        todo = list(wanted)  # the interpreter that the environment links to was removed
    if not todo:
        return False
    refuse_missing(layout, todo)
    reporter = Reporter(len(STEPS))
    for name, title, action in STEPS:
        if name not in todo:
            reporter.skip()
            continue
        stamps.begin(name)
        reporter.start(title)
        action(layout, reporter)
        stamps.finish(name, wanted[name])
        reporter.finish()
    # So that a later run without PYTHON= keeps this interpreter instead of building everything anew.
    (layout.state / "python").write_text(sys.executable + "\n", encoding="utf-8")
    return True


def refuse_missing(layout: Layout, todo: list[str]) -> None:
    """Raise StepFailed with everything that the machine lacks, all of it at once."""
    missing = checks.all_missing(layout.prefix.parent)
    if missing:
        listed = "\n".join(f"  - {item}" for item in missing)
        raise StepFailed(f"this machine lacks:\n{listed}\n  then run the same command again.")
    hint = checks.disk_hint(layout.prefix.parent) if "packages" in todo else ""
    if hint:
        print(f"note: {hint}", flush=True)


@contextmanager
def exclusive(checkout: Path) -> Iterator[None]:
    """Two set-ups of one checkout at a time would break each other: the second waits."""
    folder = checkout / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "set-up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another set-up of this checkout is running: waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument("--checkout", type=Path, default=HERE.parent.parent, help="the repository")
    parser.add_argument(
        "--prefix", type=Path, help="the virtual environment (default: .venv in the checkout)"
    )
    parser.add_argument(
        "--messages-again", action="store_true", help="compile the messages even if unchanged"
    )
    args = parser.parse_args(argv)
    checkout = args.checkout.resolve()
    layout = Layout(checkout, (args.prefix or checkout / ".venv").absolute())
    started = time.monotonic()
    try:
        with exclusive(checkout):
            if args.messages_again:
                shutil.rmtree(layout.state / "build", ignore_errors=True)
                Stamps(layout.state / "stamps").begin("messages")
            if set_up(layout):
                print(f"set-up complete in {time.monotonic() - started:.0f} s: {layout.prefix}", flush=True)
    except (StepFailed, OSError) as error:
        print(f"\nset-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: interrupted; the same command carries on where it stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
