"""The words that the embedded localiser learns: phrases with the concepts that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from textdifuse_ros.text.concepts import CONCEPTS
from textdifuse_ros.train.errors import TrainingError

FILE = Path(__file__).with_name("vocabulary.txt")
_NOTHING, _MODIFIERS = "nothing", "modifiers"
_ARTICLES = frozenset(("a", "an", "the", "some", "any", "my", "all"))


@dataclass(frozen=True)
class Vocabulary:
    """phrases: to the concepts that each names, none for those to refuse; modifiers: texts with a {}."""

    phrases: dict[str, frozenset[str]]
    modifiers: tuple[str, ...]

    def known(self) -> tuple[str, ...]:
        """The phrases that name something, in the order of the file."""
        return tuple(phrase for phrase, concepts in self.phrases.items() if concepts)


def read_vocabulary(path: Path = FILE) -> Vocabulary:
    """Raises TrainingError with the line for an unknown concept or a phrase that means two things."""
    phrases: dict[str, frozenset[str]] = {}
    modifiers: list[str] = []
    section: str | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            _check_section(section, f"{path}, line {number}")
        elif section == _MODIFIERS:
            modifiers.append(line)
        elif section is None:
            raise TrainingError(f"{path}, line {number}: stands before the first [section]")
        else:
            concepts = frozenset() if section == _NOTHING else frozenset(section.split())
            for phrase in filter(None, (each.strip() for each in line.split(","))):
                if phrases.setdefault(phrase.casefold(), concepts) != concepts:
                    raise TrainingError(f"{path}, line {number}: '{phrase}' has two meanings; take one out")
    return Vocabulary(phrases, tuple(modifiers))


def _check_section(section: str, place: str) -> None:
    if section in (_NOTHING, _MODIFIERS):
        return
    for name in section.split():
        if name not in CONCEPTS:
            raise TrainingError(f"{place}: no concept {name}; there are {', '.join(CONCEPTS)}")


def same_words(phrase: str) -> str:
    """What two spellings of a phrase have in common: no case, articles, punctuation or plurals."""
    words = re.findall(r"[^\W_]+", phrase.casefold())
    return " ".join(_singular(word) for word in words if word not in _ARTICLES)


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if len(word) > 3 and word.endswith(ending) and not word.endswith("ss" if ending == "s" else "\n"):
            return word.removesuffix(ending) + instead
    return word
