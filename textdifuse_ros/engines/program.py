"""The graph as torch.export captures it: what ONNX, TensorRT and captured CUDA graphs are made of."""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.export.passes import move_to_device_pass

from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.device import DTYPES
from textdifuse_ros.engines.frames import padded
from textdifuse_ros.engines.graph import FusionGraph
from textdifuse_ros.model.controls import ALL
from textdifuse_ros.model.network import FusionNetwork

if TYPE_CHECKING:
    from torch.export import ExportedProgram

Size = tuple[int, int]

# torch's own, about its own classes. Once for the process: catch_warnings is shared by all threads.
warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")


def check_exportable(network: FusionNetwork) -> None:
    """Raises EngineError for a teacher: its noise is drawn for each size, which no graph holds."""
    if network.config.start_noise:
        raise EngineError("a teacher, which starts from noise, cannot be exported: use a student's weights")


def export_program(
    network: FusionNetwork, steps: int, dtype: str = "fp32", size: Size | None = None, as_bytes: bool = True
) -> ExportedProgram:
    """`FusionGraph` as torch.export captures it, on the CPU.

    size: (height, width), rounded up to the network's multiple, None for any size from twice the multiple.
    as_bytes: False is a graph that takes and returns images as float32 in 0..255, see `FusionGraph`.
    Raises EngineError for networks that cannot be exported.
    """
    check_exportable(network)
    multiple = network.config.multiple
    graph = FusionGraph(copy.deepcopy(network).cpu().to(DTYPES[dtype]), steps, as_bytes).eval()
    sides = padded(*size, multiple) if size else (4 * multiple, 6 * multiple)
    shapes = None if size else _any_size(multiple)
    with torch.no_grad():
        return torch.export.export(graph, example(*sides, as_bytes), dynamic_shapes=shapes)


def export_on(
    network: FusionNetwork, steps: int, dtype: str, size: Size, device: torch.device, as_bytes: bool = True
) -> ExportedProgram:
    """`export_program` of a network that is on any device already, for a device.

    Its constants lie there too, where the graph itself would send them from the host in every frame.
    """
    plain = copy.deepcopy(network).cpu()
    plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return move_to_device_pass(export_program(plain, steps, dtype, size, as_bytes), device)


def example(height: int, width: int, as_bytes: bool = True) -> tuple[Tensor, ...]:
    """Inputs of `FusionGraph` in their order, of a size that is a multiple."""
    images = torch.uint8 if as_bytes else torch.float32
    return (
        torch.zeros(1, 3, height, width, dtype=images),
        torch.zeros(1, 1, height, width, dtype=images),
        torch.zeros(1, 1, height, width),
        torch.tensor([ALL]),
    )


def _any_size(multiple: int) -> tuple[Any, ...]:
    """Height and width as multiples. From two of them on: a bottleneck of one pixel is a case of its own."""
    height, width = torch.export.Dim("rows", min=2, max=256), torch.export.Dim("columns", min=2, max=256)
    image = {2: multiple * height, 3: multiple * width}
    return (image, image, image, None)
