"""The prompt: checked when it is set, in force with the first image that shows it. No ROS import."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textdifuse_ros.nodes.parameters import ParameterError, Settings
from textdifuse_ros.text.grammar import Prompt, PromptError
from textdifuse_ros.text.localiser import (
    CompiledPrompt,
    Localiser,
    LocaliserError,
    make_localiser,
    stands_in,
)
from textdifuse_ros.text.reading import read_prompt

PARAMETERS = frozenset({"prompt", "prompt_strength", "localiser"})


@dataclass(frozen=True)
class PromptRecord:
    """What ~/prompt says. ``header`` is that of the first image that shows it, None until then.

    ``localiser``: that which compiled it; ``stands_in``: why it is not that of the parameter, if so.
    """

    revision: int
    text: str
    compiled: CompiledPrompt
    strength: float
    localiser: str
    accepted: float  # steady seconds
    header: Any = None
    last_refused: str = ""
    last_reason: str = ""
    stands_in: str = ""

    @property
    def in_force(self) -> bool:
        return self.header is not None


class PromptKeeper:
    """Refuses prompts, keeps the accepted one, and announces every change in order.

    ``announce`` is called under a lock with each new record: from the parameter services when a prompt is
    accepted or refused, from the worker when the first image shows it. A prompt is checked, and its new texts
    are encoded, inside the parameter service, which has a thread of its own: tens of milliseconds of work.
    A localiser that needs more (clip) encodes in another thread behind that, and either way the prompt before
    stays in force meanwhile. ``warn`` hears once of a localiser that stands in for the one that was asked
    for.
    """

    def __init__(
        self, announce: Callable[[PromptRecord], None], warn: Callable[[str], None] = lambda text: None
    ) -> None:
        self._announce, self._warn = announce, warn
        self._lock = threading.RLock()
        self._localisers: dict[str, Localiser] = {}
        self._compiled: tuple[tuple[str, str], CompiledPrompt] | None = None
        empty = CompiledPrompt(Prompt(), "")
        self._record = PromptRecord(0, "", empty, 1.0, "", time.monotonic())
        self._shown: PromptRecord | None = None

    @property
    def current(self) -> PromptRecord:
        """What was accepted last."""
        return self._record

    def for_frame(self, ready: Callable[[CompiledPrompt], bool]) -> PromptRecord:
        """The record for the next image: take it once a frame, in the worker. A prompt that is not ready yet
        leaves the one before in force, but for one of another localiser, which is not there any more."""
        record, shown = self._record, self._shown
        if shown is None or shown.localiser != record.localiser or ready(record.compiled):
            self._shown = shown = record
        return shown

    def vet(self, candidate: Settings, changed: set[str]) -> None:
        """Raises ParameterError with the reason when the prompt cannot be followed."""
        if not changed & {"prompt", "localiser"}:
            return
        text, localiser = candidate.text("prompt"), candidate.text("localiser")
        try:
            compiled = self._compile(text, localiser)
        except PromptError as error:
            raise ParameterError("prompt", str(error)) from error
        except LocaliserError as error:
            raise ParameterError("localiser", str(error)) from error
        self._compiled = ((text, localiser), compiled)

    def hear(self, name: str, value: Any, reason: str) -> None:
        """Record the refusal of a prompt, for whatever reason, so that ~/prompt shows it."""
        if name == "prompt":
            self._update(last_refused=str(value), last_reason=reason)

    def apply(self, accepted: Settings, changed: set[str]) -> None:
        """Take an accepted prompt (or strength) over for the next image."""
        if not changed & PARAMETERS:
            return
        text, localiser = accepted.text("prompt"), accepted.text("localiser")
        known = self._compiled
        compiled = known[1] if known and known[0] == (text, localiser) else self._compile(text, localiser)
        self._update(
            revision=self._record.revision + 1,
            text=text,
            compiled=compiled,
            localiser=compiled.localiser,
            stands_in=stands_in(self._localisers[localiser]),
            strength=accepted.number("prompt_strength"),
            accepted=time.monotonic(),
            header=None,
        )

    def shown(self, record: PromptRecord, header: Any) -> None:
        """An image made with ``record`` was published under ``header``."""
        if self._record.in_force or record.revision != self._record.revision:
            return
        with self._lock:
            if record.revision == self._record.revision and not self._record.in_force:
                self._update(header=header)

    def withdraw(self) -> None:
        """No image is being published any more: the prompt is accepted, not in force."""
        if self._record.in_force:
            self._update(header=None)

    def _update(self, **changes: Any) -> None:
        with self._lock:
            values = {**self._record.__dict__, **changes}
            self._record = PromptRecord(**values)
            self._announce(self._record)

    def _compile(self, text: str, localiser: str) -> CompiledPrompt:
        if localiser not in self._localisers:
            made = self._localisers[localiser] = make_localiser(localiser)
            if stands_in(made):
                self._warn(stands_in(made))
        return read_prompt(self._localisers[localiser], text)
