"""Random numbers by place, not by history: what is drawn for an update depends on where it stands alone.

So a resumed training, or one whose examples are drawn ahead by other processes, draws the same numbers.
"""

from __future__ import annotations

import numpy as np
import torch

EXAMPLES, TIMES, CHOICE, BANK, SAMPLES, RANGES = range(6)  # what the numbers are for


def generator(use: int, seed: int, *place: int) -> np.random.Generator:
    """Random numbers of one use and place (for an update: process, number of the update)."""
    return np.random.default_rng((use, seed, *place))


def for_update(seed: int, rank: int, step: int) -> np.random.Generator:
    """What an update draws besides its examples; torch's own generators are set along with it."""
    rng = generator(TIMES, seed, rank, step)
    torch.manual_seed(int(rng.integers(2**62)))
    return rng
