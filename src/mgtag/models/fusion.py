"""Both halves of the Kharagpur paper at once: what is sung, and how it sounds.

Nandy, Agrawal (IIT Kharagpur, 2021), section 5.3: the vectors of the hierarchical attention
network and of the spectrogram network side by side, one linear layer, softmax.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from mgtag.models.han import Han, HanSpec
from mgtag.models.iitkgp import LYRICS_CNN, LyricsCnn, LyricsCnnSpec
from mgtag.models.output import ModelOutput, Network


@dataclass(frozen=True)
class FusionSpec(HanSpec):
    """Arguments of the network: those of `HanSpec`, and of the sound.

    Attributes
    ----------
    n_mels, n_frames : int
        Size of a window.
    dropout_sound : float
        Of the spectrogram network, as in `LyricsCnnSpec`.
    """

    n_labels: int = 5
    n_mels: int = LYRICS_CNN.n_mels
    n_frames: int = LYRICS_CNN.n_frames
    dropout_sound: float = LYRICS_CNN.dropout


ARCHITECTURES = {"lyrics-fusion": FusionSpec()}


class Fusion(Network):
    """Words and sound of a song to `ModelOutput`, whose attention is over the sentences.

    Shape: ``(batch, n_sentences * sentence + n_mels * n_frames)``, as `pack` makes it; the
    embedding is the two vectors side by side.
    """

    spec: FusionSpec  # type: ignore[assignment]  # as of Han

    def __init__(self, spec: FusionSpec = ARCHITECTURES["lyrics-fusion"]) -> None:
        super().__init__(spec)  # type: ignore[arg-type]
        self.words = Han(HanSpec(**{field.name: getattr(spec, field.name) for field in fields(HanSpec)}))
        self.sound = LyricsCnn(
            LyricsCnnSpec(
                n_labels=spec.n_labels, n_mels=spec.n_mels, n_frames=spec.n_frames, dropout=spec.dropout_sound
            )
        )
        # Each half would answer by itself; here the answer is of both.
        self.words.classifier = self.sound.classifier = nn.Identity()  # type: ignore[assignment]
        self.dropout = nn.Dropout(spec.dropout)
        self.classifier = nn.Linear(2 * spec.units + self.sound.spec.hidden, spec.n_labels)

    def forward(self, pairs: Tensor) -> ModelOutput:
        """Answer for a batch of packed pairs."""
        spec = self.spec
        n_words = spec.n_sentences * spec.sentence
        words, windows = pairs[:, :n_words], pairs[:, n_words:]
        read = self.words(words.int().reshape(-1, spec.n_sentences, spec.sentence))
        heard = self.sound(windows.reshape(-1, spec.n_mels, spec.n_frames))
        embedding = torch.cat([read.embedding, heard.embedding], dim=1)
        return ModelOutput(self.classifier(self.dropout(embedding)), read.attention, embedding)

    def loss(self, pairs: Tensor, targets: Tensor) -> Tensor:
        """As `Han.loss`."""
        return nn.functional.cross_entropy(self(pairs).logits.float() + self.words.log_prior, targets)


def pack(words: Tensor, windows: Tensor) -> Tensor:
    """Put word ids ``(batch, n_sentences, sentence)`` and windows of sound into one row each.

    float32 holds whole numbers up to 2**24 exactly, and a vocabulary is a thousandth of that.
    """
    return torch.cat([words.flatten(1).float(), windows.flatten(1)], dim=1)
