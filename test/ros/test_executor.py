"""The executor of managed nodes: what waits in one node's transitions holds nothing else up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import rclpy
from node_process import ros_domain
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from waiting import DEADLINE

from textdifuse_ros.nodes.executor import TransitionExecutor

pytestmark = pytest.mark.ros


@pytest.fixture
def context() -> Iterator[rclpy.context.Context]:
    with ros_domain() as domain:
        context = rclpy.context.Context()
        context.init(domain_id=domain)
        yield context
        context.try_shutdown()


def test_transitions_of_two_nodes_and_the_other_callbacks_run_side_by_side(
    context: rclpy.context.Context,
) -> None:
    nodes = [rclpy.create_node(name, context=context) for name in ("one", "two")]
    transitions = [MutuallyExclusiveCallbackGroup() for _ in nodes]
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    inside: set[int] = set()
    served = threading.Event()

    def transition(index: int) -> None:
        timers[index].cancel()
        inside.add(index)
        served.wait(DEADLINE)

    def serve() -> None:
        if len(inside) == 2:  # both transitions wait, and this is called nevertheless
            served.set()

    timers = [
        node.create_timer(0.0, lambda index=index: transition(index), callback_group=group, clock=steady)
        for index, (node, group) in enumerate(zip(nodes, transitions, strict=True))
    ]
    nodes[0].create_timer(0.01, serve, callback_group=MutuallyExclusiveCallbackGroup(), clock=steady)
    executor = TransitionExecutor(transitions, context=context)
    for node in nodes:
        executor.add_node(node)
    spinner = threading.Thread(target=executor.spin, daemon=True)
    spinner.start()
    try:
        assert served.wait(DEADLINE)
    finally:
        executor.shutdown(timeout_sec=5.0)
        spinner.join(5.0)
        for node in nodes:
            node.destroy_node()
