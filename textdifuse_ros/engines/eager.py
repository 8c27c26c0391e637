"""Plain PyTorch on CPU or CUDA."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from textdifuse_ros.engines.base import Bytes, EngineError, Floats
from textdifuse_ros.model import sampler
from textdifuse_ros.model.colour import rgb_to_ycbcr, ycbcr_to_rgb
from textdifuse_ros.model.controls import Controls
from textdifuse_ros.model.network import FusionNetwork

# Views of messages are read-only, and nothing here writes to its inputs. Once for the process, not at each
# upload: what catch_warnings changes and restores is shared by all threads.
warnings.filterwarnings("ignore", message="The given NumPy array is not writable")

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_device(device: str) -> torch.device:
    """ "auto" is CUDA where torch finds it, else the CPU. Raises EngineError for one that is not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise EngineError(f"device {device!r} is not a device; use auto, cpu, cuda or cuda:N") from error
    if resolved.type not in ("cpu", "cuda"):
        raise EngineError(f"device {device!r} is not supported; use auto, cpu, cuda or cuda:N")
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise EngineError(f"device {device!r}: this torch ({torch.__version__}) finds no CUDA; use cpu")
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"device {device!r}: only {torch.cuda.device_count()} CUDA devices here")
    return resolved


def cpu_has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AMX or AVX-512 BF16, as Linux names them)."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def resolve_dtype(dtype: str, device: torch.device) -> str:
    """ "auto": fp16 on CUDA; bf16 on a CPU that has it in hardware, else fp32."""
    if dtype == "auto":
        if device.type == "cuda":
            return "fp16"
        return "bf16" if cpu_has_fast_bf16() else "fp32"
    if dtype not in DTYPES:
        raise EngineError(f"dtype {dtype!r} is not one of auto, {', '.join(DTYPES)}")
    if dtype == "fp16" and device.type == "cpu":
        raise EngineError("dtype fp16 needs a CUDA device; use fp32 or bf16 on the CPU")
    return dtype


class EagerEngine:
    """The network as it is, in one of three precisions; the sampler's state stays in float32."""

    name = "eager"

    def __init__(self, network: FusionNetwork, device: str = "auto", dtype: str = "auto") -> None:
        self._device = resolve_device(device)
        self.device = str(self._device)
        self.dtype = resolve_dtype(dtype, self._device)
        self._network: FusionNetwork | None = network.to(self._device, DTYPES[self.dtype]).eval()
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._multiple = network.config.multiple
        self.steps = network.config.steps

    def run(
        self, rgb: Bytes, thermal: Bytes, relevance: Floats | None, steps: int, controls: Controls
    ) -> tuple[Bytes, float]:
        network = self._network
        if network is None:
            raise EngineError("the engine is closed")
        height, width = thermal.shape
        with torch.inference_mode():
            visible = rgb_to_ycbcr(self._upload(rgb).permute(0, 3, 1, 2), white=255)
            warm = self._upload(thermal)[:, None] / 255
            where = torch.zeros_like(warm) if relevance is None else self._upload(relevance)[:, None]
            visible, warm, where = (self._pad(each, height, width) for each in (visible, warm, where))
            began = self._now()
            wanted = sampler.as_tensor(controls, warm)
            estimate = sampler.sample(network, network.config, visible, warm, where, steps, wanted)
            model_ms = (self._now() - began) * 1e3
            # Interleaved before the colours are mixed, so that the picture comes out as an array wants it.
            estimated = torch.cat(estimate, dim=1).contiguous(memory_format=torch.channels_last)
            fused = ycbcr_to_rgb(estimated, white=255)[:, :, :height, :width]
            image = fused.round_().clamp_(0, 255).to(torch.uint8)[0].permute(1, 2, 0)
            return np.ascontiguousarray(image.cpu().numpy()), model_ms

    def close(self) -> None:
        self._network = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _upload(self, array: Bytes | Floats) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))[None].to(self._device).float()

    def _pad(self, image: Tensor, height: int, width: int) -> Tensor:
        """Repeat the edge up to the network's multiple: padded, never resized."""
        bottom, right = -height % self._multiple, -width % self._multiple
        if not bottom and not right:
            return image
        return F.pad(image, (0, right, 0, bottom), mode="replicate")

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
