"""What is wrong with an image, and how people ask for it to be mended: word tables, to degradations."""

from __future__ import annotations

from textdifuse_ros.text import verbs

# What is wrong with an image, as people call it.
NOUNS: dict[str, str] = {
    "noise": "noise", "grain": "noise", "graininess": "noise", "speckle": "noise", "speckles": "noise",
    "static": "noise", "salt and pepper noise": "noise", "sensor noise": "noise", "noise level": "noise",
    "dead pixels": "noise", "hot pixels": "noise", "stuck pixels": "noise", "bad pixels": "noise",
    "film grain": "noise", "iso noise": "noise", "noises": "noise",
    "column noise": "stripes", "row noise": "stripes", "vertical lines": "stripes",
    "horizontal lines": "stripes", "scan lines": "stripes", "scanlines": "stripes", "column lines": "stripes",
    "stripes": "stripes", "stripe": "stripes", "striping": "stripes", "banding": "stripes",
    "fixed pattern": "stripes", "fixed-pattern noise": "stripes", "fixed pattern noise": "stripes",
    "haze": "haze", "fog": "haze", "mist": "haze", "smoke": "haze", "dust": "haze", "smog": "haze",
    "smoke cloud": "haze", "smoke clouds": "haze", "dust cloud": "haze", "dust clouds": "haze",
    "steam": "haze", "exhaust smoke": "haze", "dust storm": "haze", "dust storms": "haze",
    "sandstorm": "haze", "sand storm": "haze", "fog bank": "haze", "fog banks": "haze",
    "glare": "over_exposure", "over-exposure": "over_exposure", "overexposure": "over_exposure",
    "sun glare": "over_exposure", "lens flare": "over_exposure", "lens flares": "over_exposure",
    "blown highlights": "over_exposure", "highlights": "over_exposure", "dazzle": "over_exposure",
    "headlight glare": "over_exposure", "sun flare": "over_exposure",
    "low light": "low_light", "darkness": "low_light", "dark": "low_light", "under-exposure": "low_light",
    "underexposure": "low_light", "shadows": "low_light", "poor light": "low_light", "bad light": "low_light",
    "poor lighting": "low_light", "bad lighting": "low_light", "low lighting": "low_light",
    "low contrast": "low_contrast", "flatness": "low_contrast", "poor contrast": "low_contrast",
    "colour cast": "colour_cast", "color cast": "colour_cast", "tint": "colour_cast", "cast": "colour_cast",
    "colour bias": "colour_cast", "color bias": "colour_cast",
    "blur": "blur", "motion blur": "blur", "blurriness": "blur", "softness": "blur",
}  # fmt: skip

# Verbs that ask for one degradation's removal by themselves; an object or nothing follows.
VERBS: dict[str, str] = {
    "denoise": "noise", "denoising": "noise", "despeckle": "noise",
    "de-noise": "noise", "destripe": "stripes", "destriping": "stripes", "de-stripe": "stripes",
    "dehaze": "haze", "dehazing": "haze", "de-haze": "haze", "defog": "haze", "defogging": "haze",
    "de-fog": "haze", "unfog": "haze", "desmoke": "haze",
    "deblur": "blur", "deblurring": "blur", "de-blur": "blur", "unblur": "blur", "sharpen": "blur",
    "sharpening": "blur",
    "brighten": "low_light", "brighten up": "low_light", "brightening": "low_light", "lighten": "low_light",
    "illuminate": "low_light", "relight": "low_light", "relighting": "low_light", "light up": "low_light",
    "white balance": "colour_cast", "white-balance": "colour_cast",
}  # fmt: skip

# What a picture can have more of, and how that is asked for.
LACKED: dict[str, str] = {
    "light": "low_light", "lighting": "low_light", "brightness": "low_light", "contrast": "low_contrast",
    "sharpness": "blur", "detail": "blur", "details": "blur",
}  # fmt: skip
MEASURES = ("contrast", "brightness", "sharpness")
RAISING = (
    "more", "higher", "raise", "increase", "boost", "improve", "enhance", "add", "add more", "turn up",
    "better", "max", "maximum", "restore", "recover", "bring back", "bring out", "double", "push",
    "bring up", "give more", "give me more", "get more", "need more",
    *verbs.RAISING,
)  # fmt: skip
_RIGHT = ("natural", "realistic", "neutral", "right", "correct", "normal", "real", "true", "proper")
# Whole wishes that follow neither pattern, without the image they speak of: "make the thermal image sharper".
WISHES: dict[str, str] = {
    **{f"{more} {noun}": fault for more in RAISING for noun, fault in LACKED.items()},
    "brighter": "low_light", "make brighter": "low_light", "make bright": "low_light",
    "make lighter": "low_light", "sharper": "blur", "make sharper": "blur", "make sharp": "blur",
    "crisper": "blur", "make crisper": "blur", "make crisp": "blur", "more contrasty": "low_contrast",
    "make more contrasty": "low_contrast", "make contrasty": "low_contrast", "make more detailed": "blur",
    "more detailed": "blur", "lighter": "low_light", "more bright": "low_light",
    "more sharp": "blur", "need light": "low_light", "see in dark": "low_light",
    "see in darkness": "low_light",
    **{f"{noun} {boost}": fault for noun, fault in LACKED.items() for boost in ("boost", "enhancement")},
    "make dark areas brighter": "low_light", "enhance dark areas": "low_light", "even brighter": "low_light",
    **{f"{show} {edges}": "blur" for show in ("enhance", "accentuate", "bring out")
       for edges in ("edges", "outlines", "contours")},
    "sharper edges": "blur", "crisp edges": "blur", "crisper edges": "blur", "high contrast": "low_contrast",
    **{f"{turn}{noun} up": fault for noun, fault in LACKED.items() for turn in ("", "turn ")},
    **{f"{noun}{link}free": fault for noun, fault in NOUNS.items() if " " not in noun for link in (" ", "-")},
    **{f"{fix} {what}": "colour_cast"
       for fix in ("correct", "fix", "adjust", "restore", "recover", "bring back", "repair", "balance")
       for what in ("colours", "colors", "colour", "color", "white balance")},
    **{f"{colour} correction": "colour_cast" for colour in ("colour", "color")},
    **{f"{make}{right} {colours}": "colour_cast" for make in ("", "make ", "more ") for right in _RIGHT
       for colours in ("colours", "colors")},
    **{f"make {colours} {look}{right}": "colour_cast" for look in ("", "look ", "more ") for right in _RIGHT
       for colours in ("colours", "colors")},
    "see through smoke": "haze", "look through smoke": "haze",
    "see through fog": "haze", "look through fog": "haze", "see through haze": "haze",
}  # fmt: skip

# Wishes to leave something as it is.
KEEPS: dict[str, str] = {
    "night look": "low_light", "night": "low_light", "it dark": "low_light", "dark look": "low_light",
    "darkness": "low_light", "night mood": "low_light", "it night": "low_light",
    "colours": "colour_cast", "colors": "colour_cast", "original colours": "colour_cast",
    "original colors": "colour_cast", "natural colours": "colour_cast", "natural colors": "colour_cast",
    "colour": "colour_cast", "color": "colour_cast", "contrast": "low_contrast",
}  # fmt: skip
