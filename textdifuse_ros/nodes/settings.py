"""The values of one node's parameter table: immutable, typed, validated together. No ROS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from textdifuse_ros.nodes.parameter_spec import START, ParameterError, ParameterSpec, Value

S = TypeVar("S", bound="TableSettings")

# The rows that every managed node has, at the end of its table.
MANAGED_ROWS: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "diagnostics_period",
        float,
        1.0,
        "Time between two messages on /diagnostics.",
        START,
        "s",
        0.1,
        60.0,
    ),
    ParameterSpec(
        "autostart",
        bool,
        True,
        "Configure and activate without being asked; false waits for the lifecycle services.",
        START,
    ),
)


class TableSettings(Mapping[str, Value]):
    """An immutable set of values, one for each row of the table; typed access by text(), number(), ...

    A node's own class names its table in ``rows`` and checks values against each other in ``check``.
    """

    rows: ClassVar[tuple[ParameterSpec, ...]] = ()
    by_name: ClassVar[Mapping[str, ParameterSpec]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.by_name = {spec.name: spec for spec in cls.rows}

    def __init__(self, values: Mapping[str, Value] | None = None) -> None:
        self._values: dict[str, Value] = {spec.name: spec.default for spec in self.rows}
        self._values.update(values or {})

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str) -> str:
        return str(self._values[name])

    def number(self, name: str) -> float:
        return float(self._values[name])

    def integer(self, name: str) -> int:
        return int(self._values[name])

    def flag(self, name: str) -> bool:
        return bool(self._values[name])

    def changed(self: S, changes: Mapping[str, Any]) -> S:
        """Validated copy with ``changes`` applied; raises ParameterError and changes nothing."""
        values = dict(self._values)
        for name, value in changes.items():
            if name not in self.by_name:
                raise ParameterError(name, "no such parameter")
            values[name] = self.by_name[name].validate(value)
        candidate = type(self)(values)
        candidate.check(set(changes))
        return candidate

    def check(self, changed: set[str]) -> None:
        """Raise ParameterError where values do not fit each other; blames one that was just set."""


def check_device(device: str) -> None:
    """Raise ParameterError for what is no name of a device."""
    name, colon, index = device.partition(":")
    plain = not colon or (name == "cuda" and index.isdigit())
    if name not in ("auto", "cpu", "cuda") or not plain:
        raise ParameterError("device", f"{device!r} is not a device: use auto, cpu, cuda or cuda:N")
