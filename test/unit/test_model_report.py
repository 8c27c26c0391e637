"""The status of the model says what runs, and why that is not what was asked for."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from textdifuse_ros.nodes import health
from textdifuse_ros.nodes.model_holder import ModelHolder
from textdifuse_ros.nodes.parameters import Settings


def test_an_engine_in_place_of_the_one_that_was_asked_for_is_a_warning_with_the_reason() -> None:
    reason = "engine tensorrt needs a GPU"
    model: Any = SimpleNamespace(
        device="cpu", engine=f"eager, {reason}", dtype="bf16", weights_id="w", trouble=reason
    )
    holder = ModelHolder(lambda settings: model)
    holder.ensure(Settings(), threading.Event())
    report = health.model_report(holder.state(), "")
    assert (report.level, report.cause, report.values["engine"]) == (health.WARN, "fell_back", "eager")
    assert report.message == f"ready: eager on cpu, bf16, but not as was asked: {reason}"
    model.engine, model.trouble = "tensorrt", ""
    report = health.model_report(holder.state(), "")
    assert (report.level, report.message) == (health.OK, "ready: tensorrt on cpu, bf16")
