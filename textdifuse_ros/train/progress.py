"""How far a training is and what is left: a bar on a terminal, a plain line every half minute elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm

from textdifuse_ros.train.config import TrainConfig

LINE_EVERY = 30.0  # seconds between two lines where there is no terminal
_BAR = "{percentage:3.0f}%|{bar:24}| {desc}"


def say(text: str) -> None:
    """One line on stderr, above the bar if there is one."""
    tqdm.write(text, file=sys.stderr)


class Pace:
    """Updates a second over the last ones of this start, checkpoints included."""

    def __init__(self, window: int = 100, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times = deque([clock()], maxlen=window + 1)

    def tick(self) -> None:
        """After each update."""
        self._times.append(self._clock())

    @property
    def rate(self) -> float:
        """0 before the first update."""
        passed = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / passed if passed > 0 else 0.0


def remaining(config: TrainConfig, step: int, spent: float, rate: float) -> float | None:
    """Seconds until the updates or the minutes run out, whichever is first; None where nothing tells.

    step: updates made, spent: seconds trained, of all starts together; rate: updates a second.
    """
    ends = []
    if rate > 0:
        ends.append((config.iterations - step) / rate)
    if config.minutes:
        ends.append(60 * config.minutes - spent)
    return max(0.0, min(ends)) if ends else None


def duration(seconds: float | None) -> str:
    """1:02:03 or 2:03; ? for None."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _is_terminal(stream: TextIO) -> bool:
    """Whether a bar shows there: a terminal, and not one of no size, as some containers give."""
    if not stream.isatty():
        return False
    try:
        return min(os.get_terminal_size(stream.fileno())) > 0
    except OSError:  # a stream of Python alone: it says that it is a terminal
        return True


class Progress:
    """Shows where something stands; silent where `shown` is false (all processes but the first)."""

    def __init__(
        self, shown: bool = True, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shown, self._stream, self._clock = shown, stream or sys.stderr, clock
        self._next_line, self._text, self._last = clock(), "", ""
        terminal = shown and _is_terminal(self._stream)
        self._bar = tqdm(total=1.0, bar_format=_BAR, file=self._stream, miniters=0) if terminal else None

    def __enter__(self) -> Progress:
        return self

    def show(self, share: float, text: str) -> None:
        """share: of the work behind, in [0, 1]; text: the same in words."""
        if not self._shown:
            return
        self._text = f"{100 * share:3.0f} %  {text}"
        if self._bar is not None:
            self._bar.set_description_str(text, refresh=False)
            self._bar.update(min(share, 1.0) - self._bar.n)
        elif self._clock() >= self._next_line:
            self._line()

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()
        elif self._shown and self._text != self._last:
            self._line()

    def _line(self) -> None:
        print(self._text, file=self._stream, flush=True)
        self._last, self._next_line = self._text, self._clock() + LINE_EVERY
