"""The folder for what is made on this machine: exported graphs, compiled kernels, measured choices.

What is found there is used only when it is a file of this user's that nobody else can write to and its
SHA-256 is the one noted beside it; everything else is made again. That guards against half-written, rotten
and misplaced files, not against somebody who can write as this user.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

_KEPT = 12  # entries of one kind; a graph takes about 10 MB


def folder() -> Path:
    """$TEXTDIFUSE_CACHE, else ~/.cache/textdifuse_ros; not made here."""
    chosen = os.environ.get("TEXTDIFUSE_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "textdifuse_ros"


def read(name: str, private: bool = False) -> bytes | None:
    """The entry, None when there is none that can be trusted.

    private: the folder that it lies in, too, must be this user's and closed to others' writing.
    """
    path = folder() / name
    try:
        if private and not _is_ours(path.parent.lstat(), stat.S_ISDIR):
            return None
        content, note = _own_bytes(path), _own_bytes(_note(path))
        if content is None or note is None:
            return None
        noted = note.decode("ascii").split()
    except (OSError, ValueError):
        return None
    return content if noted[:1] == [hashlib.sha256(content).hexdigest()] else None


def write(name: str, content: bytes) -> bool:
    """Store an entry and its SHA-256; False where the folder cannot be written, which is not an error."""
    path = folder() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(path, content)
        replace(_note(path), f"{hashlib.sha256(content).hexdigest()}  {path.name}\n".encode("ascii"))
        _forget_oldest(path)
    except OSError:
        return False
    return True


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all: a temporary one beside it, then renamed. Raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _note(path: Path) -> Path:
    """Where the SHA-256 stands, as `sha256sum --check` reads it."""
    return path.with_name(f"{path.name}.sha256")


def _own_bytes(path: Path) -> bytes | None:
    """What a file of this user's holds, None for any other. The file that was looked at is the one that is
    read, whatever takes its place meanwhile. Raises OSError, for a link as well."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        return file.read() if _is_ours(os.fstat(file.fileno())) else None


def _is_ours(status: os.stat_result, is_kind: Callable[[int], bool] = stat.S_ISREG) -> bool:
    """A plain file (or what else `is_kind` says) of this user's that no one else can write to."""
    others = stat.S_IWGRP | stat.S_IWOTH
    return is_kind(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & others


def _forget_oldest(path: Path) -> None:
    """Drop the oldest entries of this kind, those of earlier versions and weights."""
    entries = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[:-_KEPT]:
        entry.unlink(missing_ok=True)
        _note(entry).unlink(missing_ok=True)
