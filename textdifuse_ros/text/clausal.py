"""Object phrases that are more than a name: "sky so I can see the people", "people if it is dark".

What a sentence says beyond a name would be lost, or, in a phrase that is to keep calm, turned round: whoever
hides the sky to see the people does not want the people calm.
"""

from __future__ import annotations

from textdifuse_ros.text.harms import RELATIVE
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import find, keys

_APART = "name each thing by itself, as in 'people, no cars'"
_CLAUSAL = (
    "to be", "so", "until", "till", "because", "they", "would", "could", "should", "must", "shall", "might",
    "may",
    "will", "if", "when", "whenever", "otherwise", "then", "in order", "in favour of", "in favor of", "i'd",
    "we'd",
    "calm",
)  # fmt: skip
_CLAUSAL_CALM = (*_CLAUSAL, "i", "we", "you", "be", "is", "are", "there", "get", "gets")
_WHO = ("i", "we", "you", "one", "robot")
_BESIDE = ("next", "close", "opposite", "adjacent", "parallel", "attached", "back")  # "next to the wall"
_TO_SIDES = ("left", "right", "the", "our", "my", "your")  # "to the left"


def more_than_a_name(words: list[Word], suppressed: bool) -> str:
    """What is wrong with such a phrase, "" where it is a name."""
    spoken = keys(words)
    named = next((at for at, word in enumerate(spoken) if word in RELATIVE), len(words))
    found = find(words[:named], _CLAUSAL_CALM if suppressed else _CLAUSAL)
    said = words[found[0]].text if found else ""
    if not said and suppressed and (at := _to_do(spoken[:named])):
        said = words[at].text
    at = spoken.index("can") if "can" in spoken[1 : named - 1] else 0  # no trash can
    if at and (suppressed or spoken[at - 1] not in _WHO):  # "people I can see"
        said = "can"
    return f"is more than a name from '{said}' on: {_APART}" if said else ""


def _to_do(spoken: list[str]) -> int:
    """Where "to" stands in "people to vanish", 0 where it says where something is."""
    for at in range(1, len(spoken) - 1):
        if spoken[at] == "to" and spoken[at - 1] not in _BESIDE and spoken[at + 1] not in _TO_SIDES:
            return at
    return 0
