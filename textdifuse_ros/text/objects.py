"""What cannot be an object: words that turn a meaning round, faults of the image, the image itself."""

from __future__ import annotations

from itertools import pairwise

from textdifuse_ros.text import lexicon, restoration
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import FILLER, find, keys, strip_leading
from textdifuse_ros.text.prompt import PromptError

_APART = "write what must stand out and what must not as phrases of their own, as in 'people, no cars'"
_EVERYTHING = (
    "everything", "anything", "nothing", "it", "all", "them", "image", "images", "scene", "whole", "entire",
    "me", "us", "you",
)  # fmt: skip


def refuse_no_object(words: list[Word], typed: str, suppressed: bool) -> None:
    """Raises PromptError for an object phrase that would do something else than it says."""
    reason = _reason(words, typed, suppressed)
    if reason:
        raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def refuse_all_but(words: list[Word], typed: str) -> None:
    """The same for "everything but the sky", which no article may be taken off before it is seen."""
    found = find(words, lexicon.ALL_BUT)
    if found is None:
        return
    name = _name(words[found[0] + found[1].count(" ") + 1 :]) or "people"
    reason = f"names an exception: write '{name}' to let it stand out, or 'no {name}'"
    raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def _reason(words: list[Word], typed: str, suppressed: bool) -> str:
    spoken = keys(words)
    turned = _turned(words, suppressed)
    if turned:
        return turned
    if spoken[0] in lexicon.UNSURE and len(words) > 1 and not suppressed:
        name = _name(words[1:])
        return f"can be meant either way: write 'no {name}' to keep it calm, or 'show {name}'"
    if not suppressed and restoration.is_fault(spoken):
        return f"is a fault of the image, no object: write 'no {typed}' to remove it, or 'keep the {typed}'"
    if all(word in _EVERYTHING for word in spoken) or _names_a_camera(spoken):
        wish = "keep the night look" if suppressed else "brighten"
        return f"is no object in the image: name one, as in 'warm objects', or a wish, as in '{wish}'"
    return ""


def _turned(words: list[Word], suppressed: bool) -> str:
    """What is wrong with words one of which turns the meaning of the others round, "" where none does."""
    negated = next((word.text for word in words if word.key.endswith("n't")), "")
    if len(words) > 1 and words[-1].key in lexicon.TURNING_LAST:
        negated = words[-1].text
    if len(words) > 1 and words[0].key == "stop" and words[1].key.endswith("ing"):  # no stop sign
        negated = words[0].text
    found = find(words, lexicon.TURNING) or (find(words, lexicon.TURNING_BACK) if suppressed else None)
    if negated or found is None:
        return f"holds '{negated}', which may turn its meaning round: {_APART}" if negated else ""
    at, entry = found
    before, after = _name(words[:at]), _name(words[at + entry.count(" ") + 1 :])
    hint = _APART
    if before and after and entry not in lexicon.NEGATIONS:
        if before in _EVERYTHING:
            hint = f"write '{after}'" if suppressed else f"write 'no {after}'"
        elif not suppressed:
            hint = f"write '{before}, no {after}'"
        elif entry in lexicon.TURNING_BACK:
            hint = f"write 'no {before}, {after}'"
    return f"holds '{entry}', which may turn its meaning round: {hint}"


def _name(words: list[Word]) -> str:
    return " ".join(word.text for word in strip_leading(words, FILLER))


def _names_a_camera(spoken: list[str]) -> bool:
    """ "rgb", "thermal image", "a nicer thermal image"; not "people in the thermal image"."""
    if len(spoken) == 1:
        return spoken[0] in restoration.CAMERAS and spoken[0] != restoration.HEAT
    for first, second in pairwise(spoken):
        if first in restoration.CAMERAS and second in restoration.IMAGE_WORDS:
            return True
        if first in (*restoration.PREPOSITIONS, "with"):
            break
    return False
