"""Runs a small node until it is done or asked to stop: exit 0 on SIGINT and SIGTERM at any moment."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from textdifuse_ros.nodes.command_line import Program, help_for, stray_reason
from textdifuse_ros.nodes.overrides import warn_of_unused
from textdifuse_ros.nodes.stop_flag import StopFlag

_WAKE_S = 0.1
_DELIVERY_S = 2.0


class StartError(RuntimeError):
    """A node cannot start or go on; the text is one line for the user."""


class Finite(Protocol):
    """A node that can end by itself."""

    finished: threading.Event
    failure: str  # why it ended early, "" when it did not

    def close(self) -> None:
        """Stop threads and let go of files."""


def run_alone(program: Program, make_node: Callable[[], Any], args: Sequence[str] | None = None) -> int:
    """`run` for a node that takes nothing but ROS arguments: other words are refused with 2, --help is
    answered."""
    words = sys.argv[1:] if args is None else list(args)
    try:
        stray = remove_ros_args([program.name, *words])[1:]
    except Exception:  # what ROS cannot read is refused by `run`
        stray = []
    if text := help_for(program, stray):
        print(text)
        return 0
    if reason := stray_reason(stray, program.instead):
        print(f"error: {reason}", file=sys.stderr, flush=True)
        return 2
    return run(make_node, args)


def run(make_node: Callable[[], Any], args: Sequence[str] | None = None) -> int:
    """Create the node (a `Finite` rclpy node) and spin it until it finishes or a signal arrives.

    Returns 0, or 2 with one line on stderr when `make_node` raises StartError or the node ends with a
    failure.
    """
    stop = StopFlag()
    previous = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    # Our own handlers: rclpy's raise from whatever line they interrupt, the constructor of the node included.
    node: Any = None
    try:
        _init(args)
        node = make_node()
        warn_of_unused([node], sys.argv if args is None else args)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not stop.is_set() and not node.finished.is_set():
            executor.spin_once(timeout_sec=_WAKE_S)
        node.close()
        executor.remove_node(node)
        if node.failure:
            raise StartError(node.failure)
        return 0
    except StartError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
        for number, handler in previous.items():
            signal.signal(number, handler)


def deliver(node: Any) -> None:
    """Wait until reliable readers have what this node published, two seconds for each topic at most.

    A publisher that goes takes with it what was not acknowledged yet, the last picture of a clip for one.
    """
    for publisher in node.publishers:
        publisher.wait_for_all_acked(Duration(seconds=_DELIVERY_S))


def _init(args: Sequence[str] | None) -> None:
    try:
        rclpy.init(args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # an argument, or a parameter file that is missing or no YAML
        raise StartError(" ".join(str(error).split())) from None
