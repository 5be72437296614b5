"""Several processes that train one network together, as ``torchrun`` starts them.

All draw the same batches; each puts its share of a batch to the network, and the gradients are averaged
(`torch.nn.parallel.DistributedDataParallel`), so that a step is that of one process. The first process alone
writes files. Outside `joined`, a process is alone, and all of this does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

T = TypeVar("T")
PATIENCE = timedelta(hours=12)  # the others wait as long for the first, which decodes, downloads, measures


def started_together() -> bool:
    """Return whether ``torchrun`` started this process, and others with it."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined() -> Iterator[None]:
    """Join the processes that ``torchrun`` started with this one, each on its own GPU if there are any."""
    if not started_together():
        yield
        return
    on_gpus = torch.cuda.is_available()
    if on_gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_gpus else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def size() -> int:
    """Return how many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Return whether this is the process that writes."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def wait() -> None:
    """Wait until all are here."""
    if distributed.is_initialized():
        distributed.barrier()


@contextmanager
def first_alone() -> Iterator[None]:
    """Let the first process do this before the others do, which then find it done."""
    if not is_first():
        wait()
    yield
    if is_first():
        wait()


def share(batch: Tensor) -> Tensor:
    """Return this process's part of a batch."""
    return batch[distributed.get_rank() :: size()] if distributed.is_initialized() else batch


def averaging(model: nn.Module) -> nn.Module:
    """Let the gradients of a module be the mean over all processes'."""
    if not distributed.is_initialized():
        return model
    torch.manual_seed(torch.initial_seed() + distributed.get_rank())  # or all would drop out the same units
    return nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)


def agreed(value: T) -> T:
    """Return the first process's value, to all."""
    if not distributed.is_initialized():
        return value
    values = [value]
    distributed.broadcast_object_list(values)
    return values[0]


def mean(value: float) -> float:
    """Return the mean of a value over all processes."""
    if not distributed.is_initialized():
        return value
    total = torch.tensor([value], device="cuda" if torch.cuda.is_available() else "cpu")
    distributed.all_reduce(total)
    return float(total) / size()
