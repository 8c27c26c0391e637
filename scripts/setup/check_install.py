"""Use an install space as a robot would: every module, the messages, the shipped weights, the executables.

Usage: check_install.py PREFIX CHECKOUT. Runs in the environment that `make setup` made; the checkout and the
bindings that lie in that environment are taken out of reach first, so only PREFIX can answer.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = "textdifuse_ros"
# Need something that only an installation of ROS from apt has.
NEEDS_LAUNCH = {"textdifuse_ros.nodes.launch_actions"}


def import_only_from(prefix: Path) -> ModuleType:
    """The package as installed in `prefix`; raises SystemExit when it is not there."""
    found = list(prefix.glob(f"lib/python*/*-packages/{PACKAGE}"))
    if len(found) != 1:
        raise SystemExit(f"{prefix}: {len(found)} folders lib/python*/site-packages/{PACKAGE}, expected one")
    sys.path.insert(0, str(found[0].parent))
    package = importlib.import_module(PACKAGE)
    # Joined with other folders of the same name on purpose (see its __init__): undo that here.
    package.__path__ = [str(found[0])]
    return package


def check_modules(package: ModuleType, checkout: Path) -> int:
    """Import every module that the checkout has; return how many."""
    root = Path(package.__path__[0])
    names = [
        ".".join(file.relative_to(checkout).with_suffix("").parts)
        for file in sorted((checkout / PACKAGE).rglob("*.py"))
        if file.stem not in ("__init__", "__main__")
    ]
    for name in names:
        if name in NEEDS_LAUNCH:
            assert (root.parent / Path(*name.split("."))).with_suffix(".py").is_file(), name
            continue
        module = importlib.import_module(name)
        assert str(module.__file__).startswith(str(root)), f"{name} came from {module.__file__}"
    return len(names)


def check_messages() -> None:
    """The type supports load: a message can be made, filled and copied through C."""
    from rclpy.serialization import deserialize_message, serialize_message

    message_types = importlib.import_module(f"{PACKAGE}.msg")
    message = message_types.PromptState(prompt="warm objects", strength=1.5)
    assert deserialize_message(serialize_message(message), message_types.PromptState) == message


def check_weights() -> None:
    """The shipped weights load and fuse."""
    import numpy as np

    fuser_module = importlib.import_module(f"{PACKAGE}.fuser")
    fuser = fuser_module.Fuser(device="cpu")
    fused = fuser.fuse(np.full((64, 96, 3), 40, np.uint8), np.full((64, 96), 90, np.uint8))
    assert fused.image.shape == (64, 96, 3), fused.image.shape
    fuser.close()


def check_files(prefix: Path, checkout: Path) -> None:
    """Launch files, configuration and executables are installed under the names that the checkout has."""
    share = prefix / "share" / PACKAGE
    for folder in ("launch", "config"):
        for file in sorted((checkout / folder).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                assert (share / file.relative_to(checkout)).is_file(), f"not installed: {file}"
    for script in (checkout / "scripts").iterdir():
        if script.is_file():
            installed = prefix / "lib" / PACKAGE / script.name
            assert os.access(installed, os.X_OK), f"not executable or not installed: {installed}"


def check_command(prefix: Path) -> None:
    """`textdifuse --help` works with the install space in front."""
    environment = {**os.environ, "PYTHONPATH": sys.path[0]}
    command = [sys.executable, str(prefix / "bin" / "textdifuse"), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    assert "fuse" in result.stdout, result.stdout


def main(prefix: Path, checkout: Path) -> None:
    package = import_only_from(prefix)
    count = check_modules(package, checkout)
    check_messages()
    check_weights()
    check_files(prefix, checkout)
    check_command(prefix)
    print(f"{prefix.name}: {count} modules, messages, weights, launch files and commands work")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
