"""What a phrase names, and where that is: "sky behind the people" is sky."""

from __future__ import annotations

import re

# With these what follows is another thing, near or far.
_BESIDE = (
    "behind", "in front of", "near", "near to", "next to", "close to", "beside", "against", "under",
    "underneath", "below", "beneath", "above", "over", "around", "between", "opposite", "along", "beyond",
    "past", "far from",
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
