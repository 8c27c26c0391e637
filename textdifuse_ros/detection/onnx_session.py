"""ONNX Runtime's session of a model that ultralytics has loaded, as a robot wants it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any


def without_spinning(backend: Any, path: Path, threads: int) -> None:
    """Give the backend of a .onnx model on the CPU another session of the same file. Others are left alone.

    By default ONNX Runtime's threads spin while they wait for the next image, on the cores that the fusion
    needs. threads: of the session, 0 for all cores.
    """
    holder = getattr(backend, "backend", None)
    session = getattr(holder, "session", None)
    if holder is None or session is None or session.get_providers() != ["CPUExecutionProvider"]:
        return
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = threads
    holder.session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
