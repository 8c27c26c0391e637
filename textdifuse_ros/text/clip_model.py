"""A CLIP model of open_clip, by name or from a folder: its image tower, its words, its normalisation."""

from __future__ import annotations

import difflib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.text.clip_dense import DenseTower
from textdifuse_ros.text.clip_import import import_open_clip
from textdifuse_ros.text.localiser import LocaliserError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# From the list that CLIP was published with; what suits a camera on a robot, by day and by night.
TEMPLATES = (
    "a photo of a {}.", "a photo of the {}.", "a photo of many {}.", "a photo of the small {}.",
    "a bad photo of the {}.", "a dark photo of the {}.", "a black and white photo of the {}.",
)  # fmt: skip


@dataclass
class ClipModel:
    """``tower`` gives patch features, ``words`` text features of the same space."""

    tower: DenseTower
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    device: torch.device
    _model: Any
    _tokenise: Any

    @torch.inference_mode()
    def words(self, names: tuple[str, ...]) -> Tensor:
        """float32 (len(names), D), vectors of length 1: each the mean over the templates."""
        texts = [template.format(name) for name in names for template in TEMPLATES]
        features = self._model.encode_text(self._tokenise(texts).to(self.device)).float()
        features = F.normalize(features, dim=-1).unflatten(0, (len(names), len(TEMPLATES)))
        return F.normalize(features.mean(dim=1), dim=-1)


def load_clip(model: str, weights: str, device: str = "cpu", dtype: str = "fp32") -> ClipModel:
    """model: a name that open_clip knows, ``hf-hub:...``, or a folder with open_clip_config.json and weights.

    weights: a tag that open_clip knows for the name, or a .safetensors file; a folder brings its own.
    Raises LocaliserError with what to set, or what to run to get the weights.
    """
    open_clip = import_open_clip()
    name = _identifier(model)
    config = _config(open_clip, name, model)
    _refuse_unfit(config, model)
    named = ":" not in name
    tag = open_clip.get_pretrained_cfg(name, weights) if named else {}
    source = None if not named else weights if tag else _file(open_clip, model, weights)
    # OpenAI's weights and some others want another activation than their model's name says.
    gelu = bool(config.get("quick_gelu", False) or tag.get("quick_gelu", False))
    try:
        with _quiet():
            loaded = open_clip.create_model(
                name, pretrained=source, force_quick_gelu=gelu, require_pretrained=True
            )
            tokenise = open_clip.get_tokenizer(name)
    except Exception as error:
        raise LocaliserError(
            _unloadable(error, model, weights, str(tag.get("hf_hub", "")).strip("/"))
        ) from error
    kind = DTYPES.get(dtype, torch.float32)
    loaded = loaded.eval().requires_grad_(False).to(device, kind)
    tower = DenseTower(loaded.visual, model)
    mean, deviation = loaded.visual.image_mean, loaded.visual.image_std
    return ClipModel(tower, tuple(mean), tuple(deviation), torch.device(device), loaded, tokenise)


def _identifier(model: str) -> str:
    """As open_clip wants it: a name, or a source and a place with a colon between."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model
    if not (folder / "open_clip_config.json").is_file():
        raise LocaliserError(f"localiser.model {model}: the folder holds no open_clip_config.json")
    if not list(folder.glob("*.safetensors")):
        raise LocaliserError(
            f"localiser.model {model}: the folder holds no .safetensors file (pickles are not read)"
        )
    return f"local-dir:{folder}"


def _config(open_clip: Any, name: str, model: str) -> dict[str, Any]:
    try:
        config = open_clip.get_model_config(name)
    except Exception as error:
        raise LocaliserError(f"localiser.model {model}: {error}") from error
    if config is None:
        near = next(iter(difflib.get_close_matches(name, open_clip.list_models(), 1)), "ViT-B-16")
        raise LocaliserError(
            f"localiser.model {model!r} is neither a folder nor a name of open_clip, as {near!r} is one"
        )
    return dict(config)


def _refuse_unfit(config: dict[str, Any], model: str) -> None:
    """Before anything is downloaded for it."""
    vision = config.get("vision_cfg", {})
    if "timm_model_name" in vision or not isinstance(vision.get("layers", 12), int):
        raise LocaliserError(
            f"localiser.model {model!r}: its image tower is no plain ViT; choose one like ViT-B-16"
        )


def _file(open_clip: Any, model: str, weights: str) -> str:
    path = Path(weights).expanduser()
    if path.suffix == ".safetensors" and path.is_file():
        return str(path)
    if path.is_file():
        raise LocaliserError(
            f"localiser.weights {weights}: give a .safetensors file, pickled weights are not loaded"
        )
    tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "no tags for it"
    raise LocaliserError(
        f"localiser.weights {weights!r} is neither a file nor a tag for {model}; open_clip knows {tags}"
    )


def _unloadable(error: Exception, model: str, weights: str, hub: str) -> str:
    """hub: where the weights of a tag are, "" where that is unknown."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if not hub or not reason.startswith("Failed to download"):
        return f"localiser.model {model} with localiser.weights {weights!r} cannot be loaded: {reason}"
    return (
        f"localiser.weights {weights!r} of {model} are not on this machine and could not be fetched; where "
        f"there is a network run `hf download {hub} open_clip_config.json open_clip_model.safetensors "
        f"--local-dir {model}`, and set localiser.model to that folder"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs to the root logger and warns; what matters comes back as an error."""
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)  # without a handler the first message would set up one on stderr
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeHandler(silent)
