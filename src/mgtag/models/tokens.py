"""The paper's network: a clip cut into tokens, each encoded by a CNN, and attention over their sequence.

*Attention-guided spectrogram sequence modeling with CNNs for music genre classification*, course
project, AI2100 Deep Learning.

::

    clip ── 20 tokens ── CNN ── 20 codes of 128 ── self-attention ── additive attention ── logits
                                      │                               (a weight a token)
                                      └─ what else they learn: decoder, sparsity, next token

What the paper proposes to do with the codes is a term of the loss each, of the weight that the spec
gives it: all of them are learned together with the genre, from the first step on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mgtag.models.blocks import block
from mgtag.models.output import ModelOutput, Network, Spec

SKETCH = (32, 4)  # bands by frames of the coarse token that is foretold
DECODER = 256  # width of the decoder's hidden layer


@dataclass(frozen=True)
class TokensSpec(Spec):
    """Arguments of a network; the defaults are the paper's.

    Attributes
    ----------
    n_tokens : int
        Parts of a clip; divides `n_frames`.
    channels, pools
        Of the encoder's convolution blocks; pooling is bands by frames.
    code : int
        Numbers that a token becomes.
    heads : int
        Of the self-attention.
    dropout : float
        On the code, in the self-attention, and before the classifier.
    vae : float
        Weight of the evidence lower bound, per cell of a token: while learning, codes are drawn from
        the encoder's mean and variance (Kingma, Welling, arXiv:1312.6114); 0 for none.
    sparse : float
        Weight of the mean absolute code; codes are then not negative, so that most can be zero.
    next_token : float
        Weight of the squared error of each token, coarsely, as foretold from those before it.
    batch_norm : bool
        After each convolution; the export folds it away.
    """

    n_frames: int = 380
    n_tokens: int = 20
    channels: tuple[int, ...] = (16, 32, 64, 128)
    pools: tuple[tuple[int, int], ...] = ((4, 2), (2, 2), (2, 2), (2, 1))
    code: int = 128
    heads: int = 4
    dropout: float = 0.3
    vae: float = 0.0
    sparse: float = 0.0
    next_token: float = 0.0
    batch_norm: bool = True


TOKENS = TokensSpec()

ARCHITECTURES = {
    "tokens": TOKENS,
    "tokens-vae": replace(TOKENS, vae=1.0),
    "tokens-sparse": replace(TOKENS, sparse=0.1),
    "tokens-next": replace(TOKENS, next_token=1.0),
}


class Tokens(Network):
    """Any network of the paper, by its spec.

    Raises
    ------
    ValueError
        If a clip cannot be cut into so many equal tokens.
    """

    spec: TokensSpec

    def __init__(self, spec: TokensSpec = TOKENS) -> None:
        super().__init__(spec)
        self.per_token, rest = divmod(spec.n_frames, spec.n_tokens)
        if rest or not self.per_token:
            raise ValueError(f"{spec.n_frames} frames cannot be cut into {spec.n_tokens} equal tokens")
        widths = (1, *spec.channels)
        self.encoder = nn.Sequential(
            *(
                block(n_in, n_out, pool, spec.batch_norm)
                for n_in, n_out, pool in zip(widths, spec.channels, spec.pools, strict=False)
            )
        )
        rows = math.ceil(spec.n_mels / math.prod(pool[0] for pool in spec.pools))
        columns = math.ceil(self.per_token / math.prod(pool[1] for pool in spec.pools))
        n_maps = spec.channels[-1] * rows * columns
        self.code = nn.Linear(n_maps, spec.code)
        if spec.vae:
            self.log_variance = nn.Linear(n_maps, spec.code)
            n_cells = spec.n_mels * self.per_token
            self.decoder = nn.Sequential(
                nn.Linear(spec.code, DECODER), nn.ReLU(), nn.Linear(DECODER, n_cells)
            )
        if spec.next_token:
            self.past = nn.GRU(spec.code, spec.code, batch_first=True)
            self.future = nn.Linear(spec.code, math.prod(SKETCH))
        self.dropout = nn.Dropout(spec.dropout)
        self.places = nn.Parameter(0.02 * torch.randn(spec.n_tokens, spec.code))
        self.sequence = nn.TransformerEncoderLayer(
            spec.code, spec.heads, 2 * spec.code, spec.dropout, batch_first=True
        )
        # Bahdanau's additive attention. No bias at the end: softmax over the tokens would not see it.
        self.scores = nn.Sequential(
            nn.Linear(spec.code, spec.code), nn.Tanh(), nn.Linear(spec.code, 1, bias=False)
        )
        self.classifier = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.code, spec.n_labels))

    def cut(self, windows: Tensor) -> Tensor:
        """Cut clips into tokens, shape ``(batch, n_tokens, n_mels, frames of a token)``."""
        shape = (-1, self.spec.n_mels, self.spec.n_tokens, self.per_token)
        return windows.reshape(shape).transpose(1, 2)

    def encode(self, windows: Tensor) -> Tensor:
        """Return the code of every token, shape ``(batch, n_tokens, code)``, without any chance in it."""
        return self._codes(self._maps(windows))

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised clips, shape ``(batch, n_mels, n_frames)``."""
        maps = self._maps(windows)
        return self._attend(self._drawn(self._codes(maps), maps))

    def loss(self, windows: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the genre, and of whatever else the codes are to learn."""
        spec, maps, tokens = self.spec, self._maps(windows), self.cut(windows)
        mean = self._codes(maps)
        codes = self._drawn(mean, maps)
        loss = nn.functional.cross_entropy(self._attend(codes).logits.float(), targets)
        if spec.vae:
            error = self.decoder(codes).float() - tokens.flatten(2)
            variance = self.log_variance(maps).float()
            # Of a unit normal about what is decoded, against a unit normal prior, in nats a token.
            divergence = 0.5 * (mean.float() ** 2 + variance.exp() - 1 - variance).sum(dim=2)
            loss = loss + spec.vae * (0.5 * error**2 + divergence.unsqueeze(2) / error.shape[2]).mean()
        if spec.sparse:
            loss = loss + spec.sparse * codes.float().abs().mean()
        if spec.next_token:
            told = self.future(self.past(codes[:, :-1])[0]).float()
            coarse = nn.functional.adaptive_avg_pool2d(tokens[:, 1:], SKETCH).flatten(2)
            loss = loss + spec.next_token * nn.functional.mse_loss(told, coarse)
        return loss

    def _maps(self, windows: Tensor) -> Tensor:
        maps = self.encoder(self.cut(windows).reshape(-1, 1, self.spec.n_mels, self.per_token))
        return maps.reshape(-1, self.spec.n_tokens, self.code.in_features)  # type: ignore[no-any-return]

    def _codes(self, maps: Tensor) -> Tensor:
        codes: Tensor = self.code(maps)
        return codes.relu() if self.spec.sparse else codes

    def _drawn(self, mean: Tensor, maps: Tensor) -> Tensor:
        if not (self.spec.vae and self.training):
            return mean
        return mean + torch.randn_like(mean) * torch.exp(self.log_variance(maps) / 2)

    def _attend(self, codes: Tensor) -> ModelOutput:
        heard = self.sequence(self.dropout(codes) + self.places)
        weights = torch.softmax(self.scores(heard).squeeze(2).float(), dim=1)
        embedding = torch.bmm(weights.to(heard.dtype).unsqueeze(1), heard).squeeze(1)
        # A token's weight, evenly over its frames.
        attention = weights.unsqueeze(2).expand(-1, -1, self.per_token).flatten(1) / self.per_token
        return ModelOutput(self.classifier(embedding), attention, embedding)
