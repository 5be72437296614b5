"""What others do, as their own documentation says.

``python -m bench.peers librosa FILE...``: the way of the five reports: librosa loads a whole file and makes
its mel spectrogram, and torch answers slice by slice, with the network of the reports and one thread.
``python -m bench.peers essentia FILE...``: essentia's extractor of descriptors of music, which its documentation
runs for a collection.
``python -m bench.peers mutagen FILE...``: read the tags and nothing else.
"""

from __future__ import annotations

import sys

WITH_WEIGHTS = "gtzan-parallel-1"  # the reports' network; the default of mgtag has none for torch


def by_librosa(paths: list[str]) -> None:
    """Answer for each file as the reports' programs do."""
    import librosa
    import numpy as np
    import torch

    from mgtag import bundle
    from mgtag.features import standardise
    from mgtag.inference import torch_model

    torch.set_num_threads(1)
    model = bundle.find(WITH_WEIGHTS)
    network, spec = torch_model(model), model.card.mel
    for path in paths:
        y, rate = librosa.load(path, sr=spec.sample_rate)
        answers = []
        for begin in range(0, len(y) - spec.n_samples + 1, spec.n_frames * spec.hop):
            cut = y[begin : begin + spec.n_samples]
            mel = librosa.feature.melspectrogram(
                y=cut, sr=rate, n_fft=spec.n_fft, hop_length=spec.hop, n_mels=spec.n_mels, center=False
            )
            x = standardise(librosa.power_to_db(mel, top_db=None), spec.top_db)
            with torch.inference_mode():
                answers.append(network.answer(torch.from_numpy(x)[None]))
        assert answers
        print(path, len(answers), np.shape(x))


def by_essentia(paths: list[str]) -> None:
    """Extract each file's descriptors."""
    from essentia.standard import MusicExtractor

    for path in paths:
        print(path, len(MusicExtractor()(path)[0].descriptorNames()))


def by_mutagen(paths: list[str]) -> None:
    """Read every file's tags."""
    import mutagen

    for path in paths:
        print(path, mutagen.File(path, easy=True))


if __name__ == "__main__":
    {"librosa": by_librosa, "essentia": by_essentia, "mutagen": by_mutagen}[sys.argv[1]](sys.argv[2:])
