"""The lyrics network of the Kharagpur paper: words make sentences, sentences make a song.

Nandy, Agrawal, *A novel multimodal music genre classifier using hierarchical attention and
convolutional neural network* (IIT Kharagpur, 2021), section 5.2; after Yang et al.,
*Hierarchical attention networks for document classification* (NAACL 2016).

::

    words ─ vectors ─ BGRU ─ attention ─ one vector a sentence ─ BGRU ─ attention ─ song ─ logits

Padding costs nothing: only the real words of the different sentences of a batch go through the
word GRU, so a chorus is read once however often it is sung.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from mgtag.models.output import ModelOutput, Network

PADDING, UNKNOWN = 0, 1  # the first two word ids; words of the vocabulary follow


@dataclass(frozen=True)
class HanSpec:
    """Arguments of the network; the defaults are the paper's, but for the dropouts.

    Attributes
    ----------
    n_labels : int
    n_words : int
        Rows of the table of word vectors, `PADDING` and `UNKNOWN` among them.
    n_sentences, sentence : int
        Sentences of a song, and words of a sentence.
    vector : int
        Length of a word vector.
    learned : bool
        Whether the vectors go on learning with the network.
    units : int
        Of each GRU, in each direction.
    dropout : float
        On the vectors of sentences and of the song.
    dropout_vector : float
        On the entries of a word's vector, alike wherever the word stands in the batch.
    dropout_word : float
        Share of words taken for unknown ones.
    prior : tuple of float
        Share of each label in training, or nothing. Where given, it is added to the logits in the
        loss only, so that the answer is one for labels equally frequent (Menon et al.,
        arXiv:2007.07314).
    """

    n_labels: int = 6
    n_words: int = 20_000
    n_sentences: int = 50
    sentence: int = 20
    vector: int = 300
    learned: bool = True
    units: int = 50
    dropout: float = 0.5
    dropout_vector: float = 0.3
    dropout_word: float = 0.2
    prior: tuple[float, ...] = ()


ARCHITECTURES = {"lyrics-han": HanSpec()}


class Attention(nn.Module):
    """Weighted sum of vectors, equations 2 to 4 of the paper.

    Shape: ``(batch, n, width)`` and ``(batch, n)``, true where a vector is real, to
    ``(batch, width)`` and weights ``(batch, n)``, whose rows sum to 1 over the real ones.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.query = nn.Linear(width, 1, bias=False)

    def forward(self, vectors: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Weigh and add up."""
        scores = self.query(torch.tanh(self.hidden(vectors))).squeeze(2).float()
        weights = torch.softmax(scores.masked_fill(~real, -torch.inf), dim=1)
        return torch.bmm(weights.to(vectors.dtype).unsqueeze(1), vectors).squeeze(1), weights


class Han(Network):
    """Hierarchical attention network.

    Shape: word ids ``(batch, n_sentences, sentence)`` to `ModelOutput`, whose attention is over
    the sentences, ``(batch, n_sentences)``, and whose embedding has ``2 * units`` numbers.
    Padding is at the end, of a sentence and of a song; a song has at least one word.
    """

    spec: HanSpec  # type: ignore[assignment]  # words have no mel bands

    def __init__(self, spec: HanSpec = ARCHITECTURES["lyrics-han"]) -> None:
        super().__init__(spec)  # type: ignore[arg-type]
        if spec.prior and len(spec.prior) != spec.n_labels:
            raise ValueError(f"prior has {len(spec.prior)} shares for {spec.n_labels} labels")
        width = 2 * spec.units
        self.vectors = nn.Embedding(spec.n_words, spec.vector, padding_idx=PADDING)
        self.vectors.weight.requires_grad_(spec.learned)
        self.dropout_vector = nn.Dropout(spec.dropout_vector)
        self.dropout = nn.Dropout(spec.dropout)
        self.word_gru = nn.GRU(spec.vector, spec.units, batch_first=True, bidirectional=True)
        self.word_attention = Attention(width)
        self.sentence_gru = nn.GRU(width, spec.units, batch_first=True, bidirectional=True)
        self.sentence_attention = Attention(width)
        self.classifier = nn.Linear(width, spec.n_labels)
        prior = torch.tensor(spec.prior or (1.0,) * spec.n_labels)
        self.register_buffer("log_prior", torch.log(prior / prior.sum()), persistent=False)

    def forward(self, words: Tensor) -> ModelOutput:
        """Answer for a batch of songs, int64 ``(batch, n_sentences, sentence)``."""
        real = (words != PADDING).any(dim=2)
        # The word GRU reads each different sentence once; `which` gives its places.
        different, which = torch.unique(words[real], dim=0, return_inverse=True)
        sentences = self.dropout(self._sentences(different)[which])
        song = sentences.new_zeros(*real.shape, sentences.shape[1])
        song[real] = sentences
        embedding, attention = self.sentence_attention(
            _through(self.sentence_gru, song, real.sum(dim=1)), real
        )
        return ModelOutput(self.classifier(self.dropout(embedding)), attention, embedding)

    def loss(self, words: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, of logits with the training's prior added where the spec has one."""
        return nn.functional.cross_entropy(self(words).logits.float() + self.log_prior, targets)

    def _sentences(self, words: Tensor) -> Tensor:
        real = words != PADDING
        if self.training and self.spec.dropout_word:
            lost = torch.rand(words.shape, device=words.device) < self.spec.dropout_word
            words = words.masked_fill(real & lost, UNKNOWN)
        # A word's vector is looked up, and dropped from, once a batch: a common one stands there often.
        kinds, which = torch.unique(words, return_inverse=True)
        vectors = self.dropout_vector(self.vectors(kinds))
        states = _through(self.word_gru, which, real.sum(dim=1), vectors)
        found: Tensor = self.word_attention(states, real)[0]
        return found


def _through(gru: nn.GRU, steps: Tensor, lengths: Tensor, table: Tensor | None = None) -> Tensor:
    """States of a GRU, ``(batch, n, 2 * units)``, at the real steps; zeros after them.

    `steps` holds vectors ``(batch, n, width)``, or rows of `table` ``(batch, n)``.
    """
    packed = pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
    if table is not None:
        packed = PackedSequence(nn.functional.embedding(packed.data, table), *packed[1:])
    states, _ = gru(packed)
    padded, _ = pad_packed_sequence(states, batch_first=True, total_length=steps.shape[1])
    return padded
