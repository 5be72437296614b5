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
from mgtag_train import augment, metrics
from mgtag_train.data import SliceDataset
from mgtag_train.recipe import Recipe
from torch import Generator, Tensor, nn

from mgtag.features import F32
from mgtag.models import Queens, build

EVAL_BATCH = 256
History = list[dict[str, float]]


class Training:
    """A run in progress.

    Parameters
    ----------
    recipe : Recipe
    learn : SliceDataset
        Music to learn from, and tracks with label -1 that are none.
    check : SliceDataset
        Tracks to choose the epoch on.
    seed : int
    teachers : sequence of nn.Module
        Networks whose mean answer to each augmented window is learned instead of its label
        (Hinton et al., arXiv:1503.02531; Beyer et al., arXiv:2106.05237).
    """

    def __init__(
        self,
        recipe: Recipe,
        learn: SliceDataset,
        check: SliceDataset,
        seed: int,
        teachers: Sequence[nn.Module] = (),
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self.learn, self.teachers = recipe, learn, teachers
        self.generator = Generator().manual_seed(seed)
        self.model = channels_last(build(recipe.architecture, recipe.arguments))
        self.mean = copy.deepcopy(self.model).eval()
        self.optimiser = torch.optim.AdamW(
            _groups(self.model, recipe.weight_decay), lr=recipe.learning_rate, betas=(0.9, 0.99)
        )
        self.music = torch.nonzero(learn.labels >= 0).squeeze(1)
        self.others = torch.nonzero(learn.labels < 0).squeeze(1)
        self.per_epoch = max(1, len(self.music) * recipe.slices // recipe.batch)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.check_windows, owner = check.tiles()
        self.check_owner, self.check_truth = owner.numpy(), check.labels.numpy()
        self.steps, self.history, self.best = 0, History(), copy.deepcopy(self.mean.state_dict())

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """Index of the epoch with the lowest validation log loss."""
        return int(np.argmin([row["log_loss"] for row in self.history])) if self.history else -1

    @property
    def finished(self) -> bool:
        """Whether the schedule or the patience has run out."""
        return self.epoch >= self.recipe.epochs or self.epoch - 1 - self.best_epoch >= self.recipe.patience

    def run_epoch(self, step_done: Callable[[], object] = lambda: None) -> dict[str, float]:
        """Learn for one epoch, validate the mean weights, and return the new row of the history."""
        began, losses = time.monotonic(), []
        order = torch.cat(
            [torch.randperm(len(self.music), generator=self.generator) for _ in range(self.recipe.slices)]
        )
        for at in range(self.per_epoch):
            chosen = order[at * self.recipe.batch : (at + 1) * self.recipe.batch]
            losses.append(self._step(self.music[chosen]))
            step_done()
        row = {"loss": float(np.mean(losses)), **self._validate(), "seconds": time.monotonic() - began}
        self.history.append(row)
        if self.best_epoch == self.epoch - 1:
            self.best = copy.deepcopy(self.mean.state_dict())
        return row

    def batch(self, music: Tensor) -> tuple[Tensor, Tensor]:
        """Cut, augment and mix windows of these tracks and of some negatives, with their targets."""
        change, g = self.recipe.augment, self.generator
        n_others = round(len(music) * self.recipe.negatives) if len(self.others) else 0
        others = self.others[torch.randint(max(1, len(self.others)), (n_others,), generator=g)]
        tracks = torch.cat([music, others])
        mel = self._cut(tracks)
        if change.same_genre:
            which = torch.rand(len(tracks), generator=g) < change.same_genre
            mel = augment.add_partner(mel, self._cut(self._partners(tracks)), which, g)
        windows = augment.mask(augment.standardise(augment.change(mel, change, g)), change, g)
        return augment.mix(windows, self._targets(tracks), change, g)

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on as if nothing had happened."""
        return {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "history": self.history,
            "steps": self.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state that `state` gave."""
        self.model.load_state_dict(state["model"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch"])
        self.history, self.steps, self.best = state["history"], state["steps"], state["best"]

    def _rate(self, step: int) -> float:
        total = self.recipe.epochs * self.per_epoch
        warm = max(1.0, self.recipe.warmup * total)
        return min((step + 1) / warm, 0.5 * (1 + math.cos(math.pi * min(1.0, step / total))))

    def _step(self, music: Tensor) -> float:
        windows, targets = self.batch(music)
        if self.teachers:
            targets = targets.lerp(_mean_answer(self.teachers, windows), self.recipe.teaching)
        self.model.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(windows).logits
        loss = nn.functional.cross_entropy(logits.float(), targets)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.steps += 1
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        # A young mean forgets faster, or it would remember the random start.
        keep = min(self.recipe.averaging, self.steps / (self.steps + 10))
        for mean, now in zip(self.mean.state_dict().values(), self.model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def _validate(self) -> dict[str, float]:
        logits = answers(self.mean, self.check_windows, fast=True)
        slices = metrics.softmax(logits)
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

    def _cut(self, tracks: Tensor) -> Tensor:
        spec, frames = self.learn.spec, self.learn.mel.shape[2]
        drawn = augment.columns(len(tracks), frames, spec.n_frames, self.recipe.augment, self.generator)
        return self.learn.cut(tracks, drawn)

    def _partners(self, tracks: Tensor) -> Tensor:
        labels, order = torch.sort(self.learn.labels, stable=True)
        wanted = self.learn.labels[tracks].contiguous()
        first = torch.searchsorted(labels, wanted)
        count = torch.searchsorted(labels, wanted, right=True) - first
        drawn: Tensor = order[first + (torch.rand(len(tracks), generator=self.generator) * count).long()]
        return drawn

    def _targets(self, tracks: Tensor) -> Tensor:
        n = self.model.spec.n_labels
        labels = self.learn.labels[tracks]
        sure = (labels >= 0).float().unsqueeze(1) * (1 - self.recipe.smoothing)
        return sure * nn.functional.one_hot(labels.clamp(min=0), n) + (1 - sure) / n


TEMPERATURES = tuple(np.geomspace(0.1, 2, 20).tolist())


def channels_last(model: Queens) -> Queens:
    """Lay convolutions out as the CPU likes them: a third faster, the same answers."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def answers(model: nn.Module, windows: Tensor, fast: bool = False) -> F32:
    """Return the logits of a network for windows, shape ``(w, labels)``; nothing is learned.

    With `fast`, in bfloat16: good enough to follow a run, not to publish a figure.
    """
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
        parts = [model(part).logits.float() for part in torch.split(windows, EVAL_BATCH)]
    return torch.cat(parts).numpy()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a state beside its place, then rename: an interruption leaves the old one whole."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _mean_answer(teachers: Sequence[nn.Module], windows: Tensor) -> Tensor:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        shares = [torch.softmax(teacher(windows).logits.float(), dim=1) for teacher in teachers]
    return torch.stack(shares).mean(dim=0).clone()


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and norms, which only set levels, do not."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
