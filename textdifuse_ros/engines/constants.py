"""Small constant tensors are made on the device once, not sent there in every frame."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class DeviceConstants(TorchFunctionMode):
    """While it is active torch.tensor of the same values gives a copy that is made on the device itself.

    Sending values from the host makes the device wait, and cannot be recorded in a CUDA graph.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Tensor] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is not torch.tensor:
            return func(*args, **kwargs)
        key = repr((args, sorted(kwargs.items())))
        if key not in self._known:
            self._known[key] = func(*args, **kwargs)
        return self._known[key].clone()
