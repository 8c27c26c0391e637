"""The folder for what is made on this machine: exported graphs, compiled kernels, measured choices.

What is found there is used only when it is a file of this user's that nobody else can write to and its
SHA-256 is the one noted beside it; everything else is made again. That guards against half-written, rotten
and misplaced files, not against somebody who can write as this user.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_KEPT = 24  # entries of one kind; a graph takes about 10 MB, and a curve of five sizes needs 15 plans
_log = logging.getLogger(__name__)
_refused: set[tuple[Path, str]] = set()  # what has been said already


class _Refused(Exception):
    """There is an entry, and this is why it is not used."""


def folder() -> Path:
    """$TEXTDIFUSE_CACHE, else ~/.cache/textdifuse_ros; not made here."""
    chosen = os.environ.get("TEXTDIFUSE_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "textdifuse_ros"


def read(name: str, private: bool = False) -> bytes | None:
    """The entry, None when there is none that can be trusted: the log says once why one is not used.

    private: the folder that it lies in, too, must be this user's and closed to others' writing.
    """
    content = _read(name, private)
    if content is not None and _noted(folder() / name) != hashlib.sha256(content).hexdigest():
        refuse(name, "it is not what its checksum was made of")
        return None
    return content


def read_bare(name: str) -> bytes | None:
    """The same for an entry that has its checksums inside, see `update`."""
    return _read(name, private=False)


def refuse(name: str, why: str) -> None:
    """Let the log say, once in a process, that an entry is not used and why."""
    path = folder() / name
    if (path, why) not in _refused:
        _refused.add((path, why))
        _log.warning("%s is not used and made again: %s", path, why)


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


def update(name: str, change: Callable[[bytes], bytes]) -> bool:
    """Write what `change` makes of an entry (of nothing where there is none that is ours), which has its
    checksums inside. No other process comes between. False where the folder cannot be written.
    """
    path = folder() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(path):
            replace(path, change(read_bare(name) or b""))
            _note(path).unlink(missing_ok=True)  # earlier versions wrote one
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process or thread at a time. A folder that knows no locks, as of some networks, goes without."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


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


def _read(name: str, private: bool) -> bytes | None:
    path = folder() / name
    try:
        if private:
            _check_ours(path.parent.lstat(), "its folder", stat.S_ISDIR)
        return _own_bytes(path)
    except _Refused as why:
        refuse(name, str(why))
    except PermissionError:
        refuse(name, f"user {os.getuid()} may not read it")
    except OSError:
        pass
    return None


def _noted(path: Path) -> str:
    """The checksum that was written beside an entry."""
    try:
        words = _own_bytes(_note(path)).decode("ascii").split()
    except (_Refused, OSError, ValueError):
        words = []
    return words[0] if words else ""


def _own_bytes(path: Path) -> bytes:
    """What a file of this user's holds. The file that was looked at is the one that is read, whatever takes
    its place meanwhile. Raises _Refused for any other file, OSError for none and for a link."""
    if path.is_symlink():
        raise _Refused("it is a link")
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        _check_ours(os.fstat(file.fileno()), "it")
        return file.read()


def _check_ours(status: os.stat_result, what: str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> None:
    """Raises _Refused for what `_is_ours` does not take, with the reason."""
    if _is_ours(status, is_kind):
        return
    if not is_kind(status.st_mode):
        raise _Refused(f"{what} is a link, or of another kind than it must be")
    if status.st_uid != os.getuid():
        raise _Refused(f"{what} belongs to user {status.st_uid}, and this is user {os.getuid()}")
    raise _Refused(f"others may write to {what}, mode {stat.S_IMODE(status.st_mode):04o} (chmod go-w)")


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
