"""Which set-up steps are already done: a stamp holds the hash of everything its step depended on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(parts: Iterable[str], files: Iterable[Path] = ()) -> str:
    """Hash of some strings and of the names and contents of some files; a missing file counts as empty."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode() + b"\0")
    for file in files:
        content = file.read_bytes() if file.is_file() else b""
        total.update(file.name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


class Stamps:
    """Stamps in one folder. A step that was interrupted has none, so it runs again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_done(self, step: str, key: str) -> bool:
        """Whether `step` has been completed with exactly this `key`."""
        file = self._file(step)
        return file.is_file() and file.read_text(encoding="utf-8").strip() == key

    def begin(self, step: str) -> None:
        """Forget `step`: from here until `finish`, an interruption leaves it undone."""
        self._file(step).unlink(missing_ok=True)

    def finish(self, step: str, key: str) -> None:
        """Record that `step` is complete for `key`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(step).write_text(key + "\n", encoding="utf-8")

    def _file(self, step: str) -> Path:
        return self.folder / f"{step}.stamp"
