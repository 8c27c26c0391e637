"""The table of parameters on a ROS node: declared, coerced, refused with a reason, applied between frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import NameValidationException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_topic_name import validate_topic_name

from textdifuse_ros.nodes.parameter_spec import INACTIVE, START, ParameterError, ParameterSpec
from textdifuse_ros.nodes.settings import S

# vet(new, changed): raises ParameterError to refuse. apply(new, changed): takes the accepted values over.
Vet = Callable[[S, set[str]], None]
# hear(name, value, reason): is told of a refusal.
Hear = Callable[[str, Any, str], None]
Apply = Callable[[S, set[str]], None]


class ParameterServer(Generic[S]):
    """Holds the accepted values as one immutable set that is swapped at once: a reader that takes
    ``settings`` once a frame never sees half of an atomic change. ``settings`` begins with the defaults.
    Changes come one after the other, from one thread; whoever reads may do so from any.

    hindrance: why what activate reads cannot change now, "" when it can.
    """

    def __init__(self, node: Node, settings: S, hindrance: Callable[[], str]) -> None:
        self._node = node
        self._hindrance = hindrance
        self._vets: list[Vet[S]] = []
        self._applies: list[Apply[S]] = []
        self._hears: list[Hear] = []
        self._rows, self._by_name = settings.rows, settings.by_name
        self.settings = settings

    def add_vet(self, vet: Vet[S]) -> None:
        self._vets.append(vet)

    def add_topic(self, name: str) -> None:
        """That parameter must name a topic."""

        def vet(candidate: S, changed: set[str]) -> None:
            if name in changed:
                _check_topic(self._node, name, candidate.text(name))

        self.add_vet(vet)

    def add_apply(self, apply: Apply[S]) -> None:
        self._applies.append(apply)

    def add_hear(self, hear: Hear) -> None:
        self._hears.append(hear)

    def declare(self) -> None:
        """Declare every row; raises ParameterError naming the first override that is refused."""
        given: dict[str, Any] = {}
        for spec in self._rows:
            # Typed dynamically at first: an override of the wrong type is then refused with our own reason.
            loose = ParameterDescriptor(dynamic_typing=True)
            given[spec.name] = self._node.declare_parameter(spec.name, spec.default, loose).value
        accepted = self.settings.changed(given)
        changed = {name for name, value in accepted.items() if value != self._by_name[name].default}
        self._vet(accepted, changed)
        for spec in self._rows:
            value = accepted[spec.name]
            self._node.set_parameters([Parameter(spec.name, value=value)])
            self._node.set_descriptor(spec.name, _descriptor(spec))
        self.settings = accepted
        for apply in self._applies:
            apply(accepted, set(self._by_name))
        self._node.add_pre_set_parameters_callback(self._pre_set)
        self._node.add_on_set_parameters_callback(self._on_set)
        self._node.add_post_set_parameters_callback(self._post_set)

    def _pre_set(self, parameters: list[Parameter]) -> list[Parameter]:
        return [self._coerced(parameter) for parameter in parameters]

    def _coerced(self, parameter: Parameter) -> Parameter:
        spec = self._by_name.get(parameter.name)
        if spec is None or parameter.type_ == Parameter.Type.NOT_SET:
            return parameter
        value = spec.coerce(parameter.value)
        return parameter if value is parameter.value else Parameter(parameter.name, value=value)

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        changes = {p.name: p.value for p in parameters if p.name in self._by_name}
        self._restore_types(changes)
        try:
            candidate = self.settings.changed(changes)
            self._vet(candidate, set(changes))
            self._refuse_untimely(changes)  # last: while the others looked a transition may have begun
        except ParameterError as error:
            for hear in self._hears:
                hear(error.name, changes.get(error.name), error.reason)
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:  # a defect in a check must refuse, not kill the node
            self._node.get_logger().error(f"checking {sorted(changes)} failed: {error!r}")
            return SetParametersResult(successful=False, reason=f"internal error: {error!r}")
        return SetParametersResult(successful=True)

    def _post_set(self, parameters: list[Parameter]) -> None:
        changes = {p.name: p.value for p in parameters if p.name in self._by_name}
        if not changes:
            return
        self.settings = self.settings.changed(changes)
        for apply in self._applies:
            try:
                apply(self.settings, set(changes))
            except Exception as error:  # a defect: whoever set the parameter would wait for ever
                self._node.get_logger().error(f"{sorted(changes)} accepted, but not taken over: {error!r}")

    def _refuse_untimely(self, changes: dict[str, Any]) -> None:
        hindrance = self._hindrance()
        if not hindrance:
            return
        for name, value in changes.items():
            if self._by_name[name].when == INACTIVE and value != self.settings[name]:
                raise ParameterError(name, hindrance)

    def _vet(self, candidate: S, changed: set[str]) -> None:
        for vet in self._vets:
            vet(candidate, changed)

    def _restore_types(self, changes: dict[str, Any]) -> None:
        # rclpy writes the type of a dynamically typed value into the descriptor before it asks us. First of
        # all, since who asks for the descriptor meanwhile gets it.
        for name in changes:
            self._node.describe_parameter(name).type = _type_of(self._by_name[name])


def _check_topic(node: Node, name: str, value: str) -> None:
    """Raise ParameterError for what the node could neither subscribe to nor publish on."""
    try:
        validate_topic_name(value)
        validate_full_topic_name(expand_topic_name(value, node.get_name(), node.get_namespace()))
    except (NameValidationException, ValueError) as error:
        # A drawing follows on further lines, and a place in rcl's source on this one.
        reason = (
            str(error).splitlines()[0].split(", at /")[0].rstrip(":").removeprefix("Invalid topic name: ")
        )
        raise ParameterError(name, f"{value!r} is no name of a topic: {reason}") from error


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
