"""What the tokens paper states of genres and attention, as rules on the figures of `analysis/tokens.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgtag_train.report.paper_figures import ATTENTION_STEPS, EQUATIONS

Network = Mapping[str, Any]  # figures of one network: an entry of `analysis/tokens.json`
SPACE, PICTURE = "3", "2"  # dimensions of the paper's equations, and of its picture of the genres' means
QUARTER = 0.25
OFTEN, NOTABLE = 5, 3  # of ten genres; by chance 1.5 have any one step among their three of twenty
SURE = 0.01  # p


@dataclass(frozen=True)
class Statement:
    """A statement of the paper, the rule that decides it, and the figure shown beside the verdict."""

    text: str
    rule: str
    holds: Callable[[Network], bool]
    shown: Callable[[Network], str]


def verdicts(one: Network) -> dict[str, bool]:
    """Return whether each statement holds for a network."""
    return {statement.text: statement.holds(one) for statement in STATEMENTS}


def agreement(one: Network, space: str = SPACE) -> Mapping[str, float]:
    """Return what `class_statistics.agreement` found of the lists of nearest genres."""
    found: Mapping[str, float] = one["spaces"][space]["agreement"]
    return found


def top(one: Network, genre: str) -> list[int]:
    """Return a genre's steps of most attention."""
    return list(one["attention"]["by_genre"][genre]["top"])


def listed(steps: Sequence[int]) -> str:
    """Return steps as a list to read."""
    return ", ".join(map(str, steps)) or "none"


def equation_text(terms: Sequence[str]) -> str:
    """Return four genres as an equation."""
    return "{} − {} + {} = {}".format(*terms)


def _close(text: str, group: str) -> Statement:
    def place(one: Network) -> Mapping[str, int]:
        found: Mapping[str, int] = one["spaces"][PICTURE]["close"][group]
        return found

    return Statement(
        text,
        "among the closest quarter of such groups, in 2-D",
        lambda one: place(one)["rank"] <= QUARTER * place(one)["of"],
        lambda one: f"{place(one)['rank']} of {place(one)['of']}",
    )


def _equation(number: int) -> Statement:
    def solved(one: Network) -> Mapping[str, Any]:
        found: Mapping[str, Any] = one["spaces"][SPACE]["equations"][number]
        return found

    return Statement(
        equation_text(EQUATIONS[number]),
        "the nearest of the seven other genres, in 3-D",
        lambda one: solved(one)["rank"] == 1,
        lambda one: str(solved(one)["answer"]),
    )


def _frequent(step: int, word: str, at_least: int) -> Statement:
    def lists(one: Network) -> int:
        return sum(step in row["top"] for row in one["attention"]["by_genre"].values())

    theirs = sum(step in steps for steps in ATTENTION_STEPS.values())
    rule = f"in at least {at_least} lists of ten (the paper: {theirs}; by chance 1.5)"
    return Statement(
        f"step {step} is {word}", rule, lambda one: lists(one) >= at_least, lambda one: str(lists(one))
    )


def _timing(text: str, genres: Sequence[str], sign: int) -> Statement:
    def centres(one: Network) -> tuple[list[float], float]:
        found = {genre: float(row["centre"]) for genre, row in one["attention"]["by_genre"].items()}
        return [found[genre] for genre in genres], sum(found.values()) / len(found)

    def holds(one: Network) -> bool:
        ours, middle = centres(one)
        return all(sign * (own - middle) > 0 for own in ours)

    def shown(one: Network) -> str:
        ours, middle = centres(one)
        return f"{', '.join(f'{own:.2f}' for own in ours)}; mean {middle:.2f}"

    where = "later" if sign > 0 else "earlier"
    return Statement(text, f"mean step of attention {where} than the genres' mean", holds, shown)


def _common(genre: str, other: str) -> Statement:
    def both(one: Network) -> list[int]:
        return sorted({*top(one, genre)} & {*top(one, other)})

    text = f"{genre} and {other} share steps"
    return Statement(text, "a step in both lists", lambda one: bool(both(one)), lambda one: listed(both(one)))


STATEMENTS = (
    Statement(
        "the list of nearest genres",
        f"shares more than shuffled names would, p < {SURE:g}, in 3-D",
        lambda one: agreement(one)["p"] < SURE,
        lambda one: f"{agreement(one)['shared']:.0f} of {agreement(one)['of']:.0f}",
    ),
    _close("hip-hop, pop and reggae are close", "hiphop-pop-reggae"),
    _close("rock and metal are close", "rock-metal"),
    _close("blues and country are close", "blues-country"),
    Statement(
        "classical is furthest from the others",
        "greatest mean distance, in 2-D",
        lambda one: one["spaces"][PICTURE]["farthest"][0] == "classical",
        lambda one: str(one["spaces"][PICTURE]["farthest"][0]),
    ),
    _equation(0),
    _equation(1),
    _frequent(19, "frequent", OFTEN),
    _frequent(10, "notable", NOTABLE),
    _frequent(11, "notable", NOTABLE),
    _timing("disco, hip-hop and rock are heard early", ("disco", "hiphop", "rock"), -1),
    _timing("classical is heard late", ("classical",), 1),
    Statement(
        "pop is heard at steps 0, 5, 10",
        "at least two of the three",
        lambda one: len({*top(one, "pop")} & {*ATTENTION_STEPS["pop"]}) >= 2,
        lambda one: listed(top(one, "pop")),
    ),
    _common("reggae", "metal"),
    _common("jazz", "blues"),
    Statement(
        "attention differs from genre to genre",
        f"more than with shuffled genres, p < {SURE:g}",
        lambda one: one["attention"]["p_genres_differ"] < SURE,
        lambda one: f"p = {one['attention']['p_genres_differ']:.4f}",
    ),
)
