"""Entry point of the fusion node. Ends with code 0 on SIGINT and SIGTERM at any moment, start-up included.

Only light modules are imported at the top: the signal handlers stand before anything slow begins.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rclpy.executors import Executor

BAD_START = 2  # exit code where an argument or a parameter is refused
FAILED = 1

_stop = threading.Event()


def _on_signal(_number: int, _frame: Any) -> None:
    _stop.set()


def install_signal_handlers() -> None:
    """From here on both signals mean: end in an orderly way, soon. They never interrupt construction."""
    signal.signal(signal.SIGINT, _on_signal)
    signal.signal(signal.SIGTERM, _on_signal)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to end. Does not return to the interpreter's own clean-up: threads of
    torch and of the middleware may still be in native code, and no exit code must be lost to them."""
    install_signal_handlers()
    try:
        code = _run(sys.argv if args is None else args)
    except BaseException:
        code = 0 if _stop.is_set() else FAILED
        if code:
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(args: list[str]) -> int:
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    if _stop.is_set():
        return 0
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        return _refuse_start(error)
    try:
        return _serve(args)
    finally:
        rclpy.try_shutdown()


def _serve(args: list[str]) -> int:
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException

    from textdifuse_ros.nodes.executor import TransitionExecutor
    from textdifuse_ros.nodes.fusion import FusionNode
    from textdifuse_ros.nodes.overrides import warn_of_unused
    from textdifuse_ros.nodes.parameters import ParameterError

    if _stop.is_set():
        return 0
    try:
        node = FusionNode()
    except (ParameterError, InvalidParameterTypeException, InvalidParameterValueException) as error:
        return _refuse_start(error)
    warn_of_unused(node, args)
    executor = TransitionExecutor(node.transitions)
    executor.add_node(node)
    spinner = threading.Thread(target=_spin, args=(executor, node), name="executor", daemon=True)
    spinner.start()
    # The main thread only waits: this is the one place where Python runs signal handlers at once.
    _stop.wait()
    node.request_stop()
    executor.shutdown(timeout_sec=2.0)
    spinner.join(2.0)
    node.close()
    node.destroy_node()
    return 0


def _spin(executor: Executor, node: Any) -> None:
    """Serve until the end. What a callback let through is logged; it must not take the node down."""
    while not _stop.is_set():
        try:
            executor.spin()
            return
        except Exception as error:
            if not _stop.is_set():
                node.get_logger().error(f"a callback failed: {error!r}")


def _refuse_start(error: Exception) -> int:
    if _stop.is_set():
        return 0
    print(f"fusion_node: refused to start: {' '.join(str(error).split())}", file=sys.stderr)
    return BAD_START


if __name__ == "__main__":
    sys.exit(main())
