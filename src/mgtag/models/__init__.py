"""The networks of the papers, in torch; one file a family.

Every model of sound takes standardised log-mel windows ``(batch, n_mels, n_frames)`` and answers
with the same `ModelOutput`, so that every one of them can be trained, exported, tagged with and
explained by the same code. Those of words answer alike, and are trained by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from mgtag.models import fusion, han, iitkgp, kth, mfcc, musicnn, queens, tokens, vgg
from mgtag.models.ensemble import Ensemble
from mgtag.models.fusion import Fusion, FusionSpec
from mgtag.models.han import Han, HanSpec
from mgtag.models.iitkgp import LyricsCnn, LyricsCnnSpec
from mgtag.models.kth import Kth, KthSpec
from mgtag.models.mfcc import Mfcc, MfccSpec
from mgtag.models.musicnn import Musicnn, MusicnnSpec
from mgtag.models.output import ModelOutput, Network, Spec
from mgtag.models.queens import Queens, QueensSpec
from mgtag.models.tokens import Tokens, TokensSpec
from mgtag.models.vgg import Vgg, VggSpec

ARCHITECTURES: dict[str, Spec] = {
    **queens.ARCHITECTURES,
    **vgg.ARCHITECTURES,
    **kth.ARCHITECTURES,
    **tokens.ARCHITECTURES,
    **mfcc.ARCHITECTURES,
    **iitkgp.ARCHITECTURES,
}
# Those that read words, and so take no windows: no bundle is made of them.
OF_WORDS: dict[str, HanSpec] = {**han.ARCHITECTURES, **fusion.ARCHITECTURES}
# Those whose weights come from elsewhere, and that nothing is trained from here.
PRETRAINED: dict[str, Spec] = {**musicnn.PRETRAINED}
NETWORKS: dict[type[Spec | HanSpec], Callable[[Any], Network]] = {
    QueensSpec: Queens,
    VggSpec: Vgg,
    KthSpec: Kth,
    TokensSpec: Tokens,
    MfccSpec: Mfcc,
    LyricsCnnSpec: LyricsCnn,
    HanSpec: Han,
    FusionSpec: Fusion,
    MusicnnSpec: Musicnn,
}

__all__ = [
    "ARCHITECTURES",
    "OF_WORDS",
    "PRETRAINED",
    "Ensemble",
    "Fusion",
    "FusionSpec",
    "Han",
    "HanSpec",
    "Kth",
    "LyricsCnn",
    "Mfcc",
    "ModelOutput",
    "Musicnn",
    "Network",
    "Queens",
    "QueensSpec",
    "Spec",
    "Tokens",
    "Vgg",
    "arguments_of",
    "build",
]


def build(architecture: str, arguments: Mapping[str, Any]) -> Network:
    """Make a network with fresh weights.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`, `OF_WORDS` or `PRETRAINED`, such as ``"queens-parallel"``.
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
    known: dict[str, Spec | HanSpec] = {**ARCHITECTURES, **OF_WORDS, **PRETRAINED}
    if architecture not in known:
        raise KeyError(f"no architecture {architecture!r}; there are {', '.join(known)}")
    default = known[architecture]
    values = {**asdict(default), **arguments}
    return NETWORKS[type(default)](type(default)(**{key: _frozen(value) for key, value in values.items()}))


def arguments_of(spec: Spec | HanSpec) -> dict[str, Any]:
    """Return every argument of a network as JSON can keep it; `build` takes it back."""
    return asdict(spec)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value
