"""Pretrained networks of the package ``musicnn`` 0.1.0, read from its wheel, as teachers.

The wheel is never installed: `pip download --no-deps musicnn==0.1.0` fetches it.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mgtag.arrays import F32
from mgtag.errors import UsageError
from mgtag.features import MelSpec
from mgtag.install.checkpoint import tensors
from mgtag.install.weights import KINDS, converted
from mgtag.models.musicnn import Musicnn, MusicnnSpec
from mgtag_train.data.musicnn_vgg import Vgg

SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
# Two networks each of 200,000 songs with 50 Last.fm tags, and of MagnaTagATune's clips with 50 of its own.
SONGS, CLIPS = "MSD", "MTT"
# One level for every slice, since the answers depend on it.
MEL = MelSpec(16_000, 512, 256, 96, 187, 0.0, 8000.0, compression=10_000.0, level_db=-20.0)


class Teachers(nn.Module):
    """The four networks of the wheel in bfloat16, which moves their probabilities by some thousandths.

    A head on their embeddings side by side is surer of what it knows than one on any of them: see "Music
    outside GTZAN" in RESULTS.

    Parameters
    ----------
    musicnn, vgg : sequence of network
        Of `SONGS`, then of `CLIPS`.
    """

    def __init__(self, musicnn: Sequence[Musicnn], vgg: Sequence[Vgg]) -> None:
        super().__init__()
        self.musicnn, self.vgg = nn.ModuleList(musicnn), nn.ModuleList(vgg).to(torch.bfloat16)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Turn windows of `MEL` into the mean logits of the Last.fm tags, and all embeddings side by side."""
        with torch.autocast("cpu", torch.bfloat16):
            first = [network(windows) for network in self.musicnn]
        second = [network(windows.to(torch.bfloat16)) for network in self.vgg]
        embeddings = [output.embedding for output in first] + [embedding for _, embedding in second]
        tags = (first[0].logits.float() + second[0][0].float()) / 2
        return tags, torch.cat([embedding.float() for embedding in embeddings], dim=1)


def read_teachers(wheel: Path) -> Teachers:
    """Build the four networks with the weights in the wheel, ready to answer.

    Raises
    ------
    UsageError
        If this is not the published wheel.
    """
    sets = SONGS, CLIPS
    return Teachers(
        [read_teacher(wheel, data) for data in sets],
        [Vgg(_tensors(wheel, f"{data}_vgg")).eval() for data in sets],
    )


def read_teacher(wheel: Path, data: str = SONGS) -> Musicnn:
    """Build one musicnn alone; raises as `read_teachers`."""
    state = converted(_tensors(wheel, f"{data}_musicnn"))
    filters = tuple(len(state[f"front.{n}.weight"]) for n in range(KINDS))
    network = Musicnn(MusicnnSpec(filters=filters))
    network.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    return network.eval()


def _tensors(wheel: Path, checkpoint: str) -> dict[str, F32]:
    try:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{wheel}: the wheel of musicnn cannot be read ({error.strerror}).") from error
    if digest != SHA256:
        raise UsageError(f"{wheel}: this is not musicnn-0.1.0-py3-none-any.whl as published; fetch it again.")
    with zipfile.ZipFile(wheel) as files:
        folder = f"musicnn/{checkpoint}"
        return tensors(files.read(f"{folder}/.index"), files.read(f"{folder}/.data-00000-of-00001"))
