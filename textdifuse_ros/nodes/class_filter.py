"""Which classes the detector reports: the parameter's, or the prompt's. No ROS import."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textdifuse_ros.detection.classes import by_names, by_phrases
from textdifuse_ros.detection.detections import DetectorError
from textdifuse_ros.nodes.detector_parameters import MODEL_KEYS, DetectorSettings
from textdifuse_ros.nodes.parameter_spec import ParameterError

ALL, PARAMETER, PROMPT = "all", "parameter", "prompt"
_OBJECT = "object"  # kind of a phrase in PromptState that names things


@dataclass(frozen=True)
class Chosen:
    """``indices`` of the classes to report, () for all; ``source``: all, parameter or prompt.

    ``prompt`` is the latest one, None before there was any or while the link is off; ``lost`` holds its
    phrases that name no class of the model.
    """

    indices: tuple[int, ...] = ()
    source: str = ALL
    prompt: str | None = None
    lost: tuple[str, ...] = ()


class ClassFilter:
    """``current`` is swapped at once, whoever changes it: take it once a frame."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings = DetectorSettings()
        self._prompt: Any = None  # the latest PromptState
        self.names: Mapping[int, str] = {}
        self.current = Chosen()

    def learn(self, names: Mapping[int, str]) -> None:
        """The classes of the model that was loaded. Raises DetectorError when the parameter names others."""
        with self._lock:
            self.names = {}
            self.current = self._chosen(names)
            self.names = names

    def vet(self, candidate: DetectorSettings, changed: set[str]) -> None:
        """Refuse names that the model does not have, once it is known and as long as it stays. Raises
        ParameterError."""
        if "classes" not in changed or not self.names or self._means_another_model(candidate):
            return
        try:
            by_names(candidate.text("classes"), self.names)
        except DetectorError as error:
            raise ParameterError("classes", str(error)) from error

    def apply(self, settings: DetectorSettings, changed: set[str]) -> None:
        """Take accepted parameters over for the next image."""
        with self._lock:
            if self._means_another_model(settings):
                self._forget_names()
            self._settings = settings
            if self.names and changed & {"classes", "classes_from_prompt"}:
                self.current = self._chosen(self.names)

    def hear(self, prompt: Any) -> None:
        """A PromptState, for the next image."""
        with self._lock:
            self._prompt = prompt
            if self.names:
                self.current = self._chosen(self.names)

    def forget(self) -> None:
        """The model is released, and no prompt is listened to any more."""
        with self._lock:
            self._prompt = None
            self._forget_names()

    def _means_another_model(self, settings: DetectorSettings) -> bool:
        return any(settings[key] != self._settings[key] for key in MODEL_KEYS)

    def _forget_names(self) -> None:
        self.names, self.current = {}, Chosen()

    def _chosen(self, names: Mapping[int, str]) -> Chosen:
        indices = by_names(self._settings.text("classes"), names)
        source = PARAMETER if indices else ALL
        if not self._settings.flag("classes_from_prompt") or self._prompt is None:
            return Chosen(indices, source)
        prompt = str(self._prompt.prompt)
        objects = [p for p in self._prompt.phrases if p.kind == _OBJECT and p.weight > 0]
        asked, lost = by_phrases([p.text for p in objects if not p.suppressed], names)
        calm, _ = by_phrases([p.text for p in objects if p.suppressed], names)
        # What shall stay calm only takes away from what was asked for: alone it must not hide anything.
        wanted = tuple(index for index in asked if index not in calm)
        if wanted:
            return Chosen(wanted, PROMPT, prompt, lost)
        return Chosen(indices, source, prompt, lost)
