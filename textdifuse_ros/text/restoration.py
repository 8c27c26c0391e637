"""Restoration wishes: phrases that ask something of the image, not of an object in it."""

from __future__ import annotations

from dataclasses import dataclass

DEGRADATIONS = (
    "low_light", "over_exposure", "noise", "stripes", "haze", "low_contrast", "colour_cast", "blur",
)  # fmt: skip

# What is wrong with an image, as people call it.
NOUNS: dict[str, str] = {
    "noise": "noise", "grain": "noise", "graininess": "noise", "speckle": "noise", "speckles": "noise",
    "static": "noise", "salt and pepper noise": "noise", "sensor noise": "noise",
    "stripes": "stripes", "stripe": "stripes", "striping": "stripes", "banding": "stripes",
    "fixed pattern": "stripes", "fixed-pattern noise": "stripes", "fixed pattern noise": "stripes",
    "haze": "haze", "fog": "haze", "mist": "haze", "smoke": "haze", "dust": "haze", "smog": "haze",
    "glare": "over_exposure", "over-exposure": "over_exposure", "overexposure": "over_exposure",
    "blown highlights": "over_exposure", "highlights": "over_exposure", "dazzle": "over_exposure",
    "low light": "low_light", "darkness": "low_light", "dark": "low_light", "under-exposure": "low_light",
    "underexposure": "low_light", "shadows": "low_light",
    "low contrast": "low_contrast", "flatness": "low_contrast", "poor contrast": "low_contrast",
    "colour cast": "colour_cast", "color cast": "colour_cast", "tint": "colour_cast",
    "colour bias": "colour_cast", "color bias": "colour_cast",
    "blur": "blur", "motion blur": "blur", "blurriness": "blur", "softness": "blur",
}  # fmt: skip

# Verbs that ask for one degradation's removal by themselves; an object or nothing follows.
VERBS: dict[str, str] = {
    "denoise": "noise", "denoising": "noise", "despeckle": "noise",
    "destripe": "stripes", "destriping": "stripes",
    "dehaze": "haze", "dehazing": "haze", "defog": "haze", "desmoke": "haze",
    "deblur": "blur", "deblurring": "blur", "sharpen": "blur", "sharpening": "blur",
    "brighten": "low_light", "brighten up": "low_light", "brightening": "low_light", "lighten": "low_light",
    "relight": "low_light", "relighting": "low_light", "light up": "low_light",
    "white balance": "colour_cast", "white-balance": "colour_cast",
}  # fmt: skip

# Whole wishes that follow neither pattern.
WISHES: dict[str, str] = {
    "more contrast": "low_contrast", "higher contrast": "low_contrast", "raise contrast": "low_contrast",
    "increase contrast": "low_contrast", "boost contrast": "low_contrast", "improve contrast": "low_contrast",
    "enhance contrast": "low_contrast", "more light": "low_light", "brighter": "low_light",
    "make it brighter": "low_light", "sharper": "blur", "make it sharper": "blur",
    "correct colours": "colour_cast", "correct colors": "colour_cast", "fix colours": "colour_cast",
    "fix colors": "colour_cast", "see through smoke": "haze", "look through smoke": "haze",
    "see through fog": "haze", "look through fog": "haze", "see through haze": "haze",
}  # fmt: skip

# Wishes to leave something as it is.
KEEPS: dict[str, str] = {
    "night look": "low_light", "night": "low_light", "it dark": "low_light", "dark look": "low_light",
    "darkness": "low_light", "night mood": "low_light", "it night": "low_light",
    "colours": "colour_cast", "colors": "colour_cast", "original colours": "colour_cast",
    "original colors": "colour_cast", "natural colours": "colour_cast", "natural colors": "colour_cast",
}  # fmt: skip

REMOVERS = (
    "remove", "removing", "reduce", "reducing", "suppress", "get rid of", "clean", "clean up", "clean away",
    "clear", "clear away", "filter", "filter out", "fix", "correct", "repair", "less", "no", "without",
    "take out",
    "take away", "cut", "eliminate", "lower", "tame", "restore",
)  # fmt: skip
KEEPERS = ("keep", "leave", "preserve", "retain", "maintain")
REFUSERS = ("do not", "don't", "never", "no", "without", "stop")
DEGREES: dict[str, float] = {
    "slightly": 0.5, "a little": 0.5, "a bit": 0.5, "gently": 0.5, "somewhat": 0.75, "strongly": 1.5,
    "a lot": 1.5, "heavily": 1.5, "completely": 2.0, "fully": 2.0, "very much": 2.0,
}  # fmt: skip
CAMERAS: dict[str, str] = {
    "thermal": "thermal", "infrared": "thermal", "ir": "thermal", "heat": "thermal",
    "rgb": "rgb", "visible": "rgb", "colour": "rgb", "color": "rgb", "daylight": "rgb",
}  # fmt: skip
IMAGE_WORDS = ("image", "picture", "camera", "frame", "video", "view", "channel", "scene", "stream", "feed")
PREPOSITIONS = ("in", "of", "from", "on", "at", "around", "for")
_ARTICLES = ("the", "a", "an", "this", "all", "my", "our", "any")


@dataclass(frozen=True)
class Wish:
    """One restoration wish as understood.

    ``degradation`` is one of DEGRADATIONS; ``keep`` means that it must not be touched; ``camera`` is "rgb",
    "thermal" or "" for both; ``region`` is the object that it is limited to, "" for the whole frame;
    ``degree`` is what degree words ask for ("slightly" 0.5 .. "completely" 2), 1 without any.
    """

    degradation: str
    keep: bool = False
    camera: str = ""
    region: str = ""
    degree: float = 1.0


def understand(words: list[str]) -> Wish | None:
    """Read a restoration wish from lower-case words; None where they are none."""
    words, degree = _take_degree(words)
    keep = False
    rest = _after(words, REFUSERS)
    if rest and (found := _verb_wish(rest)):
        keep = True
    else:
        found = _verb_wish(words) or _noun_wish(words) or _whole_wish(words)
        if found is None:
            found = _keep_wish(words)
            keep = found is not None
    if found is None:
        return None
    degradation, camera, region = found
    return Wish(degradation, keep, camera, region, degree)


_Found = tuple[str, str, str]  # degradation, camera, region


def _verb_wish(words: list[str]) -> _Found | None:
    """ "denoise the thermal image", "brighten the car", "brighten"."""
    for size in (2, 1):
        degradation = VERBS.get(" ".join(words[:size]))
        if degradation:
            rest = _without_articles(words[size:])
            if " ".join(rest) in NOUNS:  # "brighten the dark"
                return degradation, "", ""
            place = _place(rest)
            return (degradation, *place) if place else None
    return None


def _noun_wish(words: list[str]) -> _Found | None:
    """ "remove the noise in the thermal image", "less thermal noise", "no smoke"."""
    rest = _after(words, REMOVERS)
    if not rest:
        return None
    rest = _without_articles(rest)
    camera = CAMERAS.get(rest[0], "") if len(rest) > 1 else ""
    rest = rest[1:] if camera else rest
    for size in (4, 3, 2, 1):
        degradation = NOUNS.get(" ".join(rest[:size]))
        if degradation and len(rest) >= size:
            tail = rest[size:]
            if tail and tail[0] not in PREPOSITIONS:
                continue  # "no smoke detectors" names an object
            place = _place(tail)
            return (degradation, place[0] or camera, place[1]) if place else None
    return None


def _whole_wish(words: list[str]) -> _Found | None:
    words = [word for word in words if word not in _ARTICLES]
    for size in range(min(4, len(words)), 0, -1):
        degradation = WISHES.get(" ".join(words[:size]))
        tail = words[size:]
        if degradation and (not tail or tail[0] in PREPOSITIONS):
            place = _place(tail)
            return (degradation, *place) if place else None
    return None


def _keep_wish(words: list[str]) -> _Found | None:
    rest = _after(words, KEEPERS)
    if not rest:
        return None
    name = " ".join(_without_articles(rest))
    degradation = KEEPS.get(name) or NOUNS.get(name)
    return (degradation, "", "") if degradation else None


def _place(words: list[str]) -> tuple[str, str] | None:
    """What follows a wish: (camera, region). None where a preposition has nothing behind it."""
    if not words:
        return "", ""
    if words[0] in PREPOSITIONS:
        words = words[1:]
    words = _without_articles(words)
    if not words:
        return None
    if words[-1] in IMAGE_WORDS:
        if len(words) == 1:
            return "", ""
        if len(words) == 2 and words[0] in CAMERAS:
            return CAMERAS[words[0]], ""
    if len(words) == 1 and words[0] in ("it", "everything"):
        return "", ""
    return "", " ".join(words)


def _take_degree(words: list[str]) -> tuple[list[str], float]:
    """Take one degree word off either end."""
    for name, degree in DEGREES.items():
        mark = name.split()
        if len(words) > len(mark):
            if words[: len(mark)] == mark:
                return words[len(mark) :], degree
            if words[-len(mark) :] == mark:
                return words[: -len(mark)], degree
    return words, 1.0


def _after(words: list[str], heads: tuple[str, ...]) -> list[str]:
    """The words behind the longest head that they begin with; empty where they begin with none."""
    for size in (3, 2, 1):
        if len(words) > size and " ".join(words[:size]) in heads:
            return words[size:]
    return []


def _without_articles(words: list[str]) -> list[str]:
    while words and words[0] in _ARTICLES:
        words = words[1:]
    return words
