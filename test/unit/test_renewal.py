"""A slow result that is held between its renewals."""

from __future__ import annotations

import threading

import pytest

from textdifuse_ros.text.renewal import Renewal


def test_with_rate_zero_every_result_is_new_and_no_thread_is_started() -> None:
    threads: list[str] = []

    def compute(given: int) -> int:
        threads.append(threading.current_thread().name)
        return given * 2

    renewal = Renewal(compute, 0.0)
    for given in (1, 2, 3):
        assert renewal.due()
        renewal.renew(given)
        assert renewal.latest == given * 2
    assert set(threads) == {threading.current_thread().name}


def test_the_last_result_is_held_until_the_next_is_due_and_there() -> None:
    now, may_go = [0.0], threading.Event()
    may_go.set()

    def compute(given: int) -> int:
        assert may_go.wait(20)
        return given

    renewal = Renewal(compute, 2.0, clock=lambda: now[0])
    renewal.renew(1)  # the first is waited for
    assert renewal.latest == 1
    now[0] = 0.4
    assert not renewal.due()
    now[0] = 0.5
    assert renewal.due()
    may_go.clear()
    renewal.renew(2)
    assert renewal.latest == 1
    now[0] = 9.0
    assert not renewal.due()  # one is under way: none is queued behind it
    may_go.set()
    assert renewal._pending is not None and renewal._pending.result(20) == 2
    assert renewal.due()  # and now the next one is late
    assert renewal.latest == 2
    renewal.close()


def test_a_failure_in_the_thread_is_raised_once_and_the_held_result_stays() -> None:
    def compute(given: int) -> int:
        if given == 2:
            raise RuntimeError("out of memory")
        return given

    now = [0.0]
    renewal = Renewal(compute, 1.0, clock=lambda: now[0])
    renewal.renew(1)
    now[0] = 1.0
    renewal.renew(2)
    assert renewal._pending is not None and renewal._pending.exception(20) is not None
    with pytest.raises(RuntimeError, match="out of memory"):
        renewal.due()
    assert renewal.latest == 1 and not renewal.due()
    now[0] = 2.0
    assert renewal.due()
    renewal.close()


def test_what_is_forgotten_is_computed_anew_at_once() -> None:
    renewal = Renewal(lambda given: given, 0.001)
    with pytest.raises(ValueError, match="renew first"):
        _ = renewal.latest
    renewal.renew(1)
    renewal.forget()
    assert renewal.due()
    renewal.renew(2)
    assert renewal.latest == 2
