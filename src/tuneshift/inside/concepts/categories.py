"""Shares of concept categories, by group of layers, of one model or moved by tuning (methods, section 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from tuneshift.inside.concepts.naming.categories import CATEGORIES, Answer
from tuneshift.inside.pairing import layers_label, quarters
from tuneshift.numerics.resampling import bootstrap_mean

Place = tuple[int, int]
"""Layer (from 1) and component (from 0)."""

Answers = Mapping[Place, Sequence[Answer | None]]
Row = Callable[..., dict[str, Any]]

_N_BOOT = 2000


def share_rows(answers: Answers, n_layers: int, row: Row) -> list[dict[str, Any]]:
    """Return rows `category_share` by group of layers: the share of answers that put a component in a category.

    The interval is a bootstrap over components, `n` their number.
    """
    rows = []
    for group in quarters(n_layers):
        marks = _marks(answers, group)
        for (kind, name), by_component in zip(CATEGORIES, _means(marks, axis=1).T, strict=True):
            low, high = bootstrap_mean(by_component)
            rows.append(
                row(
                    layer=layers_label(group),
                    mapping=kind,
                    target=name,
                    metric="category_share",
                    value=_mean(by_component),
                    ci_low=low,
                    ci_high=high,
                    n=len(by_component),
                    unit="share",
                )
            )
    return rows


def change_rows(base: Answers, tuned: Answers, n_layers: int, row: Row) -> list[dict[str, Any]]:
    """Return rows of what tuning changed: `category_share_change` (tuned minus base) and `category_share_p`.

    The interval of the change is a bootstrap over components of either side; p is the published t-test (Welch), which
    runs over the repeats of the naming model and so measures its noise: it says nothing about other components.
    """
    rows = []
    for group in quarters(n_layers):
        sides = [_marks(answers, group) for answers in (base, tuned)]
        components = [_means(marks, axis=1) for marks in sides]
        repeats = [_means(marks, axis=0) for marks in sides]
        for number, (kind, name) in enumerate(CATEGORIES):
            first, second = (values[:, number] for values in components)
            low, high = _change_interval(first, second)
            place = {"layer": layers_label(group), "mapping": kind, "target": name}
            change = {"value": _mean(second) - _mean(first), "ci_low": low, "ci_high": high, "unit": "share"}
            rows.append(row(**place, metric="category_share_change", n=len(second), **change))
            p, n = _welch(*(values[:, number] for values in repeats))
            rows.append(row(**place, metric="category_share_p", value=p, n=n, unit="p"))
    return rows


def label(answers: Sequence[Answer | None]) -> tuple[str, str]:
    """Return a component's name (its first answer's) and its categories (those of most of its answers)."""
    given = [answer for answer in answers if answer is not None]
    if not given:
        return "", ""
    common = [name for kind, name in CATEGORIES if 2 * sum(a.holds((kind, name)) for a in given) > len(given)]
    return given[0].concept, ", ".join(common)


def _marks(answers: Answers, group: range) -> np.ndarray:
    """Return whether each answer names each category (n_components, n_seeds, n_categories), NaN without an answer."""
    found = [
        [
            [np.nan] * len(CATEGORIES) if answer is None else [float(answer.holds(c)) for c in CATEGORIES]
            for answer in said
        ]
        for (layer, _), said in sorted(answers.items())
        if layer in group
    ]
    return np.array(found, dtype=float).reshape(len(found), -1, len(CATEGORIES))


def _means(marks: np.ndarray, axis: int) -> np.ndarray:
    known = np.isfinite(marks)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = np.where(known, marks, 0).sum(axis=axis) / known.sum(axis=axis)
    return means


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _change_interval(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    first, second = (values[np.isfinite(values)] for values in (first, second))
    if len(first) < 2 or len(second) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(0)
    means = [
        values[generator.integers(len(values), size=(_N_BOOT, len(values)))].mean(axis=1) for values in (first, second)
    ]
    low, high = np.quantile(means[1] - means[0], [0.025, 0.975])
    return float(low), float(high)


def _welch(first: np.ndarray, second: np.ndarray) -> tuple[float, int]:
    first, second = (values[np.isfinite(values)] for values in (first, second))
    if len(first) < 2 or len(second) < 2 or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return float("nan"), len(first) + len(second)
    return float(stats.ttest_ind(first, second, equal_var=False).pvalue), len(first) + len(second)
