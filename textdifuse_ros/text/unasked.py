"""What is said and asks for nothing: what is not wrong, how many there are, faults to be put in."""

from __future__ import annotations

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
    """ "don't brighten the sky so much"."""
    rest = restoration.after(spoken, restoration.REFUSERS[:3])
    if " ".join(spoken[-2:]) not in ("so much", "too much", "that much") or not rest[:-2]:
        return ""
    said = " ".join(rest[:-2])
    asks = restoration.understand(rest[:-2]) is not None
    return f"asks for less of a wish: write 'slightly {said}' or 'do not {said}'" if asks else ""


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
