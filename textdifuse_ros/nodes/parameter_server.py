"""The table of parameters on a ROS node: declared, coerced, refused with a reason, applied between frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from textdifuse_ros.nodes.parameters import (
    BY_NAME,
    INACTIVE,
    PARAMETERS,
    START,
    ParameterError,
    ParameterSpec,
    Settings,
)

# vet(new, changed): raises ParameterError to refuse. apply(new, changed): takes the accepted values over.
Vet = Callable[[Settings, set[str]], None]
# hear(name, value, reason): is told of a refusal.
Hear = Callable[[str, Any, str], None]
Apply = Callable[[Settings, set[str]], None]


class ParameterServer:
    """Holds the accepted values as one immutable Settings that is swapped at once: a reader that takes
    ``settings`` once a frame never sees half of an atomic change."""

    def __init__(self, node: Node, is_active: Callable[[], bool]) -> None:
        self._node = node
        self._is_active = is_active
        self._vets: list[Vet] = []
        self._applies: list[Apply] = []
        self._hears: list[Hear] = []
        self.settings = Settings()

    def add_vet(self, vet: Vet) -> None:
        self._vets.append(vet)

    def add_apply(self, apply: Apply) -> None:
        self._applies.append(apply)

    def add_hear(self, hear: Hear) -> None:
        self._hears.append(hear)

    def declare(self) -> None:
        """Declare every row; raises ParameterError naming the first override that is refused."""
        given: dict[str, Any] = {}
        for spec in PARAMETERS:
            # Typed dynamically at first: an override of the wrong type is then refused with our own reason.
            loose = ParameterDescriptor(dynamic_typing=True)
            given[spec.name] = self._node.declare_parameter(spec.name, spec.default, loose).value
        accepted = Settings().changed(given)
        changed = {name for name, value in accepted.items() if value != BY_NAME[name].default}
        self._vet(accepted, changed)
        for spec in PARAMETERS:
            value = accepted[spec.name]
            self._node.set_parameters([Parameter(spec.name, value=value)])
            self._node.set_descriptor(spec.name, _descriptor(spec))
        self._take(accepted, set(BY_NAME))
        self._node.add_pre_set_parameters_callback(self._pre_set)
        self._node.add_on_set_parameters_callback(self._on_set)
        self._node.add_post_set_parameters_callback(self._post_set)

    def _pre_set(self, parameters: list[Parameter]) -> list[Parameter]:
        return [self._coerced(parameter) for parameter in parameters]

    @staticmethod
    def _coerced(parameter: Parameter) -> Parameter:
        spec = BY_NAME.get(parameter.name)
        if spec is None or parameter.type_ == Parameter.Type.NOT_SET:
            return parameter
        value = spec.coerce(parameter.value)
        return parameter if value is parameter.value else Parameter(parameter.name, value=value)

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        changes = {p.name: p.value for p in parameters if p.name in BY_NAME}
        try:
            candidate = self.settings.changed(changes)
            self._refuse_untimely(changes)
            self._vet(candidate, set(changes))
        except ParameterError as error:
            self._restore_types(changes)
            for hear in self._hears:
                hear(error.name, changes.get(error.name), error.reason)
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:  # a defect in a check must refuse, not kill the node
            self._node.get_logger().error(f"checking {sorted(changes)} failed: {error!r}")
            return SetParametersResult(successful=False, reason=f"internal error: {error!r}")
        return SetParametersResult(successful=True)

    def _post_set(self, parameters: list[Parameter]) -> None:
        changes = {p.name: p.value for p in parameters if p.name in BY_NAME}
        if changes:
            self._take(self.settings.changed(changes), set(changes))

    def _refuse_untimely(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            spec = BY_NAME[name]
            if spec.when == INACTIVE and self._is_active() and value != self.settings[name]:
                raise ParameterError(
                    name,
                    "cannot change while the node is active: deactivate it, set the parameter, activate it",
                )

    def _vet(self, candidate: Settings, changed: set[str]) -> None:
        for vet in self._vets:
            vet(candidate, changed)

    def _take(self, accepted: Settings, changed: set[str]) -> None:
        self.settings = accepted
        for apply in self._applies:
            apply(accepted, changed)

    def _restore_types(self, changes: dict[str, Any]) -> None:
        # rclpy writes the type of a dynamically typed value into the descriptor before it asks us
        for name in changes:
            self._node.describe_parameter(name).type = _type_of(BY_NAME[name])


def _type_of(spec: ParameterSpec) -> int:
    return int(Parameter.Type.from_parameter_value(spec.default).value)


def _descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """Descriptor with the range as tools show it. Typed dynamically, so that a wrong type reaches us
    and is refused with the parameter's name and what to type, which rclpy's own refusal does not say."""
    descriptor = ParameterDescriptor(
        name=spec.name,
        type=_type_of(spec),
        description=spec.description + (f" [{spec.unit}]" if spec.unit else ""),
        additional_constraints=spec.constraint,
        read_only=spec.when == START,
        dynamic_typing=True,
    )
    if spec.minimum is not None and spec.maximum is not None and spec.kind is float:
        descriptor.floating_point_range = [FloatingPointRange(from_value=spec.minimum, to_value=spec.maximum)]
    if spec.minimum is not None and spec.maximum is not None and spec.kind is int:
        descriptor.integer_range = [IntegerRange(from_value=int(spec.minimum), to_value=int(spec.maximum))]
    return descriptor
