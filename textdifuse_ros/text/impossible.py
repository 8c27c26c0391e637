"""What is asked of the image and cannot be done: no object, no fault to remove. Each is told what to type."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product, takewhile

from textdifuse_ros.text import lexicon, restoration
from textdifuse_ros.text.faults import MEASURES
from textdifuse_ros.text.harms import THERE, TOO, before
from textdifuse_ros.text.lexer import Word
from textdifuse_ros.text.phrasing import keys, strip_trailing
from textdifuse_ros.text.prompt import PromptError
from textdifuse_ros.text.restoration import LITTLE, MUCH, after

_MORE = ("more", "higher", "raise", "raising", "increase", "boost", "stronger", "enhance")
_LESS = ("less", "lower", "reduce", "reducing", "decrease", "too much", "weaken", "no", "remove", "without")
_COLOURS = ("colour", "color", "colours", "colors")
_POOR = ("poor", "bad", "low", "too low", "too bad", "terrible")


def _each(firsts: Iterable[str], seconds: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{first} {second}" for first, second in product(firsts, seconds))


def _both(words: Iterable[str]) -> tuple[str, ...]:
    """An adjective alone, and behind "make"."""
    return tuple(text for word in words for text in (word, f"make {word}"))


_CAMERAS = tuple(name for name in restoration.CAMERAS if name not in (restoration.HEAT, "colour", "color"))
_CHOOSING = (
    "use", "using", "more", "less", "prefer", "switch to", "show", "take", "trust", "favour", "favor",
    "no", "without", "ignore", "hide",
)  # fmt: skip
_AWAY = ("remove", "no", "less", "get rid of", "filter out", "reduce", "suppress", "without")
_STORMS = (
    "heavy rain", "light rain", "pouring rain", "drizzle", "rainstorm", "sleet", "hail", "blizzard",
    "snowstorm", "snow storm", "snowfall", "heavy snow", "falling snow",
)  # fmt: skip
_DIRTY = (
    "dirty", "wet", "fogged", "fogged up", "foggy", "dusty", "muddy", "iced", "icy", "frozen", "smeared",
)  # fmt: skip
_GLASS = _each(  # what sits on a lens; "the camera" is among the words for the image, which are left out
    ("rain", "raindrops", "rain drops", "drops", "droplets", "water", "water drops", "water droplets", "dirt",
     "mud", "dust", "snow", "ice", "frost", "condensation", "moisture", "smudges", "fingerprints", "insects"),
    ("on", "on lens", "on lenses", "on glass"),
)  # fmt: skip
_USING = ("use", "using", "use the", "switch to", "trust", "rely on", "rely more on", "use only", "take")
# By what is left of a directive without articles, "it" and words for the image.
_REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "contrast can be raised or left as it is: write 'more contrast' or 'keep the contrast'",
        (*_each(_LESS, ("contrast",)), "contrast off", "contrast down", "flatter", "make flatter",
        "too contrasty", "less contrasty"),
    ),
    (
        "no picture is darkened: write 'remove the glare', or 'keep the night look'",
        (
            *_both(("darker", "dimmer", "less bright")),
            "make dark",
            *_each((*_LESS[:-3], "remove"), ("brightness", "light")),
            *_each(("too much",), ("sun", "sunlight", "daylight")),
            "darken", "dim",
        ),
    ),
    (
        "no picture is blurred: leave 'sharpen' out, or write 'do not sharpen'",
        (
            *_both(("softer", "less sharp", "too sharp")),
            *_each(_LESS, ("sharpness", "detail")),
            "too much sharpening", "make blurry",
        ),
    ),
    (
        "colours are those of the RGB camera: write 'correct the colours' to take a cast off",
        (
            *_each((*_MORE, *LITTLE), (*_COLOURS, "saturation", "vivid colours", "vivid colors")),
            "too grey", "too gray", "too pale",
            *_each(("warmer", "cooler", "colder", "warm", "cool", "cold"), _COLOURS), "warmer", "cooler",
            *_each(("make",), _each(_COLOURS, ("warmer", "cooler", "colder"))),
            *_both(("more colourful", "more colorful", "more saturated", "colourful", "colorful", "vivid")),
        ),
    ),
    (
        "colours are those of the RGB camera: a node that wants none can take the luminance of the image",
        (
            *_both(("black and white", "greyscale", "grayscale", "monochrome", "grey", "gray")),
            "desaturate", "desaturated", *_both(("less saturated",)),
            *_each(_LESS, (*_COLOURS, "saturation", *_each(("saturated", "vivid"), _COLOURS))),
            *_each(("", "make"), ("less grey", "less gray")),
            *_each(("too", "less"), ("colourful", "colorful", "saturated", "vivid")),
        ),
    ),
    (
        "both cameras always have their part: name what must stand out, as in 'warm objects'; each camera by "
        "itself is on its own topic",
        (
            *_each(_CHOOSING, _CAMERAS), *_each(_CAMERAS, ("off", "on")),
            *_each(("more", "less"), _each(_CAMERAS, ("influence", "part", "weight", "share"))),
        ),
    ),
    (
        "plain fusion is the empty prompt: write ''",
        (
            "reset", "off", "none", "default", "defaults", "cancel", "normal", "no prompt", "nothing", "stop",
            "clear prompt", "clear all", "reset prompt", "plain", "plain fusion", "empty", "nothing special",
            "do nothing", "original", "raw", "no processing", "no restoration",
            "no enhancement", "no enhancements", "no changes", "no effects",
            "don't change anything", "do not change anything", "revert", "go back",
            "back to normal", "default settings", "start over", "undo", "everything off",
            "turn everything off", "switch everything off", "turn off everything",
            "remove everything", "remove", "keep as is", "keep original", "leave alone",
            "leave everything alone", "leave everything unchanged", "keep everything as is",
            "leave unchanged", "fine", "perfect",
        ),
    ),
    (
        "rain, dirt, reflections, flicker, shake and flaws of a lens are no faults that can be removed: "
        "write 'denoise', 'remove the haze' or 'remove the glare'",
        (
            *_each(_AWAY, ("rain", "snow", "raindrops", "rain drops", "snowflakes", "dirt", "reflections",
                           "reflection", "flicker", "flickering", "shake", "shaking", *_STORMS)),
            *_STORMS, *_GLASS, *_each((*_AWAY, "clean", "wipe off"), _GLASS),
            *_each(("lens", "lenses"), _DIRTY), *_each(_DIRTY, ("lens", "lenses")),
            "raining", "rains", "snowing", "snows", "clean lens", "wipe lens",
            *_each(("", "remove", "no", "fix", "correct"),
                   ("vignetting", "ghosting", "artefacts", "artifacts", "distortion", "aliasing")),
            "flicker", "flickers", "flickering", "shaky", "shakes", "stabilise", "stabilize",
        ),
    ),
    (
        "'restore' and 'prompt_strength' are settings of their own: write what must stand out, as in 'cars', "
        "or a wish, as in 'denoise'",
        (
            *_both(("auto", "automatic")), *_each(("restore", "mode", "restore mode"), ("auto", "off", "on")),
            *_each(("auto", "automatic"), ("mode", "restore", "restoration", "correction", "enhance")),
        ),
    ),
    (
        "a night can be lit, or left: write 'brighten the dark', or 'keep the night look'",
        (
            "night vision", "night mode", "day mode", "daylight mode", "make look like day", "look like day",
            "make day", "turn night into day", "night look like day",
            "night look like daytime", "use night vision", "night", "night time", "no night",
            "remove night", "less night", *_each(("better", "improve", "more"), ("night vision",)),
        ),
    ),
    (
        "light is not measured out: write 'brighten the dark' for more of it, 'remove the glare' for less, "
        "or 'keep the night look'",
        (
            *_each(("fix", "correct", "adjust", "more", "less", "lower", "raise", "increase", "reduce",
                    "too much", "auto"), ("exposure",)),
            *_each(("no", "without"), ("light", "brightness", "lighting")),
            "exposure", "exposure correction", "hdr", "dynamic range",
            "more dynamic range", "auto contrast", "gamma", "gamma correction", "tone mapping",
        ),
    ),
    (
        "each fault of a camera has a wish of its own: write 'keep the noise in the thermal image'",
        (
            *_each(("do not touch", "don't touch", "do not change", "don't change"), _CAMERAS),
            *_each(("leave", "keep"), _each(_CAMERAS, ("as is", "alone", "unchanged", "natural"))),
        ),
    ),
    (
        "there is no palette to choose: name what must stand out, as in 'warm objects'",
        _each(
            ("", "make", "use", "show"),
            ("white hot", "black hot", "white-hot", "black-hot", "palette", "thermal palette", "iron palette",
             "false colours", "false colors"),
        ),
    ),
    (
        "size and speed are no matter of a prompt: name what must stand out, as in 'warm objects'",
        (
            *_each(("", "too much", "less", "more", "low", "higher", "too low", "better"),
                   ("lag", "delay", "latency", "fps", "frame rate", "resolution", "zoom")),
            *_each(("fps", "frame rate", "resolution"), ("too low", "low")), "zoom in", "zoom out",
            *_each(("delay", "latency"), ("too high", "high")), "too much delay", "too much latency",
            "too slow", "too fast", "rotate", "flip", "bigger", "smaller", "too small",
            "too big", "too large", "too far", "too far away", "make bigger", "make smaller",
        ),
    ),
    (
        "heat and cold are those of the scene: write 'warm objects' to let what is warm stand out, or "
        "'no warm objects' to keep it calm; a tint is taken off by 'correct the colours'",
        (*_each(("too", "so", "very"), ("hot", "warm", "cold", "cool")), "too much heat", "too much warmth"),
    ),
    (
        "it has to be said what is wrong: write 'more contrast', 'denoise', 'brighten the dark' or "
        "'remove the haze'",
        (
            *_both(("better", "clearer", "clear", "nicer", "good", "more clear")),
            *_each((*_MORE, "improve", "better"), ("quality", "visibility")),
            *_each(("better", "clearer", "cleaner", "nicer", "fix", "repair", "improve", "enhance", "correct",
                    "clean"), _CAMERAS),
            *_each(_CAMERAS, ("bad", "useless", "poor", "terrible", "awful", "ugly", "broken", "wrong")),
            *_each(("remove", "no", "fix", "correct", "repair", "reduce", "less"),
                   ("faults", "all faults", "defects", "errors", "flaws", "problems", "degradations")),
            *_each(_POOR, ("quality", "visibility")), *_each(("quality", "visibility"), _POOR),
            *_each(("", "too", "very", "so"), ("bad", "ugly", "terrible", "awful", "unclear")),
            "not good", "not nice", "not clear", "not clear enough", "not good enough", "doesn't look good",
            "make look nice", "make look better",
            "improve", "enhance", "enhancement", "fix", "repair", "restore", "clean", "clean up",
            "i can't see anything", "i cannot see anything", "can't see anything", "cannot see anything",
            "see nothing", "i see nothing", "i can't see", "i cannot see",
        ),
    ),
)  # fmt: skip
_REASON_OF = {text.strip(): reason for reason, texts in _REASONS for text in texts}


def refuse_impossible(words: list[Word], typed: str, suppressed: bool = False) -> None:
    """Raises PromptError for a directive, or a phrase of one, that asks what no picture can be asked for."""
    spoken = keys(strip_trailing(words, lexicon.POLITE))
    spoken = ["no", *spoken] if suppressed else spoken
    left = [word for word in spoken if word not in (*restoration.ARTICLES, *restoration.IMAGE_WORDS, "it")]
    plain = [word for word in left if word not in lexicon.POLITE and word not in lexicon.CONJUNCTIONS[:3]]
    measured = [word for word in plain if word not in (*_CAMERAS, *restoration.PREPOSITIONS)]
    of_camera = " ".join(measured) if any(word in MEASURES for word in measured) else ""
    chosen = after(spoken, _USING)
    named = takewhile(
        lambda word: word in (*_CAMERAS, *restoration.ARTICLES, *restoration.IMAGE_WORDS), chosen
    )
    using = "use thermal" if any(word in _CAMERAS for word in named) else ""  # "use thermal for people"
    for text in (using, " ".join(left), " ".join(plain), _stated(plain), of_camera):
        if reason := _REASON_OF.get(text):
            raise PromptError(f"'{typed}' cannot be done, since {reason}", typed, words[0].start)


def _stated(words: list[str]) -> str:
    """ "is too sharp" and "contrast is too high" in the words of the table."""
    said = after(words, THERE)
    words = said if after(said, MUCH) else words
    high = before(words, ("high", "strong", "much"), TOO, must=True)
    words = ["too", "much", *high] if high else words
    return " ".join(word for word in words if word not in (*lexicon.SEEMS, "it's"))
