"""What stands behind the name of a thing: "people walking" are people, "cars unwanted" are to keep calm.

Behind a name that is known, what is not known to leave its meaning as it is, is refused: no table holds every
word that says no.
"""

from __future__ import annotations

from textdifuse_ros.text import harms, lexicon, restoration
from textdifuse_ros.text.faults import NOUNS
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import keys
from textdifuse_ros.text.things import ONE, SEVERAL

_NAMES = frozenset((*SEVERAL, "sky"))
_PLACES = (
    *restoration.PREPOSITIONS, "to", "with", "by", "under", "underneath", "inside", "outside", "through",
    "between", "beside", "besides", "next", "past", "against", "into", "onto", "off", "up", "beyond", "below",
    "beneath", "during", "before", "after", "until", "since", "than", "as", "if", "when", "while", "about",
    "toward", "towards", "amid", "among", "amongst", "opposite", "within", "without", "like", "where", "via",
)  # fmt: skip
_CLAUSES = (
    *harms.RELATIVE, "whose", "whom", "i", "we", "you", "he", "she", "they", "it", "the", "a", "an", "my",
    "our", "your", "these", "those", "and", "or", "is", "are", "was", "were", "can", "could", "have", "has",
    "may", "might", "must", "should", "shall", "will", "would", "do", "does", "did",
)  # fmt: skip
_WHERE = (
    "ahead", "there", "here", "nearby", "close", "far", "left", "right", "around", "everywhere", "alongside",
    "outdoors", "indoors", "overhead", "upstairs", "downstairs", "abroad", "together", "alone", "today",
    "tonight", "now", "again", "only", "both", "else", "front", "forward", "backwards", "apart", "away",
    "down", "out", "low", "straight", "back", "north", "south", "east", "west",
)  # fmt: skip
_LIKE = (
    "parked", "stopped", "stuck", "stranded", "abandoned", "trapped", "injured", "wounded", "hurt", "lost",
    "involved", "dressed", "seated", "gathered", "lined", "queued", "covered", "surrounded", "seen", "caught",
    "hidden", "obscured", "concealed", "buried", "crashed", "damaged", "burnt", "burned", "overturned",
    "drowned", "armed", "locked", "chained", "loaded", "lit", "heated", "warmed", "painted",
    "marked", "coloured", "colored", "driven", "made", "left", "found", "spotted", "detected", "tracked",
    "highlighted", "shown", "warm", "hot", "cold", "cool", "warmer", "hotter", "colder", "cooler", "bright",
    "alive", "awake", "asleep", "unconscious", "present", "available", "visible", "able", "fast", "slow",
    "facing", "full", "big", "small", "large", "tall", "closest", "nearest", "stand", "walk", "run", "lie",
    "sit", "cross", "move", "drive", "come", "go", "wait", "ride", "number", "clearly", "still",
    "already", "just", "very", "currently", "slowly", "quickly", "well", "also", "too", "more", "less",
    "fewer", "not", "no", "never", "half", "twice",
)  # fmt: skip
_STAYING = ("stay", "stays", "remain", "remains", "keep", "keeps", "become", "becomes", "goes", "look")
# Names of something else that begin with one of these: "people carrier", "sky diving".
_COMPOUNDS = (
    "carrier", "carriers", "mover", "movers", "counter", "light", "line", "train", "scraper", "blue",
    "hide", "hides", "ignore", "suppress", "disregard", "remove", "minus", "sans", "except", "excepting",
    "excluding", "but", "whereas", "instead", "rather", "other", "free", "devoid", "void", "empty", "toned",
    "faded", "hardly", "barely", "scarcely", "be", "unless", "neither", "cannot", "distract", "distracts",
)  # fmt: skip
_OF_THE_SKY = ("region", "area", "background", "part", "zone")
_PAINTING = ("paint", "colour", "color", "tint", "render", "dye", "draw", "print")  # "paint cars black"
# Two names in a row say no to neither.
_NOUNS = (*SEVERAL, *ONE, *restoration.CAMERAS, *restoration.IMAGE_WORDS, *NOUNS, "colours", "colors")
# Verbs that ask for nothing without what follows, and how a thing is that stands out.
_OPEN = ("make", "let", "put", "leave", "leaving", *(each for each in lexicon.STANDING if each != "less"))
_MAY_FOLLOW = frozenset((*_OPEN, *_NOUNS, *_PLACES, *_CLAUSES, *_WHERE, *_LIKE, *_STAYING, *_COMPOUNDS))
_LYING = (  # "man down"
    "man", "woman", "person", "people", "child", "someone", "somebody", "pedestrian", "worker", "officer",
    "soldier", "victim", "firefighter", "cyclist", "rider", "biker", "kid", "casualty", "patient",
)  # fmt: skip
# What is done to a thing, or said of it, that is to keep calm; more than one word as well.
_CALMED = (
    "unwanted", "undesired", "undesirable", "unneeded", "unnecessary", "unhighlighted", "unmarked",
    "unselected", "deselected", "untracked", "useless", "superfluous", "redundant", "pointless", "worthless",
    "forbidden", "banned", "prohibited", "rejected", "refused", "denied", "disallowed", "barred", "vetoed",
    "blacklisted", "disliked", "hated", "nope", "nothing", "never", "not", "nah", "neither", "masked",
    "deleted", "erased", "disabled", "deactivated", "discarded", "dismissed", "dropped", "cancelled",
    "canceled", "omitted", "skipped", "eliminated", "neglected", "overlooked", "forgotten", "disregarded",
    "concealed", "muted", "silenced", "quieted", "hushed", "calmed", "lowered", "reduced", "lessened",
    "minimised", "minimized", "diminished", "weakened", "attenuated", "damped", "dampened", "softened",
    "downplayed", "demoted", "deprioritised", "deprioritized", "downweighted", "down-weighted", "limited",
    "blackened", "blacked-out", "greyed", "grayed", "blanked", "blank", "censored", "redacted", "pixelated",
    "blurred", "anonymised", "anonymized", "see-through", "unlit", "inconspicuous", "unobtrusive",
    "minimum", "lowest", "lower", "lesser", "quieter", "fewest",
    *(f"{done} {away}" for away in ("out", "away", "off", "down", "back")
      for done in ("filtered", "blacked", "greyed", "grayed", "blanked", "blotted", "washed", "masked",
                   "screened", "shut", "tuned", "weeded", "wiped", "ruled", "blocked", "cut", "taken", "left",
                   "faded", "cropped", "blurred", "switched", "turned", "toned", "dialled", "dialed",
                   "played",
                   "scaled", "phased", "thrown", "zeroed", "struck", "crossed", "edited", "painted",
                   "brought", "calmed", "pushed", "moved", "held", "kept", "edged", "damped", "cleared")),
    *(f"{to} {back}" for to in ("to the", "to", "into the", "at the")
      for back in ("back", "rear", "backdrop", "bottom")),
    *(f"out of {sight}" for sight in ("sight", "view", "here", "it", "focus", "the way", "the scene",
                                      "the picture", "the image", "the frame", "the view", "the shot")),
    "no longer", "no more", "not any more", "any less", "no thanks", "no thank you", "no way",
)  # fmt: skip
_TURNED_LAST = frozenset((*lexicon.TURNING_LAST, *_CALMED))


def turned_last(words: list[Word]) -> int:
    """How many words at the end turn the meaning of those in front round: "cars filtered out"; 0 for none."""
    for size in range(min(4, len(words) - 1), 0, -1):
        before = words[-size - 1].key
        if " ".join(keys(words[-size:])) in _TURNED_LAST and before != "be":  # which is no name at all
            return size
    before = words[-2].key if len(words) > 1 else ""
    lying = (words[-1].key == "down" and before in _LYING) or before in ("the", "in")  # "in the dark"
    return int(len(words) == 2 and words[-1].key in lexicon.TURNING_TWO and not lying)


def unknown_tail(words: list[Word]) -> str:
    """What is wrong with "cars gloomified"; "" where everything behind the name is known to be harmless."""
    for at, word in enumerate(words[:-1]):
        tail = words[at + 1].key
        known = tail in _MAY_FOLLOW or (word.key == "sky" and tail in _OF_THE_SKY)
        if word.key not in _NAMES or known or tail.isdecimal():
            continue
        if (
            tail.endswith(("ing", "ward", "wards"))
            or not tail.isascii()
            or "'" in tail
            or words[at + 1].is_dash
        ):
            continue
        first = int(at and words[0].key in _PAINTING)
        name = " ".join(each.text for each in words[first : at + 1])
        said = " ".join(each.text for each in words[at + 1 :])
        todo = f"write '{name}' to let it stand out, or 'no {name}' to keep it calm"
        return f"says of '{name}' that it is '{said}', of which nobody knows what it asks for: {todo}"
    return ""
