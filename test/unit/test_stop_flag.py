"""Signals that come while another one is being handled end a node all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

from textdifuse_ros.nodes.stop_flag import StopFlag

NESTED = """
import os, signal
from textdifuse_ros.nodes import stop_flag

stop, write, depth = stop_flag.StopFlag(), os.write, 0

def interrupted(file, data):  # the next signal comes in the middle of set()
    global depth
    depth += 1
    if depth < 50:
        os.kill(os.getpid(), signal.SIGTERM)
    return write(file, data)

stop_flag.os.write = interrupted
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("ready", flush=True)
stop.wait()
"""


def test_it_wakes_the_one_who_waits_and_stays_set() -> None:
    flag, woken = StopFlag(), threading.Event()
    waiter = threading.Thread(target=lambda: (flag.wait(), woken.set()), daemon=True)
    waiter.start()
    assert not flag.is_set()
    flag.set()
    assert woken.wait(20)
    flag.wait()
    assert flag.is_set()


def test_any_number_of_signals_may_come_while_nobody_waits() -> None:
    flag = StopFlag()
    for _ in range(70_000):  # more than a pipe holds
        flag.set()
    assert flag.is_set()


def test_handlers_may_interrupt_each_other() -> None:
    process = subprocess.Popen([sys.executable, "-c", NESTED], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
