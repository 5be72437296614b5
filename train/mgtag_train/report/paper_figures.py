"""Figures of the papers, as constants: typed from their pages, each with where it stands."""

from __future__ import annotations

# queens-parallel-bgru-cnn, Table IV: parallel BGRU and CNN on GTZAN; true by answered.
QUEENS_LABELS = ("blues", "hiphop", "jazz", "pop", "rock")
QUEENS_CONFUSION = (
    (147, 3, 11, 1, 4),
    (3, 168, 2, 2, 0),
    (1, 1, 190, 4, 7),
    (1, 0, 6, 169, 13),
    (7, 3, 16, 10, 136),
)
# The same, Table V: precision, recall, F1, support.
QUEENS_REPORT = {
    "blues": (0.92, 0.89, 0.90, 166),
    "hiphop": (0.96, 0.96, 0.96, 175),
    "jazz": (0.84, 0.94, 0.89, 203),
    "pop": (0.91, 0.89, 0.90, 189),
    "rock": (0.85, 0.79, 0.82, 172),
}

# upc-mfcc-cnn, "Results" and "Results II": the diagonal of each matrix; 40 clips a genre. The cells beside
# it are left out: the page's first matrix has lost one cell of every row, 8 clips in all. Its diagonal,
# with classical's last cell as the right one, comes to the 61 % that the paper states.
MFCC_CLIPS = 40
MFCC_LABELS = ("jazz", "reggae", "metal", "hiphop", "pop", "blues", "disco", "rock", "country", "classical")
MFCC_DIAGONAL = {
    "mfcc-26": dict(zip(MFCC_LABELS, (30, 34, 16, 20, 21, 25, 33, 29, 23, 12), strict=True)),
    "mfcc-18": dict(zip(MFCC_LABELS, (28, 35, 15, 20, 24, 22, 35, 34, 18, 8), strict=True)),
}
# upc-mfcc-cnn, "Convolutional Layers Outputs"; the paper's "Rap" is GTZAN's hiphop.
BLOCK_GENRES = ("hiphop", "jazz", "pop")

# kth-attention-cnn, "Results & Conclusion": training and test accuracy of valence.
KTH_VALENCE = {
    "kth-3layer": (0.482, 0.402),
    "kth-4layer": (0.907, 0.808),
    "kth-5layer": (0.953, 0.712),
    "kth-attention": (None, 0.812),
}

# spectrogram-sequence-attention, 2.2: "The closest genres to ... are", nearest first.
NEAREST = {
    "blues": ("country", "reggae"),
    "classical": ("jazz", "blues"),
    "country": ("blues", "rock"),
    "disco": ("rock", "hiphop"),
    "hiphop": ("pop", "reggae"),
    "jazz": ("classical", "blues"),
    "metal": ("rock", "disco"),
    "pop": ("hiphop", "reggae"),
    "reggae": ("hiphop", "pop"),
    "rock": ("disco", "country"),
}
# The same, 2.2, second page: the three of twenty time steps with most attention, counted from 0.
ATTENTION_STEPS = {
    "disco": (2, 4, 19),
    "hiphop": (6, 16, 19),
    "pop": (0, 5, 10),
    "rock": (4, 18, 19),
    "country": (10, 11, 19),
    "jazz": (9, 18, 19),
    "reggae": (11, 15, 16),
    "blues": (0, 7, 19),
    "metal": (10, 11, 19),
    "classical": (7, 9, 16),
}
# The same, 2.2: first - second + third = fourth, in three dimensions.
EQUATIONS = (("blues", "country", "pop", "reggae"), ("blues", "classical", "jazz", "hiphop"))

# iitkgp-lyrics-han-cnn, Table 2: F1 of each genre; Hip-Hop and Soul-RnB by our names.
FUSION_F1 = {
    "rock": 0.768,
    "electronic": 0.787,
    "experimental": 0.733,
    "hiphop": 0.716,
    "folk": 0.787,
    "instrumental": 0.731,
    "pop": 0.768,
    "international": 0.713,
    "classical": 0.798,
    "old-time": 0.724,
    "jazz": 0.759,
    "country": 0.721,
    "rnb": 0.711,
    "spoken": 0.723,
    "blues": 0.759,
    "easy listening": 0.722,
}
