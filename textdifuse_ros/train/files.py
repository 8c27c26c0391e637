"""Files that are there whole or not at all, also when the disk is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from textdifuse_ros.train.errors import TrainingError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to write, which then takes the place of `path` (its folder is made).

    Raises TrainingError where it cannot be written; what lay at `path` before is untouched then.
    """
    temporary = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # safetensors writes for the owner alone
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        kept = "; the one before is intact" if path.exists() else ""
        raise TrainingError(
            f"{path}: cannot be written ({reason}){kept}; mend that and give the same command again"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write through to the disk, whole or not at all. Raises TrainingError."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _umask() -> int:
    """Of the process; asking for it means setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
