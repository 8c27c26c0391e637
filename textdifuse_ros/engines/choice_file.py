"""What was measured on this machine, kept for processes to come: one file, an entry for each key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from textdifuse_ros.engines import cache

ENTRY = "choices.json"
ENGINES = ("eager", "compile", "onnx")
EAGER_DTYPES = ("fp32", "bf16")
_DTYPES = (*EAGER_DTYPES, "int8")  # an approximation, if a good one: for who asks, or compares and remembers
_SHA256 = "sha256"
_MOST = 64  # entries; those that were written last


@dataclass(frozen=True)
class Choice:
    """eager_dtype: the faster precision of the eager engine; engine and dtype: the fastest of all that were
    compared here, which is eager itself until it was compared with others."""

    eager_dtype: str
    engine: str
    dtype: str


def kept(key: str) -> Choice | None:
    """What the file says of this key, None where that is nothing or makes no sense."""
    entry = _entries(cache.read_bare(ENTRY) or b"").get(key)
    choice = _choice(key, entry)
    if choice is None and entry is not None:
        cache.refuse(ENTRY, "its entry for this machine is not what was written, or of another version")
    return choice


def keep(key: str, choice: Choice) -> bool:
    """Other keys stay as they are, those of other versions, too; two processes take turns. False where the
    cache folder cannot be written."""
    said = asdict(choice)
    entry = {**said, _SHA256: _checksum(key, said)}

    def added(content: bytes) -> bytes:
        others = [each for each in _entries(content).items() if each[0] != key]
        return (json.dumps(dict([*others, (key, entry)][-_MOST:]), indent=2) + "\n").encode()

    return cache.update(ENTRY, added)


def _entries(content: bytes) -> dict[str, Any]:
    """Whatever stands in the file, by key."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _choice(key: str, entry: object) -> Choice | None:
    if not isinstance(entry, dict):
        return None
    said = {name: value for name, value in entry.items() if name != _SHA256}
    if entry.get(_SHA256) != _checksum(key, said):
        return None
    try:
        choice = Choice(**said)
    except TypeError:  # of another version
        return None
    sensible = choice.engine in ENGINES and choice.dtype in _DTYPES and choice.eager_dtype in EAGER_DTYPES
    return choice if sensible else None


def _checksum(key: str, said: Mapping[str, object]) -> str:
    """Over the key, too: an entry is for the machine that it was measured on."""
    return hashlib.sha256(json.dumps([key, said], sort_keys=True).encode()).hexdigest()
