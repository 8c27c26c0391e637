"""The file of what was measured on this machine: whole, whoever writes at once, and each entry by itself."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from textdifuse_ros.engines import choice_file
from textdifuse_ros.engines.choice_file import ENTRY, Choice, keep, kept


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTDIFUSE_CACHE", str(tmp_path))
    return tmp_path


def test_choices_that_are_written_at_once_are_all_kept(folder: Path) -> None:
    keys = [f"node {number}" for number in range(12)]
    each = Choice("bf16", "compile", "bf16")
    threads = [threading.Thread(target=keep, args=(key, each)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [kept(key) for key in keys] == [each] * len(keys)


@pytest.mark.parametrize(
    "change",
    [{"threads": 2}, {"engine": "onnx"}, {"sha256": "0" * 64}, {"engine": None}],
    ids=lambda each: str(each),
)
def test_an_entry_that_another_version_wrote_or_that_is_rotten_costs_no_other_one(
    folder: Path, change: dict[str, object]
) -> None:
    good, odd = Choice("bf16", "compile", "bf16"), Choice("fp32", "eager", "fp32")
    keep("good", good)
    keep("odd", odd)
    known = json.loads((folder / ENTRY).read_text())
    known["odd"] |= change
    (folder / ENTRY).write_text(json.dumps(known))
    assert kept("good") == good and kept("odd") is None
    keep("third", good)
    assert json.loads((folder / ENTRY).read_text())["odd"] == known["odd"]  # is that version's
    assert kept("good") == kept("third") == good


def test_what_was_measured_for_one_machine_is_not_taken_under_anothers_key(folder: Path) -> None:
    keep("here", Choice("bf16", "compile", "bf16"))
    known = json.loads((folder / ENTRY).read_text())
    (folder / ENTRY).write_text(json.dumps({"there": known["here"]}))
    assert kept("there") is None


def test_only_the_newest_choices_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_file, "_MOST", 2)
    for key in ("a", "b", "a", "c"):
        keep(key, Choice("bf16", "eager", "bf16"))
    assert [*json.loads((folder / ENTRY).read_text())] == ["a", "c"]
