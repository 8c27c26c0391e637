"""Compiles the package's messages and installs their bindings into the virtual environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from progress import Reporter, StepFailed, run_logged


def inputs(checkout: Path) -> list[Path]:
    """The files that the compiled messages depend on."""
    rest = ("CMakeLists.txt", "package.xml", "textdifuse_ros/__init__.py")
    return sorted((checkout / "msg").glob("*.msg")) + [checkout / name for name in rest]


def build(
    checkout: Path,
    prefix: Path,
    python: Path,
    work: Path,
    log: Path,
    reporter: Reporter,
    env: Mapping[str, str],
) -> None:
    """Configure, compile and install; `work` keeps the objects so that the next build is short."""
    folder = _fresh_if_foreign(work, checkout)
    configure = [
        "cmake", "-S", str(checkout), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF",
        "-DTEXTDIFUSE_MESSAGES_ONLY=ON", f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DPython3_EXECUTABLE={python}",
    ]  # fmt: skip
    run_logged(configure, log, reporter, env)
    jobs = str(os.cpu_count() or 1)
    run_logged(["cmake", "--build", str(folder), "--target", "install", "-j", jobs], log, reporter, env)
    remove_stale(folder / "install_manifest.txt", prefix)


def remove_stale(manifest: Path, prefix: Path) -> list[Path]:
    """Delete what an earlier build installed for messages that no longer exist; return what was deleted."""
    if not manifest.is_file():
        raise StepFailed(f"cmake wrote no {manifest}")
    kept = {Path(line) for line in manifest.read_text(encoding="utf-8").splitlines()}
    removed = []
    for pattern in ("lib/python*/site-packages/textdifuse_ros/msg/*", "share/textdifuse_ros/msg/*"):
        for file in prefix.glob(pattern):
            if file.is_file() and file not in kept and file.suffix != ".pyc":
                file.unlink()
                removed.append(file)
    return removed


def _fresh_if_foreign(work: Path, checkout: Path) -> Path:
    """The build folder; another one when the checkout was moved, since CMake refuses its old cache then."""
    cache = work / "CMakeCache.txt"
    home = f"CMAKE_HOME_DIRECTORY:INTERNAL={checkout}\n"
    if cache.is_file() and home not in cache.read_text(encoding="utf-8", errors="replace"):
        cache.unlink()
    return work
