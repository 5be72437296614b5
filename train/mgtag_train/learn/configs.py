"""How each kind of network is trained: the shipped one, its teachers, and those of the papers."""

from __future__ import annotations

from dataclasses import replace

from mgtag_train.learn.config import NONE, Augment, TrainConfig

# Chosen on the validation tracks. Half the paper's units, which train twice as fast. Bands are pooled
# early and frames late: a frame is 77 ms already, while two neighbouring bands are nearly alike.
# Batch norm is folded away at export, so what is shipped is the paper's plain network with other sizes.
GTZAN_FIRST = TrainConfig(
    arguments={
        "units": 128,
        "pools": ((4, 1), (2, 1), (2, 2), (2, 2), (4, 3)),
        "batch_norm": True,
    },
    epochs=30,
    negatives=0.15,
)
# The KTH paper's four convolutions with fewer channels: a teacher of another kind.
GTZAN_CNN = replace(
    GTZAN_FIRST,
    architecture="kth-4layer",
    arguments={"channels": (48, 96, 192, 256), "moods": ()},
)
# What lies 50 dB under the loudest cell is the codec's, not the music's: cut off there, audio that went
# through Opus and mel.npz get the same answer far more often. The first generation learns at every depth.
GTZAN_SECOND = replace(GTZAN_FIRST, top_db=50.0, augment=Augment(floor_db=45.0))

# Early stopping after 3 epochs, dropout 0.3 and an L2 penalty as in the paper. Ours are batch norm and the
# running mean of the weights, without which validation jumps by some points from epoch to epoch.
QUEENS_CONFIG = TrainConfig(
    architecture="queens-parallel",
    arguments={"n_labels": 5, "batch_norm": True},
    augment=NONE,
    epochs=15,
    slices=1,
    batch=32,
    negatives=0.0,
    learning_rate=1e-3,
    weight_decay=1e-2,
    smoothing=0.0,
    averaging=0.99,
    patience=3,
    choose="slice_accuracy",
)
MIXED_CONFIG = replace(
    QUEENS_CONFIG, augment=replace(NONE, mixup=0.3, mask_bands=8, mask_frames=4), epochs=24, patience=6
)
KTH_CONFIG = replace(
    QUEENS_CONFIG,
    architecture="kth-4layer",
    arguments={},
    augment=replace(NONE, mixup=0.2),
    epochs=30,
    patience=8,
)

MFCC_CONFIG = TrainConfig(
    architecture="mfcc-26",
    augment=replace(NONE, speed=0.1, same_genre=0.0, mixup=0.2),
    epochs=40,
    slices=3,
    batch=32,
    negatives=0.0,
    learning_rate=2e-3,
    weight_decay=0.02,
    smoothing=0.1,
    averaging=0.99,
    patience=15,
)
TOKENS_CONFIG = replace(MFCC_CONFIG, architecture="tokens", epochs=25, slices=1, batch=16)
# What `mgtag lab search tokens --trials 8` found best; see records/analysis/search-tokens.json.
SEARCHED_CONFIG = replace(
    TOKENS_CONFIG, arguments={"dropout": 0.3, "code": 64}, batch=32, learning_rate=2e-3, weight_decay=0.005
)
SPECTROGRAM_CONFIG = replace(TOKENS_CONFIG, architecture="lyrics-cnn")

# Song lyrics by artist; the loss is adjusted by how frequent each genre is in training, since macro-F1 counts
# them alike (logit adjustment: Menon et al., arXiv:2007.07314). On labels alone the network has learned the
# songs by heart after two epochs; the baseline's out-of-fold predictions are harder to memorise.
# Tried on validation and left, since none brought a network up to the baseline: static vectors of WordLlama,
# frozen MiniLM vectors of lines, songs spliced within a genre.
WORDS_CONFIG = TrainConfig(augment=NONE, epochs=6, slices=1, batch=64, negatives=0.0, patience=3)
PRIOR = (3182, 1166, 2406, 1654, 785, 998)  # training songs of each genre
HAN_CONFIG = replace(
    WORDS_CONFIG,
    architecture="lyrics-han",
    arguments={"prior": PRIOR, "dropout": 0.3, "dropout_vector": 0.0, "dropout_word": 0.1},
    learning_rate=3e-3,
    weight_decay=0.01,
    smoothing=0.0,
    averaging=0.99,
    distillation_weight=0.9,
)
FUSION_CONFIG = replace(WORDS_CONFIG, architecture="lyrics-fusion", arguments={"prior": PRIOR[:5]})

# A student of musicnn's networks, on GTZAN, on music of any genre and on sounds that are not music; see
# `mgtag_train.ship.wide`. Chosen on validation. The first convolution strides over four bands
# instead of pooling them, which halves the time of a step and lets the others have more channels.
WIDE = TrainConfig(
    arguments={
        "n_labels": 16,
        "channels": (48, 64, 128, 256, 256),
        "pools": ((4, 1), (2, 1), (2, 2), (2, 2), (4, 3)),
        "units": 128,
        "hidden": 256,
        "stem": 6,
        "moods": 4,
        "batch_norm": True,
    },
    augment=Augment(floor_db=45.0, same_genre=0.0, mixup=0.0),
    top_db=50.0,
    epochs=12,
    cycles=3,
    slices=1,
    batch=72,
    negatives=0.06,
    patience=1000,
    choose="last",
)
