"""Numbers that are no weight: "people 80 percent", "brighten by a factor of 2", "above 60 degrees"."""

from __future__ import annotations

import re

from textdifuse_ros.text import restoration
from textdifuse_ros.text.lexer import MAX_WEIGHT, Word
from textdifuse_ros.text.phrasing import FILLER, WANTING, head, keys, strip_leading
from textdifuse_ros.text.prompt import PromptError
from textdifuse_ros.text.things import SEVERAL

_WEIGHING = ("weight", "strength", "times", "to", "at")  # "people with weight 2"
_TIMES = re.compile(r"x(\d+)|(\d+)x", re.ASCII)  # "people x2"
_PERCENT = ("percent", "per", "pct", "percents")
_FACTOR = ("by", "times", "factor")
_IN_FRONT = ("by", "at", "to", "with", "of", "a", "factor", "times", "about", "around", "only", "up")
_DEGREES = ("degrees", "degree", "celsius", "fahrenheit", "kelvin", "deg", "centigrade")
_BOUNDS = ("above", "over", "below", "under", "than", "beyond", "exceeding", "at", "of", "between", "from")
_COLDER = ("below", "under", "colder", "cooler", "less", "lower")
_NAMED = frozenset((*SEVERAL, "sky"))


def refuse_measured(words: list[Word], typed: str) -> None:
    """Raises PromptError for a number that is a share or a temperature; with the weight to write."""
    reason = _degrees(keys(words)) or _share(words) or _several(words)
    if reason:
        raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def weighed(words: list[Word]) -> str:
    """What is wrong with "people x2" and "people with weight 2"; "" where no number weighs anything."""
    spoken = keys(words)
    if len(words) > 1 and (spoken[0] == "0" or spoken[1:] == ["0"]):  # "person number 0" is a name
        name = _name([word for word in words if word.key != "0"])
        return f"holds a 0: write 'no {name}' to keep it calm"
    if len(words) > 2 and spoken[0] in _WEIGHING[:2] and spoken[1].isdecimal():  # "weight 2 for people"
        named = words[3:] if len(words) > 3 and spoken[2] in restoration.PREPOSITIONS else words[2:]
        return f"may end with a weight: write it as '{_name(named)}*{spoken[1]}'"
    if len(words) > 2 and spoken[-1].isdecimal() and spoken[-2] in _WEIGHING:
        front = words[:-3] if spoken[-3] in ("with", "at", "of") and len(words) > 3 else words[:-2]
        return f"may end with a weight: write it as '{_name(front)}*{spoken[-1]}'"
    for said, named in ((spoken[-1], words[:-1]), (spoken[0], words[1:])):  # "people x2", "2x people"
        if named and (times := _TIMES.fullmatch(said)):
            return f"may end with a weight: write it as '{_name(named)}*{times[1] or times[2]}'"
    return ""


def _degrees(spoken: list[str]) -> str:
    """ "temperature above 40", "anything above 60 degrees"."""
    numbers = [at for at, word in enumerate(spoken) if word.strip("-").isdecimal()]
    felt = any(word in ("temperature", "temperatures", "hotter", "warmer", "colder") for word in spoken)
    for at in numbers:
        bounded = at and spoken[at - 1] in _BOUNDS
        if (felt and bounded) or (at + 1 < len(spoken) and spoken[at + 1] in _DEGREES):
            name = "cold objects" if any(word in _COLDER for word in spoken) else "warm objects"
            return f"names a temperature, and none is measured, only compared: write '{name}'"
    return ""


def _share(words: list[Word]) -> str:
    """ "brighten at 30 percent", "people by a factor of 2"."""
    spoken = keys(words)
    for at in range(1, len(words)):
        if not spoken[at].isdecimal():
            continue
        share = spoken[at + 1 : at + 2] and spoken[at + 1] in _PERCENT
        factor = any(word in _FACTOR[1:] for word in spoken[at - 2 : at]) and "by" in spoken[:at]
        if not (share or factor):
            continue
        front, how = words[:at], float(spoken[at]) / (100 if share else 1)
        while front and front[-1].key in _IN_FRONT:
            front = front[:-1]
        if front and restoration.understand(keys(front)) is not None:
            how = 0.5  # a weight is no share of the light
        else:
            front = front[head(front, WANTING) :]
        if front and how <= MAX_WEIGHT:
            return f"says how far in words that are not known: write a weight, as in '{_name(front)}*{how:g}'"
    return ""


def _several(words: list[Word]) -> str:
    """ "people 2 cars 1", "people 2"."""
    spoken = keys(words)
    names, numbers = spoken[::2], spoken[1::2]
    paired = len(names) == len(numbers) and all(name in _NAMED for name in names)
    if not paired or not all(number.isdecimal() and 0 < float(number) <= MAX_WEIGHT for number in numbers):
        return ""
    todo = ", ".join(f"{name.text}*{number}" for name, number in zip(words[::2], numbers, strict=True))
    return f"may end with a weight: write it as '{todo}'"


def _name(words: list[Word]) -> str:
    return " ".join(word.text for word in strip_leading(words, FILLER))
