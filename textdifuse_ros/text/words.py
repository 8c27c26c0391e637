"""Which concepts a phrase names, by its sentence embedding, and whether it names any (NumPy only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.concepts import CONCEPTS
from textdifuse_ros.text.localiser import Floats


@dataclass(frozen=True)
class Words:
    """A few small networks that vote, a threshold, and the phrases that they learnt from.

    first (M, 384, K), first_bias (M, K), second (M, K, concepts), second_bias (M, concepts): float32, of M
    networks. threshold: the membership from which a phrase counts as known. phrases: those that name
    something, with their embeddings (P, 384), for what a refusal offers.
    """

    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    threshold: float
    phrases: tuple[str, ...]
    embeddings: Floats

    def memberships(self, embedding: Floats) -> Floats:
        """How far the phrase names each concept: float32 (concepts,) in [0, 1], the mean of the votes."""
        hidden = np.maximum(np.einsum("d,mdk->mk", embedding, self.first) + self.first_bias, 0)
        logits = np.einsum("mk,mkc->mc", hidden, self.second) + self.second_bias
        return np.asarray((1 / (1 + np.exp(-logits))).mean(axis=0), np.float32)

    def concepts(self, embedding: Floats) -> dict[str, float]:
        """The concepts that the phrase names, each with how far, in (0, 1]; none for an unknown phrase.

        The strongest one counts in full, and so do others that come near it.
        """
        shares = self.memberships(embedding)
        strongest = float(shares.max())
        if strongest < self.threshold:
            return {}
        relative = np.clip(2 * shares / strongest - 0.5, 0, 1)  # nothing below a quarter, all from three
        return {name: float(each) for name, each in zip(CONCEPTS, relative, strict=True) if each > 0}

    def nearest(self, embedding: Floats) -> str:
        """The known phrase that means most nearly the same."""
        return self.phrases[int(np.argmax(self.embeddings @ embedding))]

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """What a weight file holds of it, besides threshold and phrases."""
        return {
            "words.first": self.first,
            "words.first_bias": self.first_bias,
            "words.second": self.second,
            "words.second_bias": self.second_bias,
            "words.embeddings": self.embeddings,
        }
