"""Object phrases that are none: they hold words of a wish, or tell of who speaks. All are refused."""

from __future__ import annotations

from textdifuse_ros.text import complaints, lexicon, restoration
from textdifuse_ros.text.faults import LACKED, MEASURES, NOUNS, VERBS
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import keys
from textdifuse_ros.text.unasked import advice

_NAMES = ("illuminate", "lighten", "sharpening", "relight")  # "sharpening steel" is a thing
_VERBS = {verb: fault for verb, fault in VERBS.items() if " " not in verb and verb not in _NAMES}
_ASKED = {**_VERBS, **{measure: LACKED[measure] for measure in MEASURES}}
_VERBS_ONLY = ("highlight", "emphasise", "emphasize")  # "show" begins and ends names as well
# At the end of a phrase these name a fault whatever stands in front; smoke and dust may be that of a thing.
_FAULTS = ("noise", "grain", "blur", "glare", "fog", "haze", "mist")
# Behind a wish these say more than one can hold: "denoise without blurring".
_MORE = (
    "without", "by", "before", "after", "if", "when", "whenever", "until", "till", "unless", "while", "as",
    "level",
)  # fmt: skip
_WITHIN = (
    *restoration.PREPOSITIONS, "with", "without", "by", "through", "under", "inside", "into", "to", "that",
)  # fmt: skip
_TELLING = ("i", "we", "i'm", "we're", "i've", "we've", "i'd", "we'd", "i'll", "we'll", "you", "you're")


def stray(words: list[Word]) -> str:
    """What is wrong with such a phrase, "" where it is a name."""
    return _second(words) or _wish(words) or _place(keys(words)) or _told(words)


def left_over(words: list[Word]) -> str:
    """ "everything else can stay dark", "denoise without blurring"."""
    spoken = keys(words)
    if (
        any(each in (" ".join(spoken[:2]), f"the {spoken[0]}") for each in lexicon.THE_REST)
        and len(spoken) > 2
    ):
        return "speaks of the rest, which stays as it is: leave it out"
    for at in range(1, len(spoken) - 1):
        if spoken[at] in ("except", "but", "unless") and restoration.is_fault(spoken[:at]):
            fault = " ".join(word.text for word in words[:at])
            holds = "a wish holds for the whole image, for one camera, or for one object"
            return f"says more than that: {holds}, as in 'remove the {fault} in the rgb image'"
        if spoken[at] in _MORE and complaints.understand(spoken[:at]) is not None:
            plain, more = " ".join(word.text for word in words[:at]), words[at].text
            if any(char.isdigit() for word in words[at:] for char in word.text):
                return f"says how far in words that a wish does not know: write a weight, as in '{plain}*0.5'"
            plainly = f"write '{plain}', and what else is asked behind a comma"
            return f"says more than a wish can from '{more}' on: {plainly}"
    return ""


def _second(words: list[Word]) -> str:
    """ "above everything highlight people"."""
    at = next((at for at, word in enumerate(words) if at and word.key in _VERBS_ONLY), 0)
    rest = " ".join(word.text for word in words[at:])
    return (
        f"holds a second directive: write a comma in front of '{rest}'" if at and at + 1 < len(words) else ""
    )


def _wish(words: list[Word]) -> str:
    """ "denoise level 2", "weaker denoising", "half the noise", "denoise before sharpening"."""
    spoken = keys(words)
    at = next((at for at, word in enumerate(spoken) if word in _ASKED), -1)
    fault = _ASKED[spoken[at]] if at >= 0 else ""
    if at < 0 and spoken[-1] in _FAULTS and not any(word in _WITHIN for word in spoken):
        at, fault = len(words) - 1, NOUNS[spoken[-1]]
    if at < 0 or len(words) == 1 or restoration.is_fault(spoken):  # which is told so
        return ""
    said, todo = words[at].text, advice(restoration.Wish(fault))
    if any(char.isdigit() for word in words for char in word.text):
        remove = todo.split("'")[1]
        return f"says how far in words that a wish does not know: write it as a weight, as in '{remove}*0.5'"
    return f"holds '{said}' and more than a wish can say: {todo}, and what else is asked behind a comma"


def _place(spoken: list[str]) -> str:
    """ "in the thermal image"."""
    if spoken[0] not in restoration.PREPOSITIONS or not complaints.of_an_image(spoken[1:]):
        return ""
    return "says where and not what: write it behind a wish, as in 'denoise the thermal image'"


def _told(words: list[Word]) -> str:
    """ "I'm flying over a burning building"."""
    if words[0].key in _TELLING and len(words) > 1:
        return "tells of you and names no object: leave it out, and name what must stand out, as in 'people'"
    return ""
