"""Connects a virtual environment with the checkout: imports, environment variables and executables.

Afterwards every program of the environment works from any folder, with nothing sourced and nothing exported.
"""

from __future__ import annotations

import os
from pathlib import Path

# Imported by a .pth file each time the environment's Python starts, so it must stay tiny and cannot fail.
ENVIRONMENT_MODULE = '''"""Written by `make setup`: see scripts/setup/develop.py."""
import os
import sys

CHECKOUT = {checkout!r}

# In front of site-packages (which holds the compiled messages of the same package), behind PYTHONPATH, so
# that a colcon workspace that was sourced still wins.
if CHECKOUT not in sys.path:
    _here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(sys.path.index(_here) if _here in sys.path else len(sys.path), CHECKOUT)

# ament_index_python, colcon and CMake find the wheels' packages through this variable.
_prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
if sys.prefix not in _prefixes:
    os.environ["AMENT_PREFIX_PATH"] = os.pathsep.join([*_prefixes, sys.prefix])
'''
MODULE_NAME = "_textdifuse_environment"
PTH_NAME = "textdifuse_checkout.pth"
LONGEST_SHEBANG = 120  # the kernel cuts longer ones off

ON_PATH = ("textdifuse",)  # wanted as plain commands in bin/
SHARED = ("launch", "config")  # looked for in share/textdifuse_ros, edited in the checkout


def shebang(python: Path) -> str:
    """First lines of a script for `python`; a path with a space needs a detour, the kernel would split it."""
    if " " not in str(python) and len(str(python)) < LONGEST_SHEBANG:
        return f"#!{python}\n"
    return f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n"


def write_executable(source: Path, target: Path, python: Path) -> None:
    """Copy a script of ours to `target` with `python` as its interpreter."""
    first, _, body = source.read_text(encoding="utf-8").partition("\n")
    if not first.startswith("#!"):
        raise ValueError(f"{source} has no #! line")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".new")  # renamed into place: it may be running
    temporary.write_text(shebang(python) + body, encoding="utf-8")
    temporary.chmod(0o755)
    os.replace(temporary, target)


def executables(checkout: Path) -> list[Path]:
    """The programs of the package: the files directly in scripts/."""
    return sorted(f for f in (checkout / "scripts").iterdir() if f.is_file() and os.access(f, os.X_OK))


def link(target: Path, place: Path) -> None:
    """Make `place` a symbolic link to `target`, whatever link was there before."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    place.symlink_to(target, target_is_directory=True)


def connect(checkout: Path, prefix: Path, packages: Path, python: Path) -> None:
    """Write the .pth file, its module, the executables and the links to launch/ and config/ into `prefix`."""
    module = packages / f"{MODULE_NAME}.py"
    module.write_text(ENVIRONMENT_MODULE.format(checkout=str(checkout)), encoding="utf-8")
    (packages / PTH_NAME).write_text(f"import {MODULE_NAME}\n", encoding="utf-8")
    for script in executables(checkout):
        write_executable(script, prefix / "lib" / "textdifuse_ros" / script.name, python)
        if script.name in ON_PATH:
            write_executable(script, prefix / "bin" / script.name, python)
    for name in SHARED:
        link(checkout / name, prefix / "share" / "textdifuse_ros" / name)
