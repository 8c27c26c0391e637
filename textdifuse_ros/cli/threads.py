"""--threads on the command line."""

from __future__ import annotations

from textdifuse_ros.cli.errors import CliError

MOST_THREADS = 256  # as in the node; torch itself dies of some tens of thousands, without a word


def set_threads(threads: int) -> None:
    """Let torch use so many; 0 leaves its choice. Raises CliError as `check_threads` does."""
    import torch

    check_threads(threads)
    if threads:
        torch.set_num_threads(threads)


def check_threads(threads: int) -> None:
    """Raises CliError for a number that torch must not be given."""
    if not 0 <= threads <= MOST_THREADS:
        raise CliError(f"--threads {threads}: must lie between 0, torch's choice, and {MOST_THREADS}")
