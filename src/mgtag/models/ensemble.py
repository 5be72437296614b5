"""An ensemble: the mean of several networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mgtag.models.output import ModelOutput, Network


class Ensemble(Network):
    """The mean of the members' probabilities, of their attention, and their embeddings side by side.

    Parameters
    ----------
    members : sequence of Network
        With the same labels and windows.
    """

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__(members[0].spec)
        self.members = nn.ModuleList(members)

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of windows; the logits are logarithms of the mean probability."""
        said = [member(windows) for member in self.members]
        shares = torch.stack([torch.softmax(one.logits.float(), dim=-1) for one in said]).mean(dim=0)
        attentions = [one.attention for one in said if one.attention is not None]
        return ModelOutput(
            shares.clamp(min=torch.finfo(shares.dtype).tiny).log(),
            torch.stack(attentions).mean(dim=0) if attentions else None,
            torch.cat([one.embedding for one in said], dim=-1),
        )
