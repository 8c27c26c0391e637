"""Restoration wishes: phrases that ask something of the image, not of an object in it."""

from __future__ import annotations

from dataclasses import dataclass

from textdifuse_ros.text import verbs
from textdifuse_ros.text.faults import KEEPS, LACKED, NOUNS, RAISING, VERBS, WISHES
from textdifuse_ros.text.lexicon import SEEMS

DEGRADATIONS = (
    "low_light", "over_exposure", "noise", "stripes", "haze", "low_contrast", "colour_cast", "blur",
)  # fmt: skip

REMOVERS = (
    "remove", "removing", "reduce", "reducing", "suppress", "get rid of", "clean", "clean up", "clean away",
    "clear", "clear away", "filter", "filter out", "fix", "correct", "repair", "less", "no", "without",
    "take out",
    "take away", "cut", "eliminate", "lower", "tame", "restore", "kill", "drop", "stop", "prevent", "fight",
    "beat", "lift", "recover", "avoid", "do something about", "do something against",
    "turn down", "tone down", "halve", "clear up", "dissolve", "scrub", "wipe away", "blow away", "strip out",
    *(f"{see} {past}" for see in ("see", "look", "peer", "cut", "get") for past in ("through", "past")),
    "see beyond", "see behind", "look behind", "thin out", "thin", "smooth", "smooth out",
    "penetrate", "pierce", "against",
    *verbs.LESSENING,
)  # fmt: skip
KEEPERS = (
    "keep", "leave", "preserve", "retain", "maintain", "hands off", "do nothing to",
    *(f"without {touching}" for touching in ("touching", "changing", "altering", "modifying", "losing")),
    *(f"{no} {touch}" for no in ("do not", "don't", "never")
      for touch in ("touch", "change", "alter", "modify", "adjust", "mess with", "mess up")),
)  # fmt: skip
UNTOUCHED = (
    "alone", "as it is", "as they are", "as is", "natural", "unchanged", "untouched", "in", "visible",
)  # fmt: skip
# Verbs that reach over "and", and what they say of each: "don't remove the fog or the smoke".
SHARED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset(RAISING), "more"),
    (frozenset(KEEPERS), "keep"),
    (frozenset(f"{no} {verb}" for no in ("do not", "don't", "never") for verb in REMOVERS), "do not remove"),
)
_NOUN_REFUSERS = ("no", "without")  # "no noise" is no wish to keep it
REFUSERS = ("do not", "don't", "never", "stop", "avoid", *_NOUN_REFUSERS)
DEGREES: dict[str, float] = {  # longer ones in front of those that they begin with
    **dict.fromkeys(("just a little bit", "just a little", "just a bit", "just slightly", "only a little bit",
                     "only a little", "only a bit", "only slightly", "ever so slightly", "very slightly"),
                     0.5),
    "as much as possible": 2.0, "as strongly as possible": 2.0, "a little bit": 0.5, "slightly": 0.5,
    "a little": 0.5, "a bit": 0.5, "a tad": 0.5, "gently": 0.5,
    "somewhat": 0.75, "strongly": 1.5, "a lot": 1.5, "heavily": 1.5, "completely": 2.0, "fully": 2.0,
    **{f"{at} {share} {what}": far for at in ("at", "with") for what in ("strength", "power")
       for share, far in (("half", 0.5), ("full", 1.0), ("double", 2.0))},
    "very much": 2.0, "much": 1.5, "very strongly": 2.0, "by half": 0.5, "halfway": 0.5, "a touch": 0.5,
}  # fmt: skip
# In front of "more", "less" and the like alone: a "drill bit" is a thing.
_COMPARING = {"bit": 0.5, "tad": 0.5, "smidge": 0.5, "little": 0.5, "way": 1.5, "far": 1.5, "much much": 1.5}
# Behind a verb and what it is for: "brighten the people even more".
_BEHIND = {
    **{f"{much} {than}": 1.5 for much in ("even", "a lot", "much") for than in ("more", "stronger")},
    "a bit more": 0.5, "a little more": 0.5, "slightly more": 0.5, "a little bit more": 0.5,
    "just a bit more": 0.5, "just a little more": 0.5, "just a little bit more": 0.5, "a tad more": 0.5,
    "a touch more": 0.5, "somewhat more": 0.75, "more": 1.5,
}  # fmt: skip
_LONGEST_DEGREE = max(name.count(" ") + 1 for name in (*DEGREES, *_BEHIND))
_AFTER = {"more": 1.5, "less": 0.5, "first": 1.0}
_HOW_FAR = {
    "light": 0.5, "gentle": 0.5, "mild": 0.5, "soft": 0.5, "slight": 0.5, "strong": 1.5, "stronger": 1.5,
    "heavy": 1.5, "more": 1.5, "max": 2.0, "maximum": 2.0, "full": 2.0,
}  # fmt: skip
CAMERAS: dict[str, str] = {
    "thermal": "thermal", "infrared": "thermal", "ir": "thermal", "heat": "thermal",
    "rgb": "rgb", "visible": "rgb", "colour": "rgb", "color": "rgb", "daylight": "rgb",
    "lwir": "thermal", "visual": "rgb", "vis": "rgb",
}  # fmt: skip
IMAGE_WORDS = (
    "image", "picture", "camera", "frame", "video", "view", "channel", "scene", "stream", "feed", "images",
    "pictures", "cameras", "frames", "videos", "views", "channels", "streams", "feeds", "footage", "sensor",
    "sensors",
)  # fmt: skip
PREPOSITIONS = (
    "in", "of", "from", "on", "at", "around", "for", "over", "above", "near", "behind", "along", "across",
)  # fmt: skip
ARTICLES = (
    "the", "a", "an", "this", "all", "my", "our", "any", "both", "each", "every", "whole", "entire", "only",
)  # fmt: skip
WHOLE = ("it", "everything", "everywhere", "all", "both")
JOINERS = ("and", "or", "&")
_PLACES = (["areas"], ["parts"], ["places"], ["regions"], ["corners"])  # behind "brighten the dark"
_LONGEST_WISH = 6  # words, with those of the image
HEAT = "heat"  # a camera with an image word only; alone it is what is warm
# In front of a fault, and no part of its name: "remove the thick fog". Of the first ones there is too much.
_HEAVY = (
    "thick", "heavy", "dense", "strong", "bad", "annoying", "severe", "terrible", "horrible", "awful",
    "excessive", "extreme", "ugly", "high", "many", "nasty", "total", "complete", "utter",
)  # fmt: skip
_LACKING = ("low", "poor", "bad")
_ADJECTIVES = (
    *_HEAVY, "remaining", "image", "vertical", "horizontal", "random", "gaussian", "slight", "light",
    "little", "thin", "faint", "mild", "weak", "speckle",
)  # fmt: skip
HUES = ("red", "blue", "green", "yellow", "orange", "pink", "purple", "magenta", "cyan")
_TINTED = ("haze", "colour_cast")  # behind a hue these are still faults: "a blue tint", "black smoke"
_TINTS = (*HUES, "reddish", "bluish", "greenish", "yellowish", "black", "white", "grey", "gray")
MUCH = ("too much", "too many", "so much", "so many")
LITTLE = ("too little", "too few", "not enough")
_LOTS = (
    "a lot of", "lot of", "lots of", "plenty of", "loads of", "most of", "bit of", "cloud of",
    "clouds of",
)  # fmt: skip
_AMOUNTS = (*MUCH, *_LOTS)
BLINDING = ("blinding", "dazzling", "glaring")
# What shines into a camera: its glare lies over the whole picture.
LIGHTS = (
    "sun", "sunlight", "light", "lights", "headlight", "headlights", "headlamp", "headlamps", "lamp", "lamps",
    "beam", "beams", "streetlight", "streetlights", "floodlight", "floodlights", "torch", "torches",
)  # fmt: skip
# Behind a wish these begin no place: "denoise without blurring", "brighten by 20 percent".
_NO_PLACES = (
    "off", "by", "as", "if", "when", "whenever", "until", "till", "instead", "rather", "than", "before",
    "after", "unless", "while", "because", "since", "too", "very", "more", "less", "not", "without", "except",
    "level", "strength", "ever", "but",
)  # fmt: skip
_EDGES = ("edges", "edge", "details", "detail", "outlines", "contours", "pixels")
# "noise reduction" asks for what "denoising" does.
_REMOVAL = (
    "removal", "reduction", "suppression", "correction", "cancellation", "filtering", "cancelling",
    "filter",
)  # fmt: skip


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
    words, degree = take_degree(lines_of_a_camera(words))
    if len(words) == 2 and words[0] in VERBS and words[1] in _AFTER:  # "sharpen more"
        words, degree = words[:1], degree if degree != 1.0 else _AFTER[words[1]]  # "a bit more"
    if words[1:] and words[0] in _HOW_FAR and words[1] in VERBS:  # "strong denoising"
        words, degree = words[1:], _HOW_FAR[words[0]]
    keep = False
    if found := _refused(words):
        keep = True
    else:
        found = _asked(words)
        if found is None:
            found = _keep_wish(words)
            keep = found is not None
    if found is None:
        return None
    degradation, camera, region = found
    return Wish(degradation, keep, camera, region, degree)


def lines_of_a_camera(words: list[str]) -> list[str]:
    """ "lines in the thermal image" are stripes; those on a road are not."""
    named = any(CAMERAS.get(word) == "thermal" and word != HEAT for word in words)
    return ["stripes" if named and word in ("lines", "line", "bands", "streaks") else word for word in words]


def is_removal(words: list[str]) -> bool:
    """Whether a verb of removal stands in front, which may reach a list behind it."""
    return bool(after(take_degree(words)[0], REMOVERS))


def is_fault(words: list[str]) -> bool:
    """Whether the words name a fault of the image and nothing else: "haze", "noise in the thermal image"."""
    return _fault(without_articles(take_degree(lines_of_a_camera(words))[0])) is not None


def is_much(words: list[str]) -> bool:
    """Whether the words name a fault of which there is too much: "heavy haze", "lots of noise"."""
    words = without_articles(words)
    much = words[:1] in ([each] for each in (*_HEAVY, *BLINDING, "poor")) or bool(after(words, _LOTS))
    return much and is_fault(words)


_Found = tuple[str, str, str]  # degradation, camera, region


def _asked(words: list[str]) -> _Found | None:
    return _verb_wish(words) or _noun_wish(words) or _whole_wish(words)


def _refused(words: list[str]) -> _Found | None:
    """ "do not sharpen", "don't remove the noise", "no sharpening"."""
    rest = after(words, REFUSERS)
    if not rest:
        return None
    if words[0] not in _NOUN_REFUSERS:
        return _asked(rest)
    if rest[-1] in ("enhancement", "enhancements", "boost", "changes"):  # "no contrast enhancement"
        named = " ".join(rest[:-1])
        fault = LACKED.get(named) or KEEPS.get(named) or NOUNS.get(named)
        return (fault, "", "") if fault else None
    return _verb_wish(rest)


def _verb_wish(words: list[str]) -> _Found | None:
    """ "denoise the thermal image", "brighten the car", "brighten", "noise reduction"."""
    for size in (3, 2, 1) if not after(words, MUCH) else ():  # "too much noise reduction"
        if words[size : size + 1] in ([each] for each in _REMOVAL) and (found := _fault(words[:size])):
            place = place_of(words[size + 1 :])
            return (found[0], place[0] or found[1], place[1]) if place else None
    for size in (2, 1):
        degradation = VERBS.get(" ".join(words[:size]))
        if degradation:
            rest = without_articles(words[size:])
            # "brighten the dark", not "sharpen the dark"
            dark = degradation == "low_light" and rest[:1] == ["dark"] and rest[1:] in _PLACES
            edges = degradation == "blur" and " ".join(rest) in _EDGES
            if dark or edges or NOUNS.get(" ".join(rest)) == degradation:
                return degradation, "", ""
            said = rest[:1] and (rest[0] in SEEMS or rest[0].endswith("n't"))  # "the white balance is off"
            place = None if said else place_of(rest)
            return (degradation, *place) if place else None
    return None


def _noun_wish(words: list[str]) -> _Found | None:
    """ "remove the noise in the thermal image", "less thermal noise", "no smoke"."""
    return _fault(without_articles(after(words, REMOVERS)))


def _fault(words: list[str]) -> _Found | None:
    """A fault and where it is. Its whole name is looked up first: "colour cast" names no camera."""
    much = after(words, MUCH)
    if much and much[0] in HUES and (not much[1:] or much[1] in PREPOSITIONS):  # "too much blue in the image"
        place = place_of(much[1:])
        return ("colour_cast", *place) if place else None
    words = without_articles(after(words, _AMOUNTS)) or words
    if not words:
        return None
    for size in (4, 3, 2, 1):
        degradation = _named(words[:size]) if len(words) >= size else None
        if degradation:
            place = place_of(words[size:])
            if place and shines(degradation, place[1]):
                place = place[0], ""  # "the glare of the headlights"
            if place and (not place[1] or words[size] in PREPOSITIONS) and not _holds_fault(place[1]):
                return (degradation, *place)  # "no smoke detectors" names an object
    if words[0] in _LACKING and words[1:2] and words[1] in CAMERAS:  # "low thermal contrast"
        found = _fault([words[0], *words[2:]])
        return (found[0], CAMERAS[words[1]], found[2]) if found else None
    if words[0] in _ADJECTIVES:
        return _fault(words[1:])
    camera = CAMERAS.get(words[0])
    found = _fault(words[1:]) if camera else None
    return (found[0], found[1] or camera or "", found[2]) if found else None


def shines(degradation: str, region: str) -> bool:
    """Whether it is the glare of a lamp, which lies over the whole picture."""
    return degradation == "over_exposure" and bool(region) and region.split()[-1] in LIGHTS


def _named(words: list[str]) -> str | None:
    """The fault that the words name: "smoke", "black smoke", "blinding headlights"."""
    first, rest = words[0], words[1:]
    if first in BLINDING and len(rest) in (1, 2) and rest[-1] in LIGHTS:
        return "over_exposure"
    tinted = NOUNS.get(" ".join(rest)) if first in _TINTS else None
    return NOUNS.get(" ".join(words)) or (tinted if tinted in _TINTED else None)


def _holds_fault(region: str) -> bool:
    """ "noise in the thermal image and haze in the other" asks for two things."""
    words = region.split()
    for n, word in enumerate(words):
        rest = without_articles(words[n + 1 :]) if word in JOINERS else []
        if any(" ".join(rest[:size]) in NOUNS for size in (4, 3, 2, 1)):
            return True
    return False


def _whole_wish(words: list[str]) -> _Found | None:
    words = [word for word in words if word not in ARTICLES]
    for size in range(min(_LONGEST_WISH, len(words)), 0, -1):
        head, tail = words[:size], words[size:]
        of_image = [word for word in head if word in CAMERAS or word in IMAGE_WORDS or word in WHOLE]
        plain = " ".join(word for word in head if word not in of_image)
        degradation = WISHES.get(" ".join(head)) or WISHES.get(plain)
        if degradation is None or (tail and tail[0] not in PREPOSITIONS):
            continue
        place = place_of(tail)
        of_image = [] if " ".join(head) in WISHES else of_image
        camera = camera_of([word for word in of_image if word not in WHOLE])
        if place and camera is not None:
            return degradation, place[0] or camera, place[1]
    return None


def _keep_wish(words: list[str]) -> _Found | None:
    rest = without_articles(after(words, KEEPERS))
    if words[:1] == ["let"] and words[-1] in ("be", "stay", "remain"):  # "let the noise be"
        rest = without_articles(words[1:-1])
    for size in (3, 2, 1):
        if len(rest) > size and " ".join(rest[-size:]) in UNTOUCHED:
            rest = rest[:-size]
    of_camera = _kept(rest[1:], CAMERAS[rest[0]]) if rest and rest[0] in CAMERAS else None
    return _kept(rest, "") or _fault(rest) or of_camera


def _kept(words: list[str], camera: str) -> _Found | None:
    """ "contrast", "contrast in the thermal image"; camera: that was named in front."""
    for size in range(min(_LONGEST_WISH, len(words)), 0, -1):
        degradation, tail = KEEPS.get(" ".join(words[:size])), words[size:]
        place = place_of(tail) if not tail or tail[0] in PREPOSITIONS else None
        if degradation and place:
            return degradation, place[0] or camera, place[1]
    return None


def place_of(words: list[str]) -> tuple[str, str] | None:
    """What follows a wish: (camera, region). None where a preposition has nothing behind it."""
    if not words:
        return "", ""
    if words[0] in _NO_PLACES:
        return None
    if words[0] in PREPOSITIONS:
        words = words[1:]
    if " ".join(words) in WHOLE:
        return "", ""
    words = without_articles(words)
    if not words:
        return None
    camera = camera_of(words)
    if camera is not None:
        return camera, ""
    if words[-1] in _EDGES and len(words) > 1 and (camera := camera_of([*words[:-1], "image"])):
        return camera, ""  # "sharpen thermal edges"
    return "", " ".join(words)


def camera_of(words: list[str]) -> str | None:
    """The camera that words speak of, "" for both; None where they speak of anything else."""
    named = [word for word in words if word not in (*IMAGE_WORDS, *ARTICLES, *PREPOSITIONS, *JOINERS)]
    if any(word not in CAMERAS for word in named) or (named == [HEAT] and len(words) == 1):
        return None
    cameras = {CAMERAS[word] for word in named}
    return cameras.pop() if len(cameras) == 1 else ""


def take_degree(words: list[str]) -> tuple[list[str], float]:
    """Take one degree word off either end, or from behind the verb: "make it slightly brighter"."""
    for size in (2, 1):
        how = _COMPARING.get(" ".join(words[:size]))
        if (
            how is not None
            and len(words) > size
            and (words[size] in ("more", "less") or words[size].endswith("er"))
        ):
            return words[size:], how
    for at in range(len(words) - 3) if words[-2:] == ["as", "possible"] else ():
        if words[at : at + 2] == ["as", "much"]:  # "remove as much noise as possible"
            more = ["more"] if words[at + 2] in LACKED else []
            return [*words[:at], *more, *words[at + 2 : -2]], 2.0
    acts = words[:1] and words[0] in VERBS
    for size in range(min(_LONGEST_DEGREE, len(words) - 1), 0, -1):  # "a little bit" in front of "a little"
        last = len(words) - size
        if acts and last > 1:
            for start in (1, last):
                if (degree := _BEHIND.get(" ".join(words[start : start + size]))) is not None:
                    return words[:start] + words[start + size :], degree
        inside = range(1, last) if acts or words[0] in ("make", "remove", "reduce") else ()
        for start in (0, last, *inside):
            name = " ".join(words[start : start + size])
            degree = DEGREES.get(name)
            if degree is None or words[start + size : start + size + 1] == ["of"]:
                continue
            # "sharpen a little car", but "remove a little noise"
            alone = start in (0, last) or words[0] == "make"
            if alone or (name != "a little" if acts else name.startswith("a ")):
                return words[:start] + words[start + size :], degree
    return words, 1.0


def after(words: list[str], heads: tuple[str, ...]) -> list[str]:
    """The words behind the longest head that they begin with; empty where they begin with none."""
    for size in (4, 3, 2, 1):
        if len(words) > size and " ".join(words[:size]) in heads:
            return words[size:]
    return []


def without_articles(words: list[str]) -> list[str]:
    while words and words[0] in ARTICLES:
        words = words[1:]
    return words
