"""Windows to a `Prediction`: ONNX Runtime on the CPU, torch where it sees a GPU."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mgtag import analysis, audio, bundle, identity
from mgtag.arrays import F32
from mgtag.audio import Sound
from mgtag.bundle import Bundle
from mgtag.card import BASE, GENRE
from mgtag.errors import BundleError, UsageError
from mgtag.extras import install_command
from mgtag.features import slice_starts
from mgtag.prediction import HeadOutput, Prediction, concatenate, in_order
from mgtag.slices import cut, spread, tiles, too_short
from mgtag.tags.lyrics import read_lyrics
from mgtag.vote import music_is_settled, settled, softmax

if TYPE_CHECKING:
    from mgtag.models import Network

__all__ = ["Prediction", "Tagger", "listen"]

Device = Literal["auto", "cpu", "cuda"]

Amount = int | Literal["auto", "all"]  # of slices

MAX_SLICES = 30  # a longer track is heard at this many places at most, evenly spread
FIRST, NEXT = 8, 3  # slices before the vote is looked at, and between looks; see `mgtag.vote.SURE`
BATCH = 32  # windows a pass

FORMAT_1 = "logits"  # the only head of a graph made before heads had names
Ask = Callable[[F32], dict[str, F32]]  # windows -> logits of each head, embedding, perhaps attention


class Tagger:
    """A bundle, ready to listen.

    Cheap to pickle: a worker process loads the bundle once, whatever it is sent.

    Parameters
    ----------
    model : Bundle
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes CUDA where torch is installed and sees a GPU, and the model has weights for it.

    Raises
    ------
    UsageError
        If CUDA is asked for and not to be had.
    """

    def __init__(self, model: Bundle, device: Device = "auto") -> None:
        self.bundle = model
        self.device = _choose("cpu" if device == "auto" and model.weights is None else device)
        # The CPU's graph is loaded where it is used, in a worker; the GPU's is shared by threads.
        self._network: Ask | None = _torch(model) if self.device == "cuda" else None

    def __reduce__(self) -> tuple[Callable[[Path, Device], Tagger], tuple[Path, Device]]:
        return _tagger, (self.bundle.folder, self.device)

    def predict(self, source: Path | Sound, slices: Amount = "auto") -> Prediction:
        """Listen to a file.

        Parameters
        ----------
        source : Path or Sound
            A file, or one that is open already.
        slices : int or {"auto", "all"}
            How many slices are heard: at most so many, evenly spread over the track; every one; or as
            many of `MAX_SLICES` as it takes until the rest is not expected to change the genre.

        Raises
        ------
        AudioError
            If the file has no sound that can be read, or is shorter than a slice.
        """
        if isinstance(source, Path):
            with audio.opened(source) as sound:
                return self.predict(sound, slices)
        if slices != "all":
            return self._hear_places(source, slices)
        parts = tiles(source, self.bundle.card.mel)
        return concatenate([self.ask(part.windows, part.audible, part.starts_s) for part in parts])

    def _hear_places(self, sound: Sound, slices: int | Literal["auto"]) -> Prediction:
        mel = self.bundle.card.mel
        places = slice_starts(sound.duration_s, mel, MAX_SLICES if slices == "auto" else slices)
        if not places:
            raise too_short(sound, mel, sound.duration_s)
        order = [places[n] for n in spread(len(places))]
        parts: list[Prediction] = []
        for begin in (0, *range(FIRST, len(order), NEXT)):
            end = begin + NEXT if begin else FIRST
            part = cut(sound, mel, order[begin:end])
            parts.append(self.ask(part.windows, part.audible, part.starts_s))
            heard = concatenate(parts)
            if slices == "auto" and self._is_settled(heard, len(places)):
                break
        return in_order(heard)

    def _is_settled(self, heard: Prediction, of: int) -> bool:
        """Return whether more slices would change neither the genre nor whether it is music."""
        shares = {name: head.probabilities for name, head in heard.heads.items()}
        heads = self.bundle.card.heads
        return settled(heads[GENRE], shares[GENRE], of) and (
            BASE not in heads or music_is_settled(heads[BASE], shares[BASE], of)
        )

    def ask(
        self, x: F32, audible: NDArray[np.bool_] | None = None, starts_s: F32 | None = None
    ) -> Prediction:
        """Put windows, shape ``(w, n_mels, n_frames)``, to the network.

        Parameters
        ----------
        audible : array of bool, optional
            Shape ``(w,)``; a slice without sound gets equal probabilities.
        starts_s : F32, optional
            Shape ``(w,)``; by default the slices tile a track.
        """
        card = self.bundle.card
        if self._network is None:
            self._network = _onnx(self.bundle)
        parts = [self._network(x[i : i + BATCH]) for i in range(0, len(x), BATCH)]
        answer = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        heads = {}
        for name, head in card.heads.items():
            probabilities = softmax(answer[name], head.temperature)
            if audible is not None:
                probabilities[~audible] = 1 / len(head.labels)
            heads[name] = HeadOutput(head.labels, probabilities)
        if starts_s is None:
            starts_s = (np.arange(len(x)) * card.mel.slice_s).astype(np.float32)
        return Prediction(starts_s, heads, answer.get("attention"), answer["embedding"])


@dataclass(frozen=True)
class Heard:
    """What is known of a file that was heard.

    Attributes
    ----------
    fingerprint : str
        See `identity.fingerprint`.
    duration_s : float
    prediction : Prediction
    estimates : mapping of str to Estimate
        Of those of `mgtag.analysis.FIELDS` that were asked for.
    lyrics : str or None
        What is sung, "" where no words are at hand; None where nobody looked.
    """

    fingerprint: str
    duration_s: float
    prediction: Prediction
    estimates: Mapping[str, analysis.Estimate] = field(default_factory=dict)
    lyrics: str | None = None


def listen(
    tagger: Tagger,
    path: Path,
    slices: Amount = "auto",
    fields: Collection[str] = (),
    lyrics: bool = False,
) -> Heard:
    """Hear one file, opened once; runs in a worker.

    Parameters
    ----------
    fields : collection of str
        Of `mgtag.analysis.FIELDS`, what else to estimate.
    lyrics : bool
        Whether to look for words, too.

    Raises
    ------
    AudioError
        As `Tagger.predict`; also if the sound is much shorter than in the header.
    """
    with audio.opened(path) as sound:
        prediction = tagger.predict(sound, slices)
        estimates = analysis.analyse(sound, fields) if fields else {}
        sound.check_end()
        words = read_lyrics(path) if lyrics else None
        return Heard(identity.fingerprint(path), sound.duration_s, prediction, estimates, words)


def torch_model(model: Bundle) -> Network:
    """Return a bundle's network in torch, on the CPU, ready to answer."""
    import torch

    from mgtag.models import build

    if model.weights is None:
        raise UsageError(
            f"{model.card.name}: this model has no weights for torch; use --device cpu or --method occlusion."
        )
    network = build(model.card.architecture, dict(model.card.arguments))
    if model.weights.suffix == ".safetensors":
        from safetensors.torch import load_file

        network.load_state_dict(load_file(model.weights))
    else:
        network.load_state_dict(torch.load(model.weights, map_location="cpu", weights_only=True))
    return network.float().eval()


@cache
def _tagger(folder: Path, device: Device) -> Tagger:
    return Tagger(bundle.load(folder), device)


def _choose(device: Device) -> Device:
    if device == "cpu":
        return "cpu"
    # Importing torch takes over a second: look for the driver before asking it.
    usable = find_spec("torch") is not None and shutil.which("nvidia-smi") is not None and _torch_sees_gpu()
    if device == "cuda" and not usable:
        raise UsageError(
            f"CUDA is not to be had: torch ({install_command('train')}) must see a GPU; use --device cpu."
        )
    return "cuda" if usable else "cpu"


def _torch_sees_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _onnx(model: Bundle) -> Ask:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # scan runs one process a core
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.graph, options, providers=["CPUExecutionProvider"])
    names = {put.name: put.name for put in session.get_outputs()}
    if FORMAT_1 in names:
        names[FORMAT_1] = GENRE
    if missing := {*model.card.heads, "embedding"} - set(names.values()):
        raise BundleError(f"{model.graph}: this network does not answer {', '.join(sorted(missing))}.")

    def run(x: F32) -> dict[str, F32]:
        return dict(zip(names.values(), session.run(list(names), {"windows": x}), strict=True))

    return run


def _torch(model: Bundle, device: str = "cuda") -> Ask:
    import torch

    network = torch_model(model).to(device)

    def run(x: F32) -> dict[str, F32]:
        # Without TF32, whose ten bits of mantissa would let GPU and CPU disagree.
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            answer = network.answer(torch.from_numpy(np.ascontiguousarray(x)).to(device))
        return {name: part.float().cpu().numpy() for name, part in answer.items()}

    return run
