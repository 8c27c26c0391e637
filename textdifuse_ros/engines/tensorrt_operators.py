"""Whether the exported graph holds only what torch-tensorrt converts; neither it nor a GPU is needed.

Its converters and what it decomposes before them are facts noted in tensorrt_operators.txt, with the versions
they were read from. `lowered` decomposes as it would, so that what is looked at is what a converter sees.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._decomp import get_decompositions

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_FACTS = Path(__file__).with_name("tensorrt_operators.txt")
_REMOVED = ("aten._assert_tensor_metadata.default", "aten._assert_scalar.default")
_aten = torch.ops.aten


@cache
def versions() -> tuple[str, ...]:
    """Versions of torch-tensorrt that the facts were read from."""
    return tuple(dict.fromkeys(version for found in _facts("converter").values() for version in found))


def unsupported(program: ExportedProgram) -> dict[str, int]:
    """How often each operator occurs for which one of `versions` has no converter; empty when all is well.

    A cast to a type that the converter refuses is named with the type.
    """
    return without_converter(operators(program))


def without_converter(found: Mapping[str, int]) -> dict[str, int]:
    """Those of `operators` that are unsupported."""
    return {name: count for name, count in found.items() if not _is_known(name)}


def operators(program: ExportedProgram) -> dict[str, int]:
    """How often each operator occurs once the program is decomposed."""
    return dict(sorted(Counter(_used(lowered(program))).items()))


def lowered(program: ExportedProgram) -> ExportedProgram:
    """Decomposed as torch-tensorrt does it before its converters look at the graph."""
    return program.run_decompositions(_decompositions())


def _used(program: ExportedProgram) -> list[str]:
    names: list[str] = []
    for node in program.graph.nodes:
        name = _name(node.target)
        if node.op != "call_function" or name in _REMOVED:
            continue
        if name == "aten._to_copy.default":
            name = f"{name} to {str(node.kwargs.get('dtype', 'its own type')).removeprefix('torch.')}"
        names.append(name)
    return names


def _is_known(name: str) -> bool:
    name, _, cast = name.partition(" to ")
    if cast and not _in_all("cast", cast):
        return False
    # Before 2.14 views were decomposed to _reshape_copy, since then they are converted themselves; picking
    # one of several outputs is no operator to either.
    return name in ("aten.view.default", "operator.getitem") or _in_all("converter", name)


def _in_all(kind: str, name: str) -> bool:
    return set(_facts(kind).get(name, ())) == set(versions())


def _name(target: Any) -> str:
    return "operator.getitem" if target is operator.getitem else str(target)


@cache
def _facts(kind: str) -> dict[str, tuple[str, ...]]:
    """Name and versions of every fact of this kind."""
    rows = (line.split() for line in _FACTS.read_text(encoding="utf-8").splitlines() if line[:1] != "#")
    return {row[1]: tuple(row[2:]) for row in rows if row and row[0] == kind}


@cache
def _decompositions() -> dict[Any, Callable[..., Any]]:
    whole = {_operator(name) for name in _facts("whole")}
    table = torch.export.default_decompositions()
    implied = {each: rule for each, rule in table.items() if _is_implied(each) and not _is_in(each, whole)}
    wanted = [_operator(name) for name in _facts("split") if _operator(name) is not None]
    return {**get_decompositions(wanted), **implied, **_own()}


def _is_implied(each: Any) -> bool:
    """Whether torch itself says that the operator is but a composition of others."""
    return isinstance(each, torch._ops.OpOverload) and torch._C._dispatch_has_kernel_for_dispatch_key(
        each.name(), torch._C.DispatchKey.CompositeImplicitAutograd
    )


def _is_in(each: torch._ops.OpOverload, packets: set[Any]) -> bool:
    return each in packets or each.overloadpacket in packets


def _operator(name: str) -> Any:
    """torch's operator (or all its overloads) of this name, None where this torch has none."""
    found: Any = torch.ops
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _own() -> dict[Any, Callable[..., Any]]:
    """torch-tensorrt's own rules, as far as this network meets them."""
    return {
        _aten.lift_fresh_copy.default: _same,
        _aten.alias.default: _same,
        _aten.silu.default: _gated,
        _aten.full_like.default: _full_like,
    }


def _same(value: Tensor) -> Tensor:
    return value


def _gated(value: Tensor) -> Tensor:
    return value * torch.sigmoid(value)


def _full_like(like: Tensor, value: float, **kinds: Any) -> Tensor:
    return torch.full(like.shape, value, dtype=kinds.get("dtype") or like.dtype, device=like.device)
