"""The words of the embedded localiser: sentence embedding -> concepts, and the threshold for none.

A kernel ridge regression, solved in a second on a CPU. Everything, the threshold included, comes from the
vocabulary: phrases that were left out of a fold in turn say what membership a phrase reaches that is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textdifuse_ros.text.concepts import CONCEPTS
from textdifuse_ros.text.sentence import shared_encoder
from textdifuse_ros.text.words import Words, fit
from textdifuse_ros.train.progress import say
from textdifuse_ros.train.vocabulary import Vocabulary, read_vocabulary

Floats = NDArray[Any]
RIDGE = 0.1
FOLDS = 5


def train_words(seed: int, vocabulary: Vocabulary | None = None) -> Words:
    """seed: of the folds and of which modifier goes with which phrase.

    Raises LocaliserError where the sentence encoder is missing, TrainingError for a broken vocabulary.
    """
    vocabulary = vocabulary or read_vocabulary()
    rng = np.random.default_rng(seed)
    phrases = sorted(
        vocabulary.phrases, key=lambda phrase: not vocabulary.phrases[phrase]
    )  # known ones first
    plain, varied = _embed(phrases, vocabulary.modifiers, rng)
    labels = np.array([[name in vocabulary.phrases[p] for name in CONCEPTS] for p in phrases], np.float32)
    known = np.asarray(labels.any(axis=1))
    fold = rng.permutation(len(phrases)) % FOLDS
    left_out = np.zeros(len(phrases), np.float32)
    for number in range(FOLDS):
        seen, unseen = fold != number, fold == number
        judge = _words((), plain[seen], varied[seen], labels[seen], 0.0)
        left_out[unseen] = [judge.memberships(each).max() for each in plain[unseen]]
    threshold = calibrate(left_out, known)
    right = float((left_out[known] >= threshold).mean()), float((left_out[~known] < threshold).mean())
    say(f"words left out: {right[0]:.1%} of the known accepted, {right[1]:.1%} of the others refused")
    names = tuple(phrase for phrase, each in zip(phrases, known.tolist(), strict=True) if each)
    return _words(names, plain, varied, labels, threshold)


def calibrate(memberships: Floats, known: NDArray[np.bool_]) -> float:
    """The threshold at which as large a share of the known is refused as of the unknown is accepted."""
    candidates = np.unique(memberships)
    refused = np.array([(memberships[known] < each).mean() for each in candidates])
    accepted = np.array([(memberships[~known] >= each).mean() for each in candidates])
    return float(candidates[int(np.argmin(np.abs(refused - accepted)))])


def _embed(
    phrases: Sequence[str], modifiers: Sequence[str], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The phrases themselves, and each with a modifier, as a weight file keeps them: (P, 384) both."""
    encoder = shared_encoder()
    varied = [modifiers[int(rng.integers(len(modifiers)))].format(phrase) for phrase in phrases]
    say(f"encoding {len(phrases)} phrases, plain and with a modifier")
    both = encoder.encode_all([*phrases, *varied]).astype(np.float16).astype(np.float32)
    return both[: len(phrases)], both[len(phrases) :]


def _words(names: tuple[str, ...], plain: Floats, varied: Floats, labels: Floats, threshold: float) -> Words:
    every = np.concatenate((plain, varied))
    return Words(names, every, fit(every, np.concatenate((labels, labels)), RIDGE), threshold)
