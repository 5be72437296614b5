"""The Queen's paper's other network: VGG-16 on the window as a picture, with a small classifier.

Simonyan, Zisserman, *Very deep convolutional networks for large-scale image recognition*
(arXiv:1409.1556), configuration D. The convolutions bear torchvision's names, so that its published
ImageNet weights fit as they are; they expect pixels of about mean 0 and deviation 1, as windows have.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mgtag.errors import UsageError
from mgtag.models.output import ModelOutput, Network, Spec

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions; pooling after each
HALVED = 2 ** len(STAGES)  # times that the picture shrinks
PUBLISHED = "vgg16-397923af.pth"  # torchvision's VGG16_Weights.IMAGENET1K_V1
PREFIX = "features."


@dataclass(frozen=True)
class VggSpec(Spec):
    """Arguments of the network.

    Attributes
    ----------
    size : (int, int)
        Of the picture, bands by frames; multiples of 32.
    hidden : int
        Width of the classifier's hidden layer, the embedding; the paper's 17.
    dropout : float
        Before and after it.
    pretrained : bool
        Begin with ImageNet's weights. The spec of such a network has False here: whoever builds it
        again brings the weights along.
    weights : str
        File to take them from; empty for torch's cache.
    """

    size: tuple[int, int] = (224, 224)
    hidden: int = 17
    dropout: float = 0.3
    pretrained: bool = False
    weights: str = ""


VGG16 = VggSpec()

ARCHITECTURES = {"queens-vgg16": VGG16}


class Vgg(Network):
    """VGG-16's convolutions, and the paper's classifier.

    Raises
    ------
    UsageError
        If pretrained weights are asked for and cannot be had.
    ValueError
        If the picture's size is no multiple of 32.
    """

    spec: VggSpec

    def __init__(self, spec: VggSpec = VGG16) -> None:
        super().__init__(replace(spec, pretrained=False, weights=""))
        if any(side < HALVED or side % HALVED for side in spec.size):
            raise ValueError(f"a picture of {spec.size}: both sides must be multiples of {HALVED}")
        self.features = _convolutions()
        width = STAGES[-1][0] * (spec.size[0] // HALVED) * (spec.size[1] // HALVED)
        self.hidden = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(width, spec.hidden), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.hidden, spec.n_labels))
        if spec.pretrained:
            self.features.load_state_dict(imagenet(Path(spec.weights) if spec.weights else None))

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised windows, shape ``(batch, n_mels, n_frames)``."""
        picture = nn.functional.interpolate(windows.unsqueeze(1), self.spec.size, mode="bilinear")
        embedding = self.hidden(self.features(picture.expand(-1, 3, -1, -1)).flatten(1))
        return ModelOutput(self.classifier(embedding), None, embedding)


def imagenet(file: Path | None = None) -> dict[str, Tensor]:
    """Read the convolutions' weights from torchvision's file.

    Parameters
    ----------
    file : Path, optional
        By default where torch keeps what it has downloaded.

    Raises
    ------
    UsageError
        If the file is missing, or is another one.
    """
    path = file or Path(torch.hub.get_dir()) / "checkpoints" / PUBLISHED
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: VGG-16's ImageNet weights are not here; put torchvision's {PUBLISHED} there,"
            " or train with pretrained=False."
        ) from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(f"{path}: these weights cannot be read; fetch {PUBLISHED} again.") from error
    found = {key.removeprefix(PREFIX): value for key, value in state.items() if key.startswith(PREFIX)}
    wanted = _convolutions().state_dict()
    if {k: v.shape for k, v in found.items()} != {k: v.shape for k, v in wanted.items()}:
        raise UsageError(f"{path}: these are not VGG-16's weights; give torchvision's {PUBLISHED}.")
    return found


def _convolutions() -> nn.Sequential:
    layers: list[nn.Module] = []
    n_in = 3
    for n_out, repeats in STAGES:
        for _ in range(repeats):
            convolution = nn.Conv2d(n_in, n_out, 3, padding=1)
            # He's initialisation: without it, and without norms, thirteen layers learn nothing.
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            layers += [convolution, nn.ReLU()]
            n_in = n_out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
