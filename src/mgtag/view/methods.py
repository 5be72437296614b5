"""What the weights of each method mean, in words."""

from __future__ import annotations

NAMES = {
    "occlusion": "weight by occlusion",
    "gradient": "weight by gradient",
    "attention": "attention",
}
_MEANS = {
    "occlusion": "how far the {head}'s probability falls when that moment is silenced",
    "gradient": "what that moment adds to the {head}'s probability, by integrated gradients",
    "attention": "where the network's attention lies; as an explanation hardly better than chance",
}


def means(method: str, head: str) -> str:
    """Say what a weight is, of a head such as ``"genre"``."""
    return _MEANS[method].format(head=head)
