"""Weight files: safetensors with the network's configuration inside. Pickles are never loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from textdifuse_ros.model import ranges
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import FusionNetwork

FORMAT = "textdifuse-7"
_RANGES = "ranges"  # what 8-bit arithmetic needs; files without it are good for all others
_FOLDER = Path(__file__).resolve().parent.parent / "weights"
SHIPPED = _FOLDER / "textdifuse_student.safetensors"
TEACHER = _FOLDER / "textdifuse_teacher.safetensors"


class WeightsError(ValueError):
    """A weight file that cannot be used; the message names the file, the reason and the mend."""


def save(network: FusionNetwork, path: Path, notes: dict[str, str] | None = None) -> None:
    """Write the network as half precision safetensors (temporary file, then rename)."""
    state = {name: value.detach().half().contiguous().cpu() for name, value in network.state_dict().items()}
    metadata = {"format": FORMAT, "config": network.config.to_json(), **(notes or {})}
    if network.ranges:
        metadata[_RANGES] = ranges.to_json(network.ranges)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    save_file(state, str(temporary), metadata=metadata)
    temporary.replace(path)


def load(path: Path | None = None) -> FusionNetwork:
    """Network in float32 on the CPU, ready to run. Raises WeightsError."""
    path = path or SHIPPED
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; leave `weights` empty to use the shipped ones")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            names = list(file.keys())
            state = {name: file.get_tensor(name).float() for name in names}
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: not a readable safetensors file ({error}); pickled weights (.pt, .pth) are not loaded"
        ) from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path}: format is {metadata.get('format')!r}, this version reads {FORMAT!r}")
    try:
        network = FusionNetwork(ModelConfig.from_json(metadata.get("config", "")))
        network.load_state_dict(state)
        if _RANGES in metadata:
            network.ranges = ranges.from_json(metadata[_RANGES], network)
    except (ValueError, RuntimeError) as error:
        first_line = str(error).splitlines()[0]
        raise WeightsError(f"{path}: does not fit its own configuration ({first_line})") from error
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise WeightsError(f"{path}: holds values that are not finite; fetch the file again")
    return network.eval()


def notes(path: Path) -> dict[str, str]:
    """What `save` was given to note, of a file that `load` takes."""
    with safe_open(str(path), framework="pt") as file:
        return {k: v for k, v in (file.metadata() or {}).items() if k not in ("format", "config", _RANGES)}


def identity(path: Path | None = None) -> str:
    """First 12 hex digits of the file's SHA-256: what status messages and caches call these weights."""
    return hashlib.sha256((path or SHIPPED).read_bytes()).hexdigest()[:12]
