"""The embeddings and the attention of `tokens`, analysed as in its paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mgtag.arrays import F64, I64
from mgtag.models import Tokens
from mgtag.models.kth import GTZAN_MOODS, MOODS
from mgtag_train.lab.tasks import Inputs
from mgtag_train.lab.trained import Trained, load_trained
from mgtag_train.report import class_statistics
from mgtag_train.report.paper_figures import EQUATIONS, NEAREST

# Dimensions that the embeddings are reduced to. The paper's pictures are in 2 and 3, its equations in 3.
SPACES = {"2": 2, "3": 3, "128": None}
GROUPS = (("hiphop", "pop", "reggae"), ("rock", "metal"), ("blues", "country"))  # close, states the paper
SHRINKAGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # scikit-learn's C
BATCH = 32


def tokens(inputs: Inputs, runs: Path) -> dict[str, Any]:
    """Analyse `tokens` under the honest split, under the paper's own, and untrained.

    The same network with random weights, asked about the honest split, tells what is in the sound and
    the architecture, and was not learned.
    """
    filtered = load_trained("tokens", "filtered", inputs, runs)
    torch.manual_seed(0)
    blank = type(filtered.model)(filtered.model.spec).eval()
    return {
        "filtered": _analysed(filtered),
        "tracks": _analysed(load_trained("tokens", "tracks", inputs, runs)),
        "untrained": _analysed(replace(filtered, name="tokens/untrained", model=blank)),
    }


def _analysed(run: Trained) -> dict[str, Any]:
    parts = {part: _outputs(run, part) for part in run.parts}
    test, genres = parts["test"], run.genres("test")
    codes, n_labels, names = test["codes"], len(run.labels), run.labels
    spaces: dict[str, Any] = {}
    for space, dimensions in SPACES.items():
        points = PCA(dimensions, random_state=0).fit_transform(codes) if dimensions else codes
        places = class_statistics.means(points, genres, n_labels)
        near = class_statistics.nearest(places, names)
        spaces[space] = {
            "nearest": near,
            "agreement": class_statistics.agreement(near, NEAREST),
            "farthest": class_statistics.farthest(places, names),
            "close": {"-".join(group): class_statistics.closeness(places, names, group) for group in GROUPS},
            "equations": [class_statistics.equation(places, names, terms) for terms in EQUATIONS],
            "best_equations": class_statistics.equations(places, names, 5),
        }
        if dimensions:
            spaces[space]["means"] = dict(zip(names, places, strict=True))
    pca = PCA(3, random_state=0).fit(codes)
    return {
        "run": run.name,
        "tracks": len(codes),
        "labels": names,
        "accuracy": float((test["answers"] == genres).mean()),
        "explained": pca.explained_variance_ratio_,
        "points": {"label": genres, "xyz": pca.transform(codes)},
        "spaces": spaces,
        "attention": _attention(test["attention"], genres, names),
        "mood": moods(
            {part: (each["codes"], run.genres(part)) for part, each in parts.items()}, test["answers"]
        ),
    }


def _attention(weights: F64, genres: I64, names: tuple[str, ...]) -> dict[str, Any]:
    each = [weights[genres == label] for label in range(len(names))]
    by_genre = {
        name: {
            "mean": own.mean(axis=0),
            "top": class_statistics.attention_steps(own.mean(axis=0)),
            "centre": class_statistics.centre(own.mean(axis=0)),
            "steady": class_statistics.steadiness(own),
            **class_statistics.against_uniform(own),
        }
        for name, own in zip(names, each, strict=True)
    }
    return {
        "by_genre": by_genre,
        "all": class_statistics.against_uniform(weights) | {"mean": weights.mean(axis=0)},
        "p_genres_differ": class_statistics.by_label(weights, genres, len(names)),
    }


def moods(parts: Mapping[str, tuple[F64, I64]], answers: I64) -> dict[str, Any]:
    """Learn moods from frozen codes, as the paper proposes.

    The moods follow from the genre (terciles of the genres' mean valence), so a network that knows
    genres knows them; ``unseen`` tells what codes know of mood beyond that: each genre's clips are
    classified by one that was shown none of that genre.

    Parameters
    ----------
    parts : mapping of str to (F64, I64)
        Codes ``(tracks, d)`` and genres ``(tracks,)`` of ``"train"``, ``"valid"`` and ``"test"``.
    answers : I64
        Genres that the network itself answers on test, shape ``(tracks,)``.

    Returns
    -------
    dict
        Accuracies on test, and ``macro_f1`` of the classifier; ``majority`` answers the mood that is
        most frequent in training, ``by_genre`` the one that follows from the network's genre.
    """
    of_genre = np.array(GTZAN_MOODS)
    (learn, seen), (check, chosen_on), (test, truth) = (parts[part] for part in ("train", "valid", "test"))

    def learned(c: float, among: Any = slice(None)) -> Any:
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
        return classifier.fit(learn[among], of_genre[seen[among]])

    best = max(SHRINKAGES, key=lambda c: learned(c).score(check, of_genre[chosen_on]))
    predicted, mood = learned(best).predict(test), of_genre[truth]
    unseen = np.zeros_like(mood)
    for genre in np.unique(truth):
        unseen[truth == genre] = learned(best, seen != genre).predict(test[truth == genre])
    majority = np.bincount(of_genre[seen]).argmax()
    return {
        "moods": MOODS,
        "c": best,
        "accuracy": float((predicted == mood).mean()),
        "macro_f1": float(f1_score(mood, predicted, average="macro")),
        "majority": float((mood == majority).mean()),
        "by_genre": float((of_genre[answers] == mood).mean()),
        "unseen": float((unseen == mood).mean()),
    }


@torch.inference_mode()
def _outputs(run: Trained, part: str) -> dict[str, Any]:
    """Codes (mean of a clip's twenty), attention over the steps, and answers of a part's tracks."""
    assert isinstance(run.model, Tokens)
    examples = run.parts[part]
    windows, owner = examples.tiles()
    codes, attention, answers = [], [], []
    for batch in torch.split(windows, BATCH):
        output = run.model(batch)
        assert output.attention is not None
        codes.append(run.model.encode(batch).mean(dim=1))
        attention.append(output.attention.reshape(len(batch), run.model.spec.n_tokens, -1).sum(dim=2))
        answers.append(output.logits.argmax(dim=1))
    order = owner.argsort()
    return {
        "codes": torch.cat(codes)[order].double().numpy(),
        "attention": torch.cat(attention)[order].double().numpy(),
        "answers": torch.cat(answers)[order].numpy(),
    }
