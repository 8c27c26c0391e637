"""Which of a model's classes somebody means: by their exact names, or by the words of a prompt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from textdifuse_ros.detection.detections import DetectorError

_IRREGULAR = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child",
    "firemen": "fireman", "mice": "mouse", "geese": "goose", "knives": "knife", "buses": "bus",
    "lorries": "lorry",
}  # fmt: skip
_PERSON = ("person", "pedestrian", "human", "man", "woman", "child", "rider", "cyclist")
# A word in the singular, and the classes that it stands for beside one of its own name.
_MEANS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("person", "pedestrian", "human", "somebody", "someone", "anybody", "figure"), _PERSON),
    **dict.fromkeys(
        ("man", "woman", "child", "worker", "firefighter", "fireman", "victim"), ("person", "pedestrian")
    ),
    "cyclist": ("rider", "person", "bicycle"),
    "rider": ("cyclist", "person"),
    "vehicle": (
        "car", "van", "truck", "lorry", "bus", "motorcycle", "motorbike", "bicycle", "bike", "train", "tram",
    ),
    "animal": (
        "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "deer", "boar",
    ),
    "automobile": ("car",),
    "lorry": ("truck",),
    "truck": ("lorry",),
    "bike": ("bicycle", "motorcycle", "motorbike"),
    "bicycle": ("bike",),
    "motorbike": ("motorcycle",),
    "motorcycle": ("motorbike",),
    "two-wheeler": ("bicycle", "bike", "motorcycle", "motorbike"),
    "plane": ("airplane", "aeroplane"),
    "aircraft": ("airplane", "aeroplane"),
    "ship": ("boat",),
    "bag": ("backpack", "handbag", "suitcase"),
    "luggage": ("backpack", "handbag", "suitcase"),
}  # fmt: skip
_BEHIND = re.compile(
    r"\s(?:behind|in|on|at|near|under|over|with|without|from|of|beside|between|before|after|around|inside|by|"
    r"next|to|through|across|that|who|which|walking|standing|crossing|riding|driving|lying|sitting)\s"
)


def by_names(text: str, names: Mapping[int, str]) -> tuple[int, ...]:
    """Indices of the classes named in ``text``, separated by commas; () for an empty one.

    Raises DetectorError naming the first that the model does not have, and the nearest ones that it has.
    """
    known = {name.casefold(): index for index, name in names.items()}
    found: set[int] = set()
    for wanted in filter(None, (part.strip() for part in text.split(","))):
        index = known.get(" ".join(wanted.casefold().split()))
        if index is None:
            raise DetectorError(f"{wanted!r} is not a class of this model: {nearest(wanted, names)}")
        found.add(index)
    return tuple(sorted(found))


def nearest(wanted: str, names: Mapping[int, str]) -> str:
    """Half a sentence with the classes that come nearest to a name, or with some of those that there are."""
    meant = [names[index] for index in by_phrase(wanted, names)]
    spelt = difflib.get_close_matches(wanted.casefold(), [name.casefold() for name in names.values()], n=3)
    near = list(dict.fromkeys([*meant, *spelt]))[:6]
    if near:
        return f"the nearest are {', '.join(near)}"
    some = list(names.values())[:6]
    return f"it has {', '.join(some)}" + (
        f" and {len(names) - len(some)} more" if len(names) > len(some) else ""
    )


def by_phrase(phrase: str, names: Mapping[int, str]) -> tuple[int, ...]:
    """Indices of the classes that a phrase means: "parked cars", "pedestrians behind the smoke", "vehicles".

    Its last words count, in the singular, up to where the phrase goes on with a place or an activity; a class
    of that name is meant, and those that the word stands for. () where it means none.
    """
    classes: dict[str, set[int]] = {}
    for index, name in names.items():
        classes.setdefault(singular(name), set()).add(index)
    head = _BEHIND.split(f"{phrase.casefold()} ", maxsplit=1)[0]
    words = re.findall(r"[^\W_]+(?:[-'][^\W_]+)*", head)
    for first in range(len(words)):
        word = singular(" ".join(words[first:]))
        meant = [word, *_MEANS.get(word, ())]
        found = set().union(*(classes.get(each, set()) for each in meant))
        if found:
            return tuple(sorted(found))
    return ()


def by_phrases(phrases: Iterable[str], names: Mapping[int, str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Indices of all that the phrases mean, and the phrases that mean none of the model's classes."""
    found: set[int] = set()
    lost: list[str] = []
    for phrase in phrases:
        meant = by_phrase(phrase, names)
        found.update(meant)
        if not meant:
            lost.append(phrase)
    return tuple(sorted(found)), tuple(lost)


def singular(name: str) -> str:
    """A name in lower case with its last word in the singular."""
    first, space, last = " ".join(name.casefold().replace("_", " ").split()).rpartition(" ")
    return f"{first}{space}{_singular_word(last)}"


def _singular_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]
