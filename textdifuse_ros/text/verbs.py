"""Less plain verbs of the prompt language, in lower case: what lets a thing stand out, what keeps it calm.

Verbs that begin names as well ("skip lorry", "quiet cars") count in front of an article only.
"""

from __future__ import annotations

_ARTICLES = ("the", "all", "all the", "my", "our", "these", "those", "every", "any")
_HEED = ("attention", "emphasis", "focus", "weight", "priority", "preference")
_LOW = ("low", "lower", "lowest", "little", "least", "minimal", "minimum")
_TWICE = ("blot", "shut")  # "blotting out"


def _the(verbs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{verb} {article}" for verb in verbs for article in _ARTICLES)


def _acting(verb: str) -> str:
    """ "wipe out" -> "wiping out"."""
    first, _, rest = verb.partition(" ")
    stem = first + first[-1] if first in _TWICE else first.removesuffix("e")
    return f"{stem}ing {rest}".rstrip()


RAISING = (
    "amplify", "intensify", "strengthen", "reinforce", "magnify", "turn up", "dial up", "crank up", "ramp up",
    "bump up", "pump up",
)  # fmt: skip
FINDING = (
    "identify", "recognise", "recognize", "discern", "make out", "visualise", "visualize", "uncover",
    "unhide", "unmute", "observe", "inspect", "monitor", "track", "follow", "select", "choose", "display",
    "check for", "scan for", "hunt for", "seek", "seek out", "zoom in on", "home in on", "zero in on",
    "lock on to", "lock onto", "warn about", "warn me about", "warn of", "warn me of", "alert me to",
    "favour", "favor", "prefer", "clearly see", "clearly show", "better see", "include", "enable",
    "activate", "add", "turn on", "switch on", "focus more on", "concentrate more on", "priority to",
    "priority for", "attention to", "emphasis on", "more emphasis on", "more attention to",
    "more priority for", "more weight on", "keep the focus on", "keep focus on", "focus is on",
    "rather see", "rather have", "where can i find", "put the spotlight on", "keep track of",
    "hard to see",
    *(f"keep {acting}" for acting in ("tracking", "showing", "highlighting", "watching", "looking at",
                                     "following")),
    "unveil", *_the(("target", "pick", "check", "circle", "draw", "expose", "isolate", "outline", "raise",
                     "segment")),
    *(f"{verb} {more}{what} to" for verb in ("give", "pay", "draw", "call", "direct")
      for more in ("", "more ") for what in _HEED),
    *(f"{verb} {more}{what} on" for verb in ("put", "lay", "place") for more in ("", "more ", "the ")
      for what in _HEED[:3]),
)  # fmt: skip
# Of a fault as well: "attenuate the noise".
LESSENING = (
    "attenuate", "diminish", "lessen", "weaken", "dampen", "damp down", "decrease", "dial down", "dial back",
    "scale down", "scale back", "cut back on", "cut down on", "bring down", "subdue", "mitigate",
)  # fmt: skip
_DROPPING = (
    "obliterate", "annihilate", "banish", "discard", "dismiss", "neglect", "overlook", "conceal", "censor",
    "pixelate", "anonymise", "anonymize", "deemphasise", "deemphasize", "black out", "blank out", "blot out",
    "grey out", "gray out", "wash out", "tune out", "weed out", "wipe out", "rule out", "screen out",
    "shut out", "cover up", "unhighlight", "un-highlight", "unmark", "unselect", "deselect", "de-select",
    "untrack", "deactivate", "reject", "cancel", "zero out", "demote", "dehighlight", "de-highlight", "limit",
    "forbid", "veto", "blacklist", "shun", "detest", "ditch", "blacken", "boycott", "loathe", "despise",
    "abhor", "refuse", "deny", "subtract", "purge", "snub", "nuke", "zap", "redact", "throw out", "lowlight",
    "throw away", "crop out", "dislike", "nix", "black-out",
    "shut off", "phase out", "nullify", "hate", "down-weight", "downweight",
)  # fmt: skip
SUPPRESSING = (
    *LESSENING, *_DROPPING, *map(_acting, (*LESSENING, *_DROPPING)),
    "rid of", "go easy on", "little emphasis on", "little attention to", "little weight on",
    "out with", "spare me", "save me from", "nevermind", "had enough of", "i've had enough of",
    "suppression of", "removal of", "give little weight to", "make little of", "who needs", "why show",
    "calming", "darkening", "minimising", "minimizing", "turning down",
    "look past", "look away from", "pay no attention to", "pay less attention to", "give less weight to",
    "give less priority to", "give no priority to", "enough of", "away with", "who cares about",
    "stay away from", "stay clear of", "keep away from", "turn away from", "move away from", "keep off",
    "keep out", "keep ignoring", "keep hiding", "keep suppressing", "keep your eyes off",
    "take your eyes off",
    *(f"{verb} {what} {off}" for verb, off in (("take", "off"), ("take", "away from"), ("draw", "away from"))
      for what in ("attention", "the attention", "the focus", "focus")),
    "as little", "as few", "very little", "very few", "least", "least of all", "minimal", "none of",
    "nothing of", "min", "minimum", "half as much", "half as many", "hardly any", "not so much",
    "not so many", "sans", "excl",
    "nope", "minus", "non", "off with", "down with", "enough with", "sick of", "i am sick of", "i'm sick of",
    "tired of", "fed up with", "uninterested in", "no need of", "have no need for",
    "look beyond", "see past", "see beyond", "focus less on", "concentrate less on", "care less about",
    *(f"{less} {what}" for less in ("less", "no", "without", *_LOW)
      for what in ("focus on", "emphasis on", "attention to", "attention for", "priority for", "priority to",
                   "weight on", "weight for", "weight to", "strength for", "importance for",
                   "highlight on", "highlighting of")),
    *_the(("ban", "blank", "bury", "cloak", "cover", "damp", "drop", "dull", "hush", "obscure", "quiet",
           "screen", "shade", "shrink", "shroud", "silence", "skip", "smother", "soften",
           "tame", "veil", "wipe", "dimming", "masking", "blurring", "covering", "softening", "shading",
           "fading")),
)  # fmt: skip
# In front of what names several: "drop cars"; "drop bar bike" is a bike.
UNSURE_OF_MANY = (
    "ban", "block", "bury", "bypass", "cloak", "cover", "cut", "desaturate", "drop", "dump", "evade",
    "fade", "filter", "flatten", "lose", "lower", "obscure", "scrap",
    "shrink", "shroud", "silence", "skip", "smother", "soften", "trim", "vanish", "veil", "wipe",
)  # fmt: skip
# Of what may well be left out.
IDLE = (
    "unimportant", "uninteresting", "irrelevant", "boring", "distracting", "unwanted", "unneeded",
    "unnecessary", "useless", "low-priority", "low priority", "annoying", "zero", "calm", "muted", "dimmed",
    "suppressed", "subdued",
)  # fmt: skip
# "keep people from standing out"
FROM = tuple(
    f"from {acting}"
    for acting in ("dominating", "standing out", "popping", "popping out", "being visible", "being seen",
                   "being highlighted", "distracting me", "distracting us", "showing")
)  # fmt: skip
TO_THE_FRONT = (
    "to the front", "to the foreground", "into the foreground", "in the foreground", "forward", "into focus",
    "into view",
)  # fmt: skip
# Begin names as often as directives: "the track is too dark".
NOUNS = frozenset((
    "target", "track", "monitor", "display", "screen", "cover", "shade", "drop", "skip", "blank", "place",
    "call", "out",
))  # fmt: skip
