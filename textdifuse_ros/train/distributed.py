"""Several processes, one training: started by torchrun, a process for each GPU (or a few on the CPU)."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from textdifuse_ros.engines.eager import resolve_device
from textdifuse_ros.model.config import ModelConfig
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train.errors import Interrupted, TrainingError

GO_ON, INTERRUPTED, FAILED = range(3)  # the worst of all processes counts
# Long enough for the others to wait while process 0 lets the teacher answer a bank.
_PATIENCE = datetime.timedelta(hours=3)


def is_first() -> bool:
    """Whether this process speaks and writes for all of them."""
    return int(os.environ.get("RANK", "0")) == 0


class _Parallel(DistributedDataParallel):
    """A network whose gradients are the mean of all processes'; to its users it is the network."""

    @property
    def config(self) -> ModelConfig:
        return cast(FusionNetwork, self.module).config


class Ranks:
    """The processes of a training, seen from one of them; alone where torchrun did not start it."""

    def __init__(
        self, rank: int, world: int, device: torch.device, patient: dist.ProcessGroup | None = None
    ) -> None:
        """patient: all of them once more, to wait for each other as long as it takes."""
        self.rank, self.world, self.device, self._patient = rank, world, device, patient

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wrap(self, network: FusionNetwork) -> FusionNetwork:
        """What the loss calls instead of the network, so that gradients are shared."""
        if self.world == 1:
            return network
        ids = [self.device] if self.device.type == "cuda" else None
        return cast(FusionNetwork, _Parallel(network, device_ids=ids))

    def agree(self, spent: float, verdict: int) -> tuple[float, int]:
        """Before each update: process 0's clock (seconds trained) and the worst verdict, the same in all."""
        if self.world == 1:
            return spent, verdict
        mine = torch.tensor([spent if self.first else 0.0, verdict], dtype=torch.float64, device=self.device)
        dist.all_reduce(mine, dist.ReduceOp.MAX)
        return float(mine[0]), int(mine[1])

    def check_same(self, step: int) -> None:
        """Raise TrainingError unless all processes stand at the same update."""
        if self.world == 1:
            return
        ends = torch.tensor([step, -step], device=self.device)
        dist.all_reduce(ends, dist.ReduceOp.MAX)
        if int(ends[0]) != -int(ends[1]):
            raise TrainingError("not every process finds the checkpoint: --output must be a shared folder")

    def wait(self) -> None:
        """Until every process is here."""
        if self.world > 1:
            dist.barrier(self._patient)


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """Join the processes that torchrun started. device: the field of TrainConfig.

    Raises EngineError for a device that is not there, TrainingError for more processes than GPUs.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or "MASTER_ADDR" not in os.environ:
        yield Ranks(0, 1, resolve_device(device))
        return
    own = _own_device(resolve_device(device))
    dist.init_process_group("nccl" if own.type == "cuda" else "gloo")
    patient = dist.new_group(timeout=_PATIENCE, backend="gloo")
    try:
        yield Ranks(dist.get_rank(), world, own, patient)
    except Interrupted:
        dist.destroy_process_group()
        raise
    # Not after an error: the other processes could be inside a transfer that this one would wait for.
    dist.destroy_process_group()


def _own_device(device: torch.device) -> torch.device:
    """The GPU of this process on its machine."""
    if device.type != "cuda":
        return device
    local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if device.index is not None:
        raise TrainingError(f"device {device} is one GPU for several processes; set device to cuda or auto")
    if local >= there:
        raise TrainingError(
            f"{local + 1} processes for {there} GPUs; start torchrun with --nproc_per_node={there}"
        )
    own = torch.device("cuda", local)
    torch.cuda.set_device(own)
    return own
