"""Restoration wishes said as what is wrong: "it is too dark", "the thermal image is noisy"."""

from __future__ import annotations

from textdifuse_ros.text.lexicon import BLIND
from textdifuse_ros.text.restoration import (
    IMAGE_WORDS,
    JOINERS,
    NOUNS,
    WHOLE,
    Wish,
    camera_of,
    place_of,
    take_degree,
    without_articles,
)
from textdifuse_ros.text.restoration import understand as _understand

# What a picture is like, and which degradation that is.
_LIKE: dict[str, str] = {
    "noisy": "noise", "grainy": "noise", "speckled": "noise",
    "stripy": "stripes", "stripey": "stripes",
    "hazy": "haze", "foggy": "haze", "misty": "haze", "smoky": "haze", "dusty": "haze",
    "overexposed": "over_exposure", "over-exposed": "over_exposure", "blown out": "over_exposure",
    "underexposed": "low_light", "under-exposed": "low_light",
    "washed out": "low_contrast",
    "reddish": "colour_cast", "bluish": "colour_cast", "greenish": "colour_cast", "yellowish": "colour_cast",
    "tinted": "colour_cast", "discoloured": "colour_cast", "discolored": "colour_cast",
    "blurry": "blur", "blurred": "blur", "fuzzy": "blur", "unsharp": "blur", "out of focus": "blur",
}  # fmt: skip
# The same of words that say it of objects, too: behind "too", or of the image alone.
_PERHAPS: dict[str, str] = {
    "dark": "low_light", "dim": "low_light", "gloomy": "low_light", "bright": "over_exposure",
    "flat": "low_contrast", "dull": "low_contrast", "soft": "blur",
}  # fmt: skip
_HUES = ("red", "blue", "green", "yellow", "orange", "pink", "purple", "magenta", "cyan")
_STRONG = ("thick", "dense", "strong", "high", "heavy", "bad", "bright", "visible", "much")  # of a fault
_OFF = ("wrong", "off", "odd", "strange", "unnatural", "false")  # of colours
_SEEMS = ("is", "are", "looks", "look", "seems", "seem", "was", "gets", "becomes", "appears")
_SHORT = {"it's": ("it", "is"), "there's": ("there", "is"), "they're": ("they", "are")}
_TOO = (("far", "too"), ("much", "too"), ("way", "too"), ("a", "bit", "too"), ("too",))
_VERY = (*_TOO, ("very",), ("so",), ("quite",), ("rather",), ("really",))
_NO_SUBJECT = (*JOINERS, "no", "not", "less", "fewer", "without")
_LACKING = ("too little", "not enough", "too low")
_LACKED: dict[str, str] = {
    "light": "low_light", "brightness": "low_light", "contrast": "low_contrast", "sharpness": "blur",
    "detail": "blur",
}  # fmt: skip
_MUCH = ("too much", "too many", "so much", "so many", "a lot of", "lots of", "plenty of")
_THERE = ("there is", "there are")
_PLENTY = frozenset((*_MUCH, *_THERE, *(f"{there} {much}" for there in _THERE for much in _MUCH)))
_BLIND = (*BLIND, "i can not", "we can not")


def understand(words: list[str]) -> Wish | None:
    """Read a restoration wish from lower-case words, said either way; None where they are none."""
    return _understand(words) or _complaint(words)


def _complaint(words: list[str]) -> Wish | None:
    words = [part for word in words for part in _SHORT.get(word, (word,))]
    if found := _blind(words) or _amount(words):
        return found
    words, degree = take_degree(words)
    words = without_articles(words)
    for size in (3, 2, 1):
        adjective, rest = " ".join(words[-size:]), words[:-size]
        if len(words) >= size and (adjective in _LIKE or adjective in _PERHAPS):
            return _about(rest, adjective, degree)
    return _of_fault(words, degree) or _of_colours(words, degree)


def _of_fault(words: list[str], degree: float) -> Wish | None:
    """ "the smoke is too thick"."""
    said, too = _without_end(words[:-1], _TOO)
    fault = " ".join(said[:-1])
    if too and words[-1] in _STRONG and said and said[-1] in _SEEMS and fault in NOUNS:
        return Wish(NOUNS[fault], degree=degree)
    return None


def _of_colours(words: list[str], degree: float) -> Wish | None:
    """ "the picture is too red", "the colours are wrong"."""
    if len(words) > 2 and words[0] in ("colours", "colors") and words[-2] in _SEEMS and words[-1] in _OFF:
        return Wish("colour_cast", degree=degree)
    said, too = _without_end(words[:-1], _TOO)
    if not too or words[-1] not in _HUES:
        return None
    subject = said[:-1] if said and said[-1] in _SEEMS else said
    whole = not subject or " ".join(subject) in ("they", "colours", "colors")
    return Wish("colour_cast", degree=degree) if whole or _image(subject) is not None else None


def _about(subject: list[str], adjective: str, degree: float) -> Wish | None:
    """What stands in front of the adjective: who is like that, and how much."""
    degradation = _LIKE.get(adjective) or _PERHAPS[adjective]
    subject, very = _without_end(subject, _VERY)
    too = very in _TOO
    if subject:
        subject, less = take_degree(subject)
        degree *= less
    seems = bool(subject) and subject[-1] in _SEEMS
    subject = subject[:-1] if seems else subject
    if not subject:
        alone = very is not None or (adjective in _LIKE and not seems)
        return Wish(degradation, degree=degree) if alone else None
    if not seems or subject[0] in _NO_SUBJECT:  # "foggy street", "noisy crowd" and the like are objects
        return None
    camera = _image(subject)
    if camera is not None:
        return Wish(degradation, camera=camera, degree=degree)
    named = any(word in IMAGE_WORDS for word in subject)
    surely = too or adjective in _LIKE
    return Wish(degradation, region=" ".join(subject), degree=degree) if surely and not named else None


def _image(subject: list[str]) -> str | None:
    """The camera whose image is spoken of, "" for both; None for an object."""
    return "" if " ".join(subject) in WHOLE else camera_of(subject)


def _amount(words: list[str]) -> Wish | None:
    """ "too much noise in the thermal image", "not enough light"."""
    for size in (5, 4, 3, 2):
        head, rest = " ".join(words[:size]), words[size:]
        if rest and head in _LACKING and rest[0] in _LACKED and (place := place_of(rest[1:])):
            return Wish(_LACKED[rest[0]], camera=place[0], region=place[1])
        if head in _PLENTY and any(" ".join(rest[:n]) in NOUNS for n in (3, 2, 1)):
            return _understand(["remove", *rest])
    return None


def _blind(words: list[str]) -> Wish | None:
    """ "I cannot see through the smoke"."""
    for size in (3, 2):
        if " ".join(words[:size]) in _BLIND:
            return _understand(words[size:])
    return None


def _without_end(
    words: list[str], ends: tuple[tuple[str, ...], ...]
) -> tuple[list[str], tuple[str, ...] | None]:
    for end in ends:
        if tuple(words[-len(end) :]) == end:
            return words[: -len(end)], end
    return words, None
