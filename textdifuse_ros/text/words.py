"""Which concepts a phrase names, by its sentence embedding, and whether it names any (NumPy only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.concepts import CONCEPTS
from textdifuse_ros.text.localiser import Floats

SHARPNESS = 2.0  # of the kernel: phrases with a cosine of 0.5 count for 1 / e of one that is the same


@dataclass(frozen=True)
class Words:
    """Phrases that were learnt, and what each of them says of a phrase that is like it.

    embeddings (P, 384) of unit length and coefficients (P, concepts): float32. phrases: those that name
    something; they come first in both. threshold: the membership from which a phrase counts as known.
    """

    phrases: tuple[str, ...]
    embeddings: Floats
    coefficients: Floats
    threshold: float

    def memberships(self, embedding: Floats) -> Floats:
        """How far the phrase names each concept: float32 (concepts,) in [0, 1]."""
        return self._summed(self.embeddings @ embedding)

    def concepts(self, embedding: Floats) -> dict[str, float]:
        """The concepts that the phrase names, each with how far, in (0, 1]; none for an unknown phrase.

        The strongest one comes first and counts in full, and so do others that come near it.
        """
        return self._named(self.memberships(embedding))

    def concepts_of_each(self, embeddings: Floats) -> list[dict[str, float]]:
        """The same for several phrases (N, 384), for which the learnt ones are gone through once."""
        # The sums one by one: their large terms cancel, and in another order to other digits.
        return [self._named(self._summed(cosines)) for cosines in embeddings @ self.embeddings.T]

    def _summed(self, cosines: Floats) -> Floats:
        return np.clip(kernel(cosines) @ self.coefficients, 0, 1)

    def _named(self, shares: Floats) -> dict[str, float]:
        strongest = float(shares.max())
        if strongest < self.threshold:
            return {}
        relative = np.clip(
            2.5 * shares / strongest - 1.25, 0, 1
        )  # nothing below a half, all from nine tenths
        order = np.argsort(-shares, kind="stable")
        return {CONCEPTS[index]: float(relative[index]) for index in order if relative[index] > 0}

    def nearest(self, embedding: Floats) -> tuple[str, float]:
        """The known phrase that means most nearly the same, and the cosine between the two, in [-1, 1]."""
        cosines = self.embeddings[: len(self.phrases)] @ embedding
        best = int(np.argmax(cosines))
        return self.phrases[best], float(cosines[best])


def kernel(cosines: Floats) -> Floats:
    """How far one phrase speaks for another, in (0, 1]."""
    return np.exp(np.float32(SHARPNESS) * (cosines - 1))


def fit(embeddings: Floats, labels: NDArray[np.float32], ridge: float) -> Floats:
    """Kernel ridge regression of labels (P, concepts) on embeddings (P, 384): coefficients (P, concepts)."""
    among = kernel(embeddings @ embeddings.T).astype(np.float64)
    among[np.diag_indices(len(among))] += ridge
    return np.linalg.solve(among, labels).astype(np.float32)
