"""Fields of a configuration: each declared with its meaning and bounds, all checked by one rule."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Kind = TypeVar("Kind")


class FieldError(ValueError):
    """A field that cannot be used; one line with its name, its value and what it must be."""


@dataclass(frozen=True)
class Rule:
    """What a field means and which values it takes.

    low, high: inclusive bounds; above: an exclusive one; choices: the only texts. For a tuple the bounds
    hold for every number in it. only: the one command that uses the field, where others take it and do not.
    """

    meaning: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    only: str = ""

    @property
    def constraint(self) -> str:
        """The bounds in words, empty where there are none."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.above is not None:
            return f"above {self.above:g}"
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"at least {self.low:g}" if self.low is not None else ""

    def check(self, name: str, value: object, default: object) -> None:
        """Raise FieldError unless the value is of the default's type and within the bounds."""
        if not (_fits(value, default) and self._within(value)):
            raise FieldError(f"{name} is {value!r}; it must be {self._wanted(default)}")

    def _wanted(self, default: object) -> str:
        if self.choices:
            return self.constraint
        if isinstance(default, tuple):
            kind, each = f"a list of {_KINDS[type(default[0])].removeprefix('a ')}s", "each "
        else:
            kind, each = _KINDS[type(default)], ""
        return f"{kind}, {each}{self.constraint}" if self.constraint else kind

    def _within(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        numbers = value if isinstance(value, tuple) else (value,)
        return (
            (self.low is None or all(number >= self.low for number in numbers))
            and (self.high is None or all(number <= self.high for number in numbers))
            and (self.above is None or all(number > self.above for number in numbers))
        )


_KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
}


def _fits(value: object, default: object) -> bool:
    """Whether the value is what the default is: bool is no number, and numbers are finite."""
    if isinstance(default, tuple):
        return isinstance(value, tuple) and len(value) > 0 and all(_fits(each, default[0]) for each in value)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return type(value) is type(default)


def setting(default: Any, meaning: str, **bounds: Any) -> Any:
    """A dataclass field with a rule. bounds: those of Rule."""
    return dataclasses.field(default=default, metadata={"rule": Rule(meaning, **bounds)})


def rules_of(kind: type) -> dict[str, Rule]:
    """The rules of a dataclass whose fields were declared with `setting`."""
    fields = dataclasses.fields(kind)
    return {field.name: field.metadata["rule"] for field in fields if "rule" in field.metadata}


def check_all(instance: Any, rules: dict[str, Rule], prefix: str = "") -> None:
    """Raise FieldError for the first field that breaks its rule."""
    defaults = {field.name: field.default for field in dataclasses.fields(instance)}
    for name, rule in rules.items():
        rule.check(prefix + name, getattr(instance, name), defaults[name])


def check_names(names: Iterable[str], known: Iterable[str], prefix: str = "") -> None:
    """Raise FieldError for a name that is not known, with the nearest one that is."""
    known = sorted(known)
    for name in names:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1)
        mend = f"did you mean {prefix}{near[0]}?" if near else f"there are {', '.join(known)}"
        raise FieldError(f"{prefix}{name}: no such field; {mend}")


def from_values(kind: type[Kind], values: Mapping[str, object]) -> Kind:
    """A configuration from JSON values; what is left out takes its default. Raises FieldError."""
    defaults: dict[str, Any] = {each.name: each.default for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    check_names(values, defaults)
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) and isinstance(defaults[name], tuple) else value
            for name, value in values.items()
        }
    )
