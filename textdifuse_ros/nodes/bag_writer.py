"""Writes serialized messages into a rosbag2; closes it properly when the disk fills (no rclpy)."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from textdifuse_ros.nodes.bag_types import ensure_type, jazzy_types

_CHECK_BYTES = 8 * 2**20
_FAILURES = (OSError, sqlite3.Error)  # of the file itself; a full disk is either, depending on the storage
STORAGES = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}


class RecordError(RuntimeError):
    """The bag cannot be written; the text names it, the reason, and what became of it."""


class BagWriter:
    """A rosbag2 folder of metadata version 9 (Jazzy) being written."""

    def __init__(self, path: str | Path, storage: str = "mcap", min_free_mb: float = 200.0) -> None:
        """Create the folder, which must not exist; min_free_mb: stop before the disk has less [MB].

        Raises RecordError where that is impossible.
        """
        self.path = Path(path).expanduser()
        self.counts: dict[str, int] = {}
        self._min_free = min_free_mb * 1e6
        self._store = jazzy_types()
        self._connections: dict[str, Connection] = {}
        self._since_check = self._secured = 0
        self._writer: Writer | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._check_space(self.path.parent)
            writer = Writer(self.path, version=9, storage_plugin=STORAGES[storage])
            writer.open()
        except WriterError as error:
            raise RecordError(f"cannot record: {error}") from None
        except OSError as error:
            raise RecordError(f"cannot record into {self.path}: {error.strerror or error}") from None
        self._writer = writer

    def add_topic(self, topic: str, msgtype: str, qos: Sequence[Qos] = ()) -> None:
        """Register a topic with the QoS its publishers offer; raises TypeMissing for an unknown type."""
        assert self._writer is not None
        ensure_type(self._store, msgtype)
        self._connections[topic] = self._writer.add_connection(
            topic, msgtype, typestore=self._store, offered_qos_profiles=list(qos)
        )
        self.counts[topic] = 0

    def write(self, topic: str, stamp_ns: int, data: bytes) -> None:
        """Append one serialized message. On failure the bag is closed, then RecordError raised."""
        if self._writer is None:
            raise RecordError(f"{self.path} is closed")
        try:
            self._since_check += len(data)
            if self._since_check >= _CHECK_BYTES:
                self._since_check = 0
                self._check_space(self.path)
                self._secure()
            self._writer.write(self._connections[topic], stamp_ns, data)
            self.counts[topic] += 1
        except _FAILURES as error:
            state = self.close()
            if isinstance(error, sqlite3.Error):  # it rolls back what was not secured, but not our counts
                state = (
                    f"{self.path} holds the first {self._secured} messages; "
                    "`ros2 bag reindex` sets its counts right"
                )
            raise RecordError(f"recording stopped: {_reason(error)}; {state}") from None

    def close(self) -> str:
        """Write index and metadata; returns in words what was left behind. Calling it again does nothing."""
        writer, self._writer = self._writer, None
        total = sum(self.counts.values())
        if writer is None:
            return f"{self.path} was closed before"
        if total == 0:
            # An empty bag would claim to begin in the year 2262.
            writer.min_timestamp = writer.max_timestamp = time.time_ns()
        try:
            writer.close()
        except _FAILURES as error:
            with contextlib.suppress(Exception):
                writer.abort()
            return (
                f"{self.path} could not be finished ({_reason(error)}): what was written is there "
                f"without an index, `mcap recover` or `ros2 bag reindex` rebuild it"
            )
        return f"{self.path} holds {total} messages and is complete"

    def _secure(self) -> None:
        """SQLite keeps everything in one transaction until the end: a process that is killed would leave
        an empty file."""
        connection = getattr(getattr(self._writer, "storage", None), "conn", None)
        if isinstance(connection, sqlite3.Connection):
            connection.commit()
            self._secured = sum(self.counts.values())

    def _check_space(self, folder: Path) -> None:
        free = shutil.disk_usage(folder).free
        if free < self._min_free:
            raise OSError(
                28, f"only {free / 1e6:.0f} MB left on the disk ({self._min_free / 1e6:.0f} MB are kept free)"
            )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def bag_size(path: str | Path) -> int:
    """Bytes of all files of a bag."""
    return sum(os.path.getsize(file) for file in Path(path).rglob("*") if file.is_file())
