"""Word tables of the prompt grammar, in lower case with single spaces and straight apostrophes."""

from __future__ import annotations

from textdifuse_ros.text import verbs

# What is left as it is whether somebody says so or not: "show people, ignore the rest".
THE_REST = ("the rest", "everything else", "all else", "the others", "all the rest", "anything else")
# Words that carry no object. A phrase made of nothing else is refused.
POLITE = (
    "please", "kindly", "yes", "yeah", "wow", "ugh", "oh", "hmm", "k", "ty", "just", "only", "now", "then",
    "also", "hey", "hi", "hello", "ok", "okay", "thanks", "thank you", "cheers",
    "could you", "can you", "would you", "will you", "i want you to", "we want you to", "i'd like you to",
    "i want to", "we want to", "i want", "we want", "i'd like to", "i would like to", "we would like to",
    "i'd like", "i would like", "i need to", "we need to", "i need", "we need", "let me", "let us", "let's",
    "pls", "plz", "i have to", "we have to", "i must", "we must", "want to", "wanna", "i wanna", "we wanna",
    "lemme", "need to", "gotta", "i'd love", "i would love", "i'd prefer", "i would prefer", "i wish",
    "if only",
    "make it possible to", "i think", "i think that", "i feel", "i believe", "i find", "in my opinion",
    "how do i", "how can i", "how to", "any chance to", "is there a way to", "it would help to", "could we",
    "can we", "can i", "may i", "would you mind", "is it possible to", "would it be possible to", "help me",
    "try to", "make sure to", "make sure", "make sure that", "be sure to", "ensure", "ensure that", "so that",
    "to", "nothing else", "and nothing else", "mostly", "mainly", "primarily", "chiefly", "specifically",
    "exclusively", "solely", "merely", "you can", "you may", "feel free to", "for now", "right now", "again",
    "anymore", "any more", "from now on", "at the moment", "as well", "if possible", "not only",
    "not just", "first of all", "at all", "continue", "start", "go on", "keep on", "i suggest", "we suggest",
    "i recommend", "do you mind", "try and", "should we", "shall we", "should i", "shall i", "why not",
    "how about", "what about", "take care that",
    *(f"{thank} {much}" for thank in ("thank you", "thanks", "many thanks", "thx")
      for much in ("very much", "a lot", "so much", "in advance", "a bunch")), "many thanks",
    "take care to", "take care", "begin", "try", "i would", "i'd",
    *(f"it would be {good} if you could" for good in ("great", "nice", "good")),
    *(f"{no} {rest}" for rest in THE_REST
      for no in ("ignore", "hide", "suppress", "forget", "forget about", "no", "not", "tone down")),
    *(text for rest in THE_REST for text in (f"keep {rest} calm", f"leave {rest} alone", f"{rest} calm",
      f"leave {rest} as it is", f"keep {rest} as it is")),
    *(f"{what} {verb}" for what in ("all that matters", "what matters", "what matters to me",
      "all i care about", "all i want", "all i need", "what i want", "what i need",
      "the main thing") for verb in ("is", "are", "is for")),
)  # fmt: skip
# Where and when, as a part of its own: "at night, show people".
CIRCUMSTANCES = frozenset((
    *(f"{in_the}{what}" for in_the in ("in the ", "in ", "through the ", "despite the ", "in spite of the ")
      for what in ("rain", "snow", "fog", "smoke", "haze", "mist", "dust", "dark", "darkness", "night",
                   "cold", "heat", "morning", "evening", "daytime", "twilight", "tunnel", "wind")),
    *(f"{at} {when}" for at in ("at", "by", "during", "during the")
      for when in ("night", "day", "dusk", "dawn")),
    "today", "tonight", "here", "outside", "in here", "out here", "in bad weather", "in poor visibility",
))  # fmt: skip
LAST = (*POLITE, "instead")  # at the end alone: "instead of cars" turns a meaning round
# Those in front of how things are to be: "make sure the cars are not visible", "I want it dark".
ENSURING = (
    "make sure", "be sure", "ensure", "so that", "i want", "we want", "i'd like", "i would like", "i need",
    "we need", "want to", "i wish", "if only",
)  # fmt: skip
CONJUNCTIONS = ("and", "but", "while", "yet", "or", "plus", "as well as", "&", "with")
ARTICLES = (
    "the", "a", "an", "all", "all of the", "all the", "all of", "any", "every", "each", "some", "some of the",
    "my", "our", "your", "their", "his", "her", "its", "these", "those", "this", "that", "anything that is",
    "everything that is", "whatever is",
    "nothing but", "nothing other than", "either", "both",
)  # fmt: skip

# Verbs of what is said about a thing: "the picture looks dark".
SEEMS = (
    "is", "are", "looks", "look", "seems", "seem", "was", "gets", "becomes", "appears", "appear", "stays",
    "remains",
)  # fmt: skip
# Who says that they do not see.
CANNOT = ("can't", "cannot", "can not", "couldn't", "can hardly", "can barely")
BLIND = (
    *(f"{who} {cannot}" for who in ("i", "we") for cannot in CANNOT),
    *(f"{who} {no}" for who in ("i", "we") for no in ("don't", "do not")),
)  # fmt: skip
# Verbs in front of what must stand out.
WANTED = (
    "make", "show", "show me", "find me", "help find", "give me", "highlight", "emphasise", "emphasize",
    "focus on", "focus", "find", "look for", "look at", "locate", "detect", "enhance", "bring out",
    "point out", "pick out", "accentuate", "stress",
    *(f"{who} {see}" for who in (*BLIND, *CANNOT) for see in ("see", "find", "make out", "spot")),
    "gimme", "get me", "where are", "where is", "is there", "are there", "showing", "highlighting",
    "attend to", "pay attention to", "watch for", "watch out for", "watch", "mark", "spot", "reveal", "see",
    "keep an eye on", "give priority to", "prioritise", "prioritize", "concentrate on", "search for",
    *(f"{who}{seeking}" for who in ("", "i am ", "i'm ", "we are ", "we're ")
      for seeking in ("looking for", "searching for", "interested in")),
    *(f"{who} {seek}" for who in ("i", "we")
      for seek in ("look for", "search for", "seek", "track", "follow")),
    "i care about", "i only care about", "i care most about", "boost", *verbs.FINDING, *verbs.RAISING,
    "more", "more of",
)  # fmt: skip
_WANTED_STATES = (
    "visible", "more visible", "clearly visible", "clear", "clearer", "obvious", "prominent",
    "more prominent", "easy to see", "in focus", "bright", "brighter", "lighter",
)  # fmt: skip
_ACTS = ("stand out", "stand out clearly", "pop", "pop out")
MODALS = ("should", "must", "shall", "will", "have to", "has to", "need to", "needs to", "ought to")
_SEEN = (*_ACTS, *(f"be {state}" for state in (*_WANTED_STATES, "highlighted", "seen")))
_SHOWN = (*_WANTED_STATES, "highlighted", "seen", "shown", "emphasised", "emphasized")
# Endings that need no verb in front: "the pedestrians must stand out".
OWING_ENDINGS = tuple(f"{modal} {seen}" for modal in MODALS for seen in _SEEN)
BEING_SEEN = (
    *(f"{verb} {how}visible" for verb in ("is", "are") for how in ("", "clearly ", "more ")),
    "can be seen", "become visible", "becomes visible", "show up",
)  # fmt: skip
FREE_ENDINGS = (
    "stand out", "stands out", "standing out", "stand out clearly", "to stand out", "to pop",
    *(f"to be {shown}" for shown in _SHOWN),
    *(f"{be}not {clear} enough" for be in ("", "is ", "are ") for clear in ("visible", "clear", "prominent")),
    *(f"{verb} {hardly}" for verb in ("is", "are")
      for hardly in ("hard to see", "difficult to see", "hardly visible", "barely visible", "important",
                     "more important", "most important")),
    *(f"{verb} the most important" for verb in ("is", "are")), "matter", "matters", "matter most",
    *(f"{have}{top} priority" for have in ("have", "has", "take", "takes")
      for top in ("", " top", " the highest")), "come first", "comes first",
    "matters most", "matter the most", "count most", "count the most",
    "can hardly be seen", "can barely be seen", "as possible", "too", *BEING_SEEN,
    *(f"{must} {lost}" for must in (*(f"{modal} {no} be" for modal in MODALS[:3] for no in ("not", "never")),
                                    "can't be", "cannot be", "can not be", "mustn't be", "shouldn't be")
      for lost in ("hidden", "ignored", "suppressed", "lost", "missed", "overlooked", "forgotten",
                   "left out")),
    *OWING_ENDINGS,
)  # fmt: skip
# What may follow one of WANTED.
WANTED_ENDINGS = (
    *_WANTED_STATES, *(f"as {state} as possible" for state in _WANTED_STATES), *_ACTS, "well", "properly",
    "better", "more clearly", "clearly", "easier to see",
    *FREE_ENDINGS,
)  # fmt: skip

# How a thing is that stands out, where a calm one is told apart from it: "people up and the sky down".
STANDING = frozenset((
    "highlighted", "emphasised", "emphasized", "marked", "shown", "seen", "front", "foreground", "sharp",
    "up", "on", "forward", "shine", "glow", "focus", "important", "first", "red", "white", "hot", "strong",
    "more", "less",
    *_WANTED_STATES,
))  # fmt: skip
# In front of what must stay calm. A list behind one of CURT_NO ends at its comma: "no sky, people".
# At the end of a name: "cars less", "people first, cars last". Half as much, or not at all?
LOW = (
    "less",
    "least",
    "the least",
    "last",
    *(f"{at}{low} {what}" for at in ("", "with ", "at ") for low in ("low", "lower", "lowest", "little")
      for what in ("priority", "weight", "strength", "importance")),
)  # fmt: skip
CURT_NO = ("no", "not", "less", "less of", "fewer", "without", "without any")
SUPPRESSED = (
    *CURT_NO, "ignore", "ignoring", "hide", "hiding", "suppress", "suppressing",
    "mute", "muting", "downplay", "de-emphasise", "de-emphasize", "tone down", "turn down", "play down",
    "calm down", "quieten", "disregard", "forget", "forget about", "never mind", "remove",
    "removing", "get rid of", "reduce", "reducing", "except", "except for", "neither", "nor", "calm the",
    "dim the", "dim all", "darken", "darken the", "darker", "dimmer", "calmer", "quieter", "exclude",
    "excluding", "omit", "omitting", "leave out", "filter out", "mask out", "block out", "cut out",
    "take out", "fade out", "eliminate", "delete", "erase", "deprioritise", "deprioritize", "minimise",
    "minimize",
    "take away", "kill the", "crop the", "cut the", "no need for", "no need to show", "no need to see",
    "turn off", "switch off", "disable", "blur out", "lower the", "drop the", "skip the", "mask the",
    "blur the", "fade the", "mask all", "go away", *verbs.SUPPRESSING,
)  # fmt: skip
# The same made of verbs that ask for the opposite: "don't look at the cars", "stop highlighting cars".
_REFUSING = ("do not", "don't", "never", "no longer")
_WANTING = (
    "want", "want you to", "want to see", "need to see", "like to see", "want to look at", "need", "like",
    "care about", "care for",
)  # fmt: skip
_SHOWING = (
    "showing", "showing me", "highlighting", "emphasising", "emphasizing", "focusing on", "focussing on",
    "looking at", "looking for", "finding", "detecting", "marking", "tracking", "watching", "enhancing",
    "boosting", "stressing", "making", "prioritising", "prioritizing", "following", "monitoring",
    "observing", "amplifying", "displaying", "identifying", "selecting",
)  # fmt: skip
NEGATED = (
    *(f"{no} {verb}" for no in _REFUSING for verb in (*WANTED[:-2], *_WANTING)),
    *(f"{who} {no} {verb}" for who in ("i", "we") for no in _REFUSING[:2] for verb in _WANTING),
    *(f"{no} {verb}" for no in ("stop", "avoid", "quit", "cease") for verb in _SHOWING),
    *(f"{who}{mind}" for who in ("i ", "we ") for mind in ("hate", "dislike")),
    *(f"{who}not interested in" for who in ("", "i am ", "i'm ", "we are ", "we're ")),
)  # fmt: skip
SAYING_NO = SUPPRESSED + NEGATED
# Said of a fault, nobody knows whether it is to go: "never mind the noise".
CARELESS = (
    "never mind", "forget", "forget about", "who cares about", "care less about", "disregard",
    *(f"{who}not interested in" for who in ("", "i am ", "i'm ", "we are ", "we're ")),
    *(f"{who}{no} care {about}" for who in ("i ", "we ", "") for no in _REFUSING[:2]
      for about in ("about", "for")),
)  # fmt: skip
# No to a no: "don't hide the people", "never ignore cars".
_LOSING = (
    "ignore", "hide", "suppress", "mute", "downplay", "avoid", "disregard", "forget", "forget about", "miss",
    "lose", "remove", "exclude", "omit", "darken", "neglect", "overlook", "dismiss", "discard", "conceal",
    "skip", "drop", "weaken", "dim", "mute", "dull", "fade", "tone down", "turn down", "play down",
    "de-emphasise", "de-emphasize", "deemphasise", "deemphasize", "minimise", "minimize",
    "lose sight of", "lose track of", "leave out", "cut out", "filter out", "black out",
)  # fmt: skip
_LOSING_THEM = (
    "missing", "losing", "overlooking", "forgetting", "hiding", "ignoring", "suppressing", "dimming",
    "muting", "darkening",
)  # fmt: skip
# "don't let the sky dominate"
NOT_LETTING = frozenset(f"{no} let" for no in ("do not", "don't", "never"))
DOMINATING = frozenset((
    "dominate", "distract me", "distract us", "distract", "draw attention", "take over", "shine", "glow",
    "show", "be seen", "be visible", "steal the show", "get in the way", *_ACTS,
))  # fmt: skip
WANTING = (
    *WANTED, *(f"{no} {verb}" for no in _REFUSING for verb in _LOSING),
    *(f"{who} {no} want to {verb}" for who in ("i", "we") for no in _REFUSING[:2] for verb in _LOSING),
    *(f"{no} {verb}" for no in ("avoid", "without", "stop", "quit", "cease") for verb in _LOSING_THEM),
)  # fmt: skip
# "keep X calm", "leave X alone", "make X calm": what may follow X behind each verb.
_DIM = ("calm", "quiet", "calmer", "quieter", "subdued", "muted", "darker", "dimmer", "less bright")
_CALM = (*_DIM, "less visible", "invisible", "less prominent", "in the background", "out of focus")
STATES = frozenset(
    (*_WANTED_STATES, *_ACTS, *_CALM, "clearly", "better", "dark", "hidden", "disappear", "fade")
)
_AS_CALM = tuple(f"as {calm} as possible" for calm in (*_DIM[:2], "dark", "dim", "invisible", "muted"))
_GONE = (
    "disappear", "fade", "fade away", "vanish", "go away", "recede", "fade into the background",
    "blend into the background",
)  # fmt: skip
STATES_CALM = frozenset(_DIM)
_AS_IT_IS = ("as it is", "as they are", "as is", "unchanged", "out of it", "out")
_OUT_OF_SIGHT = (
    "out of sight", "out of my sight", "out of our sight", "out of view", "out of my view", "out of here",
    *(f"out of the {shot}" for shot in ("picture", "image", "frame", "view", "scene", "shot", "way")),
)  # fmt: skip
_BACK = ("to the background", "into the background", "to the back", "to the rear", "back")
_CALM_FRAMES: dict[str, tuple[str, ...]] = {
    "keep": (*_CALM, *_AS_CALM, *_AS_IT_IS, *_OUT_OF_SIGHT, *verbs.FROM, "low", "down", "dark", "dim",
             "hidden"),
    "stop": verbs.FROM,
    "prevent": verbs.FROM,
    "give": ("less weight", "less attention", "less priority", "no attention", "no priority", "low priority"),
    "leave": (*_AS_IT_IS, *_OUT_OF_SIGHT, "alone", "in the background", "dark", "dim", "be"),
    "make": (*_CALM, *_AS_CALM, *_GONE, "dim", "dark", "not stand out", "stand out less", "not visible",
             "hard to see", "barely visible", "hardly visible", "transparent", "dull", "duller", "faint",
             "fainter", "weak", "weaker", "flat", "plain", "soft", "grey", "gray", "unseen", "unnoticed",
             "unnoticeable", "less noticeable", "less obvious", "less dominant", "nothing"),
    "let": (*_GONE, "be", "stand out less", "be less visible", "be calm"),
    **dict.fromkeys(("tone", "bring", "dial", "crank", "play", "calm", "scale"), ("down",)),
    "turn": ("down", "off", "invisible", "transparent", "dark", "grey", "gray"),
    "switch": ("off",),
    "take": ("away", "out", *_OUT_OF_SIGHT),
    "get": ("away", "out", *_OUT_OF_SIGHT),
    "cut": ("away", "out", "off"),
    "filter": ("out",),
    "fade": ("out", "away", "down"),
    "put": ("in the background", "in the back", *_BACK, *_OUT_OF_SIGHT),
    "move": (*_BACK, *_OUT_OF_SIGHT),
    "push": (*_BACK, *_OUT_OF_SIGHT),
}  # fmt: skip
_FRAMING = {"keeping": "keep", "leaving": "leave", "making": "make", "letting": "let"}
CALM_FRAMES = {**_CALM_FRAMES, **{acting: _CALM_FRAMES[verb] for acting, verb in _FRAMING.items()}}
WANTED_FRAMES: dict[str, tuple[str, ...]] = {
    "keep": (*_WANTED_STATES, "in view", "in sight", "highlighted"),
    "let": ("be visible", "be seen", "shine", "glow", *_ACTS),
    "leave": ("visible", "in view"),
    "get": ("to stand out",),
    "turn": ("on", "up"),
    "switch": ("on",),
    "put": (*verbs.TO_THE_FRONT, "in focus", "first"),
    "bring": (*verbs.TO_THE_FRONT, "out"),
    "move": verbs.TO_THE_FRONT,
    "push": verbs.TO_THE_FRONT,
    "give": ("more weight", "more attention", "more priority", "priority", "high priority", "top priority"),
}
# Those that mean nothing without what follows: "keep the sky" may be meant either way.
OPEN_FRAMES = ("keep", "leave", "let", "put", "move")
# Verbs, unless they tell what a thing is like: "dim sky".
# Said of what lies all around, that is to stay in the background: "quiet cars" make no noise.
BLAND = (
    "quiet", "dull", "faded", "lowered", "darkened", "bland", "flat", "soft", "faint", "weak", "blank",
    "plain", "subtle", "inconspicuous", "toned-down", "softened", "hushed", "invisible", "hidden",
)  # fmt: skip
UNSURE = (*OPEN_FRAMES, "avoid", "avoiding", "dim", "mask", "blur", *verbs.IDLE)
# Endings that need no verb in front: "the cars must not stand out", "the sky should be calm", "sky calm".
_NOT = (
    "should not", "shouldn't", "must not", "mustn't", "shall not", "need not", "do not", "don't", "does not",
    "doesn't",
)  # fmt: skip
_CALMED = (
    *_GONE, "go", "stand out less", "be toned down",
    *(f"{be} {calm}" for be in ("be", "stay", "remain", "become")
      for calm in (*_CALM, "dark", "hidden", "ignored", "suppressed")),
)  # fmt: skip
# "the people are invisible": is that what is wrong, or what is asked for?
STATED = (
    *(f"{no} {state}" for no in ("is not", "isn't", "are not", "aren't")
      for state in (*_WANTED_STATES, "highlighted")),
    "is invisible", "are invisible", "cannot be seen", "can't be seen", "can not be seen",
)  # fmt: skip
CALM_ENDINGS = (
    *STATED, "unimportant", "irrelevant", "not important", "not needed",
    *(f"{verb} {idle}" for verb in ("is", "are")
      for idle in ("useless", "pointless", "superfluous", "redundant", "not useful", "not relevant",
                   "unnecessary", "not necessary", "unwanted", "of no interest", "of no use",
                   "unimportant", "irrelevant",
                   "less important", "uninteresting", "boring", "distracting", "annoying", "not needed",
                   "not interesting", "not important", "not wanted")),
    *(f"{verb}{whom}" for verb in ("distract", "distracts", "annoy", "annoys", "bother", "bothers", "disturb",
                                   "disturbs") for whom in ("", " me", " us")),
    *(f"{verb} in the way" for verb in ("is", "are", "get", "gets")),
    *(f"{need} {hiding}" for need in ("needs", "need")
      for hiding in ("calming", "hiding", "dimming", "muting", "darkening", "suppressing")),
    *(f"to be {hidden}" for hidden in (*_CALM, "dark", "dim", "calmed", "hidden", "ignored", "suppressed",
                                       "dimmed", "muted", "darkened", "faded")),
    *(f"to {gone}" for gone in _GONE),
    *(f"{no} {matter}" for no in _NOT for matter in ("matter", "count", "interest me", "interest us")),
    *(f"{may} be {gone}" for may in ("can", "may", "could", "might")
      for gone in ("ignored", "hidden", "suppressed", "left out", "removed", "forgotten", "skipped")),
    *_DIM, *_AS_CALM, *_GONE, "as little as possible", "less visible", "less prominent", "stand out less",
    "stands out less",
    *(f"{no} {seen}" for no in _NOT
      for seen in ("be emphasised", "be emphasized", "be prominent", "be marked", "be shown", "be so bright",
                   "be so visible", "be so prominent", "dominate", "draw attention")),
    *(f"{no} {seen}" for no in _NOT for seen in _SEEN),
    *(f"{no} {state}" for no in ("isn't", "aren't") for state in ("important", "wanted", "needed")),
    *(f"{modal} {calmed}" for modal in MODALS for calmed in _CALMED),
)  # fmt: skip

# Words that turn a meaning round. An object phrase that still holds one is refused, since what it names would
# stand out, or keep calm, against what it says.
NEGATIONS = (
    "not", "cannot", "never", "neither", "nobody", "no one", "unless", "less", "fewer", "too", "more than",
    "more important than", "don t", "distract from", "distracts from",
)  # fmt: skip
HIDING = ("hide", "hides", "ignore", "suppress", "disregard", "remove")  # what is first, or what is last?
TURNING = (
    *NEGATIONS, "no", "without", "except", "excepting", "excluding", "but", "while", "whereas", "minus",
    "instead of", "rather than", "other than", "apart from", "aside from", "is hidden", "are hidden", *HIDING,
    "hardly visible", "barely visible", "scarcely visible", "be gone", "as little",
    "toned down", "faded out", "free of", "free from", "devoid of", "void of", "empty of",
    "sans", "to the background", "into the background",
)  # fmt: skip
# The same where they come last: "cars off".
TURNING_LAST = (
    "off", "no", "excluded", "ignored", "suppressed", "hidden", "dimmed", "removed", "deemphasised",
    "de-emphasised", "deemphasized", "de-emphasized", "subdued", "faded", "invisible", "weak", "min",
    "weaker", "fainter", "duller", "unseen", "unnoticeable", "zero", "none", "nil", "barely", "hardly",
    "rarely", "seldom", "darkened", "transparent", "translucent", "begone", "minimal", "secondary",
)  # fmt: skip
TURNING_TWO = (
    "out",
    "away",
    "gone",
    "down",
    "low",
    "dim",
    "dark",
    "black",
    "flat",
    "dull",
)  # where there are two words: "sky out"
# And in a phrase that is to keep calm: "hide the sky show people" lacks a comma.
TURNING_BACK = (
    "show", "highlight", "emphasise", "emphasize", "focus on", "reveal", "more", "only", "just", "stand out",
    "making", "letting", "thus", "although", "highlighting", "emphasising", "for",
    # What nobody wants to happen to what is named: "without hitting people", "no missed people".
    "hit", "hitting", "collide", "colliding", "collision", "collisions", "crash", "crashing", "harm",
    "harming", "hurt", "hurting", "kill", "killing", "run over", "accident", "accidents", "endanger",
    "injure", "darkening", "covering", "hiding", "left behind", "missed", "loss of", "suppression of", "miss",
    "lose", "missing", "losing",
)  # fmt: skip
_EVERY = ("everything", "anything", "all", "everyone", "everybody", "anyone", "whatever")
_NOT_BEING = tuple(
    f"{that}{no}"
    for that in ("that ", "which ", "who ", "")
    for no in ("is not", "are not", "isn't", "aren't")
)
ALL_BUT = tuple(
    f"{every} {but}" for every in _EVERY for but in ("but", "bar", "barring", "save", "not", *_NOT_BEING)
)
ALL_EXCEPT = tuple(
    f"{every} {but}"
    for every in (*_EVERY, "it")
    for but in ("except", "except for", "excepting", "apart from", "besides", "other than")
)

# Typed without their apostrophe.
SPELLINGS = {
    "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "shouldnt": "shouldn't", "mustnt": "mustn't",
    "isnt": "isn't", "arent": "aren't", "cant": "can't", "couldnt": "couldn't", "theres": "there's",
    "im": "i'm", "do'nt": "don't", "dnt": "don't", "cannt": "can't", "surpress": "suppress",
    "hightlight": "highlight", "higlite": "highlight", "highlite": "highlight", "hilight": "highlight",
    "hilite": "highlight", "wont": "won't", "whilst": "while", "thx": "thanks", "thanx": "thanks",
    "tnx": "thanks", "wihout": "without",
}  # fmt: skip

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
# "X and Y" that is one thing, not two.
INSEPARABLE = (("black", "white"), ("salt", "pepper"), ("horse", "cart"), ("up", "running"))
