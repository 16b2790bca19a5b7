"""A tuned model against its own base: difference and ratio of every number, and how certain they are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tuneshift.compare.resampling import adjusted, paired_test
from tuneshift.compare.units import KEYS, array_units, participant_units, target_units
from tuneshift.result import Result
from tuneshift.vocabulary.rows import summaries

PAIR_COLUMNS = (
    "model",
    "base_model",
    "measurement",
    "dataset",
    "split",
    "mapping",
    "layer",
    "target",
    "metric",
    "base",
    "tuned",
    "difference",
    "ratio",
    "ci_low",
    "ci_high",
    "p",
    "q",
    "p_wilcoxon",
    "n",
    "n_up",
    "over",
    "unit",
)
"""Columns of a table of pairs. `over` names what n and n_up count ("participants", "stories", "prompts")."""

_NO_PAIR = ("model", "base_model", "measurement")


def compare_pair(base: Result, tuned: Result) -> pd.DataFrame:
    """Compare two results of the same measurement, one row for every summary number that both hold.

    Columns: `PAIR_COLUMNS` without the names of the models and of the measurement. `difference` = tuned - base and
    `ratio` = tuned / base (missing where base is 0 or of another sign); `ci_low`, `ci_high` a 95% bootstrap interval of
    the mean difference over participants, prompts or stories (methods, section 3), `p` a two-sided sign-flip test over
    them, `q` the same adjusted (Benjamini-Hochberg) over the layers and targets of one metric, `p_wilcoxon` the
    signed-rank test, `n` units of which `n_up` rose. Numbers without such units have no interval and no test.
    """
    joined = _joined(summaries(base.table), summaries(tuned.table))
    columns = {name: np.full(len(joined), np.nan) for name in ("ci_low", "ci_high", "p", "p_wilcoxon", "n", "n_up")}
    over = np.full(len(joined), None, dtype=object)
    difference = (joined["tuned"] - joined["base"]).to_numpy(dtype=float)
    for units in (
        *array_units(base, tuned, joined),
        *target_units(base.table, tuned.table, joined),
        *participant_units(base.table, tuned.table, joined),
    ):
        rows = units.rows
        # An interval belongs to the difference it stands beside: participants' own correlations, say, are no interval
        # of the correlation with their mean reading time.
        own = np.isclose(units.mean_difference(), difference[rows], rtol=1e-3, atol=1e-6)
        test = paired_test(units.differences[own], units.weights)
        for name in columns:
            columns[name][rows[own]] = getattr(test, name)
        over[rows[own]] = units.name
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(joined["base"] * joined["tuned"] > 0, joined["tuned"] / joined["base"], np.nan)
    frame = joined.assign(difference=difference, ratio=ratio, **columns)
    frame["over"] = pd.array(over, dtype="string")
    frame["q"] = frame.groupby(["dataset", "split", "mapping", "metric"], dropna=False)["p"].transform(
        lambda p: adjusted(p.to_numpy())
    )
    frame[["n", "n_up"]] = frame[["n", "n_up"]].astype("Int64")
    return frame[[name for name in PAIR_COLUMNS if name not in _NO_PAIR]]


def _joined(base: pd.DataFrame, tuned: pd.DataFrame) -> pd.DataFrame:
    """Match the summaries of both by every key; a number that only one of them holds is no pair."""
    keys = [*KEYS, "participant"]
    parts = []
    for table, name in ((base, "base"), (tuned, "tuned")):
        part = table[[*keys, "value", "unit"]].dropna(subset="value")
        part = part[~part.duplicated(keys, keep=False)]  # two numbers of one name: nobody knows which is meant
        parts.append(part.rename(columns={"value": name}))
    joined = parts[1].merge(parts[0].drop(columns="unit"), on=keys, how="inner")
    joined[["base", "tuned"]] = joined[["base", "tuned"]].astype(float)
    return joined.reset_index(drop=True)
