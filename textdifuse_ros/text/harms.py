"""What a fault does, how much of it there is, what is lacking: "fog hides the road", "not enough light"."""

from __future__ import annotations

from dataclasses import replace

from textdifuse_ros.text.faults import LACKED
from textdifuse_ros.text.lexicon import CALM_FRAMES, MODALS, SAYING_NO, SEEMS, WANTING
from textdifuse_ros.text.restoration import (
    BLINDING,
    CAMERAS,
    IMAGE_WORDS,
    JOINERS,
    KEEPERS,
    LIGHTS,
    LITTLE,
    MUCH,
    PREPOSITIONS,
    REMOVERS,
    Wish,
    after,
    camera_of,
    place_of,
    without_articles,
)
from textdifuse_ros.text.restoration import understand as _understand
from textdifuse_ros.text.verbs import NOUNS

VERY = (
    "far too", "much too", "way too", "a bit too", "too", "too damn", "very", "damn", "bloody", "so",
    "quite", "rather", "really", "pretty",
    "extremely", "super", "terribly", "awfully", "kind of", "kinda",
)  # fmt: skip
TOO = VERY[:5]
_FRAMES = (*KEEPERS, *REMOVERS, *SAYING_NO, *WANTING, *CALM_FRAMES)
# Words that ask for something: "keep the cars out of focus" says nothing of cars.
_NO_ACTS = frozenset((
    "i", "we", "i'm", "we're", "i've", "very", "half", "least", "hardly", "none", "nothing", "minimal",
    "sick", "tired", "fed", "had", "scale", "rather", *NOUNS,
))  # fmt: skip
ACTING = frozenset((*JOINERS, *(entry.split()[0] for entry in _FRAMES))) - _NO_ACTS
RELATIVE = ("that", "which", "who")  # "people that are blurry" are people
_NO_NAMES = (
    "not", "no", "never", "nothing", "nobody", "none", "hardly", "does", "do", "without", "but", "should",
    "must", "shall", "be", "am", "has", "have", "needs", "need", "lacks", "lack", "can", "cannot", "because",
    "more", "much", "too", "little",
)  # fmt: skip
_PRONOUNS = ("it", "i", "we", "there", "they")
THERE = (
    "there is", "there are", "there's", "there seems to be", "i see", "i only see", "all i see is",
    "i can see", "we see", "i see nothing but", "we see nothing but", "i can only see", "we only see",
    "i have", "we have", "i get", "we get", "has", "have",
)  # fmt: skip
# Of a fault, with "too" or without: "the smoke is thick". With "too" alone: "the noise is too visible".
THICK = (
    "thick", "dense", "strong", "heavy", "bad", "high", "terrible", "horrible", "awful", "annoying", "severe",
    "disturbing", "distracting", "unbearable", "everywhere", "back", "a problem", "in the way",
)  # fmt: skip
_TOO_THICK = (*THICK, "bright", "visible", "much", "large", "big", "deep", "dark")
_HARMS = (
    "hides", "hide", "covers", "cover", "obscures", "obscure", "blocks", "block", "conceals", "conceal",
    "is hiding", "is covering", "is blocking", "annoys", "annoy", "bothers", "bother", "disturbs", "disturb",
    "distracts", "distract", "spoils", "spoil", "ruins", "ruin",
)  # fmt: skip
_GONE = (
    "go", "go away", "disappear", "vanish", "be removed", "be reduced", "be suppressed", "be filtered out",
    "be gone", "be lower", "be less", "be weaker",
)  # fmt: skip
_DUE = tuple(f"{modal} {gone}" for modal in MODALS for gone in _GONE)
# What shines into a camera: "the sun blinds me", "I am dazzled by the headlights".
_BLINDS = (
    "blinds", "blind", "dazzles", "dazzle", "overexposes", "overexpose",
    *(f"{verb} {blinding}" for verb in ("is", "are", "keeps", "keep") for blinding in BLINDING[:2]),
)  # fmt: skip
_DAZZLES = ("dazzles", "dazzle")
_BLINDED = ("blinded", "dazzled")
_SEEING = ("me", "us", "everything", "it", "you", "the driver", "the robot")
_LITTLE = (
    *LITTLE, "too low", "insufficient", "lack of", "lacking", "low on", "hardly any", "barely any", "zero",
    "minimal", "very little", "almost no",
)  # fmt: skip
_HARDLY = (*_LITTLE, "no", "little", "hardly any", "barely any", "not much", "low", "poor")  # behind THERE
_LOW = ("low", "poor", "weak", "bad", "little", "insufficient", "missing")
_GOOD: dict[str, str] = {
    "bright": "low_light", "light": "low_light", "lit": "low_light", "sharp": "blur", "detailed": "blur",
    "crisp": "blur", "contrasty": "low_contrast",
}  # fmt: skip


def understand(words: list[str]) -> Wish | None:
    """Read a wish from what is said of a fault, or of light, contrast and the like; None where it is none."""
    return _amount(words) or lack(words) or _thick(words) or _harm(words) or _glare(words)


def before(
    words: list[str], ends: tuple[str, ...], very: tuple[str, ...] = (), must: bool = False
) -> list[str] | None:
    """What "is", "is too" and one of the ends are said of: "smoke" of "smoke is thick"; None of others.

    very: what may stand in front of the end. Where it must be there, it stands for "is": "smoke too thick".
    """
    for size in range(min(3, len(words)), 0, -1):
        if " ".join(words[-size:]) not in ends:
            continue
        rest = words[:-size]
        for name in very:
            if " ".join(rest).endswith(f" {name}"):
                rest = rest[: -name.count(" ") - 1]
                break
        else:
            if must:
                return None
        if rest and rest[-1] in SEEMS:
            return rest[:-1]
        return rest if must else None
    return None


def is_subject(words: list[str]) -> bool:
    """Whether something can be said of what the words name: not of "show people", "is it", "it is not"."""
    if not words or words[0] in (*ACTING, *PREPOSITIONS) or words[-1] in RELATIVE:
        return False
    if words[0] in _PRONOUNS and words != ["it"]:
        return False
    return not any(word in _NO_NAMES or word in SEEMS or word.endswith("n't") for word in words)


def _amount(words: list[str]) -> Wish | None:
    """ "too much noise in the thermal image", "there is thick smoke"."""
    said, much = after(words, THERE), after(words, MUCH)
    if much and _understand(much) is not None:  # "too much noise reduction"
        return None
    return _understand(["remove", *(said or words)]) if said or much else None


def lack(words: list[str]) -> Wish | None:
    """ "not enough light", "there is no contrast", "the brightness is too low", "it is not bright enough"."""
    said = after(words, THERE)
    words = without_articles(said or words)
    rest = without_articles(after(words, _HARDLY if said else _LITTLE))
    if rest and rest[0] in LACKED:
        return _placed(LACKED[rest[0]], rest[1:])
    if words and words[0] in LACKED:
        named = before(words, _LOW) or before(words, _LOW, TOO, must=True)
        return _placed(LACKED[words[0]], named[1:]) if named and is_subject(named) else None
    return _not_enough(words)


def _not_enough(words: list[str]) -> Wish | None:
    """ "the people are not bright enough", "the image is not sharp"."""
    enough = words[-1:] == ["enough"]
    words = words[:-1] if enough else words
    words = [*words[:-2], words[-1]] if words[-2:-1] in (["very"], ["really"], ["quite"]) else words
    if len(words) < 2 or words[-2] != "not" or words[-1] not in _GOOD:
        return None
    subject, good = words[:-2], words[-1]
    if not subject or subject == ["is"]:  # "not bright" may be what is wanted
        return Wish(_GOOD[good]) if enough or good not in ("bright", "light", "lit") else None
    if subject[-1] not in SEEMS or not is_subject(subject[:-1]):
        return None
    wish = _placed(_GOOD[good], subject[:-1])
    return wish if enough or (wish is not None and not wish.region) else None


def _thick(words: list[str]) -> Wish | None:
    """ "the smoke is too thick", "noise in the thermal image is annoying", "the stripes must go"."""
    said = before(words, _TOO_THICK, TOO, must=True) or before(words, THICK, VERY)
    if not said:
        due = next((end.split() for end in _DUE if " ".join(words).endswith(f" {end}")), [])
        said = words[: -len(due)] if due else []
    return _understand(["remove", *said]) if said and is_subject(said) else None


def _harm(words: list[str]) -> Wish | None:
    """ "the smoke hides the people": it is to go wherever it lies."""
    for at in range(1, len(words) - 1):
        if after(words[at:], _HARMS) and is_subject(words[:at]):
            if words[at - 1] in LIGHTS:  # "headlights hide the people"
                return Wish("over_exposure")
            wish = _understand(["remove", *words[:at]])
            return None if wish is None else replace(wish, region="")
    return None


def _glare(words: list[str]) -> Wish | None:
    """ "headlights blind the camera", "I am blinded by the sun"."""
    for at, word in enumerate(words):
        if word in _BLINDED and words[at + 1 : at + 2] in ([], ["by"]):
            who = words[:at]
            who = who[:-1] if who and who[-1] in (*SEEMS, "am") else who
            return _seen_by(who) if who not in ([], ["i"], ["we"]) else Wish("over_exposure")
        whom = after(words[at:], _BLINDS) if at else []
        if whom and (found := _seen_by(whom)):
            who = words[: at - 1] if words[at - 1] in RELATIVE else words[:at]  # "lamps that dazzle me"
            return found if is_subject(who) else None
    said = words[:-1] if words[-1] in _DAZZLES else before(words, BLINDING, VERY)
    return Wish("over_exposure") if said and is_subject(said) else None


def _seen_by(words: list[str]) -> Wish | None:
    named = any(word in CAMERAS or word in IMAGE_WORDS for word in words)
    camera = "" if " ".join(words) in _SEEING else (camera_of(words) if named else None)
    return None if camera is None else Wish("over_exposure", camera=camera)


def _placed(degradation: str, words: list[str]) -> Wish | None:
    place = place_of(words)
    return Wish(degradation, camera=place[0], region=place[1]) if place else None
