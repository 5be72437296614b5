"""Every system of the five papers, as one table of frozen values; an ablation is one changed value.

A paper's figures stand beside the system that they are of; where ours differs in kind, its description
says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mgtag.features import MelSpec
from mgtag_train.lab.experiment import Experiment, Published
from mgtag_train.lab.kinds import BaselineExperiment, EnsembleExperiment, NetworkExperiment, RefitExperiment
from mgtag_train.lab.tasks import LyricsTask, MusicTask, PairsTask
from mgtag_train.learn.config import NONE, TrainConfig
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

PAPERS: Mapping[str, str] = {
    "queens-parallel-bgru-cnn": "Queen's: parallel BGRU and CNN",
    "kth-attention-cnn": "KTH: CNN with attention over its map",
    "spectrogram-sequence-attention": "Attention over spectrogram tokens",
    "upc-mfcc-cnn": "UPC: CNN on cepstral coefficients",
    "iitkgp-lyrics-han-cnn": "IIT Kharagpur: lyrics and spectrogram",
    "mgtag": "mgtag's own",
}
QUEENS, KTH, TOKENS, MFCC, LYRICS, OWN = PAPERS

QUEENS_GENRES = ("blues", "hiphop", "jazz", "pop", "rock")
HOMBURG_GENRES = ("blues", "raphiphop", "jazz", "pop", "rock")
AUDIO_GENRES = ("blues", "classical", "jazz", "metal", "pop")  # those whose audio is all at hand
PAIR_GENRES = ("rock", "pop", "hiphop", "country", "metal")  # in GTZAN and the lyrics, with songs enough
HIGH_RESOLUTION = MelSpec(hop=512, n_frames=129)
CLIP = MelSpec(n_frames=380)  # 29.4 s, twenty tokens of 19 frames
CLIP_PART = MelSpec(n_frames=129)  # 10 s
TRIALS = "five genres, slices at random 80/20, best of several trials"


def _queens(
    name: str, description: str, *figures: float, config: TrainConfig | None = None
) -> NetworkExperiment:
    return NetworkExperiment(
        name=name,
        paper=QUEENS,
        description=description,
        task=MusicTask(labels=QUEENS_GENRES, paper_split="leaking"),
        config=config or replace(QUEENS_CONFIG, architecture=name),
        seeds=3,
        published=Published("Table II", f"GTZAN, {TRIALS}", _figures(*figures)),
    )


def _homburg(kind: str, *figures: float) -> NetworkExperiment:
    return replace(
        _queens(f"queens-{kind}", "the same on the Garageband set", *figures),
        name=f"homburg-{kind}",
        task=MusicTask("homburg", HOMBURG_GENRES, paper_split="leaking", honest_split="artists"),
        published=Published("Table III", f"Garageband, {TRIALS}", _figures(*figures)),
    )


def _figures(accuracy: float, macro_f1: float, auc: float) -> Mapping[str, float]:
    return {"accuracy": accuracy, "macro_f1": macro_f1, "auc": auc}


def _kth(name: str, description: str, genre: float, valence: float) -> NetworkExperiment:
    return NetworkExperiment(
        name=name,
        paper=KTH,
        description=description,
        task=MusicTask(paper_split="leaking"),
        config=replace(KTH_CONFIG, architecture=name),
        published=Published(
            "Results & Conclusion",
            "ten genres of 75 clips each from the Free Music Archive, 3-second slices, split not stated",
            {"accuracy": genre, "valence": valence},
        ),
        grid={
            "learning_rate": (3e-4, 1e-3, 3e-3),
            "dropout": (0.2, 0.3, 0.5),
            "weight_decay": (1e-3, 1e-2, 1e-1),
        },
    )


def _mfcc(name: str, description: str, figures: Mapping[str, float]) -> NetworkExperiment:
    return NetworkExperiment(
        name=name,
        paper=MFCC,
        description=description,
        task=MusicTask(spec=CLIP_PART, paper_split="tracks", test_share=0.4, random_crops=True),
        config=replace(MFCC_CONFIG, architecture=name),
        seeds=3,
        published=Published(
            "Results", "GTZAN, ten genres, tracks held apart, 40 of each genre in test", figures
        ),
    )


def _tokens(name: str, description: str, **changes: Any) -> NetworkExperiment:
    ours = NetworkExperiment(
        name=name,
        paper=TOKENS,
        description=description,
        task=MusicTask(spec=CLIP, paper_split="tracks", random_crops=True),
        config=replace(TOKENS_CONFIG, architecture=name),
        published=Published("2.1", "GTZAN, ten genres; a confusion matrix is shown, no figure stated", {}),
        grid={
            "learning_rate": (5e-4, 1e-3, 2e-3, 4e-3),
            "weight_decay": (0.005, 0.02, 0.08),
            "dropout": (0.1, 0.3, 0.5),
            "code": (64, 128, 256),
            "batch": (8, 16, 32),
        },
    )
    return replace(ours, **changes)


def _hop(name: str, description: str, spec: MelSpec) -> NetworkExperiment:
    arguments = {"n_labels": len(AUDIO_GENRES), "batch_norm": True, "n_frames": spec.n_frames}
    return NetworkExperiment(
        name=name,
        paper=OWN,
        description=description,
        task=MusicTask("gtzan-audio", AUDIO_GENRES, spec),
        config=replace(QUEENS_CONFIG, arguments=arguments),
        seeds=3,
    )


def _best(
    name: str, description: str, config: TrainConfig = GTZAN_FIRST, **changes: Any
) -> NetworkExperiment:
    ours = NetworkExperiment(
        name=name, paper=OWN, description=description, task=WHOLE_GTZAN, config=config, seeds=3
    )
    return replace(ours, **changes)


VGG = NetworkExperiment(
    name="queens-vgg16",
    paper=QUEENS,
    description="VGG-16 on windows of 64 × 32, without ImageNet's weights",
    task=MusicTask(labels=QUEENS_GENRES, paper_split="leaking"),
    config=replace(
        QUEENS_CONFIG,
        architecture="queens-vgg16",
        arguments={"n_labels": 5, "size": (64, 32)},
        learning_rate=1e-4,
    ),
    published=Published(
        "Results", 'pretrained, 224 × 224 in colour; "as high as only 50% to 60%"', {"accuracy": 0.6}
    ),
)

BASELINE = BaselineExperiment(
    name="lyrics-tfidf",
    paper=LYRICS,
    description="words and word pairs, logistic regression",
    task=LyricsTask(),
)
HAN = NetworkExperiment(
    name="lyrics-han",
    paper=LYRICS,
    description="attention over words, then over sung lines; the baseline is distilled into it",
    task=LyricsTask(distil_baseline=True),
    config=HAN_CONFIG,
    seeds=3,
    grid={
        "learned": (True, False),
        "learning_rate": (1e-3, 3e-3),
        "distillation_weight": (0.0, 0.5, 0.9),
        "dropout_word": (0.1, 0.3),
    },
)

WHOLE_GTZAN = MusicTask(random_crops=True)
AVERAGED = _best("best-averaged", "and its weights averaged")
CNN = _best("best-cnn", "the KTH paper's CNN, augmented and averaged", GTZAN_CNN)
SHALLOW = _best("best-shallow", "best-averaged, windows cut off 50 dB under their loudest", GTZAN_SECOND)

EXPERIMENTS: Mapping[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        _queens("queens-cnn", "five convolutions", 0.83, 0.84, 0.97),
        _queens("queens-bgru", "two layers of BGRU, mean over time", 0.84, 0.84, 0.97),
        _queens("queens-bgru-attention", "BGRU, frames weighted by a CNN", 0.88, 0.88, 0.98),
        _queens("queens-parallel", "BGRU with attention, and CNN, side by side", 0.90, 0.90, 0.98),
        _queens(
            "queens-parallel-mixed",
            "the same, its windows mixed and masked",
            *(0.90, 0.90, 0.98),
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
        BASELINE,
        HAN,
        EnsembleExperiment(
            name="lyrics-both",
            paper=LYRICS,
            description="the baseline and the lyrics-han networks, averaged",
            task=LyricsTask(),
            members=(HAN,),
            baseline=BASELINE,
        ),
        NetworkExperiment(
            name="lyrics-cnn",
            paper=LYRICS,
            description="its spectrogram network on GTZAN",
            task=MusicTask(spec=CLIP, paper_split="tracks", random_crops=True),
            config=SPECTROGRAM_CONFIG,
        ),
        NetworkExperiment(
            name="lyrics-fusion",
            paper=LYRICS,
            description="both, on pairs of a song's words and a clip of the same genre",
            task=PairsTask(PAIR_GENRES, CLIP),
            config=FUSION_CONFIG,
            seeds=3,
            published=Published(
                "Table 1",
                "fusion, FMA medium with lyrics, 16 genres, 80/10/10, artist filter",
                {"accuracy": 0.762, "macro_f1": 0.768, "log_loss": 0.754},
            ),
        ),
        _tokens("tokens", "CNN on twenty tokens of a clip, attention over them"),
        _tokens("tokens-vae", "the same, codes drawn and tokens rebuilt from them"),
        _tokens("tokens-sparse", "the same, codes pulled towards zero"),
        _tokens("tokens-next", "the same, each token's code to tell the next token"),
        _tokens(
            "tokens-searched",
            "the first, with the settings that a search found",
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
        AVERAGED,
        CNN,
        EnsembleExperiment(
            name="best-ensemble",
            paper=OWN,
            description="the networks of these two rows, averaged",
            task=WHOLE_GTZAN,
            members=(AVERAGED, CNN),
        ),
        _best("best", "one network, those distilled into it", GTZAN_SECOND, teachers=(AVERAGED, CNN)),
        SHALLOW,
        RefitExperiment(
            name="best-whole",
            paper=OWN,
            description="best-shallow on training and validation tracks together, nothing chosen",
            task=WHOLE_GTZAN,
            of=SHALLOW,
            seeds=3,
        ),
    )
}
