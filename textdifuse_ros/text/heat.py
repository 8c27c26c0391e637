"""The heat localiser: phrases about temperature, located by local thermal contrast."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from textdifuse_ros.text.contrast import thermal_contrast
from textdifuse_ros.text.localiser import Bytes, CompiledPrompt, Floats, localiser_names, refuse_undone
from textdifuse_ros.text.prompt import Phrase, Prompt, PromptError

HOT, COLD = "hot", "cold"

_TEMPERATURE = {
    **dict.fromkeys(
        ("hot", "hotter", "hottest", "warm", "warmer", "warmest", "heat", "heated", "warmth", "hotspot",
         "hot-spot",
         "warm-blooded", "heat-emitting", "glowing", "scorching"), HOT),
    **dict.fromkeys(
        ("cold", "colder", "coldest", "cool", "cooler", "coolest", "coldness", "chilly", "frozen", "icy",
         "coldspot",
         "cold-spot"), COLD),
}  # fmt: skip
# Names of a temperature in several words, replaced before the words are looked at.
_IDIOMS = {
    "high temperature": "hot", "high-temperature": "hot", "low temperature": "cold",
    "low-temperature": "cold",
    "body heat": "heat", "heat emitting": "hot", "warm blooded": "hot", "thermal signature": "heat",
    "thermal source": "heat", "infrared source": "heat", "thermal hotspot": "heat", "giving off heat": "heat",
    "gives off heat": "heat", "give off heat": "heat",
}  # fmt: skip
# Nouns that say no more than "thing"; the singular is enough.
_THINGS = frozenset((
    "object", "thing", "item", "stuff", "spot", "area", "region", "zone", "place", "part", "point", "patch",
    "surface", "source", "signature", "body", "target", "emitter", "one", "something", "anything",
    "everything",
    "whatever", "what", "blob",
))  # fmt: skip
_FILLER = frozenset((
    "the", "a", "an", "all", "any", "every", "very", "really", "quite", "that", "which", "is", "are", "of",
    "in",
    "with", "there", "image", "picture", "frame", "view", "scene", "thermal", "most", "more",
))  # fmt: skip
_PLURALS = {"bodies": "body", "patches": "patch"}

# What a refusal offers, and what the reference lists.
EXAMPLES = (
    "warm objects", "hot objects", "hot", "warm", "heat", "warmth", "hot things", "warm things", "hot spots",
    "hotspots", "heat sources", "heat signatures", "something warm", "warm bodies", "hot areas", "cold",
    "cold objects", "cold things", "cold spots", "something cold",
)  # fmt: skip
_NEAR_ENOUGH = 0.55


def temperature_of(text: str) -> str | None:
    """HOT or COLD for a phrase about nothing but temperature, None for every other phrase."""
    words = " ".join(_singular(word) for word in text.casefold().split())
    for idiom, meaning in _IDIOMS.items():
        words = f" {words} ".replace(f" {idiom} ", f" {meaning} ").strip()
    found = {_TEMPERATURE[word] for word in words.split() if word in _TEMPERATURE}
    others = (word for word in words.split() if word not in _TEMPERATURE)
    if len(found) != 1 or any(word not in _THINGS and word not in _FILLER for word in others):
        return None
    return found.pop()


def nearest_phrase(text: str, known: Iterable[str] = EXAMPLES) -> str:
    """The known phrase that is spelled most alike, or the first one where none comes near."""
    known = tuple(known)
    close = difflib.get_close_matches(text.casefold(), known, n=1, cutoff=_NEAR_ENOUGH)
    return close[0] if close else known[0]


@dataclass(frozen=True)
class HeatPrompt(CompiledPrompt):
    """Summed signed weights of the phrases for hot and for cold things."""

    hot: float = 0.0
    cold: float = 0.0


class HeatLocaliser:
    """Locates "warm objects", "hot spots", "something cold" and the like; refuses everything else."""

    name = "heat"

    def __init__(self, instead_of: str = "", because: str = "") -> None:
        """instead_of: the localiser that was asked for and cannot be had, because: what to do about it."""
        self._because = because
        self.stands_in = (
            f"the localiser 'heat', for temperatures only, is used instead of '{instead_of}': {because}"
            if instead_of
            else ""
        )

    def compile(self, prompt: Prompt) -> HeatPrompt:
        """Sort the phrases by temperature. Raises PromptError for the first that names something else, or
        that would undo another.
        """
        weights = {HOT: 0.0, COLD: 0.0}
        named = []
        for phrase in prompt.phrases:
            temperature = temperature_of(phrase.text)
            if temperature is None:
                raise PromptError(_refusal(phrase, self._because), phrase.text, phrase.start)
            refuse_undone(phrase, weights[temperature], f"both are {temperature}; leave one of them out")
            weights[temperature] += phrase.signed
            named.append({"warm" if temperature == HOT else "cold": 1.0})
        return HeatPrompt(prompt, self.name, weights[HOT], weights[COLD], taken_for=tuple(named))

    def relevance(self, compiled: CompiledPrompt, rgb: Bytes, thermal: Bytes) -> Floats:
        """See Localiser. White is hot. Only the thermal image is looked at."""
        if not isinstance(compiled, HeatPrompt):
            raise ValueError(f"the prompt was compiled by '{compiled.localiser}', not by '{self.name}'")
        return thermal_contrast(thermal, compiled.hot, compiled.cold)


def _refusal(phrase: Phrase, because: str) -> str:
    others = [f"'{name}'" for name in localiser_names() if name != HeatLocaliser.name]
    remedy = f"to name other objects, set the localiser to {' or '.join(others)}"
    return (
        f"'{phrase.text}' cannot be located: the localiser 'heat' sees temperature only, and the nearest "
        f"phrase that it knows is '{nearest_phrase(phrase.text)}'; {because or remedy}"
    )


def _singular(word: str) -> str:
    if word in _PLURALS:
        return _PLURALS[word]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
