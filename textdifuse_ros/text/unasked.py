"""What is said and asks for nothing: what is not wrong, how many there are, faults to be put in."""

from __future__ import annotations

import re

from textdifuse_ros.text import complaints, faults, lexicon, restoration
from textdifuse_ros.text.harms import THERE
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import FILLER, find, head, keys, strip_leading
from textdifuse_ros.text.prompt import PromptError

# What to type against a fault, and to leave it as it is.
ADVICE: dict[str, tuple[str, str]] = {
    "low_light": ("brighten the dark", "keep the night look"),
    "over_exposure": ("remove the glare", "brighten the dark"),
    "noise": ("denoise", "keep the noise"),
    "stripes": ("remove the stripes", "keep the stripes"),
    "haze": ("remove the haze", "keep the haze"),
    "low_contrast": ("more contrast", "keep the contrast"),
    "colour_cast": ("correct the colours", "keep the colours"),
    "blur": ("sharpen", "do not sharpen"),
}
_FINE = ("fine", "good", "ok", "okay", "perfect", "great", "alright", "all right", "nice")
_LESSER = (
    "less", "reduce", "weaker", "lower", "not so much", "not too much", "minimal", "too much", "so much",
    "softer",
)  # fmt: skip
SO_MUCH = tuple(
    f"{so} {much}"
    for so in ("so", "too", "that")
    for much in ("much", "strongly", "heavily", "hard", "strong")
)
_VERB_OF = {f"{verb.removesuffix('e')}ing": verb for verb in faults.VERBS}
_OVER = re.compile(r"over-?(\w+)")
_NOT = ("not", "isn't", "aren't", "wasn't")


def refuse_unasked(words: list[Word], typed: str) -> None:
    """Raises PromptError for what would be read as an object though it is none, nor a wish."""
    words = strip_leading(words, FILLER)
    spoken = keys(words)
    reason = _less_of_a_wish(spoken)
    not_so = spoken[:1] == ["not"] and complaints.is_like(spoken[1:])
    if not reason and (not_so or complaints.understand(spoken) is None):
        reason = _praised(spoken) or _counted(words) or _denied(spoken) or put_in(spoken)
    if reason:
        raise PromptError(f"'{typed}' {reason}", typed, words[0].start)


def advice(wish: restoration.Wish) -> str:
    remove, keep = ADVICE[wish.degradation]
    return f"write '{remove}' or '{keep}'"


def _praised(spoken: list[str]) -> str:
    """ "the thermal image is fine"."""
    for at, word in enumerate(spoken[:-1]):
        if (
            word in lexicon.SEEMS
            and " ".join(spoken[at + 1 :]) in _FINE
            and complaints.of_an_image(spoken[:at])
        ):
            return "asks for nothing: leave it out"
    return ""


def _less_of_a_wish(spoken: list[str]) -> str:
    """ "don't brighten the sky so much", "don't oversharpen", "less denoising", "denoising is too strong"."""
    rest = restoration.after(spoken, restoration.REFUSERS[:3])
    less = restoration.without_articles(restoration.after(spoken, _LESSER))
    if " ".join(spoken[-2:]) in SO_MUCH and (rest or spoken[0] in faults.VERBS):
        said = (rest or spoken)[:-2]
    elif rest and (over := _OVER.match(rest[0])):
        said = restoration.without_articles(rest[1:]) if over[1] == "do" else [over[1], *rest[1:]]
    else:
        said = less if less and less[0] in faults.VERBS else []
    said = said[:-1] if said and said[-1] in lexicon.SEEMS else said
    if not said or (wish := restoration.understand(said)) is None or wish.keep:
        return ""
    asked = " ".join([_VERB_OF.get(said[0], said[0]), *said[1 + (said[1:2] == ["of"]) :]])
    return f"asks for less of a wish: write 'slightly {asked}' or 'do not {asked}'"


def _counted(words: list[Word]) -> str:
    """ "too many cars", "there are not enough people"."""
    words = words[head(words, THERE) :]
    many, few = head(words, restoration.MUCH), head(words, restoration.LITTLE)
    rest = strip_leading(words[many or few :], FILLER)
    if not (many or few) or find(rest, lexicon.TURNING):
        return ""
    if restoration.is_fault(keys(rest)):
        return put_in(["more", *keys(rest)])
    name = " ".join(word.text for word in rest)
    todo = f"'no {name}' to keep it calm" if many else f"'{name}' to let it stand out"
    return f"says how much there is, and not what to do: write {todo}"


def _denied(spoken: list[str]) -> str:
    """ "the image is not noisy"."""
    if spoken[:1] == ["not"] and complaints.is_like(spoken[1:]):
        wish = complaints.understand(["too", *spoken[1:]])  # "foggy, not dark"
        return "" if wish is None else f"says no to a fault, which can be meant either way: {advice(wish)}"
    for at, word in enumerate(spoken):
        said = " ".join(spoken[:at]) in THERE or spoken[at - 1 : at] in (["has"], ["have"])
        here = word in _NOT or (word == "no" and said)
        rest = [*spoken[:at], *([word[:-3]] if word.endswith("n't") else []), *spoken[at + 1 :]]
        wish = complaints.understand(rest) if here and restoration.understand(rest) is None else None
        if wish is not None:
            return f"says no to a fault, which can be meant either way: {advice(wish)}"
    return ""


def put_in(spoken: list[str]) -> str:
    """Why what asks for a fault is refused, "" for anything else: "add noise"."""
    rest = restoration.after(spoken, faults.RAISING)
    wish = restoration.understand(["remove", *rest]) if rest else None
    return f"asks for a fault, and none is put in: {advice(wish)}" if wish is not None else ""
