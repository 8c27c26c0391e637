"""The graph as an ONNX model: what onnxruntime, TensorRT and others read."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import torch

from textdifuse_ros import __version__
from textdifuse_ros.engines.base import EngineError
from textdifuse_ros.engines.code_identity import code_id
from textdifuse_ros.engines.graph import INPUT_NAMES, OUTPUT_NAME
from textdifuse_ros.engines.program import Size, export_program
from textdifuse_ros.model.controls import AUTO, CONTROLS
from textdifuse_ros.model.network import FusionNetwork

OPSET = 18  # what torch's exporter writes itself (every other one is converted from it); TensorRT 10 reads it
IR_VERSION = 8  # of opset 18; the exporter's own is newer than older readers take


def check_exporter() -> None:
    """Raises EngineError where the packages that write ONNX are missing."""
    missing = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise EngineError(f"exporting to ONNX needs {' and '.join(missing)}: pip install onnx onnxscript")


def export_onnx(
    network: FusionNetwork, steps: int, dtype: str = "fp32", size: Size | None = None, weights_id: str = ""
) -> bytes:
    """A whole ONNX file: weights, names, and what `metadata` says inside. Arguments as `export_program`.

    Raises EngineError where onnx and onnxscript are missing, and for networks that cannot be exported.
    """
    check_exporter()
    import onnx

    program = export_program(network, steps, dtype, size)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns that torchvision, of which nothing is used, is not installed
    try:
        exported = torch.onnx.export(
            program,
            input_names=list(INPUT_NAMES),
            output_names=[OUTPUT_NAME],
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
        )
    finally:
        log.setLevel(level)
    assert exported is not None
    model = exported.model_proto
    _tidy(model, dynamic=size is None)
    onnx.helper.set_model_props(model, metadata(network, steps, dtype, weights_id))
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def metadata(network: FusionNetwork, steps: int, dtype: str, weights_id: str) -> dict[str, str]:
    """What an exported file says of itself."""
    return {
        "textdifuse.version": __version__,
        "textdifuse.code": code_id(),
        "textdifuse.weights": weights_id,
        "textdifuse.steps": str(steps),
        "textdifuse.dtype": dtype,
        "textdifuse.multiple": str(network.config.multiple),
        "textdifuse.controls": ",".join(CONTROLS),
        "textdifuse.restore_auto": ",".join(f"{value:g}" for value in AUTO),
    }


def operators(content: bytes) -> dict[str, int]:
    """How often each operator occurs in an ONNX file, by name."""
    import onnx

    names = [node.op_type for node in onnx.load_from_string(content).graph.node]
    return {name: names.count(name) for name in sorted(set(names))}


def _tidy(model: Any, dynamic: bool) -> None:
    """Speaking names for the free sizes; no notes of the exporter, which name paths of this machine."""
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "textdifuse", __version__
    graph = model.graph
    del graph.value_info[:]
    for part in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    if dynamic:
        for value in (*graph.input, *graph.output):
            sizes = value.type.tensor_type.shape.dim
            if len(sizes) == 4:
                sizes[2].dim_param, sizes[3].dim_param = "height", "width"
