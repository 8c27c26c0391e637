"""What is set of glibc's malloc, and when it is left alone."""

from __future__ import annotations

import ctypes

import pytest
import torch

from textdifuse_ros.engines import memory


class Libc:
    """Notes what is asked of mallopt."""

    def __init__(self) -> None:
        self.asked: dict[int, int] = {}
        self.trimmed = False

    def mallopt(self, name: int, value: int) -> int:
        self.asked[name] = value
        return 1

    def malloc_trim(self, pad: int) -> int:
        self.trimmed = pad == 0
        return 1


@pytest.fixture
def libc(monkeypatch: pytest.MonkeyPatch) -> Libc:
    for name in ("MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    stand_in = Libc()
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: stand_in)
    monkeypatch.setattr(memory, "_done", False)
    return stand_in


def test_freed_memory_is_kept_once_for_the_process(libc: Libc) -> None:
    memory.keep_freed_memory()
    assert libc.asked == {-3: 32 << 20, -1: 512 << 20}
    libc.asked.clear()
    memory.keep_freed_memory()
    assert libc.asked == {}


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_whoever_has_set_malloc_is_left_alone(libc: Libc, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    memory.keep_freed_memory()
    assert libc.asked == {}


def test_another_libc_is_left_alone(monkeypatch: pytest.MonkeyPatch, libc: Libc) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    memory.keep_freed_memory()
    assert libc.asked == {}


def test_freed_memory_is_given_back_where_libc_can(libc: Libc, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.give_back_freed_memory()
    assert libc.trimmed
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    memory.give_back_freed_memory()


def test_what_torch_holds_of_a_gpu_is_given_back_too(libc: Libc, monkeypatch: pytest.MonkeyPatch) -> None:
    emptied: list[bool] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    memory.give_back_freed_memory()
    assert emptied == []  # there is no GPU, or nothing of it in use: asking would begin to use it
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    memory.give_back_freed_memory()
    assert emptied == [True]
