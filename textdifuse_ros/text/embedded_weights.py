"""The embedded localiser's weight file: safetensors, with sizes and words inside. Pickles are never loaded.

Words are read without torch, because prompts are checked where torch may not be loaded yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from textdifuse_ros.text.concepts import CONCEPTS
from textdifuse_ros.text.localiser import LocaliserError
from textdifuse_ros.text.words import Words

if TYPE_CHECKING:
    from textdifuse_ros.text.embedded_network import LocaliserNetwork

FORMAT = "textdifuse-localiser-2"
SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "textdifuse_localiser.safetensors"
_WORDS = "words."


def save(network: LocaliserNetwork, words: Words, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write both, in half precision but for the coefficients."""
    import torch
    from safetensors.torch import save_file

    state = {name: value.detach().half().contiguous().cpu() for name, value in network.state_dict().items()}
    state[_WORDS + "embeddings"] = torch.from_numpy(words.embeddings.astype(np.float16))
    state[_WORDS + "coefficients"] = torch.from_numpy(words.coefficients)  # large ones cancel: all digits
    metadata = {
        "format": FORMAT,
        "config": network.config.to_json(),
        "concepts": json.dumps(CONCEPTS),
        "threshold": f"{words.threshold:.4f}",
        "phrases": json.dumps(words.phrases),
        **(notes or {}),
    }
    save_file(state, str(path), metadata=metadata)


def load_words(path: Path = SHIPPED) -> Words:
    """The words alone, without torch. Raises LocaliserError."""
    metadata, tensors = _read(path, words=True, framework="np")
    try:
        if tuple(json.loads(metadata["concepts"])) != CONCEPTS:
            raise ValueError("its concepts are others")
        embeddings, coefficients = (
            np.asarray(tensors[_WORDS + name], np.float32) for name in ("embeddings", "coefficients")
        )
        phrases = tuple(json.loads(metadata["phrases"]))
        return Words(phrases, embeddings, coefficients, float(metadata["threshold"]))
    except (KeyError, TypeError, ValueError) as error:
        raise LocaliserError(f"{path}: its words cannot be used ({error}); fetch the file again") from error


def load_network(path: Path = SHIPPED) -> LocaliserNetwork:
    """In float32 on the CPU, ready to run. Raises LocaliserError."""
    import torch

    from textdifuse_ros.text.embedded_network import LocaliserConfig, LocaliserNetwork

    metadata, tensors = _read(path, words=False, framework="pt")
    try:
        network = LocaliserNetwork(LocaliserConfig.from_json(metadata.get("config", "")))
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
    except (ValueError, RuntimeError) as error:
        first_line = str(error).splitlines()[0]
        raise LocaliserError(f"{path}: does not fit its own configuration ({first_line})") from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise LocaliserError(f"{path}: holds values that are not finite; fetch the file again")
    return network.eval()


def is_localiser(path: Path) -> bool:
    """Whether this is a localiser's weight file, of this format or an older one; reads its head alone."""
    try:
        with safe_open(str(path), framework="np") as file:
            return str((file.metadata() or {}).get("format")).startswith(FORMAT.rpartition("-")[0])
    except (SafetensorError, OSError):
        return False


def identity(path: Path = SHIPPED) -> str:
    """First 12 hex digits of the file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _read(path: Path, words: bool, framework: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Metadata, and the tensors of the words or of the network. Raises LocaliserError."""
    if not path.is_file():
        raise LocaliserError(
            f"{path}: the embedded localiser's weights are missing; install the package again"
        )
    try:
        with safe_open(str(path), framework=framework) as file:
            metadata = file.metadata() or {}
            names = [name for name in file.keys() if name.startswith(_WORDS) == words]  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise LocaliserError(f"{path}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise LocaliserError(f"{path}: format is {metadata.get('format')!r}, this version reads {FORMAT!r}")
    return metadata, tensors
