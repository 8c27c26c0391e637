"""One row of a parameter table: type, range, choices, and what is said when a value is refused. No ROS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Value = bool | int | float | str

LIVE = "live"  # taken over between two frames while the node runs
INACTIVE = "inactive"  # accepted while the node is not active, read by the next activation
START = "start"  # fixed when the process starts

_TYPE_NAMES = {bool: "bool", int: "integer", float: "double", str: "string"}


class ParameterError(ValueError):
    """A value that is refused. ``reason`` is the sentence for the user, ``name`` the parameter."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class ParameterSpec:
    """One row of the table. ``kind`` is bool, int, float or str; ranges are inclusive."""

    name: str
    kind: type
    default: Value
    description: str
    when: str = LIVE
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Value, ...] = ()

    @property
    def type_name(self) -> str:
        return _TYPE_NAMES[self.kind]

    @property
    def constraint(self) -> str:
        """The allowed values in words, "" where anything of the type goes."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"{self.kind(self.minimum)} to {self.kind(self.maximum)}"
        if self.minimum is not None:
            return f"at least {self.kind(self.minimum)}"
        return ""

    def coerce(self, value: Any) -> Any:
        """Undo what YAML does to a harmless value: 2 for a double, ``off`` read as false for a word.

        A prompt is never coerced: ``yes`` arrives as true, and the word that was typed is lost.
        """
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if self.kind is str and self.choices and isinstance(value, bool):
            word = "on" if value else "off"
            return word if word in self.choices else value
        return value

    def validate(self, given: Any) -> Value:
        """Return the (coerced) value, or raise ParameterError with what is wrong and what is allowed."""
        value = self.coerce(given)
        if not self._has_type(value):
            raise ParameterError(self.name, self._type_reason(value))
        if self.kind is float and not math.isfinite(value):
            raise ParameterError(self.name, f"{value} is not a finite number")
        if self.choices and value not in self.choices:
            raise ParameterError(self.name, f"{value!r} is not allowed: {self.constraint}")
        if self.minimum is not None and value < self.minimum:
            raise ParameterError(self.name, f"{value} is too small: {self.constraint} {self.unit}".rstrip())
        if self.maximum is not None and value > self.maximum:
            raise ParameterError(self.name, f"{value} is too large: {self.constraint} {self.unit}".rstrip())
        if self.kind is str and ("\n" in value or "\0" in value):
            raise ParameterError(self.name, "must be one line of text")
        return value

    def _has_type(self, value: Any) -> bool:
        return type(value) is self.kind  # not isinstance: a truth value is no integer

    def _type_reason(self, value: Any) -> str:
        got = _describe_type(value)
        if self.kind is not str:
            return f"must be of type {self.type_name}, got {got}"
        if self.choices:
            return f"must be a word, got {got}: {self.constraint}"
        typed = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        example = ", ".join(map(str, typed)) if isinstance(typed, (list, tuple)) else typed
        return (
            f"must be text, but the shell tool read the value as {got}; "
            f"quote it twice so that it stays text: ros2 param set NODE {self.name} '\"{example}\"'"
        )


def _describe_type(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {'true' if value else 'false'}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    return "a list"
