"""Message definitions for a bag: those of Jazzy, and of any installed package, ours included (no rclpy)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore


class TypeMissing(LookupError):
    """No definition of a message type was found; the text names it and where was looked."""


def jazzy_types() -> Typestore:
    """The definitions that come with ROS 2 Jazzy."""
    return get_typestore(Stores.ROS2_JAZZY)


def ensure_type(store: Typestore, msgtype: str) -> None:
    """Make sure that the store knows a type such as textdifuse_ros/msg/FusionStatus; raises TypeMissing."""
    if msgtype in store.fielddefs:
        return
    found = get_types_from_msg(_find_definition(msgtype), msgtype)
    for _, fields in found.values():
        for _, (_, description) in fields:
            for needed in _named_types(description):
                if needed not in found:
                    ensure_type(store, needed)
    store.register({name: fields for name, fields in found.items() if name not in store.fielddefs})


def _named_types(description: object) -> list[str]:
    """Message types within a field description of rosbags, arrays of them included."""
    if isinstance(description, str):
        return [description] if "/msg/" in description else []
    if isinstance(description, (tuple, list)):
        return [name for part in description for name in _named_types(part)]
    return []


def _find_definition(msgtype: str) -> str:
    package, _, name = msgtype.replace("/msg/", "/").partition("/")
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    prefixes.append(Path(sys.prefix))
    places = [prefix / "share" / package / "msg" / f"{name}.msg" for prefix in prefixes]
    # A checkout that is used without being installed.
    places.append(Path(__file__).resolve().parents[2] / "msg" / f"{name}.msg")
    for place in places:
        if place.is_file() and (place.parent.parent.name == package or place == places[-1]):
            return place.read_text(encoding="utf-8")
    raise TypeMissing(f"no definition of {msgtype}: looked for {', '.join(map(str, places[:-1]))}")
