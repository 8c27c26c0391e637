"""Phrases that say what a thing is like and not what it is: "static objects", "moving".

An encoder takes them for whatever it has most often read of in such words, mostly persons.
"""

from __future__ import annotations

from textdifuse_ros.text.shared import LIKE

# Names for things of every kind.
ANY = frozenset((
    "object", "objects", "thing", "things", "item", "items", "stuff", "something", "anything", "everything",
    "whatever", "those", "these", "ones", "what", "all", "obstacle", "obstacles",
))  # fmt: skip
# What is warm and has no name of its own in the vocabulary.
_BEASTS = (
    "animal", "pet", "beast", "mammal", "dog", "puppy", "hound", "cat", "kitten", "cow", "bull", "calf",
    "horse", "pony", "foal", "mare", "donkey", "mule", "goat", "lamb", "pig", "piglet", "boar", "hog",
    "deer", "fawn", "roe", "stag", "elk", "moose", "reindeer", "antelope", "buffalo", "bison", "bear",
    "fox", "badger", "hare", "rabbit", "squirrel", "hedgehog", "raccoon", "beaver", "otter", "kangaroo",
    "camel", "elephant", "lion", "tiger", "leopard", "cheetah", "hyena", "coyote", "jackal", "monkey",
    "ape", "gorilla", "chimpanzee", "rat", "seal", "bird", "chicken", "hen", "duck", "swan", "turkey",
    "pigeon",
)  # fmt: skip
_HERDS = (
    "sheep", "cattle", "livestock", "wildlife", "poultry", "game", "oxen", "ox", "calves", "foxes", "wolf",
    "wolves", "goose", "geese", "puppies", "ponies", "mouse", "mice", "fauna",
)  # fmt: skip
_ANIMALS = frozenset((*_BEASTS, *(f"{name}s" for name in _BEASTS), *_HERDS))
WARM_ANIMALS = "warm animals"
# Names that mean one kind of thing, by a name that the vocabulary has.
_CALLED = {"ambulance": "ambulance truck", "ambulances": "ambulance trucks"}
_ARTICLES = ("the", "a", "an", "all", "any", "every", "some", "only", "of", "my", "our", "these", "those")
_STATES = (LIKE - {"male", "female"}) | {
    "static", "stationary", "still", "motionless", "immobile", "fixed", "idle", "resting", "unknown", "other",
    "different", "similar", "same", "interesting", "dangerous", "important", "relevant", "irrelevant",
    "nice", "good", "bad", "fast", "slow", "quick", "close", "closer", "farther", "fine", "visible",
    "invisible", "hidden", "bright", "dark", "crossing", "approaching", "leaving", "coming", "going",
    "driving", "waiting", "alive", "dead", "new", "foreign", "single", "several", "two", "three",
}  # fmt: skip


def called(text: str) -> str:
    """The text with other names for what the vocabulary knows: "two ambulances" are ambulance trucks."""
    return " ".join(_CALLED.get(word.casefold(), word) for word in text.split())


def is_of_no_kind(text: str) -> bool:
    """Whether the words say only what something is like."""
    words = [word for word in text.casefold().split() if word not in _ARTICLES]
    said = [word for word in words if word not in ANY]
    return bool(said) and all(word in _STATES for word in said)


def is_animal(text: str) -> bool:
    """Whether it names an animal that is warm: "wild boar", "dogs"; not "hot dog stand", nor what somebody
    does with one: "farmer milking cows".
    """
    words = text.casefold().split()
    return bool(words) and words[-1] in _ANIMALS and not any(word.endswith("ing") for word in words[1:])
