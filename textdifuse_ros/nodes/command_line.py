"""What stands on the command line of a node that takes nothing there but ROS arguments. No ROS import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OF_ROS = (
    "-p", "--param", "--params-file", "-r", "--remap", "-e", "--enclave", "--log-level", "--log-config-file",
    "--log-file-name",
)  # fmt: skip
_HELP = ("-h", "--help")
_SHOWN = "[--ros-args [-p NAME:=VALUE] [--params-file FILE] [-r FROM:=TO] [--log-level LEVEL]]"


@dataclass(frozen=True)
class Program:
    """An executable in words: what it does, its arguments besides those of ROS, what to say of other ones."""

    name: str
    about: str
    own: str = ""
    instead: str = ""


def help_for(program: Program, stray: Sequence[str]) -> str:
    """What to print where words that are no ROS arguments ask for help, "" where none does."""
    return usage(program.name, program.about, program.own) if asks_for_help(stray) else ""


def asks_for_help(stray: Sequence[str]) -> bool:
    return any(word in _HELP for word in stray)


def usage(program: str, about: str, own: str = "") -> str:
    """What --help prints. about: what the program does; own: its arguments besides those of ROS."""
    line = " ".join(part for part in ("usage:", program, own, _SHOWN) if part)
    return f"{line}\n\n{about}\nParameters: docs/node.md, or ros2 param describe while it runs."


def stray_reason(stray: Sequence[str], instead: str = "") -> str:
    """Why words that are no ROS arguments are refused, with what to write; "" where there are none.

    ROS itself starts with its defaults and says nothing. instead: the mend where the program has arguments of
    its own.
    """
    if not stray:
        return ""
    first, *others = stray
    if first in OF_ROS or first.startswith(("--enable-", "--disable-")):
        return f"{first!r} is an argument of ROS: write --ros-args in front of it"
    if instead:
        return f"{first!r} {instead}"
    name, assigned, value = first.lstrip("-").partition("=")
    if not first.startswith("--") or not name:
        return f"{first!r} means nothing to it: parameters are set with --ros-args -p NAME:=VALUE"
    if not assigned:
        value = others[0] if others and not others[0].startswith("-") else "VALUE"
    said = f"'{name}:={value}'" if " " in value else f"{name}:={value}"
    return f"{first!r} means nothing to it: a parameter is set with --ros-args -p {said}"
