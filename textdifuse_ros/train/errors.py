"""How a training ends early: each is one line for the person who started it."""

from __future__ import annotations


class TrainingError(Exception):
    """What keeps a training from starting or going on; the message names the thing and the mend."""


class Interrupted(Exception):
    """A signal ended the training after a checkpoint; the message says how to go on.

    Empty in all processes but the first.
    """
