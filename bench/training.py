"""An epoch of the shipped network's training beside a plain loop: the same batches, in float32, as torch comes.

Both start from the same weights and draw the same batches in one thread; they take turns, an epoch each, so that
the load of a minute meets both, and the curves of their losses can be laid side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mgtag_train.data.splitting import split_names
from mgtag_train.data.tracks import MelTrack, SliceDataset, load_cache, quantise, take
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.configs import WIDE
from mgtag_train.learn.trainer import Training
from torch import nn

from mgtag.features import MelSpec
from mgtag.models import build

FEATURES = Path(__file__).parents[2] / "shared" / "data" / "gtzan" / "mel.npz"
CONFIG = replace(WIDE, slices=4, negatives=0.0)
SPEC = replace(MelSpec(), top_db=CONFIG.top_db)


def rounds(n: int) -> dict[str, Any]:
    """Train `n` epochs both ways, and return wall and CPU seconds and the mean loss of each epoch."""
    torch.set_num_threads(1)
    learn = Windows(SliceDataset(_tracks(), SPEC), int(CONFIG.arguments["n_labels"]))
    few = Windows(SliceDataset(_tracks()[:2], SPEC), learn.n_labels)
    ways = {"mgtag train": _ours(learn, few), "a plain loop in float32": _plain(learn)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _ in range(n):
        for name, epoch in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            loss = epoch()
            found[name].append(
                {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "loss": loss}
            )
    return {"files": len(learn.labels) * CONFIG.slices, "rounds": found}


def _ours(learn: Windows, few: Windows) -> Callable[[], float]:
    training = Training(CONFIG, learn, few, seed=0)
    return lambda: training.run_epoch()["loss"]


def _plain(learn: Windows) -> Callable[[], float]:
    torch.manual_seed(0)
    model = build(CONFIG.architecture, CONFIG.arguments)
    optimiser = torch.optim.AdamW(model.parameters(), CONFIG.learning_rate, weight_decay=CONFIG.weight_decay)
    generator = torch.Generator().manual_seed(0)
    per_epoch = len(learn.labels) * CONFIG.slices // CONFIG.batch
    total = CONFIG.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(
            (step + 1) / (CONFIG.warmup * total), 0.5 * (1 + np.cos(np.pi * min(1, step / total)))
        ),
    )

    def epoch() -> float:
        losses = []
        order = torch.cat(
            [torch.randperm(len(learn.labels), generator=generator) for _ in range(CONFIG.slices)]
        )
        for at in range(per_epoch):
            items = order[at * CONFIG.batch : (at + 1) * CONFIG.batch]
            inputs, targets = learn.batch(items, CONFIG, generator)
            loss = model.train().loss(inputs, targets)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    return epoch


def _tracks() -> list[MelTrack]:
    """GTZAN's training tracks, where they are at hand; otherwise noise, which is learned as fast."""
    if FEATURES.exists():
        return take(load_cache(FEATURES), split_names("train"))
    rng = np.random.default_rng(0)
    noise = (rng.normal(0, 10, (SPEC.n_mels, 390)).astype(np.float32) for _ in range(400))
    return [quantise(f"noise.{i:05}", i % 10, mel) for i, mel in enumerate(noise)]
