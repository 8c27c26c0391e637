"""Trains the words of the embedded localiser: sentence embedding -> concepts, and the threshold for none.

Seconds on a CPU. Everything, the threshold included, comes from the vocabulary: phrases that were left out of
a fold in turn say what membership a phrase of no earlier acquaintance reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from textdifuse_ros.text.concepts import CONCEPTS
from textdifuse_ros.text.sentence import shared_encoder
from textdifuse_ros.text.words import Words
from textdifuse_ros.train.localiser_config import LocaliserTraining
from textdifuse_ros.train.progress import say
from textdifuse_ros.train.vocabulary import Vocabulary, read_vocabulary

Floats = NDArray[Any]
MEMBERS, HIDDEN = 4, 128  # networks that vote, and their width
FOLDS = 5
_VARIANTS = 4  # modified spellings of each phrase
_NOISE = 0.03  # deviation of what is added to each number of an embedding (their norm is 1)
_DROPPED = 0.2  # share of the embedding's numbers
_RATE, _DECAY, _BATCH = 2e-3, 0.1, 256


def train_words(config: LocaliserTraining, vocabulary: Vocabulary | None = None) -> Words:
    """Raises LocaliserError where the sentence encoder is missing, TrainingError for a broken vocabulary."""
    vocabulary = vocabulary or read_vocabulary()
    phrases = tuple(vocabulary.phrases)
    labels = np.array([[name in vocabulary.phrases[p] for name in CONCEPTS] for p in phrases], np.float32)
    rng = np.random.default_rng(config.seed)
    plain, varied = _embed(phrases, vocabulary.modifiers, rng)
    owners = np.repeat(np.arange(len(phrases)), _VARIANTS)
    every = np.concatenate((plain, varied))
    meaning, owner = (
        np.concatenate((labels, labels[owners])),
        np.concatenate((np.arange(len(phrases)), owners)),
    )
    fold = rng.permutation(len(phrases)) % FOLDS
    left_out = np.zeros(len(phrases), np.float32)
    for number in range(FOLDS):
        seen = fold[owner] != number
        judge = _fit(every[seen], meaning[seen], config, members=1)
        words = _words(judge, 0.0, (), plain[:0])
        for index in np.flatnonzero(fold == number):
            left_out[index] = words.memberships(plain[index]).max()
    known: NDArray[np.bool_] = np.asarray(labels.any(axis=1))
    threshold = calibrate(left_out, known)
    names = tuple(phrase for phrase, each in zip(phrases, known, strict=True) if each)
    return _words(_fit(every, meaning, config, MEMBERS), threshold, names, plain[known])


def calibrate(memberships: Floats, known: NDArray[np.bool_]) -> float:
    """The threshold at which as large a share of the known is refused as of the unknown is accepted."""
    candidates = np.unique(memberships)
    refused = np.array([(memberships[known] < each).mean() for each in candidates])
    accepted = np.array([(memberships[~known] >= each).mean() for each in candidates])
    return float(candidates[int(np.argmin(np.abs(refused - accepted)))])


def _embed(
    phrases: Sequence[str], modifiers: Sequence[str], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The phrases themselves (P, 384), and each with a few modifiers (P * _VARIANTS, 384)."""
    encoder = shared_encoder()
    varied = [
        modifiers[int(each)].format(phrase)
        for phrase in phrases
        for each in rng.choice(len(modifiers), _VARIANTS, replace=False)
    ]
    say(f"encoding {len(phrases)} phrases and {len(varied)} variants of them")
    return encoder.encode_all(phrases), encoder.encode_all(varied)


def _fit(
    inputs: Floats, labels: Floats, config: LocaliserTraining, members: int
) -> list[torch.nn.Sequential]:
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
    care = 1 + (y.sum(dim=1, keepdim=True) > 0).float()  # phrases that name something are fewer
    fitted = []
    for member in range(members):
        torch.manual_seed(config.seed * 100 + member)
        network = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(_DROPPED),
            torch.nn.Linear(HIDDEN, len(CONCEPTS)),
        )  # fmt: skip
        optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
        for update in range(config.words_updates):
            for group in optimiser.param_groups:
                group["lr"] = _RATE * (1 - update / config.words_updates)
            rows = torch.randint(len(x), (_BATCH,))
            noisy = x[rows] + _NOISE * torch.randn(_BATCH, x.shape[1])
            each = F.binary_cross_entropy_with_logits(network(noisy), y[rows], reduction="none")
            loss = (each * care[rows]).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        fitted.append(network.eval())
    return fitted


def _words(
    members: list[torch.nn.Sequential], threshold: float, phrases: tuple[str, ...], embeddings: Floats
) -> Words:
    def stacked(layer: int, name: str) -> Floats:
        values = [getattr(each[layer], name).detach() for each in members]
        return torch.stack([value.T if value.ndim == 2 else value for value in values]).numpy()

    layers = (stacked(0, "weight"), stacked(0, "bias"), stacked(3, "weight"), stacked(3, "bias"))
    return Words(*layers, threshold, phrases, embeddings)
