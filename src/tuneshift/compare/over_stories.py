"""Across models over stories: would a correlation with size stand, had people read other stories?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.compare.correlations import SCORE_KEYS
from tuneshift.compare.jackknife import SLOPE, by_leaving_out
from tuneshift.compare.related_models import is_flat
from tuneshift.vocabulary import Vocabulary, ours

STORY_COLUMNS = ("over_stories_low", "over_stories_high", "n_stories")
FEWEST_STORIES = 3
Arrays = Callable[[str, str], Mapping[str, xr.DataArray]]
"""Model and measurement (in a few words) -> the arrays of its result."""


def with_story_intervals(
    correlations: pd.DataFrame, points: pd.DataFrame, arrays: Arrays, vocabulary: Vocabulary | None = None
) -> pd.DataFrame:
    """Return correlations with `STORY_COLUMNS`: a 95% interval of Pearson r over stories, and how many there are.

    Scores that are a sample over stories and hold every word's share (an array metric_mapping with coordinate
    `document`) have one:
    each story in turn is left out for all models, every score is taken anew, and the models are correlated again.
    The interval over models says whether other models would show it, this one whether other texts would. Other rows,
    and fewer than 3 stories, have none (NaN, missing).
    """
    found: dict[str, list[float]] = {name: [] for name in STORY_COLUMNS}
    keys = [*SCORE_KEYS, "property"]
    groups = dict(tuple(points.groupby(_key(points, keys), sort=False)))
    for key in _key(correlations, keys):
        values = _interval(groups[key], arrays, vocabulary or ours())
        for name, value in zip(STORY_COLUMNS, values, strict=True):
            found[name].append(value)
    frame = correlations.assign(**found)
    frame["n_stories"] = frame["n_stories"].astype("Int64")
    return frame


def correlation_over_stories(x: np.ndarray, sums: np.ndarray, words: np.ndarray) -> tuple[float, float]:
    """Return a 95% interval over stories of Pearson r of x and the models' scores: what as many others would give.

    `x` (n_models,); `sums` (n_models, n_stories) the sum of every model's shares in each story; `words` (n_stories,)
    how many words it has. A score is the mean share over all words. Noise of few stories lowers r itself; the interval
    is that of r so lowered. Leaving out stories on the scale of a slope covers 92 to 96% over 3 to 10 stories, Fisher's
    z 79% where slopes differ much between stories, a bootstrap of 3 stories 67 to 81%. NaN where a score does not vary.
    """

    def correlation(stay: np.ndarray) -> float:
        scores = sums[:, stay].sum(axis=1) / words[stay].sum()
        return float("nan") if is_flat(scores) else float(np.corrcoef(x, scores)[0, 1])

    found = by_leaving_out(correlation, np.arange(len(words)), scale=SLOPE)
    return (found.low, found.high) if np.isfinite(found.p) else (float("nan"), float("nan"))


def _key(frame: pd.DataFrame, keys: list[str]) -> pd.Series:
    """One text a row: missing keys are equal to one another, as they are in no column of numbers."""
    text = frame[keys].astype("string").fillna("")
    key = pd.Series("", index=frame.index, dtype="string")
    for name in keys:
        key = key + "\x1f" + text[name]
    return key


def _interval(group: pd.DataFrame, arrays: Arrays, vocabulary: Vocabulary) -> tuple[float, float, float]:
    nothing = (float("nan"), float("nan"), float("nan"))
    first = group.iloc[0]
    if vocabulary.metric(first["measurement"], first["metric"]).over != "stories":
        return nothing
    sums, words = [], None
    for row in group.itertuples():
        share = arrays(str(row.model), str(row.specification)).get(f"{row.metric}_{row.mapping}")
        if share is None or "document" not in share.coords:
            return nothing
        documents, values = share.coords["document"].values, share.values.astype(float)
        names, numbers = np.unique(documents, return_inverse=True)
        here = (names.tolist(), np.bincount(numbers).tolist())
        if words is not None and here != words:
            return nothing  # models that were scored on other words cannot share a draw of stories
        words = here
        sums.append(np.bincount(numbers, values))
    if words is None or len(words[0]) < FEWEST_STORIES:
        return nothing
    low, high = correlation_over_stories(group["x"].to_numpy(float), np.array(sums), np.array(words[1], dtype=float))
    return low, high, float(len(words[0]))
