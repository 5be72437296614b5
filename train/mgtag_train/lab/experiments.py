"""Every system of the five reports, as one table of frozen values; an ablation is one changed value.

What a report claims stands beside what it is claimed of; where ours differs in kind, `told` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mgtag.features import MelSpec
from mgtag_train.data.lyrics import LYRICS
from mgtag_train.data.sources import GTZAN
from mgtag_train.lab.experiment import Claim, Experiment
from mgtag_train.learn import fusion
from mgtag_train.learn.augment import NONE
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.configs import (
    FUSION_CONFIG,
    GTZAN_CNN,
    GTZAN_FIRST,
    GTZAN_SECOND,
    HAN_CONFIG,
    KTH_CONFIG,
    MFCC_CONFIG,
    MIXED_CONFIG,
    QUEENS_CONFIG,
    SEARCHED_CONFIG,
    SPECTROGRAM_CONFIG,
    TOKENS_CONFIG,
)
from mgtag_train.learn.tfidf import TFIDF

QUEENS_GENRES = ("blues", "hiphop", "jazz", "pop", "rock")
HOMBURG_GENRES = ("blues", "raphiphop", "jazz", "pop", "rock")
AUDIO_GENRES = ("blues", "classical", "jazz", "metal", "pop")  # those whose audio is all at hand
HIGH_RESOLUTION = MelSpec(hop=512, n_frames=129)
CLIP = MelSpec(n_frames=380)  # 29.4 s, twenty tokens of 19 frames
CLIP_PART = MelSpec(n_frames=129)  # 10 s
TRIALS = "five genres, slices at random 80/20, best of several trials"


def _told(accuracy: float, macro_f1: float, auc: float) -> Mapping[str, float]:
    return {"accuracy": accuracy, "macro_f1": macro_f1, "auc": auc}


def _queens(name: str, told: str, *figures: float) -> Experiment:
    return Experiment(
        name=name,
        report="queens-parallel-bgru-cnn",
        told=told,
        config=replace(QUEENS_CONFIG, architecture=name),
        labels=QUEENS_GENRES,
        seeds=3,
        claim=Claim("Table II", f"GTZAN, {TRIALS}", _told(*figures)),
    )


def _homburg(kind: str, *figures: float) -> Experiment:
    return replace(
        _queens(f"queens-{kind}", "the same on the Garageband set", *figures),
        name=f"homburg-{kind}",
        data="homburg",
        labels=HOMBURG_GENRES,
        protocols=("leaking", "artists"),
        claim=Claim("Table III", f"Garageband, {TRIALS}", _told(*figures)),
    )


def _kth(name: str, told: str, genre: float, valence: float) -> Experiment:
    return Experiment(
        name=name,
        report="kth-attention-cnn",
        told=told,
        config=replace(KTH_CONFIG, architecture=name),
        claim=Claim(
            "Results & Conclusion",
            "ten genres of 75 clips each from the Free Music Archive, 3-second slices, split not told",
            {"accuracy": genre, "valence": valence},
        ),
        grid={
            "learning_rate": (3e-4, 1e-3, 3e-3),
            "dropout": (0.2, 0.3, 0.5),
            "weight_decay": (1e-3, 1e-2, 1e-1),
        },
    )


def _mfcc(name: str, told: str, figures: Mapping[str, float]) -> Experiment:
    return Experiment(
        name=name,
        report="upc-mfcc-cnn",
        told=told,
        config=replace(MFCC_CONFIG, architecture=name),
        spec=CLIP_PART,
        protocols=("tracks", "filtered"),
        test_share=0.4,
        anywhere=True,
        seeds=3,
        claim=Claim("Results", "GTZAN, ten genres, tracks held apart, 40 of each genre in test", figures),
    )


def _tokens(name: str, told: str) -> Experiment:
    return Experiment(
        name=name,
        report="spectrogram-sequence-attention",
        told=told,
        config=replace(TOKENS_CONFIG, architecture=name),
        spec=CLIP,
        protocols=("tracks", "filtered"),
        anywhere=True,
        claim=Claim("2.1", "GTZAN, ten genres; a confusion matrix is shown, no figure stated", {}),
        grid={
            "learning_rate": (5e-4, 1e-3, 2e-3, 4e-3),
            "weight_decay": (0.005, 0.02, 0.08),
            "dropout": (0.1, 0.3, 0.5),
            "code": (64, 128, 256),
            "batch": (8, 16, 32),
        },
    )


VGG = Experiment(
    name="queens-vgg16",
    report="queens-parallel-bgru-cnn",
    told="VGG-16 on windows of 64 × 32, without ImageNet's weights",
    config=replace(
        QUEENS_CONFIG,
        architecture="queens-vgg16",
        arguments={"n_labels": 5, "size": (64, 32)},
        learning_rate=1e-4,
    ),
    labels=QUEENS_GENRES,
    claim=Claim(
        "Results", 'pretrained, 224 × 224 in colour; "as high as only 50% to 60%"', {"accuracy": 0.6}
    ),
)


HAN_GRID = {
    "learned": (True, False),
    "learning_rate": (1e-3, 3e-3),
    "distillation_weight": (0.0, 0.5, 0.9),
    "dropout_word": (0.1, 0.3),
}
IIT = Claim(
    "Table 1",
    "fusion, FMA medium with lyrics, 16 genres, 80/10/10, artist filter",
    {"accuracy": 0.762, "macro_f1": 0.768, "log_loss": 0.754},
)


def _lyrics(name: str, told: str, config: TrainConfig, **changes: Any) -> Experiment:
    ours = Experiment(name, "iitkgp-lyrics-han-cnn", told, config, "lyrics", LYRICS.labels, seeds=3)
    return replace(ours, **{"protocols": ("artists",), **changes})


def _hop(name: str, told: str, spec: MelSpec) -> Experiment:
    arguments = {"n_labels": len(AUDIO_GENRES), "batch_norm": True, "n_frames": spec.n_frames}
    return Experiment(
        name=name,
        report="mgtag",
        told=told,
        config=replace(QUEENS_CONFIG, arguments=arguments),
        data="gtzan-audio",
        labels=AUDIO_GENRES,
        spec=spec,
        protocols=("filtered",),
        seeds=3,
    )


def _best(name: str, told: str, config: TrainConfig = GTZAN_FIRST, **changes: Any) -> Experiment:
    ours = Experiment(name, "mgtag", told, config, protocols=("filtered",), anywhere=True, seeds=3)
    return replace(ours, **changes)


TEACHERS = ("best-averaged", "best-cnn")


REPORTS: Mapping[str, str] = {
    "queens-parallel-bgru-cnn": "Queen's: parallel BGRU and CNN",
    "kth-attention-cnn": "KTH: CNN with attention over its map",
    "spectrogram-sequence-attention": "Attention over spectrogram tokens",
    "upc-mfcc-cnn": "UPC: CNN on cepstral coefficients",
    "iitkgp-lyrics-han-cnn": "IIT Kharagpur: lyrics and spectrogram",
    "mgtag": "mgtag's own",
}

EXPERIMENTS: Mapping[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        _queens("queens-cnn", "five convolutions", 0.83, 0.84, 0.97),
        _queens("queens-bgru", "two layers of BGRU, mean over time", 0.84, 0.84, 0.97),
        _queens("queens-bgru-attention", "BGRU, frames weighted by a CNN", 0.88, 0.88, 0.98),
        _queens("queens-parallel", "BGRU with attention, and CNN, side by side", 0.90, 0.90, 0.98),
        replace(
            _queens("queens-parallel-mixed", "the same, its windows mixed and masked", 0.90, 0.90, 0.98),
            config=MIXED_CONFIG,
        ),
        _homburg("cnn", 0.68, 0.51, 0.91),
        _homburg("bgru", 0.70, 0.60, 0.90),
        _homburg("bgru-attention", 0.68, 0.52, 0.91),
        _homburg("parallel", 0.72, 0.62, 0.91),
        _kth("kth-3layer", "three convolutions", 0.384, 0.402),
        _kth("kth-4layer", "four convolutions", 0.889, 0.808),
        _kth("kth-5layer", "five convolutions", 0.820, 0.712),
        _kth("kth-attention", "four convolutions, attention over their map", 0.8978, 0.812),
        _mfcc("mfcc-26", "CNN on 26 cepstral coefficients a frame", {"accuracy": 0.61}),
        _mfcc("mfcc-18", "CNN on 18 cepstral coefficients a frame", {}),
        VGG,
        _lyrics("lyrics-tfidf", "words and word pairs, logistic regression", TrainConfig(TFIDF), seeds=1),
        _lyrics(
            "lyrics-han",
            "attention over words, then over sung lines; the baseline teaches",
            HAN_CONFIG,
            grid=HAN_GRID,
            baseline=True,
        ),
        _lyrics(
            "lyrics-both",
            "the baseline and the lyrics-han networks, asked together",
            HAN_CONFIG,
            members=("lyrics-han",),
            baseline=True,
        ),
        _lyrics(
            "lyrics-cnn",
            "its spectrogram network on GTZAN",
            SPECTROGRAM_CONFIG,
            data="gtzan",
            labels=GTZAN.labels,
            spec=CLIP,
            protocols=("tracks", "filtered"),
            anywhere=True,
            seeds=1,
        ),
        _lyrics(
            "lyrics-fusion",
            "both, on pairs of a song's words and a clip of the same genre",
            FUSION_CONFIG,
            data="fusion",
            labels=fusion.LABELS,
            spec=CLIP,
            claim=IIT,
        ),
        _tokens("tokens", "CNN on twenty tokens of a clip, attention over them"),
        _tokens("tokens-vae", "the same, codes drawn and tokens rebuilt from them"),
        _tokens("tokens-sparse", "the same, codes pulled towards zero"),
        _tokens("tokens-next", "the same, each token's code to tell the next token"),
        replace(
            _tokens("tokens-searched", "the first, with the settings that a search found"),
            config=SEARCHED_CONFIG,
            grid={},
        ),
        _hop("hop-1708", "queens-parallel on the frames of mel.npz, from audio", MelSpec()),
        _hop("hop-512", "the same on 3.3 times as many frames", HIGH_RESOLUTION),
        _best(
            "best-plain",
            "queens-parallel, bands pooled early, nothing augmented",
            replace(GTZAN_FIRST, augment=NONE, negatives=0.0, averaging=0.0, smoothing=0.0),
            seeds=1,
        ),
        _best("best-augmented", "and augmented", replace(GTZAN_FIRST, averaging=0.0), seeds=1),
        _best("best-averaged", "and its weights averaged"),
        _best("best-cnn", "the poster's CNN, augmented and averaged", GTZAN_CNN),
        _best("best-ensemble", "the networks of these two rows, asked together", members=TEACHERS),
        _best("best", "one network, taught by those", GTZAN_SECOND, teachers=TEACHERS),
        _best("best-shallow", "best-averaged, windows cut off 50 dB under their loudest", GTZAN_SECOND),
        _best(
            "best-whole",
            "best-shallow on training and validation tracks together, nothing chosen",
            replace(GTZAN_SECOND, choose="last"),
            refit="best-shallow",
        ),
    )
}
