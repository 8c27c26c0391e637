"""Word tables of the prompt grammar, in lower case with single spaces and straight apostrophes."""

from __future__ import annotations

# Words that carry no object. A phrase made of nothing else is refused.
POLITE = (
    "please", "kindly", "just", "now", "then", "also", "hey", "ok", "okay", "thanks", "thank you",
    "could you", "can you", "would you", "will you", "i want you to", "we want you to", "i'd like you to",
    "i want to", "we want to", "i want", "we want", "i'd like to", "i would like to", "we would like to",
    "i'd like", "i would like", "i need to", "we need to", "i need", "we need", "let me", "let us", "let's",
    "help me", "try to", "make sure to", "be sure to", "so that", "to",
)  # fmt: skip
CONJUNCTIONS = ("and", "but", "while", "yet", "or", "plus", "as well as", "&", "with")
ARTICLES = (
    "the", "a", "an", "all", "all of the", "all the", "all of", "any", "every", "each", "some", "some of the",
    "my", "our", "your", "their", "his", "her", "its", "these", "those", "this", "that", "anything that is",
    "everything that is", "whatever is",
)  # fmt: skip

# Verbs in front of what must stand out.
WANTED = (
    "make", "show", "show me", "highlight", "emphasise", "emphasize", "focus on", "focus", "find", "look for",
    "look at", "locate", "detect", "enhance", "bring out", "point out", "pick out", "accentuate", "stress",
    "attend to", "pay attention to", "watch for", "watch out for", "watch", "mark", "spot", "reveal", "see",
    "keep an eye on", "give priority to", "prioritise", "prioritize", "concentrate on", "boost", "more",
    "more of",
)  # fmt: skip
# What may follow it.
WANTED_ENDINGS = (
    "stand out", "stands out", "standing out", "stand out clearly", "pop", "pop out", "visible",
    "more visible",
    "clearly visible", "clear", "clearer", "obvious", "prominent", "more prominent", "easy to see",
    "in focus",
    "should stand out", "must stand out", "to stand out", "should be visible", "must be visible",
    "to be visible",
)  # fmt: skip

# In front of what must stay calm. "-" is understood as well.
SUPPRESSED = (
    "no", "not", "without", "without any", "ignore", "ignoring", "hide", "hiding", "suppress", "suppressing",
    "mute", "muting", "downplay", "de-emphasise", "de-emphasize", "tone down", "turn down", "play down",
    "calm down", "quieten", "less", "less of", "fewer", "avoid", "disregard", "forget", "forget about",
    "never mind", "remove", "removing", "get rid of", "reduce", "reducing", "except", "except for",
    "do not show", "don't show", "do not highlight", "don't highlight", "do not emphasise", "don't emphasise",
    "do not emphasize", "don't emphasize", "do not focus on", "don't focus on", "do not make", "don't make",
    "do not want", "don't want", "neither", "nor", "calm the", "dim the", "darken the",
)  # fmt: skip
# "keep X calm", "leave X alone", "make X calm": what may follow X behind each verb.
_CALM = (
    "calm", "quiet", "calmer", "quieter", "subdued", "muted", "less visible", "invisible", "less prominent",
    "in the background",
)  # fmt: skip
_AS_IT_IS = ("natural", "as it is", "as they are", "as is", "unchanged", "out of it", "out")
CALM_FRAMES: dict[str, tuple[str, ...]] = {
    "keep": (*_CALM, *_AS_IT_IS, "low", "down", "dark", "dim"),
    "leave": (*_AS_IT_IS, "alone", "in the background", "dark", "dim", "be"),
    "make": (*_CALM, "disappear", "fade", "fade away", "dim"),
    "let": ("disappear", "fade", "fade away", "be"),
    "turn": ("down", "off"),
}

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
# "X and Y" that is one thing, not two.
INSEPARABLE = (("black", "white"), ("salt", "pepper"), ("horse", "cart"), ("up", "running"))
