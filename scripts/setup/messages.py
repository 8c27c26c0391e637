"""Compiles the package's messages and those that the wheels lack into the virtual environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from progress import Reporter, StepFailed, run_logged

STAND_INS = "msg_standins"  # the folder of message packages that no wheel holds
MARK = "STANDS_IN"  # what such a package installs into its share folder, and the real one does not


def inputs(checkout: Path) -> list[Path]:
    """The files that the compiled messages depend on."""
    rest = ("CMakeLists.txt", "package.xml", "textdifuse_ros/__init__.py")
    own = sorted((checkout / "msg").glob("*.msg")) + [checkout / name for name in rest]
    return own + sorted(file for file in (checkout / STAND_INS).rglob("*") if file.is_file())


def stand_ins(checkout: Path, prefix: Path) -> list[Path]:
    """The message packages to build because ``prefix`` does not hold the real ones."""
    folders = sorted(file.parent for file in (checkout / STAND_INS).glob("*/package.xml"))

    def is_real(folder: Path) -> bool:
        share = prefix / "share" / folder.name
        return (share / "package.xml").is_file() and not (share / MARK).is_file()

    return [folder for folder in folders if not is_real(folder)]


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
    own = _install(checkout, work, prefix, python, log, reporter, env, ["-DTEXTDIFUSE_MESSAGES_ONLY=ON"])
    remove_stale(own / "install_manifest.txt", prefix)
    for source in stand_ins(checkout, prefix):
        _install(source, work.with_name(f"{work.name}_{source.name}"), prefix, python, log, reporter, env, [])


def _install(
    source: Path,
    work: Path,
    prefix: Path,
    python: Path,
    log: Path,
    reporter: Reporter,
    env: Mapping[str, str],
    options: list[str],
) -> Path:
    folder = _fresh_if_foreign(work, source)
    configure = [
        "cmake", "-S", str(source), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF",
        f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DPython3_EXECUTABLE={python}",
        *options,
    ]  # fmt: skip
    run_logged(configure, log, reporter, env)
    jobs = str(os.cpu_count() or 1)
    run_logged(["cmake", "--build", str(folder), "--target", "install", "-j", jobs], log, reporter, env)
    return folder


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
