"""What a row of the long table is: a summary or one observation, one number of a model, a headline, a twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tuneshift.vocabulary.metric import Metric
from tuneshift.vocabulary.vocabulary import Vocabulary

OVERALL = ("mean", "median")
"""The words that stand for all participants or all targets."""
UNIT_PREFIXES = {"prompt:": "prompts", "story:": "stories", "document:": "stories", "subject:": "subjects"}
"""Targets that are one observation of a summary over all of them; every other target is a score of its own."""


def unit_names(table: pd.DataFrame) -> np.ndarray:
    """Return the name of the unit that a row's target is one of ("prompts", "stories"), "" where it is none."""
    targets = table["target"].astype("string").fillna("")
    names = np.full(len(table), "", dtype=object)
    for prefix, name in UNIT_PREFIXES.items():
        names[targets.str.startswith(prefix).to_numpy(dtype=bool)] = name
    return names


def summaries(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a long table that summarise: over all participants, and no single prompt or story."""
    overall = (table["participant"].isna() | table["participant"].isin(OVERALL)).to_numpy(dtype=bool)
    return table[overall & (unit_names(table) == "")]


def over_all(table: pd.DataFrame) -> np.ndarray:
    """Whether a row is over all participants (where the table has them) and all targets, as their mean.

    A median counts only where no mean stands beside it: two statistics of one score are one score.
    """
    mask = np.ones(len(table), dtype=bool)
    for column in ("participant", "target"):
        if column in table:
            values = table[column].astype("string").fillna("")
            mask &= values.isin(("", *OVERALL)).to_numpy(dtype=bool)
    rows = np.flatnonzero(mask)  # of a large table few rows are left, and only these need keys
    target = table["target"].iloc[rows].astype("string").fillna("")
    medians = (target == "median").to_numpy(dtype=bool)
    if medians.any():
        keys = [name for name in ("model", "fingerprint", *_KEYS) if name in table]
        numbers = table[keys].iloc[rows].astype("string").fillna("").groupby(keys, sort=False).ngroup().to_numpy()
        with_mean = numbers[(target == "mean").to_numpy(dtype=bool)]
        mask[rows] = ~(medians & np.isin(numbers, with_mean))
    return mask


def one_number(table: pd.DataFrame, vocabulary: Vocabulary) -> np.ndarray:
    """Whether a row is the one number that a model has of its metric: over all, and in the layer that counts."""
    return _narrowed(
        table, over_all(table), lambda rows: _where(rows, vocabulary, lambda metric: {"layer": ("",), **metric.where})
    )


def headline(table: pd.DataFrame, vocabulary: Vocabulary) -> np.ndarray:
    """Whether findings speak of a row: a headline metric, its one number, in the form that the vocabulary names."""
    return _narrowed(
        table,
        one_number(table, vocabulary),
        lambda rows: _where(rows, vocabulary, lambda metric: metric.headline) & ~untrained(rows),
    )


def _narrowed(table: pd.DataFrame, mask: np.ndarray, fits: Callable[[pd.DataFrame], np.ndarray]) -> np.ndarray:
    """Return the mask of rows that are in `mask` and fit; what is out already is not looked at again."""
    rows = np.flatnonzero(mask)
    narrowed = np.zeros(len(table), dtype=bool)
    narrowed[rows] = fits(table.iloc[rows])
    return narrowed


def by_metric(table: pd.DataFrame, vocabulary: Vocabulary, wanted: Callable[[Metric], bool]) -> np.ndarray:
    """Whether the metric of each row is one that is wanted."""
    return _where(table, vocabulary, lambda metric: {} if wanted(metric) else None)


def untrained(table: pd.DataFrame) -> np.ndarray:
    """Whether each row is of a model's untrained twin (random weights)."""
    mask = np.zeros(len(table), dtype=bool)
    for column in ("mapping", "split", "metric", "target"):
        words = [word for word in table[column].dropna().unique() if "untrained" in str(word)]
        if words:  # a million rows hold few different words
            mask |= table[column].isin(words).to_numpy(dtype=bool)
    return mask


_KEYS = ("measurement", "dataset", "split", "mapping", "layer", "participant", "metric", "specification", "property")


def _where(
    table: pd.DataFrame, vocabulary: Vocabulary, rule: Callable[[Metric], Mapping[str, tuple[str, ...]] | None]
) -> np.ndarray:
    """Whether each row holds the values that the rule names for its metric; no row of a metric without a rule does."""
    mask = np.zeros(len(table), dtype=bool)
    columns: dict[str, pd.Series[str]] = {}
    groups: Mapping[Any, Any] = table.groupby(["measurement", "metric"], sort=False).indices
    for (measurement, name), places in groups.items():
        wanted = rule(vocabulary.metric(measurement, name))
        if wanted is None:
            continue
        fits = np.ones(len(places), dtype=bool)
        for column, values in wanted.items():
            if column not in columns:
                columns[column] = table[column].astype("string").fillna("")
            fits &= columns[column].iloc[places].isin(values).to_numpy(dtype=bool)
        mask[places] = fits
    return mask
