"""Several processes, one a GPU, started by `torchrun`; without it this is the only one.

`torchrun --nproc-per-node 4 --no-python fercli train ...` sets RANK, LOCAL_RANK and WORLD_SIZE; each process takes its
share of every batch, and gradients are averaged (DistributedDataParallel; Li et al. 2020, arXiv 2006.15704).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Processes:
    """This process among all.

    Attributes:
        rank: number of this process, from 0; 0 speaks, validates and writes.
        count: how many there are.
        device: where this process computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that speaks, validates and writes."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()

    def agree(self, stop: bool) -> bool:
        """What the first process says, in all of them."""
        if self.count == 1:
            return stop
        flag = torch.tensor([int(stop)], device=self.device)
        distributed.broadcast(flag, src=0)
        return bool(flag.item())


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the processes that `torchrun` started, for as long as the context lasts.

    Args:
        device: `cpu` or `cuda`.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(0, 1, torch.device(device))
        return
    own = torch.device(device, int(os.environ["LOCAL_RANK"])) if device == "cuda" else torch.device(device)
    if own.type == "cuda":
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if own.type == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), count, own)
        gc.collect()  # DistributedDataParallel holds itself in a cycle; threads of it that outlive the group abort
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
