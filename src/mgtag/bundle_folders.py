"""Where trained models lie, by name; light enough to import for a help page or a completion."""

from __future__ import annotations

from pathlib import Path

import platformdirs

CARD = "card.json"
SHIPPED = Path(__file__).parent / "bundles"
DEFAULT = "wide-parallel-4"


def roots() -> tuple[Path, ...]:
    """Where bundles are looked for: the user's own first, then the shipped ones."""
    return (platformdirs.user_data_path("mgtag") / "models", SHIPPED)


def folders() -> tuple[Path, ...]:
    """Every bundle folder at hand, unverified, in the order of `roots`."""
    return tuple(card.parent for root in roots() for card in sorted(root.glob(f"*/{CARD}")))
