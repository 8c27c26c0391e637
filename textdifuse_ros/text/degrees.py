"""How far a directive goes: "slightly calm the sky", "make people very visible", "cars least"."""

from __future__ import annotations

from textdifuse_ros.text import complaints, lexicon, restoration
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import (
    FILLER,
    LONGEST,
    SAID_FIRST,
    SPLITTERS,
    VERBS,
    head,
    keys,
    strip_leading,
    strip_trailing,
)
from textdifuse_ros.text.things import ONE, SEVERAL

_TURNS = (  # "too much"
    "too", "so", "not", "as", "how", "that", "never", "nor", "no", "at", "the", "before", "any", "some",
)  # fmt: skip
# Of what is to stand out, in front of it and behind.
_EMPHASES = {
    "especially": 1.5, "particularly": 1.5, "in particular": 1.5, "above all": 1.5, "most of all": 1.5,
    "most importantly": 1.5, "max": 2.0, "maximum": 2.0,
    **{f"{share}{the}weight {on}": far for share, far in (("half", 0.5), ("twice", 2.0), ("double", 2.0))
       for the in (" the ", " ") for on in ("on", "for")},
    **{f"{share} {much}": 2.0 for share in ("twice", "double", "two times")
       for much in ("the", "as much", "as many")},
    **{f"{little} of": 0.5 for little in ("a bit", "a little bit", "a little", "a touch")},
}  # fmt: skip
# In front of how a thing is to be: "very visible", "really stand out".
_STRESSES = {
    **restoration.DEGREES, "very": 1.5, "really": 1.5, "highly": 1.5, "truly": 1.5, "super": 1.5,
    "extremely": 2.0, "absolutely": 2.0, "totally": 2.0,
}  # fmt: skip
# In front of a directive, where they say nothing of how far.
_ADVERBS = dict.fromkeys(
    ("always", "simply", "maybe", "perhaps", "even", "many", "first", "finally", "better", "now"), 1.0
)
_SHARES = {"half": 0.5, "full": 1.0, "double": 2.0}
_LEADING = {**_ADVERBS, **_STRESSES, "far": 1.5, "way": 1.5}
IN_FRONT = {**_LEADING, **_EMPHASES}  # of a directive
# Behind it, of one thing alone: "people and cars first" is said of both.
_RANKS = {
    "twice": 2.0, "two times": 2.0, "first": 1.5, "most": 1.5, "the most": 1.5, "as much as possible": 2.0,
    "more": 1.5, "even more": 1.5,
    **{f"{at}{rank} priority": 1.5 for rank in ("high", "top", "highest")
       for at in ("", "with ", "at ", "have ", "has ")},
    **{f"{share} as {much}": far for share, far in (("half", 0.5), ("twice", 2.0))
       for much in ("strong", "much", "strongly", "bright", "visible", "important")},
    **{f"{share} {what}": far for share, far in _SHARES.items() for what in ("strength", "weight")},
    "come first": 1.5, "comes first": 1.5,
    **{f"{at} {share} {what}": far for share, far in _SHARES.items() for at in ("at", "with")
       for what in ("strength", "weight")},
}  # fmt: skip
_GIVEN = {
    f"{share} {heed}": far
    for share, far in (*_SHARES.items(), ("half the", 0.5), ("twice the", 2.0), ("double the", 2.0))
    for heed in ("weight", "attention", "priority", "strength", "importance")
}
_THANKS = frozenset(text for text in lexicon.POLITE if "thank" in text)
_THINGS = frozenset((*SEVERAL, *ONE))
_CLOSING = {**restoration.DEGREES, **_EMPHASES, **_RANKS}


def off_degree(words: list[Word]) -> tuple[list[Word], float] | None:
    """The words without the degree that leads or ends them, and how far that is; None where there is none."""
    return _led_by_degree(words) or _closed_by_degree(words)


def off_stress(words: list[Word]) -> tuple[list[Word], float, int] | None:
    """ "make people very visible" -> "make people visible", 1.5 and where "very" stood; None without one."""
    for size in range(min(LONGEST, len(words) - 2), 0, -1):
        front, state = words[:-size], words[-size:]
        if " ".join(keys(state)) not in lexicon.STATES:
            continue
        for length in range(min(LONGEST, len(front) - 1), 0, -1):
            how = _STRESSES.get(" ".join(keys(front[-length:])))
            if how is not None:
                return [*front[:-length], *state], how, front[-length].start
    return None


def _led_by_degree(words: list[Word]) -> tuple[list[Word], float] | None:
    """ "slightly calm the sky" -> "calm the sky", 0.5; None where no degree leads a directive."""
    for table in (SAID_FIRST, FILLER):  # "a" is no article in "a bit"
        inner = strip_leading(words, table)
        size = head(inner, _LEADING)
        if size and (head(inner[size:], VERBS) or _is_of_wish(inner, size)):
            return inner[size:], _LEADING[" ".join(keys(inner[:size]))]
        if size := head(inner, _EMPHASES):
            return inner[size:], _EMPHASES[" ".join(keys(inner[:size]))]
        if (size := head(inner, restoration.DEGREES)) and inner[size].key in _THINGS:  # "strongly people"
            return inner[size:], restoration.DEGREES[" ".join(keys(inner[:size]))]
    return None


def _is_of_wish(words: list[Word], size: int) -> bool:
    """ "first denoise"."""
    said, wish = " ".join(keys(words[:size])), complaints.understand(keys(words[size:]))
    return said in _ADVERBS and wish is not None


def _closed_by_degree(words: list[Word]) -> tuple[list[Word], float] | None:
    """ "the sky calm a bit" -> "the sky calm", 0.5; None where the words end with no degree."""
    words = strip_trailing(words, _THANKS)
    for size in range(min(LONGEST, len(words) - 1), 0, -1):
        said = " ".join(keys(words[-size:]))
        if words[0].key == "give" and said in _GIVEN and len(words) > size + 1:  # "give people double weight"
            return words[1:-size], _GIVEN[said]
        of_many = said in _RANKS and any(key in SPLITTERS for key in keys(words))
        degree = None if of_many else _CLOSING.get(said)
        if degree is not None and words[-size - 1].key not in _TURNS:
            return words[:-size], degree
    return None
