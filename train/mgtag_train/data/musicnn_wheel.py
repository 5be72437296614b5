"""The pretrained network of the package ``musicnn`` 0.1.0, read from its wheel, as a teacher.

The wheel is never installed: `pip download --no-deps musicnn==0.1.0` fetches it.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import torch

from mgtag.errors import UsageError
from mgtag.features import MelSpec
from mgtag.install.checkpoint import tensors
from mgtag.install.weights import KINDS, converted
from mgtag.models.musicnn import Musicnn, MusicnnSpec

SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
CHECKPOINT = "MSD_musicnn"  # 200,000 songs, 50 Last.fm tags
# One level for every slice, since the answers depend on it.
MEL = MelSpec(16_000, 512, 256, 96, 187, 0.0, 8000.0, compression=10_000.0, level_db=-20.0)


def read_teacher(wheel: Path) -> Musicnn:
    """Build the network with the weights in the wheel, ready to answer.

    Raises
    ------
    UsageError
        If this is not the published wheel.
    """
    try:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{wheel}: the wheel of musicnn cannot be read ({error.strerror}).") from error
    if digest != SHA256:
        raise UsageError(f"{wheel}: this is not musicnn-0.1.0-py3-none-any.whl as published; fetch it again.")
    with zipfile.ZipFile(wheel) as files:
        folder = f"musicnn/{CHECKPOINT}"
        state = converted(
            tensors(files.read(f"{folder}/.index"), files.read(f"{folder}/.data-00000-of-00001"))
        )
    filters = tuple(len(state[f"front.{n}.weight"]) for n in range(KINDS))
    network = Musicnn(MusicnnSpec(filters=filters))
    network.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    return network.eval()
