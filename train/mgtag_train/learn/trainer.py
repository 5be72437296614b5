"""The training loop: plain, resumable, and the same to the last bit when resumed.

One `Training` holds all that changes from step to step: the network, the running mean of its
weights, optimiser, schedule, random states, history. Saving it after every epoch is a checkpoint.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from mgtag.arrays import F32
from mgtag.models import ModelOutput, Network, build
from mgtag.vote import softmax
from mgtag_train.learn import distributed, metrics
from mgtag_train.learn.batches import Examples
from mgtag_train.learn.config import TrainConfig

EVAL_BATCH = 256
History = list[dict[str, float]]


class Training:
    """A training in progress.

    Parameters
    ----------
    config : TrainConfig
    learn : Examples
        To train on; items with label -1 are not music.
    check : Examples
        To choose the epoch on.
    seed : int
    teachers : sequence of nn.Module
        Networks whose mean probabilities of each augmented window are mixed into its target
        (Hinton et al., arXiv:1503.02531; Beyer et al., arXiv:2106.05237).
    device : str
        ``"cpu"`` or ``"cuda"``. Batches are drawn on the CPU, so both see the same ones.
    """

    def __init__(
        self,
        config: TrainConfig,
        learn: Examples,
        check: Examples,
        seed: int,
        teachers: Sequence[nn.Module] = (),
        device: str = "cpu",
    ) -> None:
        torch.manual_seed(seed)
        self.config, self.learn, self.device = config, learn, device
        self.teachers = [teacher.to(device) for teacher in teachers]
        self.generator = Generator().manual_seed(seed)
        model = learn.initialise(build(config.architecture, config.arguments))
        self.model = channels_last(model).to(device)
        self.mean = copy.deepcopy(self.model).eval()
        self._loss = distributed.averaging(_Loss(self.model))
        self.optimiser = _optimiser(self.model, config)
        self.music = torch.nonzero(learn.labels >= 0).squeeze(1)
        self.per_epoch = max(1, len(self.music) * config.slices // config.batch)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.check_inputs, owner = check.tiles()
        self.check_owner, self.check_truth = owner.numpy(), check.labels.numpy()
        self.steps, self.history, self.best = 0, History(), copy.deepcopy(self.mean.state_dict())

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """Index of the best epoch on validation, as the config chooses; -1 before the first."""
        if self.config.choose == "last":
            return self.epoch - 1
        figures = [row[self.config.choose] for row in self.history]
        best = np.argmin if self.config.choose == "log_loss" else np.argmax
        return int(best(figures)) if figures else -1

    @property
    def finished(self) -> bool:
        """Whether the schedule or the patience has run out."""
        return self.epoch >= self.config.epochs or self.epoch - 1 - self.best_epoch >= self.config.patience

    def run_epoch(self, step_done: Callable[[], object] = lambda: None) -> dict[str, float]:
        """Train for one epoch, validate the mean weights, and return the new row of the history."""
        began, losses = time.monotonic(), []
        order = torch.cat(
            [torch.randperm(len(self.music), generator=self.generator) for _ in range(self.config.slices)]
        )
        for at in range(self.per_epoch):
            chosen = order[at * self.config.batch : (at + 1) * self.config.batch]
            losses.append(self._step(self.music[chosen]))
            step_done()
        loss = distributed.mean(float(np.mean(losses)))
        row = {"loss": loss, **self._validate(), "seconds": time.monotonic() - began}
        self.history.append(distributed.agreed(row))
        if self.best_epoch == self.epoch - 1:
            self.best = copy.deepcopy(self.mean.state_dict())
        return row

    def state(self) -> dict[str, Any]:
        """Return everything needed to resume to the last bit."""
        return {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if self.device == "cuda" else [],
            "history": self.history,
            "steps": self.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state that `state` returned."""
        self.model.load_state_dict(state["model"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch"])
        if state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])
        self.history, self.steps, self.best = state["history"], state["steps"], state["best"]

    def _rate(self, step: int) -> float:
        total = self.config.epochs * self.per_epoch / self.config.cycles
        warm = max(1.0, self.config.warmup * total)
        within = min(step, self.config.epochs * self.per_epoch - 1) % total
        return min((within + 1) / warm, 0.5 * (1 + math.cos(math.pi * within / total)))

    def _step(self, items: Tensor) -> float:
        drawn, wanted = self.learn.batch(items, self.config, self.generator)
        inputs, targets = (distributed.share(part).to(self.device) for part in (drawn, wanted))
        if self.teachers:
            targets = targets.lerp(
                _mean_probabilities(self.teachers, inputs), self.config.distillation_weight
            )
        self.model.train()
        with torch.autocast(self.device, torch.bfloat16):
            loss = self._loss(inputs, targets)
        loss = loss * (len(inputs) * distributed.size() / len(drawn))  # a smaller share counts for less
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.steps += 1
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        # A young mean forgets faster, or it would remember the random start.
        keep = min(self.config.averaging, self.steps / (self.steps + 10))
        for mean, now in zip(self.mean.state_dict().values(), self.model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def _validate(self) -> dict[str, float]:
        logits = predict(self.mean, self.check_inputs, fast=True)
        slices = softmax(logits)
        tracks = metrics.votes(slices, self.check_owner)
        # At the temperature that suits best: smoothing makes every network too modest by its own amount.
        losses = [
            metrics.log_loss(metrics.votes(slices, self.check_owner, t), self.check_truth)
            for t in TEMPERATURES
        ]
        return {
            "slice_accuracy": metrics.accuracy(slices, self.check_truth[self.check_owner]),
            "track_accuracy": metrics.accuracy(tracks, self.check_truth),
            "log_loss": min(losses),
        }


TEMPERATURES = tuple(np.geomspace(0.1, 2, 20).tolist())


class _Loss(nn.Module):
    """A network whose call is its loss: what averages gradients looks at calls only."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch."""
        return self.model.loss(inputs, targets)


def channels_last(model: Network) -> Network:
    """Lay convolutions out as the CPU likes them: a third faster, the same answers."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def predict(
    model: nn.Module,
    inputs: Tensor,
    fast: bool = False,
    output: Callable[[ModelOutput], Tensor] = lambda output: output.logits,
) -> F32:
    """Return a network's logits for these inputs, shape ``(n, labels)``, or another of its outputs.

    Parameters
    ----------
    fast : bool
        In bfloat16: good enough to follow a run, not to publish a figure.
    output : callable
        Which output of the network.
    """
    model.eval()
    device = next(model.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=fast):
        parts = [output(model(part.to(device))).float() for part in torch.split(inputs, EVAL_BATCH)]
    return torch.cat(parts).cpu().numpy()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a state beside its place, then rename: an interruption leaves the old one whole."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _mean_probabilities(teachers: Sequence[nn.Module], windows: Tensor) -> Tensor:
    with torch.inference_mode(), torch.autocast(windows.device.type, torch.bfloat16):
        shares = [torch.softmax(teacher(windows).logits.float(), dim=1) for teacher in teachers]
    return torch.stack(shares).mean(dim=0).clone()


def _optimiser(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Matrices decay; biases and norms, which only set levels, do not."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))
