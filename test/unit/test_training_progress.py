"""What is left of a training and how it is shown, on a terminal and off one."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios

import pytest
from training_samples import short

from textdifuse_ros.train.progress import LINE_EVERY, Pace, Progress, duration, remaining


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_pace_is_that_of_the_last_updates() -> None:
    clock = Clock()
    pace = Pace(window=4, clock=clock)
    assert pace.rate == 0
    for seconds in (10, 1, 1, 1, 1):
        clock.now += seconds
        pace.tick()
    assert pace.rate == pytest.approx(1.0)


def test_what_is_left_follows_the_end_that_comes_first() -> None:
    by_updates = short(1000)
    assert remaining(by_updates, 400, 50.0, 2.0) == pytest.approx(300)
    assert remaining(by_updates, 0, 0.0, 0.0) is None
    by_clock = short(1000, minutes=3.0)
    assert remaining(by_clock, 400, 50.0, 2.0) == pytest.approx(130)
    assert remaining(by_clock, 980, 50.0, 2.0) == pytest.approx(10)
    assert remaining(by_clock, 0, 0.0, 0.0) == pytest.approx(180)
    assert remaining(by_clock, 400, 500.0, 2.0) == 0


def test_durations_are_read_as_a_clock() -> None:
    assert [duration(each) for each in (None, 5, 65, 3723)] == ["?", "0:05", "1:05", "1:02:03"]


def test_off_a_terminal_there_is_a_plain_line_every_half_minute_and_one_at_the_end() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(stream=stream, clock=clock) as progress:
        for number in range(1, 7):
            progress.show(number / 10, f"update {number}")
            clock.now += LINE_EVERY / 2
    assert stream.getvalue() == " 10 %  update 1\n 30 %  update 3\n 50 %  update 5\n 60 %  update 6\n"


def test_on_a_terminal_there_is_one_bar_that_starts_where_a_resumed_training_stands() -> None:
    stream = Terminal()
    with Progress(stream=stream) as progress:
        progress.show(0.5, "update 500/1000, 2:00 left")
        progress.show(0.75, "update 750/1000, 1:00 left")
    text = stream.getvalue()
    assert "\r" in text and text.count("\n") == 1
    assert "75%|" in text.split("\r")[-1] and "update 750/1000, 1:00 left" in text.split("\r")[-1]


def test_processes_beside_the_first_show_nothing() -> None:
    stream = io.StringIO()
    with Progress(shown=False, stream=stream) as progress:
        progress.show(0.5, "update 1")
    assert stream.getvalue() == ""


def test_a_terminal_of_no_size_gets_lines() -> None:
    main, other = os.openpty()
    with os.fdopen(other, "w") as stream, os.fdopen(main, "rb", buffering=0) as received:
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        with Progress(stream=stream) as progress:
            progress.show(0.5, "update 1")
        stream.flush()
        assert received.read(100) == b" 50 %  update 1\r\n"
