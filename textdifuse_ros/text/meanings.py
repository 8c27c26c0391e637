"""What texts name by the sentence encoder and the words that were learnt: several at once, and remembered."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from textdifuse_ros.text import embedded_weights
from textdifuse_ros.text.sentence import SentenceEncoder, shared_encoder
from textdifuse_ros.text.words import Words

_KEPT = 512  # texts


@lru_cache(maxsize=1)
def shared_words() -> Words:
    """The words of the shipped weights, read once. Raises LocaliserError."""
    return embedded_weights.load_words()


@lru_cache(maxsize=1)
def shared_meanings() -> Meanings:
    """Those of this process, loaded when first asked for. Raises LocaliserError."""
    return Meanings(shared_encoder(), shared_words())


class Meanings:
    """The concepts that texts name. Any thread may call it."""

    def __init__(self, encoder: SentenceEncoder, words: Words) -> None:
        self._encoder, self._words = encoder, words
        self._lock = threading.Lock()
        self._known: dict[str, Mapping[str, float]] = {}

    def __call__(self, text: str) -> Mapping[str, float]:
        """See Words.concepts. Worked out once and then remembered."""
        return self.together([text])[0]

    def together(self, texts: Sequence[str]) -> list[Mapping[str, float]]:
        """The same for several. Those that are new cost little more than one of them."""
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            named = self._words.concepts_of_each(np.stack(self._encoder.together(new)))
            known.update(zip(new, named, strict=True))
            with self._lock:
                self._known.update((text, known[text]) for text in new)
                while len(self._known) > _KEPT:
                    self._known.pop(next(iter(self._known)))  # the oldest
        return [known[text] for text in texts]

    def nearest(self, text: str) -> tuple[str, float]:
        """See Words.nearest."""
        return self._words.nearest(self._encoder(text))
