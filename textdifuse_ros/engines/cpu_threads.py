"""How many threads of the CPU torch takes for the work of one thread.

torch has no number for a network. A thread takes over the number that was set last, by whomever, with its
first operation, and keeps it. So where several networks share a process, each thread that runs one sets the
number of its own network first.
"""

from __future__ import annotations

import torch

_DEFAULT = torch.get_num_threads()  # before any network has asked for another


def use_threads(threads: int) -> None:
    """Let the calling thread work with so many threads; 0: torch's own choice, all cores."""
    torch.get_num_threads()  # or the first operation would take over the number that was set last, after all
    torch.set_num_threads(threads or _DEFAULT)
