"""A detector that ships as ONNX, made trainable again: the export had folded its normalisation away."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from textdifuse_ros.train.errors import TrainingError


def trainable(architecture: str, classes: int, file: Path, images: Iterable[Tensor]) -> Any:
    """The network of an exported .onnx with batch normalisation that changes nothing, neither in use nor in
    training: what each convolution gives over `images` is its mean and variance, and is given back by it.

    Inside the context of `ultralytics()`. architecture: its name of the network, as `yolo11n.yaml`; images:
    float (N, 3, H, W) in [0, 1], sides multiples of 32. Raises TrainingError for a file of another network.
    """
    network = unfolded(architecture, classes, file)
    _take_statistics(network.eval(), list(_normalised(network).values()), images)
    return network


def unfolded(architecture: str, classes: int, file: Path) -> Any:
    """The same with a normalisation that changes nothing in use: mean 0 and variance 1, whatever comes."""
    network = importlib.import_module("ultralytics.nn.tasks").DetectionModel(
        architecture, nc=classes, verbose=False
    )
    folded = _initializers(file)
    state = network.state_dict().items()
    network.load_state_dict(
        {name: _taken(folded, name, value, file) for name, value in state if ".bn." not in name}, strict=False
    )
    for name, each in _normalised(network).items():
        nn.init.zeros_(each.bn.running_mean)
        nn.init.constant_(each.bn.running_var, 1 - each.bn.eps)
        nn.init.ones_(each.bn.weight)
        each.bn.bias.data.copy_(_taken(folded, f"{name}.conv.bias", each.bn.bias, file))
    return network


def _normalised(network: nn.Module) -> dict[str, Any]:
    """By name, every convolution that has a batch normalisation behind it."""
    kind = importlib.import_module("ultralytics.nn.modules").Conv
    return {name: each for name, each in network.named_modules() if isinstance(each, kind)}


def _initializers(file: Path) -> dict[str, Tensor]:
    onnx = importlib.import_module("onnx")
    try:
        graph = onnx.load(str(file)).graph
    except Exception as error:
        raise TrainingError(f"{file}: not a readable .onnx ({error})") from error
    return {
        each.name: torch.from_numpy(onnx.numpy_helper.to_array(each).copy()) for each in graph.initializer
    }


def _taken(folded: dict[str, Tensor], name: str, like: Tensor, file: Path) -> Tensor:
    value = folded.get(name)
    if value is None or value.shape != like.shape:
        found = "is not there" if value is None else f"is {tuple(value.shape)}"
        raise TrainingError(
            f"{file}: {name} {found}, {tuple(like.shape)} is wanted: it is of another network"
        )
    return value


@torch.no_grad()
def _take_statistics(network: nn.Module, layers: list[Any], images: Iterable[Tensor]) -> None:
    """Mean and variance of every channel before its normalisation, over the images."""
    sums: dict[int, Tensor] = {}

    def hook(layer: int) -> Any:
        def look(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            values = out.double().transpose(0, 1).flatten(1)
            count = torch.full_like(values[:, 0], values.shape[1])
            seen = torch.stack((count, values.sum(1), values.square().sum(1)))
            sums[layer] = sums.get(layer, torch.zeros_like(seen)) + seen

        return look

    hooks = [each.conv.register_forward_hook(hook(index)) for index, each in enumerate(layers)]
    for batch in images:
        network(batch)
    for each in hooks:
        each.remove()
    if not sums:
        raise TrainingError("there are no images to take the features' statistics from")
    for index, layer in enumerate(layers):
        count, total, squares = sums[index]
        mean = total / count
        variance = (squares / count - mean * mean).clamp(min=1e-6)
        layer.bn.bias.data.add_(mean.float())
        layer.bn.weight.data.copy_((variance.float() + layer.bn.eps).sqrt())
        layer.bn.running_mean.copy_(mean)
        layer.bn.running_var.copy_(variance)
