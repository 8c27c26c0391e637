"""What cannot be an object: words that turn a meaning round, faults of the image, the image itself."""

from __future__ import annotations

from itertools import pairwise

from textdifuse_ros.text import complaints, harms, lexicon, restoration
from textdifuse_ros.text.affixes import is_turned, turned_by_affix
from textdifuse_ros.text.clausal import more_than_a_name
from textdifuse_ros.text.faults import MEASURES, NOUNS, VERBS
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.measured import weighed
from textdifuse_ros.text.phrasing import FILLER, ended, find, head, keys, strip_leading, strip_trailing
from textdifuse_ros.text.prompt import PromptError
from textdifuse_ros.text.stray import left_over, stray
from textdifuse_ros.text.tails import turned_last, unknown_tail
from textdifuse_ros.text.things import ONE, SEVERAL, SURROUNDINGS
from textdifuse_ros.text.unasked import advice, put_in
from textdifuse_ros.text.verbs import UNSURE_OF_MANY

APART = "write what must stand out and what must not as phrases of their own, as in 'people, no cars'"
_EVERYTHING = (
    "everything", "anything", "nothing", "it", "all", "them", "image", "images", "scene", "whole", "entire",
    "me", "us", "you", "both", "rest", "else", "others", "they", "he", "she", "him", "her", "ones",
)  # fmt: skip
_UNNAMED = ("them", "those", "these", "they", "him", "her", "he", "she", "ones", "others", "me", "us", "you")
_SURE = ("doubt", "doubts", "fail", "question")  # behind a no
_SEEN = ("visible", "in sight", "in view", "to be seen", "clearly")
_STAYING = ("stay", "stays", "remain", "remains", "keep", "keeps", "become", "becomes", "go", "goes")
_LEADING = (
    *lexicon.SEEMS, *_STAYING, *restoration.PREPOSITIONS, *harms.RELATIVE, "with", "far", "much", "way", "to",
    "so", "can",
)  # fmt: skip
_ARTICLES = ("the", "a", "an", "my", "our", "your", "these", "those", "all", "every", "any")
_MANY = ("s", "people", "men", "children", "traffic", "sky")
_AREAS = ("everything", "anything", "all", "area", "areas", "space", "whatever", "surroundings")
_PRONOUNS = ("it", "them", "they", "ones")
_SAID_OF_FAULTS = (
    *harms.RELATIVE, "to", "so", "when", "outside", "inside", "hidden", "by", "between", "caused", "makes",
    "make", "prevents", "keeps", "causes", "because", "until", "ahead", "everywhere",
)  # fmt: skip
_NAMING = ("filtering", "building", "clothing")
_PARTICLES = ("out", "down", "up", "away", "off", "back")
_NO_VERBS = frozenset((
    *restoration.PREPOSITIONS, "under", "inside", "outside", "through", "between", "beside", "next", "past",
    "against", "by", "with", "into", "onto", "off", "up", "down", "beyond", "below", "beneath", "during",
    "before", "after", "until", "since", "than", "as", "if", "when", "while", "about", "toward", "towards",
    "amid", "among", "half", "both", "all", "most", "many", "few", "twice", "quite", "such", "what",
    "whatever", "whoever", "where", "wherever", "whom", "even", "like",
    "is", "are", "be", "people", "person", "man", "men", "woman", "women", "child", "children", "something",
    "anything", "everything", "nothing", "part", "car", "vehicle", "pedestrian",
))  # fmt: skip
_NO_SUBJECTS = ("there", "there's", "it", "i", "we", "this", "i see", "we see", "is it", "are they")
_NOT = ("not", "never", "no", "less", "can't", "cannot", "mustn't", "shouldn't")
# Cameras by words that mean nothing else: "a red colour" names none.
_THERMAL = tuple(
    name
    for name in restoration.CAMERAS
    if name not in (restoration.HEAT, "visible", "visual", "colour", "color", "daylight")
)
_SAID_OF_CAMERAS = (
    *lexicon.SEEMS, *restoration.PREPOSITIONS, "stronger", "weaker", "better", "bad", "more", "less", "up",
)  # fmt: skip
_WHERE_HIDDEN = ("is hidden", "are hidden")
_NOBODY = ("nothing", "nobody", "noone", "no-one")
_OFF_NAMES = ("road", "roader", "roaders", "duty", "piste", "grid", "shore", "peak", "white", "track", "ramp")


def refuse_no_object(words: list[Word], typed: str, suppressed: bool) -> None:
    """Raises PromptError for an object phrase that would do something else than it says."""
    reason = _reason(words, typed, suppressed)
    if reason:
        raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def refuse_unnamed(wish: restoration.Wish, words: list[Word], typed: str) -> None:
    """Raises PromptError for "brighten them": no phrase is looked at to find out who they are. And for
    "brighten the non-people", which would brighten the people."""
    unnamed = wish.region.split()
    if unnamed and all(word in VERBS for word in unnamed):  # "denoise dehaze deblur"
        row = " ".join(word.text for word in words).replace(" ", ", ")
        raise PromptError(f"'{typed}' names several wishes: write '{row}'", typed, words[0].start)
    if turned := next(filter(is_turned, unnamed), ""):
        hint = "a wish holds for the whole image, or for one object, as in 'brighten the cars'"
        raise PromptError(
            f"'{typed}' holds '{turned}', which turns its meaning round: {hint}", typed, words[0].start
        )
    if unnamed[1:2] and unnamed[0] in _AREAS[:3] and unnamed[1] in ("except", "apart", "besides", "other"):
        plain = typed.partition(f" {unnamed[0]} ")[0]
        reason = "names an exception, and a wish holds for the whole image, or for one object"
        raise PromptError(f"'{typed}' {reason}, as in '{plain} the cars'", typed, words[0].start)
    if not unnamed or any(word not in (*_UNNAMED, "all", "of", "both") for word in unnamed):
        return
    named = " ".join("the people" if word.key in _UNNAMED else word.text for word in words)
    reason = f"does not say what '{wish.region}' means: name it, as in '{named}'"
    raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def refuse_all_but(words: list[Word], typed: str) -> None:
    """The same for "everything but the sky", which no article may be taken off before it is seen."""
    found = find(words, lexicon.ALL_BUT)
    excepted = find(words, lexicon.ALL_EXCEPT)
    if excepted and restoration.understand([*keys(words[: excepted[0]]), "it"]) is not None:
        found = excepted  # "sharpen all except the sky"
    if found is None:
        return
    name = _name(words[found[0] + found[1].count(" ") + 1 :]) or "people"
    name = "people" if name in _EVERYTHING else name
    before = words[: found[0]]
    if before and restoration.understand([*keys(before), "it"]) is not None:  # "brighten all but the sky"
        reason = "names an exception, and a wish holds for the whole image, or for one object, as in"
        plain = " ".join(word.text for word in before)
        raise PromptError(f"'{typed}' {reason} '{plain} the people'", typed, words[0].start)
    reason = f"names an exception: write '{name}' to let it stand out, or 'no {name}'"
    raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def _reason(words: list[Word], typed: str, suppressed: bool) -> str:
    spoken = keys(words)
    complaint = complaints.understand(spoken)
    if complaint is not None:  # "show what is noisy", "make it foggy", "don't make it too bright"
        return f"says what is wrong with the image and is no object: {advice(complaint)}"
    common = (
        (_surely(words) if suppressed else "")
        or left_over(words)
        or _fault_and_more(words)
        or _low(words)
        or turned_by_affix(words, suppressed)
    )
    common = common or _shut_off(words) or _staying(words, suppressed) or _turned(words, suppressed)
    if not common and not suppressed:
        common = put_in(spoken) or _either_way(words) or _unknown_verb(words)
    if common := common or stray(words):
        return common
    if spoken[0] in _PRONOUNS and len(words) > 1:
        return f"does not say what '{words[0].text}' is: name it, as in 'people, no cars'"
    return (
        ("" if suppressed else _fault(words, typed))
        or _several_faults(words)
        or weighed(words)
        or _no_thing(words, typed, suppressed)
        or more_than_a_name(words, suppressed)
        or unknown_tail(words)
    )


def _surely(words: list[Word]) -> str:
    """ "no doubt people", "people, without fail"."""
    if words[0].key not in _SURE:
        return ""
    name = _name(words[1:])
    hint = f"write '{name}' to let it stand out" if name else "leave it out"
    return f"says how sure it is and names nothing to keep calm: {hint}"


def _low(words: list[Word]) -> str:
    """ "cars least"."""
    named = strip_trailing(words, lexicon.LOW, once=True)
    name = _name(named)
    low = len(named) < len(words)
    return f"can be meant either way: write '{name}*0.5' or 'no {name}'" if low else ""


def _either_way(words: list[Word]) -> str:
    """ "keep the sky", "drop cars", "boring cars"."""
    size = head(words, lexicon.UNSURE)
    many = len(words) == 2 and words[0].key in UNSURE_OF_MANY and words[1].key.endswith(_MANY)
    bland = len(words) == 2 and words[0].key in lexicon.BLAND and words[1].key in SURROUNDINGS
    name = _name(words[max(size, 1) :])
    hint = f"can be meant either way: write 'no {name}' to keep it calm, or 'show {name}'"
    return hint if size or many or bland else ""


def _fault(words: list[Word], typed: str) -> str:
    """ "haze", "the noise is fine"."""
    spoken = keys(words)
    said = next((at for at, word in enumerate(spoken) if word in lexicon.SEEMS), len(spoken))
    if not restoration.is_fault(spoken[:said]):
        return ""
    fault = typed if said == len(spoken) else _name(words[:said])
    return f"is a fault of the image, no object: write 'no {fault}' to remove it, or 'keep the {fault}'"


def _several_faults(words: list[Word]) -> str:
    """ "noise stripes" of "remove noise stripes and haze"."""
    if len(words) < 2 or not all(word.key in NOUNS for word in words):
        return ""
    wanted = ", ".join(f"no {word.text}" for word in words)
    return f"names several faults: write '{wanted}' to remove them"


def _no_thing(words: list[Word], typed: str, suppressed: bool) -> str:
    """ "contrast", "everything", "thermal image", "everything around the people", "people in sight"."""
    spoken = keys(words)
    of_camera = len(spoken) == 2 and spoken[0] in restoration.CAMERAS and spoken[1] in MEASURES
    if (of_camera or (len(spoken) == 1 and spoken[0] in MEASURES)) and not suppressed:
        return f"is no object in the image: write 'more {typed}'"
    camera = _names_a_camera(spoken)
    if camera or all(word in _EVERYTHING for word in spoken) or _names_an_image(spoken):
        wish = "keep the night look" if suppressed else "brighten"
        both = ", and both cameras always have their part" if camera else ""
        return f"is no object in the image{both}: name one, as in 'warm objects', or a wish, as in '{wish}'"
    if suppressed and spoken[0] in _AREAS and len(words) > 1:
        return f"is no thing by itself: {APART}"
    return f"can be meant either way: {APART}" if suppressed and ended(words, _SEEN) else ""


def _fault_and_more(words: list[Word]) -> str:
    """ "smoke hiding the people": no wish can follow that, and who stands behind must not be kept calm."""
    inner = strip_leading(words, FILLER)
    for size in range(min(4, len(inner) - 1), 0, -1):
        after = inner[size].key
        more = after in _SAID_OF_FAULTS or (after.endswith("ing") and after not in _NAMING)
        if more and restoration.is_fault(keys(inner[:size])):
            fault = " ".join(word.text for word in inner[:size])
            return f"says more of a fault than a wish can: write 'remove the {fault}'"
    return ""


def _unknown_verb(words: list[Word]) -> str:
    """ "nuke the cars", "squash out the sky": whatever that is to do, it is not to let them stand out."""
    spoken = keys(words)
    at = 2 if spoken[1:2] and spoken[1] in _PARTICLES else 1
    verb = spoken[0]
    if len(words) <= at + 1 or spoken[at] not in _ARTICLES or verb in _NO_VERBS:
        return ""
    if verb.endswith(("ing", "body", "one")) or (verb.endswith("s") and not verb.endswith("ss")):
        return ""  # "crossing the road", "anyone the robot sees", "cars the robot sees"
    name, said = _name(words[at:]), " ".join(word.text for word in words[:at])
    if restoration.is_fault(keys(words[at:])):
        todo = f"write 'remove the {name}' or 'keep the {name}'"
        return f"begins with '{said}', of which nobody knows what it asks for: {todo}"
    if complaints.of_an_image(keys(words[at:])):
        hint = "write 'more contrast', 'denoise', 'brighten the dark' or 'correct the colours'"
        return f"begins with '{said}', and it has to be said what is wrong: {hint}"
    todo = f"write '{name}' to let it stand out, or 'no {name}' to keep it calm"
    return f"begins with '{said}', of which nobody knows what it asks for: {todo}"


def _shut_off(words: list[Word]) -> str:
    """ "off cars" of "turn on people and off cars"; an off road vehicle is one."""
    if words[0].key != "off" or len(words) < 2 or words[1].key in _OFF_NAMES:
        return ""
    return f"begins with 'off', which may turn its meaning round: write 'no {_name(words[1:])}'"


def _staying(words: list[Word], suppressed: bool) -> str:
    """ "sky stays dark": what is said to stay so is to be kept so."""
    if len(words) < 3 or words[-2].key not in _STAYING or words[-1].key not in lexicon.TURNING_TWO:
        return ""
    said = " ".join(word.text for word in words[-2:])
    hint = APART if suppressed else f"write 'no {_name(_subject(words[:-2]))}'"
    return f"holds '{said}', which may turn its meaning round: {hint}"


def _turned(words: list[Word], suppressed: bool) -> str:
    """What is wrong with words one of which turns the meaning of the others round, "" where none does."""
    negated = next((word.text for word in words if word.key.endswith("n't")), "")
    if size := turned_last(words):
        name, said = _name(_subject(words[:-size])), " ".join(word.text for word in words[-size:])
        sure = name and name.count(" ") < 2 and not find(words[:-size], _NOT)
        hint = f"write 'no {name}', as in 'people, no cars'" if sure else APART
        return f"holds '{said}', which may turn its meaning round: {hint}"
    if words[0].key in _NOBODY:
        name = _name(words[1:]) if words[0].key == "nothing" else "people"
        hint = f"write 'no {name}'" if name and not find(words[1:], _NOT) and not suppressed else APART
        return f"holds '{words[0].text}', which may turn its meaning round: {hint}"
    if len(words) > 1 and words[0].key == "stop" and words[1].key.endswith("ing"):  # no stop sign
        negated = words[0].text
    found = find(words, lexicon.TURNING) or (find(words, lexicon.TURNING_BACK) if suppressed else None)
    if negated or found is None:
        return f"holds '{negated}', which may turn its meaning round: {APART}" if negated else ""
    at, entry = found
    front = _subject(words[:at])
    behind = words[at + entry.count(" ") + 1 :]
    told = behind and behind[0].key in ("by", *restoration.PREPOSITIONS)  # "hidden by smoke"
    if told and entry in _WHERE_HIDDEN and at > 1 and words[at - 1].key in harms.RELATIVE:
        return _turned(behind, suppressed)  # "people who are hidden by smoke"
    before, after = _name(front), "" if told else _name(behind)
    hint = APART
    if entry == "too" and before and not suppressed:
        both = f"'{before}' to let it stand out or 'no {before}' to keep it calm"
        hint = f"write {both}, as in 'people, no cars'"
    elif before and complaints.understand(keys(words[at:])) is not None:
        hint = f"write a comma in front of '{_name(words[at:])}'"
    elif before and after and entry in lexicon.HIDING and not suppressed:
        hint = f"write '{before}, no {after}' or '{after}, no {before}'"
    elif (
        before and entry == "but" and behind[0].key == "only" and behind[1:]
    ):  # "people but only on the road"
        where = _name(behind[1:])
        hint = (
            f"write '{before} {where}'" if behind[1].key in restoration.PREPOSITIONS else f"write '{where}'"
        )
    elif not suppressed and before and restoration.is_fault(keys(behind)):  # "nothing but smoke"
        hint = f"write 'remove the {after}', or 'keep the {after}'"
    elif before and after and entry not in lexicon.NEGATIONS:
        if any(word in _EVERYTHING for word in keys(front)):
            calm = suppressed or any(word in lexicon.STATES_CALM for word in keys(words))
            calm = calm or "nothing" in keys(front)
            hint = f"write '{after}'" if calm else f"write 'no {after}'"
            named = [word for word in strip_leading(front, FILLER) if word.key not in _EVERYTHING]
            if not calm and named and front[0].key in _EVERYTHING:  # "everything warm except the engine"
                hint = f"write '{_name(named)}, no {after}'"
            elif not calm and front[0].key not in (*_EVERYTHING, *_AREAS):  # "dim everything except people"
                hint = f"write '{after}' to let it stand out, or 'no {after}'"
        elif not suppressed:
            hint = f"write '{before}, no {after}'"
        elif entry in lexicon.TURNING_BACK:
            hint = f"write 'no {before}, {after}'"
    return f"holds '{entry}', which may turn its meaning round: {hint}"


def _name(words: list[Word]) -> str:
    return " ".join(word.text for word in strip_leading(words, FILLER))


def _subject(words: list[Word]) -> list[Word]:
    """What stands in front of a word that turns a meaning round, without the words that only lead to it."""
    while words and words[-1].key in _LEADING:
        words = words[:-1]
    named = [key for key in keys(words) if key not in (*restoration.IMAGE_WORDS, *restoration.CAMERAS)]
    return [] if not named or " ".join(named) in _NO_SUBJECTS else words


def _names_an_image(spoken: list[str]) -> bool:
    """ "sharp image", "picture is sharp"; not "people in the image", "picture frame"."""
    images = ("image", "images", "picture", "pictures", "footage")
    if spoken[0] in images and (len(spoken) == 1 or spoken[1] in (*lexicon.SEEMS, *harms.RELATIVE)):
        return True
    return spoken[-1] in images and not any(word in restoration.PREPOSITIONS for word in spoken)


def _names_a_camera(spoken: list[str]) -> bool:
    """ "rgb", "thermal image", "a nicer thermal image"; not "people in the thermal image"."""
    if len(spoken) == 1:
        return spoken[0] in restoration.CAMERAS and spoken[0] != restoration.HEAT
    others = (*restoration.PREPOSITIONS, *SEVERAL, *ONE)
    if spoken[-1] in _THERMAL and not any(word in others for word in spoken):
        return True  # "fix thermal", not "cars thermal"
    if any(
        first in _THERMAL and (second in _SAID_OF_CAMERAS or second[0].isdecimal())
        for first, second in pairwise(spoken)
    ):
        return True  # "thermal is bad", "thermal 70 rgb 30"
    for first, second in pairwise(spoken):
        if first in restoration.CAMERAS and second in restoration.IMAGE_WORDS:
            return True
        if first in (*restoration.PREPOSITIONS, "with"):
            break
    return False
