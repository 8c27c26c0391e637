"""A line of text made ready for a localiser; what a refusal says to type is what that localiser takes."""

from __future__ import annotations

import re

from textdifuse_ros.text.grammar import parse
from textdifuse_ros.text.localiser import CompiledPrompt, Localiser
from textdifuse_ros.text.objects import APART
from textdifuse_ros.text.prompt import PromptError
from textdifuse_ros.text.wishes import compile_prompt

_QUOTED = re.compile(r"(?<!\w)'(.+?)'(?!\w)")  # "don't" holds no mark
_EXAMPLE = "people, no cars"


def read_prompt(localiser: Localiser, text: str) -> CompiledPrompt:
    """Parse and compile a prompt. Raises PromptError for what cannot be followed, LocaliserError."""
    try:
        return compile_prompt(localiser, parse(text))
    except PromptError as error:
        raise _sound(localiser, error) from None


def _sound(localiser: Localiser, error: PromptError) -> PromptError:
    """The same error, without advice that the localiser would refuse; as it is where it would refuse all."""
    said, write, advice = error.reason.rpartition("write ")
    texts = _QUOTED.findall(advice.partition("as in ")[0]) if write else []
    failing = [text for text in texts if not _accepts(localiser, text)]
    if not failing:
        return error
    first = [part for text in failing if (part := text.partition(",")[0]) != text]
    sound = [text for text in (*texts, *first) if text not in failing and _accepts(localiser, text)]
    if sound:
        todo = " or ".join(f"'{text}'" for text in dict.fromkeys(sound))
        why = f"{said.rstrip(': ')}, and the localiser '{localiser.name}' cannot tell that apart"
        return PromptError(f"{why}: write {todo}", error.phrase, error.position)
    if _accepts(localiser, _EXAMPLE):
        return PromptError(f"{said}{APART}", error.phrase, error.position)
    return error


def _accepts(localiser: Localiser, text: str) -> bool:
    try:
        compile_prompt(localiser, parse(text))
    except PromptError:
        return False
    return True
