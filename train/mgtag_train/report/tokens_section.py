"""The tokens paper's lists and statements beside what was measured, as Markdown.

The rules of `paper_statements` are applied to the network trained under either split, and to one with
random weights: what holds there too was not learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mgtag_train.report.markdown import table
from mgtag_train.report.paper_figures import ATTENTION_STEPS, EQUATIONS, NEAREST
from mgtag_train.report.paper_statements import (
    SPACE,
    STATEMENTS,
    SURE,
    Network,
    agreement,
    equation_text,
    listed,
    top,
    verdicts,
)

COLUMNS = {"filtered": "filtered", "tracks": "tracks", "untrained": "random weights"}
MOOD = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "majority": "most frequent mood",
    "by_genre": "from its genre prediction",
    "unseen": "unseen genres",
}


def section(record: Mapping[str, Network]) -> list[str]:
    """Return the lines that set the paper's analyses beside ours.

    Parameters
    ----------
    record : mapping
        `analysis/tokens.json`.
    """
    main = record["filtered"]
    spread = " + ".join(f"{100 * share:.0f}" for share in main["explained"])
    return [
        "### Embeddings and attention",
        "",
        f"The mean of a clip's twenty codes of 128, on {main['tracks']} test tracks (*filtered*), and on",
        f"{record['tracks']['tracks']} of the paper's own kind of split (*tracks*). Three principal axes",
        f"hold {spread} % of the variance. *Random weights* is the same network untrained: what",
        "holds there too comes from the sound and the architecture, and was not learned.",
        "",
        "**Nearest genres**, by the genres' means in three dimensions, nearest first; in bold those that",
        "the paper lists too:",
        "",
        *_nearest(record),
        "",
        *_equations(record),
        "",
        "**Three steps of most mean attention**, of 0..19, in the order of time; *again* is the share of",
        "them that come out when other tracks are drawn (bootstrap):",
        "",
        *_steps(record),
        "",
        *_attention(record),
        "",
        "**Which of the paper's statements hold:**",
        "",
        *_verdicts(record),
        "",
        *_mood(record),
    ]


def _verdicts(record: Mapping[str, Network]) -> list[str]:
    def verdict(key: str, number: int) -> str:
        statement, one = STATEMENTS[number], record[key]
        return f"{'**holds**' if statement.holds(one) else 'no'} ({statement.shown(one)})"

    rows = [
        [statement.text, statement.rule, *(verdict(key, number) for key in COLUMNS)]
        for number, statement in enumerate(STATEMENTS)
    ]
    counts = [f"{sum(verdicts(record[key]).values())} of {len(STATEMENTS)} hold" for key in COLUMNS]
    return table(["the paper states", "rule", *COLUMNS.values()], [*rows, ["", "", *counts]])


def _nearest(record: Mapping[str, Network]) -> list[str]:
    def ours(key: str, genre: str) -> str:
        near = record[key]["spaces"][SPACE]["nearest"][genre]
        return ", ".join(f"**{name}**" if name in NEAREST[genre] else name for name in near)

    def count(key: str) -> str:
        found = agreement(record[key])
        return (
            f"{found['shared']:.0f} of {found['of']:.0f} (chance {found['chance']:.1f}, p = {found['p']:.4f})"
        )

    def elsewhere(space: str) -> str:
        return ", ".join(f"{agreement(record[key], space)['shared']:.0f} ({COLUMNS[key]})" for key in COLUMNS)

    rows = [
        [genre, ", ".join(theirs), *(ours(key, genre) for key in COLUMNS)]
        for genre, theirs in NEAREST.items()
    ]
    return [
        *table(["genre", "the paper", *COLUMNS.values()], [*rows, ["shared", "", *map(count, COLUMNS)]]),
        "",
        f"Shared in two dimensions: {elsewhere('2')}; in all 128: {elsewhere('128')}.",
    ]


def _equations(record: Mapping[str, Network]) -> Iterator[str]:
    yield "**Equations**, in three dimensions: the nearest of the seven other genres, the rank of the paper's"
    yield "answer, its distance from the sum in mean distances between genres, and how many of all 630"
    yield "equations fit better:"
    yield ""
    rows = []
    for number, terms in enumerate(EQUATIONS):
        for key, title in COLUMNS.items():
            found = record[key]["spaces"][SPACE]["equations"][number]
            rank, distance, better = f"{found['rank']} of {found['of']}", found["residual"], found["fit"]
            name = equation_text(terms) if key == "filtered" else ""
            rows.append([name, title, found["answer"], rank, f"{distance:.2f}", f"{100 * better:.0f} %"])
    yield from table(["the paper", "network", "nearest", "rank", "distance", "fit better"], rows)
    yield ""
    yield "Those that come out best here (*filtered*; of 630 some must, so they are no finding):"
    best = record["filtered"]["spaces"][SPACE]["best_equations"]
    yield "; ".join(f"{equation_text(found['terms'])} ({found['residual']:.2f})" for found in best) + "."


def _steps(record: Mapping[str, Network]) -> list[str]:
    rows = []
    for genre, theirs in ATTENTION_STEPS.items():
        row = [genre, listed(theirs)]
        for key in ("filtered", "tracks"):
            steady = record[key]["attention"]["by_genre"][genre]["steady"]
            row += [listed(top(record[key], genre)), f"{100 * steady:.0f} %"]
        rows.append(row)
    return table(["genre", "the paper", "filtered", "again", "tracks", "again"], rows)


def _attention(record: Mapping[str, Network]) -> Iterator[str]:
    yield "Does attention depend on the step at all? Against tracks whose own weights were shuffled over"
    yield "the steps, and against tracks whose genres were shuffled:"
    yield ""
    rows = []
    for key, title in COLUMNS.items():
        found = record[key]["attention"]
        one = found["all"]
        sure = sum(row["p"] < SURE for row in found["by_genre"].values())
        figures = [f"{one['p']:.4f}", f"{one['clear']} of 20", f"{one['ratio']:.2f}", f"{sure} of 10"]
        rows.append([title, *figures, f"{found['p_genres_differ']:.4f}"])
    head = ["network", "p", "steps over 3 errors from 1/20", "largest / smallest", f"genres, p < {SURE:g}"]
    yield from table([*head, "p that genres differ"], rows)


def _mood(record: Mapping[str, Network]) -> Iterator[str]:
    yield "**Mood from frozen codes**, which the paper leaves as future work: logistic regression on the mean"
    yield "code, to sad, neutral and happy. These are weak labels, derived from the genre by terciles of"
    yield "valence, so that the genre gives the mood; *unseen genres* predicts each genre's clips by a"
    yield "classifier that was shown none of it."
    yield ""
    rows = [[title, *(f"{record[key]['mood'][name]:.3f}" for name in MOOD)] for key, title in COLUMNS.items()]
    yield from table(["network", *MOOD.values()], rows)
