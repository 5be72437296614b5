"""The networks of the papers, in torch; one file a family.

Every model takes standardised log-mel windows ``(batch, n_mels, n_frames)`` and answers with
the same `ModelOutput`, so that every one of them can be trained, exported, tagged with and
explained by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mgtag.models.output import ModelOutput
from mgtag.models.queens import ARCHITECTURES as _QUEENS
from mgtag.models.queens import Queens, QueensSpec

ARCHITECTURES: dict[str, QueensSpec] = {**_QUEENS}

__all__ = ["ARCHITECTURES", "ModelOutput", "Queens", "QueensSpec", "arguments_of", "build"]


def build(architecture: str, arguments: Mapping[str, Any]) -> Queens:
    """Make a network with fresh weights.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`, such as ``"queens-parallel"``.
    arguments : mapping
        What differs from the architecture's own values, as JSON keeps it: a list is as good
        as a tuple.

    Raises
    ------
    KeyError
        If there is no such architecture.
    TypeError
        If it has no such argument.
    """
    if architecture not in ARCHITECTURES:
        raise KeyError(f"no architecture {architecture!r}; there are {', '.join(ARCHITECTURES)}")
    values = {**asdict(ARCHITECTURES[architecture]), **arguments}
    return Queens(QueensSpec(**{key: _frozen(value) for key, value in values.items()}))


def arguments_of(spec: QueensSpec) -> dict[str, Any]:
    """Return every argument of a network as JSON can keep it; `build` takes it back."""
    return asdict(spec)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value
