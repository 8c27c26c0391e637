"""The error that ends a command with status 2 and one line on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CliError(Exception):
    """Something that the person at the keyboard can mend. ``str(error)`` is always a single line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


@contextmanager
def named_os_errors() -> Iterator[None]:
    """What the operating system refuses (permission, a name too long) becomes a CliError with the path."""
    try:
        yield
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise CliError(f"{name}{error.strerror or error}") from error


@contextmanager
def training_errors() -> Iterator[None]:
    """A TrainingError, which names its file already, becomes a CliError."""
    from textdifuse_ros.train.errors import TrainingError

    try:
        yield
    except TrainingError as error:
        raise CliError(str(error)) from error


@contextmanager
def named_value_errors(path: Path) -> Iterator[None]:
    """What cannot be fused or measured becomes a CliError that begins with the file it came from."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise CliError(f"{path}: {error}") from error
