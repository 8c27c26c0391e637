"""Restoration wishes said as what is wrong: "it is too dark", "the thermal image is noisy"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile

from textdifuse_ros.text import harms, reworded
from textdifuse_ros.text.harms import ACTING, THERE, THICK, TOO, VERY, is_subject
from textdifuse_ros.text.lexicon import BLIND, CANNOT, SEEMS
from textdifuse_ros.text.restoration import (
    ARTICLES,
    CAMERAS,
    HEAT,
    HUES,
    IMAGE_WORDS,
    JOINERS,
    PREPOSITIONS,
    WHOLE,
    Wish,
    after,
    camera_of,
    lines_of_a_camera,
    place_of,
    shines,
    take_degree,
    without_articles,
)
from textdifuse_ros.text.restoration import understand as _understand

# What a picture is like, and which degradation that is.
LIKE: dict[str, str] = {
    "noisy": "noise", "grainy": "noise", "speckled": "noise",
    "striped": "stripes", "stripy": "stripes", "stripey": "stripes", "streaky": "stripes",
    "hazy": "haze", "foggy": "haze", "misty": "haze", "smoky": "haze", "dusty": "haze",
    "overexposed": "over_exposure", "over-exposed": "over_exposure", "blown out": "over_exposure",
    "underexposed": "low_light", "under-exposed": "low_light", "poorly lit": "low_light",
    "badly lit": "low_light",
    "washed out": "low_contrast", "washed-out": "low_contrast", "low-contrast": "low_contrast",
    "pitch dark": "low_light", "pitch black": "low_light", "pitch-dark": "low_light",
    "pitch-black": "low_light",
    "reddish": "colour_cast", "bluish": "colour_cast", "greenish": "colour_cast", "yellowish": "colour_cast",
    "tinted": "colour_cast", "discoloured": "colour_cast", "discolored": "colour_cast",
    "blurry": "blur", "blurred": "blur", "fuzzy": "blur", "unsharp": "blur", "out of focus": "blur",
}  # fmt: skip
# The same of words that say it of objects, too: behind "too", or of the image alone.
PERHAPS: dict[str, str] = {
    "dark": "low_light", "dim": "low_light", "gloomy": "low_light", "bright": "over_exposure",
    "flat": "low_contrast", "dull": "low_contrast", "soft": "blur", "black": "low_light",
    "low contrast": "low_contrast", "burnt out": "over_exposure", "burned out": "over_exposure",
    "clipped": "over_exposure",
}  # fmt: skip
_EITHER = {**LIKE, **PERHAPS}
_ADJECTIVES = frozenset(name.split()[-1] for name in (*_EITHER, *HUES, *THICK))
_OFF = (  # of colours
    "wrong", "off", "odd", "strange", "unnatural", "false", "bad", "weird", "incorrect", "not right",
)  # fmt: skip
_COLOURS = ("colours", "colors", "white balance")
_LEADING = frozenset((*CAMERAS, *IMAGE_WORDS, *ARTICLES, *JOINERS))
_IMAGES = (*IMAGE_WORDS, "colours", "colors")
_SHORT = {
    "it's": ("it", "is"), "there's": ("there", "is"), "they're": ("they", "are"), "i'm": ("i", "am"),
    "isn't": ("is", "not"), "aren't": ("are", "not"), "doesn't": ("does", "not"),
}  # fmt: skip
# In front of a complaint and behind it, where they change nothing: "because it is too dark to see people".
_WHENCE = ("because", "since", "as", "at night", "by night", "in the dark", "today", "still", "sorry")
_WHERE = (
    "at night", "by night", "in the dark", "here", "in here", "outside", "out here", "out there", "there",
    "everywhere", "today", "again", "for me", "to me", "for us", "for my taste",
)  # fmt: skip
_SO_THAT = (
    "by", "so that", "to see", "to find", "to detect", "to recognise", "to recognize", "to make out",
    "to drive", "that i", "that we", "that you", "that nothing", "that nobody", "i can't", "i cannot",
    "i can", "we can't", "we cannot", "nobody",
)  # fmt: skip
_UNSEEN = tuple(
    f"see{what} {why}"
    for what in ("", " anything", " much")
    for why in ("because", "because of", "in", "for")
)
_LACKS = (
    "lacks", "lack", "is lacking", "misses", "does not have enough", "do not have enough",
    "don't have enough", "has too little", "have too little",
)  # fmt: skip
_NEEDS = ("needs", "need", "could use")
_LONGEST = 20  # words of a complaint: longer ones take long to read, and nobody types them
_SHARPER = ("sharper", "crisper", "sharp", "crisp")


def understand(words: list[str]) -> Wish | None:
    """Read a restoration wish from lower-case words, said either way; None where they are none."""
    return _understand(words) or _complaint(words)


def asked(words: list[str]) -> Wish | None:
    """The same behind a verb: "make it less noisy" is a wish, "make it noisy" no complaint."""
    if (wish := _understand(words)) is not None or len(words) > _LONGEST:
        return wish
    words = _plainly(words)
    return _less(words) or (_reworded(words) if words else None)


def _complaint(words: list[str]) -> Wish | None:
    words = _plainly(words) if len(words) <= _LONGEST else []
    if not words:
        return None
    readings: tuple[Callable[[list[str]], Wish | None], ...]
    if (wish := _reworded(words)) is not None:
        return wish
    if words[0] in ACTING:  # "keep the cars out of focus" says nothing of cars
        readings = (_blind, harms.lack, _less)
    else:
        readings = (_blind, harms.understand, _led, _has, _less, _like, _ended)
    return next((wish for read in readings if (wish := read(words)) is not None), None)


def _plainly(words: list[str]) -> list[str]:
    """Without what only says why, where and with which effect."""
    words = [part for word in lines_of_a_camera(words) for part in _SHORT.get(word, (word,))]
    while behind := after(words, _WHENCE):
        words = behind
    for at in range(2, len(words)):
        because = after(words[at:], _SO_THAT) or " ".join(words[at:]) in _SO_THAT
        so = "so" in words[:at] and words[at] == "that"  # "so much smoke that I can't see the exit"
        if because and (so or words[at - 1] in _ADJECTIVES):
            words = words[:at]
            break
    why = words[:1] == ["why"]
    if words[why : why + 1] and words[why] in SEEMS[:2]:  # "why is it so dark", "is it too dark"
        words = words[why + 1 :]
        words = words[1:] if words[:1] == ["there"] else words  # "why is there so much noise"
    if len(words) > 3 and words[-2] == "for" and words[-1].endswith("ing"):  # "too dark for driving"
        words = words[:-2]
    for size in (3, 2, 1):
        if len(words) > size and " ".join(words[-size:]) in _WHERE and words[-size - 1] != "see":
            return words[:-size]
    return words


def _led(words: list[str]) -> Wish | None:
    """ "in the thermal image there is noise", "thermal image less noise", "rgb too dark"."""
    front = list(takewhile(_LEADING.__contains__, words[1:] if words[0] in PREPOSITIONS else words))
    if not any(word in CAMERAS or word in IMAGE_WORDS for word in front):
        return None
    camera = camera_of(front)
    rest = words[len(front) + (words[0] in PREPOSITIONS) :]
    wish = None if camera is None or not rest else understand(rest)
    return None if wish is None or wish.camera else replace(wish, camera=camera or "")


def _ended(words: list[str]) -> Wish | None:
    """ "the contrast is bad in the thermal image"."""
    at = next((at for at in range(len(words) - 2, 0, -1) if words[at] in PREPOSITIONS), 0)
    camera = camera_of(words[at:]) if at else None
    if camera is None:
        return None
    said = words[:at]
    readings = () if said[0] in ACTING else (harms.understand, _has, _like)
    wish = next((wish for read in readings if (wish := read(said)) is not None), None)
    return None if wish is None or wish.camera else replace(wish, camera=camera)


def _has(words: list[str]) -> Wish | None:
    """ "the thermal image has too much noise", "the picture lacks contrast", "the people need more light"."""
    for at in range(len(words) - 1):
        subject, rest = without_articles(words[:at]), words[at:]
        if lacked := after(rest, _LACKS):
            wish = harms.lack(["not", "enough", *lacked])
        elif needed := after(rest, _NEEDS):
            wish = _understand(needed)
        elif rest[:2] in (["is", "full"], ["are", "full"]) and rest[2:3] == ["of"]:  # "full of noise"
            wish = _understand(["remove", *rest[3:]])
            subject = subject if _image(subject) is not None else ["it"]
        else:
            wish = harms.understand([*THERE[0].split(), *rest[1:]]) if rest[0] in ("has", "have") else None
        if wish is not None and is_subject(subject):
            return _said_of(subject, wish)
    return None


def _said_of(subject: list[str], wish: Wish) -> Wish | None:
    camera = _image(subject)
    if camera is not None:
        return replace(wish, camera=wish.camera or camera)
    return None if wish.camera or wish.region or wish.keep else replace(wish, region=" ".join(subject))


def _less(words: list[str]) -> Wish | None:
    """ "less noisy", "make it less dark", "make the people sharper"."""
    words, degree = take_degree(words)
    makes = words[:1] == ["make"]
    words = words[1:] if makes else words
    if makes and words[-1:] and words[-1] in _SHARPER:
        return _of(words[:-1], "blur", degree)
    for at, word in enumerate(words):
        for size in (3, 2, 1):
            like = " ".join(words[at + 1 : at + 1 + size])
            fault = LIKE.get(like) or PERHAPS.get(like) or ("colour_cast" if like in HUES else None)
            if word != "less" or fault is None or like == "bright" or len(words) < at + 1 + size:
                continue
            subject, tail = words[:at], words[at + 1 + size :]
            subject = subject[:-1] if subject[-1:] == ["look"] else subject
            if tail and (subject or (tail[0] not in PREPOSITIONS and camera_of(tail) is None)):
                return None  # "less dark cars" are cars
            return _of(subject or tail, fault, degree)
    return None


def _of(subject: list[str], fault: str, degree: float) -> Wish | None:
    if subject and not is_subject(subject) and subject[0] not in PREPOSITIONS:
        return None
    place = place_of(subject)
    return Wish(fault, camera=place[0], region=place[1], degree=degree) if place else None


def _reworded(words: list[str]) -> Wish | None:
    """ "the image should be brighter", "the noise must not be removed"."""
    words, degree = take_degree(words)
    made = reworded.plain(words)
    wish = _understand(made) or _less(made) if made else None
    return None if wish is None else replace(wish, degree=wish.degree * degree)


def ensured(words: list[str]) -> Wish | None:
    """Read a wish behind "make sure": "there is no noise" says there what is to be, and not what is."""
    made = reworded.ensured(without_articles(_plainly(words))) if len(words) <= _LONGEST else []
    return _understand(made) or _less(made) if made else None


def _like(words: list[str]) -> Wish | None:
    """ "it is a bit too dark in the thermal image"."""
    whole, (words, degree) = words, take_degree(words)
    words = without_articles(words)
    if words and (wish := _of_colours(words)):
        return replace(wish, degree=degree)
    plain = without_articles(_without_start(words, VERY))
    table = _EITHER if len(plain) < len(words) else LIKE  # "very dark image"
    words = plain
    for size in (2, 1):
        shown = any(word in _IMAGES or (CAMERAS.get(word) and word != HEAT) for word in words[size:])
        if (fault := table.get(" ".join(words[:size]))) and shown:
            camera = camera_of(words[size:])  # "noisy thermal image"
            return None if camera is None else Wish(fault, camera=camera, degree=degree)
    for end in range(len(words), 0, -1):
        if end < len(words) and words[end] not in PREPOSITIONS:
            continue
        for size in (3, 2, 1):
            adjective = " ".join(words[max(end - size, 0) : end])
            if end >= size and (adjective in LIKE or adjective in PERHAPS):
                very = len(words) < len(whole)  # "a bit dark"
                found = _about(words[: end - size], adjective, words[end:], very)
                if found is not None:
                    return replace(found, degree=found.degree * degree)
    return None


def _about(subject: list[str], adjective: str, tail: list[str], much: bool) -> Wish | None:
    """What stands in front of the adjective and behind it: who is like that, where, and how much."""
    degradation = LIKE.get(adjective) or PERHAPS[adjective]
    subject, very = _without_end(subject, VERY)
    subject, degree = take_degree(subject) if subject else (subject, 1.0)
    if subject and (subject[-1].endswith("ly") or subject[-1] == "bit"):  # "incredibly noisy"
        subject, very = subject[:-1], subject[-1]
    seems = bool(subject) and subject[-1] in SEEMS
    subject = subject[:-1] if seems else subject
    surely = very in TOO or adjective in LIKE
    place = place_of(tail)
    if place is None:
        return None
    if not subject:
        alone = bool(very) or much or surely or seems
        alone = alone and (surely or not place[1])
        return Wish(degradation, False, place[0], place[1], degree) if alone else None
    if not is_subject(subject) or not (seems or surely or _image(subject) is not None):
        return None
    camera = _image(subject)
    if camera is not None:
        return Wish(degradation, False, camera or place[0], place[1], degree)
    if not surely or any(word in IMAGE_WORDS for word in subject):
        return None
    region = " ".join([*subject, *tail] if place[1] else subject)
    if shines(degradation, " ".join(subject)):
        region = ""
    return Wish(degradation, False, place[0], region, degree)


def _of_colours(words: list[str]) -> Wish | None:
    """ "the picture is too red", "the colours are wrong", "wrong colours"."""
    said = harms.before(words, _OFF, VERY) or (words[1:] if words[0] in _OFF else [])
    if " ".join(said) in _COLOURS:
        return Wish("colour_cast")
    if words[-1] not in HUES:
        return None
    subject, very = _without_end(words[:-1], VERY)
    seems = bool(subject) and subject[-1] in SEEMS
    subject = subject[:-1] if seems else subject
    if not subject or " ".join(subject) in ("they", *_COLOURS):
        return Wish("colour_cast") if very in TOO else None
    camera = _image(subject)
    if camera is not None:
        return Wish("colour_cast", camera=camera) if seems or very in TOO else None
    return Wish("colour_cast", region=" ".join(subject)) if very in TOO and is_subject(subject) else None


def _image(subject: list[str]) -> str | None:
    """The camera whose image is spoken of, "" for both; None for an object."""
    return "" if " ".join(subject) in (*WHOLE, "colours", "colors") else camera_of(subject)


def is_like(words: list[str]) -> bool:
    """Whether the words say nothing but what a picture is like: "noisy"."""
    return " ".join(words) in _EITHER


def of_an_image(subject: list[str]) -> bool:
    """Whether the words name the picture, a camera's image or the colours, and no object."""
    words = without_articles(subject)
    return bool(words) and (_image(words) is not None or words[-1] in ("contrast", "brightness"))


def _blind(words: list[str]) -> Wish | None:
    """ "I cannot see through the smoke", "I can't see anything because of the fog"."""
    rest = after(words, (*BLIND, *CANNOT))
    if not rest:
        return None
    for at in range(2, len(rest) - 2):
        if rest[at : at + 2] == ["because", "of"]:  # "I can't see the people because of the smoke"
            return _understand(["remove", *rest[at + 2 :]])
    for size in (4, 3, 2):
        if " ".join(rest[:size]) in _UNSEEN and (said := rest[size:]):
            return understand(said) if rest[size - 1] == "because" else _understand(["remove", *said])
    return _understand(rest)


def _without_start(words: list[str], starts: tuple[str, ...]) -> list[str]:
    """ "very noisy thermal image"; "too dark" stays, which says more than "dark"."""
    return words[1:] if len(words) > 2 and words[0] in starts and words[0] != "too" else words


def _without_end(words: list[str], ends: tuple[str, ...]) -> tuple[list[str], str]:
    for end in ends:
        size = end.count(" ") + 1
        if " ".join(words[-size:]) == end:
            return words[:-size], end
    return words, ""
