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

ELSEWHERE = """
import os, signal, threading, time
from textdifuse_ros.nodes import stop_flag

stop, read = stop_flag.StopFlag(), os.read

def waiting(file, count):
    other.start()
    return read(file, count)

def hit():  # the signal lands in this thread; nothing interrupts the main one, which has begun to read
    for _ in range(2000):  # a kernel that does not tell where a thread waits costs two seconds
        if "pipe" in open(f"/proc/self/task/{os.getpid()}/wchan").read():
            break
        time.sleep(0.001)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    threading.Event().wait()

other = threading.Thread(target=hit, daemon=True)
stop_flag.os.read = waiting
signal.signal(signal.SIGTERM, lambda *_: stop.set())
stop.wake_on_signals()
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


def test_a_signal_that_another_thread_gets_ends_the_waiting() -> None:
    assert subprocess.run([sys.executable, "-c", ELSEWHERE], timeout=30, check=False).returncode == 0
