"""Wishes in roundabout words, put plainly: "the noise should be removed", "give the road more light"."""

from __future__ import annotations

from collections.abc import Callable

from textdifuse_ros.text.faults import LACKED, NOUNS, RAISING, VERBS
from textdifuse_ros.text.harms import THERE, is_subject
from textdifuse_ros.text.lexicon import MODALS
from textdifuse_ros.text.restoration import (
    IMAGE_WORDS,
    PREPOSITIONS,
    REMOVERS,
    WHOLE,
    after,
    camera_of,
    understand,
    without_articles,
)

_Words = list[str]
_DUE = (*MODALS, "is to", "are to", "to", "may", "can", "could", "might")
_ASKED = (
    "can",
    "could",
    "may",
    "might",
    "should",
    "must",
    "shall",
    "will",
)  # in front: "can noise be removed"
_NOT_DUE = (
    *(f"{modal} {no}" for modal in (*MODALS[:4], "may", "can", "need", "could") for no in ("not", "never")),
    "shouldn't", "mustn't", "cannot", "can't", "needn't",
    *(f"{do} {have} to" for do in ("does not", "do not", "don't", "doesn't") for have in ("have", "need")),
)  # fmt: skip
_DUE_BE, _NOT_DUE_BE = (tuple(f"{modal} be" for modal in modals) for modals in (_DUE, _NOT_DUE))
_TOUCHED = ("changed", "touched", "altered", "modified", "lost", "affected")
_LEFT = ("stay", "stays", "remain", "be kept", "be preserved", "be left alone", "be left")
_LEFT_HOW = ("", "natural", "unchanged", "visible", "in", "the same", "as is", "as it is", "as they are")
_HOW_MUCH = ("more", "some", "better", "a bit more", "a little more", "a bit of", "higher", "extra")
_LIGHTING = ("put", "shine", "shed", "throw", "cast")
_SOME = tuple(
    f"{add}{some}"
    for add in ("", "add ", "give me ")
    for some in ("some", "a bit of", "bit of", "a little", "a touch of", "touch of", "need", "needs")
)
_TURNING_UP = ("get", "crank", "push", "bring", "dial", "ramp", "pump", "pull", "move")
_AWAY = (
    "down", "away", "off", "out", "be gone", "gone", "go away", "removed", "reduced", "suppressed", "cleared",
    "filtered out",
)  # fmt: skip
_GONE = ("gone", "away", "removed", "reduced", "cleared", "suppressed")
_THINNER = ("thinner", "weaker", "lighter", "fainter", "disappear", "vanish", "go away", "transparent")
_WHATEVER = ("what", "everything", "anything", "whatever", "things", "all", "who")
_HIDING = ("hide", "cover", "obscure", "block", "conceal", "spoil", "ruin", "disturb", "annoy", "blind")
_HIDDEN = ("hidden", "obscured", "covered", "blocked", "concealed", "veiled", "masked", "shrouded")
_HIDDEN_BY = tuple(
    f"{seems} {hidden} {by}"
    for seems in ("is", "are", "gets", "get")
    for hidden in _HIDDEN
    for by in ("by", "behind", "in", "with", "under")
)
_TAKING = ("get", "take", "keep", "pull", "filter")


def plain(words: _Words) -> _Words:
    """The words of a plain wish, or of "make it less noisy"; empty for words that are no such wish."""
    readings: tuple[Callable[[_Words], _Words], ...] = (
        _due,
        _left,
        _kept,
        _given,
        _lit,
        _taken,
        _switched,
        _behind,
        _hidden,
        _not_let,
        _like,
        _sharper,
    )
    return next((said for read in readings if (said := read(words))), [])


def ensured(words: _Words) -> _Words:
    """The same behind "make sure that": "there is no noise", "the image is not too dark"."""
    said = after(words, (*THERE, "there was", "there were"))
    if fault := after(without_articles(said), ("no", "not any", "no more", "never any", "less")):
        return ["remove", *fault]
    if words[-1] in _GONE and is_subject(words[:-1]):
        return ["remove", *words[:-1]]
    for at in range(1, len(words)):
        subject = without_articles(words[:at])
        if words[at] not in ("is", "are", "was", "were") or not is_subject(subject):
            continue
        if len(words) == at + 2 and words[-1] in _GONE:
            return ["remove", *subject]
        if how := after(words[at + 1 :], ("not", "never", "not too", "never too")):
            return ["make", *subject, "less", *how]
    return []


def _past(verb: str) -> str:
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb}{verb[-1]}ed" if verb.endswith(("fog", "blur")) else f"{verb}ed"


_VERB_OF = {_past(verb): verb for verb in (*VERBS, *REMOVERS, *RAISING) if " " not in verb}


def _due(words: _Words) -> _Words:
    """ "the noise should be removed", "can the noise be reduced", "the people must not be blurry"."""
    if words[0] in _ASKED and "be" in words[2:-1]:
        at = words.index("be", 2)
        words = [*words[1:at], words[0], *words[at:]]
    for at in range(1, len(words) - 1):
        how, how_not = after(words[at:], _DUE_BE), after(words[at:], _NOT_DUE_BE)
        subject = without_articles(words[:at])
        if subject == ["there"]:
            return ["remove", *_any(how_not)] if how_not else _none(how)
        if (how or how_not) and is_subject(subject):
            return _wanted(subject, how) if how else _unwanted(subject, how_not)
    return []


def _none(words: _Words) -> _Words:
    """ "there should be no noise"."""
    rest = after(words, ("no", "less", "no more"))
    return ["remove", *rest] if rest else []


def _any(words: _Words) -> _Words:
    return after(words, ("any", "so much", "too much", "that much")) or words


def _wanted(subject: _Words, how: _Words) -> _Words:
    verb = _VERB_OF.get(how[0])
    if verb and len(how) == 1:
        return [verb, *subject]
    return ["make", *subject, *how]


def _unwanted(subject: _Words, how: _Words) -> _Words:
    verb = _VERB_OF.get(how[0])
    if how in ([each] for each in _TOUCHED):
        return ["keep", *subject]
    if verb and len(how) == 1:
        return ["do", "not", verb, *subject]
    surely = how[0] in ("too", "so")
    if surely and how[1:] == ["bright"]:
        return ["remove", "glare", "on" if _is_object(subject) else "in", *subject]
    if (
        not surely and _is_object(subject) and how[-1] == "bright"
    ):  # "the sky must not be bright" keeps it calm
        return []
    return ["make", *subject, "less", *how[surely:]]


def _left(words: _Words) -> _Words:
    """ "the colours must stay as they are", "the fog can stay", "the image should stay dark"."""
    for at in range(1, len(words) - 1):
        for stay in _LEFT:
            size = stay.count(" ") + 1
            rest = after(words[at:], _DUE)
            if not rest or rest[:size] != stay.split() or not is_subject(without_articles(words[:at])):
                continue
            if " ".join(rest[size:]) in _LEFT_HOW:
                return ["keep", *without_articles(words[:at])]
            if rest[size:] == ["dark"] and not _is_object(words[:at]):
                return ["keep", "it", "dark"]
    return []


def _kept(words: _Words) -> _Words:
    """ "keep the contrast high", "keep the image sharp"."""
    subject, how = without_articles(words[1:-1]), words[-1]
    if words[0] not in ("keep", "leave") or not subject:
        return []
    if subject[0] in LACKED and how in ("high", "up", "strong", "good", "bright"):
        return ["more", *subject]
    return ["make", *subject, how] if how in ("bright", "sharp", "crisp") and not _is_object(subject) else []


def _given(words: _Words) -> _Words:
    """ "give the road more light": more of it on the road."""
    if words[0] != "give":
        return []
    for at in range(2, len(words)):
        lacked = after(words[at:], _HOW_MUCH)
        subject = without_articles(words[1:at])
        if lacked and lacked[0] in LACKED and len(lacked) == 1 and is_subject(subject):
            return ["more", *lacked, *(["on", *subject] if _is_object(subject) else subject)]
    return []


def _lit(words: _Words) -> _Words:
    """ "shed some light on the road", "crank the contrast up", "a bit of contrast"."""
    if words[0] in _LIGHTING:
        rest = after(without_articles(words[1:]), _HOW_MUCH) or without_articles(words[1:])
        return ["more", *rest] if rest[:1] == ["light"] and len(rest) > 2 else []
    if words[0] in _TURNING_UP and words[-1] == "up":
        lacked = without_articles(words[1:-1])
        return ["more", *lacked] if lacked and lacked[0] in LACKED else []
    lacked = after(words, _SOME)
    return ["more", *lacked] if lacked and lacked[0] in LACKED else []


def _taken(words: _Words) -> _Words:
    """ "fog away", "get the noise out of the thermal image", "take the haze off"."""
    takes = words[0] in _TAKING
    rest = without_articles(words[1:]) if takes else words
    for at in range(1, len(rest)):
        if " ".join(rest[:at]) not in NOUNS:
            continue
        if " ".join(rest[at:]) in _AWAY:
            return ["remove", *rest[:at]]
        if takes and (place := after(rest[at:], ("out of", "off of", "away from", "off", "out"))):
            where = [] if place[0] in PREPOSITIONS else ["in"]
            return ["remove", *rest[:at], *where, *place]
    return []


def _switched(words: _Words) -> _Words:
    """ "denoising off", "dehaze on", "noise filter off"."""
    verb = words[:-1]
    if words[-1] not in ("on", "off") or understand(verb) is None:
        return []
    return verb if words[-1] == "on" else ["do", "not", *verb]


def _behind(words: _Words) -> _Words:
    """ "what is behind the smoke", "everything behind the smoke", "make the fog thinner"."""
    if words[0] == "make" and words[-1] in _THINNER and " ".join(without_articles(words[1:-1])) in NOUNS:
        return ["remove", *words[1:-1]]
    rest = words[1:] if words[0] in _WHATEVER else []
    rest = after(rest, ("is", "are", "that is", "that are", "lies", "there is")) or rest
    fault = without_articles(rest[1:]) if rest[:1] == ["behind"] else []
    return ["remove", *fault] if " ".join(fault) in NOUNS else []


def _hidden(words: _Words) -> _Words:
    """ "the people are hidden by the smoke": the smoke hides them. What it hides is no object here."""
    for at in range(1, len(words)):
        fault = without_articles(after(words[at:], _HIDDEN_BY))
        what = words[:at]
        if fault and understand(["remove", *fault]) is not None and is_subject(what):
            return ["remove", *fault, *(["in", *what] if camera_of(what) else [])]
    return []


def _not_let(words: _Words) -> _Words:
    """ "don't let the smoke hide the people"."""
    rest = without_articles(after(words, ("do not let", "don't let", "never let")))
    at = next((at for at, word in enumerate(rest) if word in _HIDING), 0)
    return ["remove", *rest[:at]] if " ".join(rest[:at]) in NOUNS else []


def _like(words: _Words) -> _Words:
    """ "a picture with more contrast", "a thermal image that is sharper"."""
    for at in range(1, len(words) - 1):
        image = words[:at]
        if not any(word in IMAGE_WORDS for word in image) or camera_of(image) is None:
            continue
        if asked := after(words[at:], ("with", "that has", "which has")):
            return [*asked, "in", *image] if understand(asked) is not None else []
        if fault := after(words[at:], ("without",)):
            return ["remove", *fault, "in", *image]
        if how := after(words[at:], ("that is", "which is")):
            return ["make", *image, *how]
    return []


def _sharper(words: _Words) -> _Words:
    """ "sharper people", "cars crisper": "make the people sharper"."""
    for how, subject in ((words[0], words[1:]), (words[-1], words[:-1])):
        if how in ("sharper", "crisper") and is_subject(without_articles(subject)):
            return ["make", *subject, how]
    return []


def _is_object(subject: _Words) -> bool:
    words = without_articles(subject)
    return (
        " ".join(words) not in WHOLE and camera_of(words) is None and not any(w in IMAGE_WORDS for w in words)
    )
