"""A name that stands once behind several words that say what a thing is like: "red and blue cars"."""

from __future__ import annotations

from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import FILLER, strip_leading
from textdifuse_ros.text.prompt import PromptError

_COLOURS = frozenset((
    "red", "blue", "green", "yellow", "orange", "white", "black", "grey", "gray", "brown", "purple", "pink",
    "silver",
))  # fmt: skip
_SHADES = frozenset(("dark", "light", "bright", "pale"))  # alone they ask for something else
_KINDS = frozenset((
    "big", "large", "small", "little", "tiny", "tall", "short", "old", "young", "moving", "parked", "stopped",
    "standing", "sitting", "walking", "running", "lying", "near", "nearby", "far", "distant", "male",
    "female",
))  # fmt: skip
LIKE = _COLOURS | _SHADES | _KINDS


def refuse_shared_name(pieces: list[list[Word]], typed: str, suppressed: bool) -> None:
    """Raises PromptError for a list of which only the last piece says what the others are like, too.

    "red" would be looked for by itself, which nobody means.
    """
    last = strip_leading(pieces[-1], FILLER)
    size = _described(last)
    if not size or size == len(last):
        return
    inner = [strip_leading(piece, FILLER) for piece in pieces]
    owing = [piece for piece in inner[:-1] if _described(piece) == len(piece)]
    if not owing:
        return
    name = " ".join(word.text for word in last[size:])
    no = "no " if suppressed else ""
    each = [" ".join(word.text for word in piece) for piece in inner]
    named = [
        f"{no}{said} {name}" if piece in owing else no + said for piece, said in zip(inner, each, strict=True)
    ]
    said = " ".join(word.text for word in owing[0])
    reason = f"names '{name}' once and '{said}' by itself: write '{', '.join(named)}'"
    raise PromptError(f"'{typed}' {reason}", typed, owing[0][0].start)


def _described(words: list[Word]) -> int:
    """How many words at the front say what a thing is like."""
    size = 0
    while size < len(words):
        shaded = words[size].key in _SHADES and size + 1 < len(words) and words[size + 1].key in _COLOURS
        if not shaded and words[size].key not in _COLOURS | _KINDS:
            break
        size += 1 + shaded
    return size
