"""The main function of managed nodes, one or several in a process. Ends with code 0 on SIGINT and SIGTERM at
any moment, start-up included.

Only light modules are imported at the top: the signal handlers stand before anything slow begins.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textdifuse_ros.nodes.command_line import Program, help_for, stray_reason
from textdifuse_ros.nodes.stop_flag import StopFlag

if TYPE_CHECKING:
    from rclpy.executors import Executor

BAD_START = 2  # exit code where an argument or a parameter is refused
FAILED = 1

_stop = StopFlag()


class StartRefused(RuntimeError):
    """A node cannot start like this, or on this machine; the text is one line for the user."""


MakeNodes = Callable[[], Sequence[Any]]


def run(program: Program, make_nodes: MakeNodes, args: list[str] | None = None) -> int:
    """Run nodes until they are told to end; `make_nodes` imports what it needs and returns ManagedNodes.
    args: the command line without the program's own arguments, the name of the program in front.

    Does not return to the interpreter's own clean-up: threads of torch and of the middleware may still be in
    native code, and no exit code must be lost to them.
    """
    _stop.wake_on_signals()
    # From here on both signals mean: end in an orderly way, soon. They never interrupt construction.
    signal.signal(signal.SIGINT, lambda *_: _stop.set())
    signal.signal(signal.SIGTERM, lambda *_: _stop.set())
    try:
        code = _run(program, make_nodes, sys.argv if args is None else args)
    except BaseException:
        code = 0 if _stop.is_set() else FAILED
        if code:
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(program: Program, make_nodes: MakeNodes, args: list[str]) -> int:
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    from rclpy.utilities import remove_ros_args

    if _stop.is_set():
        return 0
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        return _refuse_start(program, error)
    try:
        stray = remove_ros_args(args)[1:]
        if text := help_for(program, stray):
            print(text)
            return 0
        if reason := stray_reason(stray, program.instead):
            return _refuse_start(program, StartRefused(reason))
        return _serve(program, make_nodes, args)
    finally:
        rclpy.try_shutdown()


def _serve(program: Program, make_nodes: MakeNodes, args: list[str]) -> int:
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException

    from textdifuse_ros.nodes.executor import TransitionExecutor
    from textdifuse_ros.nodes.overrides import QosWatch, warn_of_unused
    from textdifuse_ros.nodes.parameter_spec import ParameterError

    if _stop.is_set():
        return 0
    refusals = (ParameterError, StartRefused, InvalidParameterTypeException, InvalidParameterValueException)
    try:
        nodes = make_nodes()
    except refusals as error:
        return _refuse_start(program, error)
    warn_of_unused(nodes, args)
    watch = QosWatch(nodes)
    for node in nodes:
        node.activated = watch.activated
    executor = TransitionExecutor(group for node in nodes for group in (node.transitions, node.setting))
    for node in nodes:
        executor.add_node(node)
    spinner = threading.Thread(target=_spin, args=(executor,), name="executor", daemon=True)
    spinner.start()
    # The main thread only waits: this is the one place where Python runs signal handlers at once.
    _stop.wait()
    for node in nodes:
        node.request_stop()
    executor.shutdown(timeout_sec=2.0)
    spinner.join(2.0)
    for node in nodes:
        node.close()
    for node in nodes:
        node.destroy_node()
    return 0


def _spin(executor: Executor) -> None:
    """Serve until the end. What a callback let through is logged; it must not take the nodes down."""
    from rclpy.logging import get_logger

    while not _stop.is_set():
        try:
            executor.spin()
            return
        except Exception as error:
            if not _stop.is_set():
                get_logger("executor").error(f"a callback failed: {error!r}")


def _refuse_start(program: Program, error: Exception) -> int:
    if _stop.is_set():
        return 0
    print(f"{program.name}: refused to start: {' '.join(str(error).split())}", file=sys.stderr)
    return BAD_START
