"""The error that ends a command with status 2 and one line on stderr."""

from __future__ import annotations


class CliError(Exception):
    """Something that the person at the keyboard can mend. ``str(error)`` is always a single line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())
