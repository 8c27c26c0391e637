"""An executor for nodes whose transitions take seconds and whose images come a hundred times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.executors import (
    ConditionReachedException,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)
from rclpy.logging import get_logger
from rclpy.node import Node


def setting_group(node: Node) -> CallbackGroup:
    """Move the services that set parameters out of the node's default group, into one that is returned.

    rclpy makes them itself and lets nobody choose. To be called before an executor knows the node. Questions
    about parameters stay where they are: they are answered at once, whatever is being checked.
    """
    group = MutuallyExclusiveCallbackGroup()
    for service in node.services:
        if service.srv_type in (SetParameters, SetParametersAtomically):
            group.add_entity(service)
            service.callback_group = group
    return group


class TransitionExecutor(SingleThreadedExecutor):  # type: ignore[misc]
    """Runs every callback in the spinning thread, but those of some groups in a thread beside it, one each.

    So a transition may wait for the model, and a prompt be encoded, while images and diagnostics are served,
    also while another node of the process is in transition, and an image does not pay for a change of
    threads: with rclpy's MultiThreadedExecutor a callback costs about twice as much processor time. The
    groups must be mutually exclusive.
    """

    def __init__(self, apart: Iterable[CallbackGroup], **keywords: Any) -> None:
        super().__init__(**keywords)
        self._beside = {group: ThreadPoolExecutor(1, thread_name_prefix="beside") for group in apart}

    def _spin_once_impl(
        self, timeout_sec: Any = None, wait_condition: Callable[[], bool] = lambda: False
    ) -> None:
        handler: Any
        entity: Any
        try:
            handler, entity, _ = self.wait_for_ready_callbacks(timeout_sec, None, wait_condition)
        except (ShutdownException, TimeoutException, ConditionReachedException):
            return
        beside = None if entity is None else self._beside.get(entity.callback_group)
        if beside is not None:
            beside.submit(_run, handler)
            return
        handler()
        handler.result()  # raises what the callback raised


def _run(handler: Any) -> None:
    """Run a callback whose failure nobody waits for."""
    handler()
    if handler.exception() is not None:
        get_logger("executor").error(f"a callback failed: {handler.exception()!r}")
