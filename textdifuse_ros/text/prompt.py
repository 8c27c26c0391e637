"""What a prompt means: the phrases it holds, and the one error that a prompt can raise."""

from __future__ import annotations

from dataclasses import dataclass, field

from textdifuse_ros.text.restoration import Wish

OBJECT = "object"
RESTORATION = "restoration"


class PromptError(ValueError):
    """A prompt that cannot be followed.

    Attributes:
        reason: one sentence that says what is wrong and what to type instead.
        phrase: the phrase at fault as typed, empty where the whole line is at fault.
        position: 0-based index of the fault in the source text, -1 where there is none.

    ``str(error)`` is the reason, followed by the character counted from 1 where one is known.
    """

    def __init__(self, reason: str, phrase: str = "", position: int = -1) -> None:
        self.reason = reason
        self.phrase = phrase
        self.position = position
        super().__init__(reason if position < 0 else f"{reason} (at character {position + 1})")


@dataclass(frozen=True)
class Phrase:
    """One thing that a prompt asks for.

    ``text`` holds the words that matter, as typed, with single spaces: ``pedestrians behind the smoke``.
    ``source[start:end]`` is where they stand in the prompt. A restoration phrase holds its wish. Two phrases
    are equal when they mean the same, wherever they stand.
    """

    text: str
    weight: float = 1.0  # [0, 2]
    suppressed: bool = False
    kind: str = OBJECT  # "object" | "restoration"
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    wish: Wish | None = field(default=None, compare=False)

    @property
    def signed(self) -> float:
        """The weight, negative for what is to keep calm: in [-2, 2]."""
        return -self.weight if self.suppressed else self.weight


@dataclass(frozen=True)
class Prompt:
    """A parsed prompt. No phrases: basis fusion. Two prompts are equal when their phrases are."""

    source: str = field(default="", compare=False)
    phrases: tuple[Phrase, ...] = ()
