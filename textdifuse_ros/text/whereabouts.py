"""What a phrase names, and where that is: "sky behind the people" is sky."""

from __future__ import annotations

import re

from textdifuse_ros.text.things import PERSONS

# With these what follows is another thing, near or far.
_BESIDE = (
    "behind", "in front of", "near", "near to", "next to", "close to", "beside", "against", "under",
    "underneath", "below", "beneath", "above", "over", "around", "between", "opposite", "along", "beyond",
    "past", "far from", "across", "outside", "among", "amid",
)  # fmt: skip
# With these it may be a part of what is meant: "person on a bicycle".
_AT = ("on", "in", "inside", "at", "with", "without", "from", "by")
_LONGEST_FIRST = sorted((*_BESIDE, *_AT), key=len, reverse=True)
_WHERE = re.compile(rf"\s+({'|'.join(_LONGEST_FIRST)})\s+(?=\S)", re.IGNORECASE)


def apart(text: str) -> tuple[str, str, bool]:
    """The words in front of the first preposition of place, those behind it, "" where there is none, and
    whether these may be a part of what is meant.
    """
    found = _WHERE.search(text)
    if found is None or not found.start():
        return text, "", False
    return text[: found.start()], text[found.end() :], found[1].casefold() in _AT


# "deer crossing", "dog crossing the road": what it does, and where. Not "moving cars", "self-driving car".
_DOING = re.compile(
    rf"(.+?)\s+(\w+ing)(?=\s+(?:the|a|an|at|to|up|down|off|across|through|{'|'.join(_LONGEST_FIRST)})\b|$)",
    re.IGNORECASE,
)


def doing(text: str) -> tuple[str, str]:
    """Who does something, and with what it does: "deer", "deer crossing"; "" where nobody does anything."""
    found = _DOING.match(text)
    return (found[1], found[0]) if found is not None else ("", "")


# "kids playing football": of several who do something, nothing else can be meant. "car washing machine" may.
_SEVERAL_DOING = re.compile(r"(.+?)\s+\w+ing\s+\S", re.IGNORECASE)


def several_doing(text: str) -> str:
    """Which persons do something to something: "kids"; "" where it may be the name of a thing."""
    found = _SEVERAL_DOING.match(text)
    return found[1] if found is not None and found[1].split()[-1].casefold() in PERSONS else ""
