"""What a phrase names, without where that is: "sky behind the people" is sky."""

from __future__ import annotations

import re

# With these what follows is another thing, near or far.
_BESIDE = (
    "behind", "in front of", "near", "near to", "next to", "close to", "beside", "against", "under",
    "underneath", "below", "beneath", "above", "over", "around", "between", "opposite", "along", "beyond",
    "past", "far from",
)  # fmt: skip
# With these it may be a part of what is meant: "person on a bicycle". Not of what is to keep calm.
_AT = ("on", "in", "inside", "at", "with", "without", "from", "by")


def named(text: str, suppressed: bool) -> str:
    """The words in front of the first preposition of place; all of them where it has nothing in front."""
    found = (_CALM if suppressed else _WANTED).split(text, maxsplit=1)
    return found[0] or text


def _cut(prepositions: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(prepositions, key=len, reverse=True)
    return re.compile(rf"\s+(?:{'|'.join(longest_first)})\s+(?=\S)", re.IGNORECASE)


_WANTED, _CALM = _cut(_BESIDE), _cut((*_BESIDE, *_AT))
