"""Means over the subjects of MMLU and the tasks of BBH by category, where a file does not hold them itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tuneshift.ability.categories import MMLU_SUBJECTS, Part, missing_parts
from tuneshift.ability.harness_scores import Score
from tuneshift.ability.primary import ACCURACY

TOTAL = "mean"


@dataclass(frozen=True)
class PartScore:
    """The accuracy of a part of a benchmark, and the number of its questions (None where the file does not say)."""

    part: Part
    score: Score
    n_questions: int | None = None


@dataclass(frozen=True)
class Mean:
    """A mean over `n` of `n_whole` parts; `error` is None where a part has none."""

    dataset: str
    target: str
    score: Score
    n: int
    n_whole: int
    weighted: bool


def category_means(parts: Iterable[PartScore], given: set[tuple[str, str]]) -> tuple[list[Mean], list[str]]:
    """Return the means by category that are not in `given` (data set, target), and sentences about them.

    MMLU is weighted by questions where the file says how many every subject has; else, and in BBH, every part counts
    once. The standard error takes parts as independent. All of MMLU gets a mean where all 57 subjects are there.
    """
    means: list[Mean] = []
    said: list[str] = []
    by_dataset: dict[str, list[PartScore]] = {}
    for part in parts:
        by_dataset.setdefault(part.part.dataset, []).append(part)
    for dataset, of_dataset in by_dataset.items():
        twice = [name for name, n in Counter(part.part.name for part in of_dataset).items() if n > 1]
        if twice:
            said.append(f"{dataset}: no means by category, because {_listed(twice)} stands there more than once")
            continue
        computed = list(_of_dataset(dataset, of_dataset, given))
        said += _sentences(dataset, computed, of_dataset)
        means += computed
    return means, said


def _of_dataset(dataset: str, parts: list[PartScore], given: set[tuple[str, str]]) -> Iterable[Mean]:
    for category in dict.fromkeys(part.part.category for part in parts):
        target = f"category:{category}"
        if (dataset, target) in given:
            continue
        mine = [part for part in parts if part.part.category == category]
        missing = missing_parts(dataset, category, {part.part.name for part in mine})
        yield _mean(dataset, target, mine, len(mine) + len(missing))
    n_subjects = sum(len(subjects) for subjects in MMLU_SUBJECTS.values())
    if _is_mmlu(dataset) and len(parts) == n_subjects and (dataset, TOTAL) not in given:
        yield _mean(dataset, TOTAL, parts, n_subjects)


def _mean(dataset: str, target: str, parts: list[PartScore], n_whole: int) -> Mean:
    counts = [part.n_questions for part in parts if part.n_questions is not None]
    weighted = _is_mmlu(dataset) and len(counts) == len(parts)
    weights = [count / sum(counts) for count in counts] if weighted else [1 / len(parts)] * len(parts)
    value = math.fsum(w * part.score.value for w, part in zip(weights, parts, strict=True))
    errors = [part.score.error for part in parts if part.score.error is not None]
    error = math.hypot(*(w * e for w, e in zip(weights, errors, strict=True))) if len(errors) == len(parts) else None
    filters = ", ".join(sorted({part.score.filter for part in parts}))
    return Mean(dataset, target, Score(ACCURACY, filters, value, error), len(parts), n_whole, weighted)


def _sentences(dataset: str, means: list[Mean], parts: list[PartScore]) -> list[str]:
    said = []
    if means and _is_mmlu(dataset):
        way = (
            "weighted by questions"
            if all(mean.weighted for mean in means)
            else "every subject counting once, because the file does not say how many questions each has"
        )
        said.append(f"{dataset}: {_listed([mean.target for mean in means])} computed here from the subjects, {way}")
    cut = [mean for mean in means if mean.n < mean.n_whole]
    if cut:
        over = _listed([f"{mean.target} over {mean.n} of {mean.n_whole}" for mean in cut])
        said.append(f"{dataset}: not all of it is in the file: {over} {'subjects' if _is_mmlu(dataset) else 'tasks'}")
    kinds = list(dict.fromkeys(str(part.score) for part in parts))
    if means and len(kinds) > 1:
        said.append(f"{dataset}: its means by category mix {_listed(kinds)}")
    return said


def mean_row(mean: Mean) -> dict[str, Any]:
    """Return the columns of a mean that are not those of every score; `n` counts subjects or tasks."""
    return {"dataset": mean.dataset, "target": mean.target, "n": mean.n}


def _is_mmlu(dataset: str) -> bool:
    return dataset.startswith("mmlu")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
