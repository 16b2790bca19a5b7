"""Across models: does a score go with size or ability, and does it still without any one family?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from tuneshift.compare.related_models import independent, is_flat, partial, pearson, spearman
from tuneshift.compare.resampling import adjusted
from tuneshift.vocabulary import Vocabulary, ours
from tuneshift.vocabulary.rows import by_metric, one_number, summaries, untrained

SCORE_KEYS = ("measurement", "dataset", "split", "mapping", "layer", "metric", "specification")
CORRELATION_COLUMNS = (
    *SCORE_KEYS,
    "property",
    "n",
    "pearson_r",
    "pearson_low",
    "pearson_high",
    "pearson_p",
    "pearson_q",
    "spearman_r",
    "spearman_low",
    "spearman_high",
    "spearman_p",
    "spearman_q",
    "partial_r",
    "partial_low",
    "partial_high",
    "partial_p",
    "partial_q",
    "n_bases",
    "interval_over",
    "n_families",
    "without_family_low",
    "without_family_high",
)
SIZE = "log10 parameters"
FEWEST_MODELS = 4
TOO_FEW_BASES = "too few base models"


def correlate_with_properties(
    table: pd.DataFrame,
    sizes: Mapping[str, float],
    families: Mapping[str, str],
    bases: Mapping[str, str] | None = None,
    vocabulary: Vocabulary | None = None,
) -> pd.DataFrame:
    """Correlate every score with size and abilities over models (paper 1, section 5; methods, sections 3 and 8).

    Which rows are a model's one score of a metric the vocabulary says: of brain scores that of the nested layer.
    `table` is the long table of all models, with a column `specification` where one measurement was made in several
    ways; `sizes` are numbers of parameters by model, `families` their families, `bases` the base of each tuned model.
    One row a score and property, columns `CORRELATION_COLUMNS`: Pearson, Spearman, and partial Pearson given size, each
    with its 95% interval, its p, and Benjamini-Hochberg q over all rows; the range of Pearson r when each family in
    turn is left out. Where models share a base, intervals and p take bases as drawn, each with all that was tuned from
    it (`interval_over` "base models"; `compare.related_models`). Fewer than 3 of them, 4 for the partial and 6 for
    Spearman r, allow any correlation: the interval is from -1 to 1, and there is no p.
    Of abilities only accuracies and perplexities are properties, one a task, not all its metrics.
    Scores of fewer than 4 models are left out.
    """
    bases = bases or {}
    points = score_points(table, sizes, vocabulary)
    rows = []
    for keys, group in points.groupby([*SCORE_KEYS, "property"], dropna=False, sort=False):
        if len(group) >= FEWEST_MODELS:
            rows.append(dict(zip([*SCORE_KEYS, "property"], keys, strict=True)) | _row(group, sizes, families, bases))
    frame = pd.DataFrame(rows, columns=list(CORRELATION_COLUMNS))
    for name in ("pearson", "spearman", "partial"):
        frame[f"{name}_q"] = adjusted(frame[f"{name}_p"].to_numpy(dtype=float))
    return frame


def score_points(table: pd.DataFrame, sizes: Mapping[str, float], vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """Return the points behind the correlations: `SCORE_KEYS`, `property`, `model`, `x` (property), `y` (score).

    A score that a model has twice under one name is no point: nobody knows which is meant (`ambiguous_scores`).
    """
    properties = _properties(table, sizes, vocabulary or ours())
    scores = _scores(table, vocabulary or ours()).rename(columns={"value": "y"})
    scores = scores.drop_duplicates([*SCORE_KEYS, "model"], keep=False)
    points = scores[[*SCORE_KEYS, "model", "y"]].merge(properties, on="model")
    points[["x", "y"]] = points[["x", "y"]].astype(float)
    # In an order of their own, whichever model was measured first.
    return points.sort_values("model", kind="stable", ignore_index=True)


def ambiguous_scores(table: pd.DataFrame, vocabulary: Vocabulary | None = None) -> list[str]:
    """Return a sentence for every metric of which some model has several numbers under one name."""
    scores = _scores(table, vocabulary or ours())
    twice = scores[scores.duplicated([*SCORE_KEYS, "model"], keep=False)]
    return [
        f"across models: {', '.join(dict.fromkeys(part['model'].astype(str)))} has several numbers called {metric} on "
        f"{dataset}; they are in no correlation, because nobody can say which of them counts."
        for (metric, dataset), part in twice.groupby(["metric", "dataset"], dropna=False, sort=False)
    ]


def without_each_family(x: np.ndarray, y: np.ndarray, families: np.ndarray) -> dict[str, float]:
    """Return Pearson r with each family left out, where at least 3 models stay; family -> r."""
    found = {}
    for family in dict.fromkeys(families.tolist()):
        stay = families != family
        if stay.sum() >= 3 and not is_flat(x[stay]) and not is_flat(y[stay]):
            found[str(family)] = float(stats.pearsonr(x[stay], y[stay]).statistic)
    return found


def root_of(model: str, bases: Mapping[str, str]) -> str:
    """Return the base model that a model goes back to: itself, or the base of its base."""
    seen = {model}
    while (base := bases.get(model)) is not None and base not in seen:
        seen.add(base)
        model = base
    return model


def _row(
    group: pd.DataFrame, sizes: Mapping[str, float], families: Mapping[str, str], bases: Mapping[str, str]
) -> dict[str, float | str]:
    x, y = group["x"].to_numpy(), group["y"].to_numpy()
    models = group["model"].tolist()
    roots = np.array([root_of(model, bases) for model in models], dtype=str)
    n_bases = len(set(roots.tolist()))
    row: dict[str, float | str] = {"n": len(group), "n_bases": n_bases}
    if is_flat(x) or is_flat(y):
        return row
    over = "models" if independent(roots) else "base models"
    found = {"pearson": pearson(x, y, roots), "spearman": spearman(x, y, roots)}
    row["interval_over"] = over if np.isfinite(found["pearson"].p) else TOO_FEW_BASES
    if group["property"].iloc[0] != SIZE and all(model in sizes for model in models):
        found["partial"] = partial(x, y, np.log10([sizes[model] for model in models]), roots)
    for name, of in found.items():
        row |= {f"{name}_r": of.r, f"{name}_low": of.low, f"{name}_high": of.high, f"{name}_p": of.p}
    named = np.array([families.get(model, model) for model in models], dtype=object)
    left_out = without_each_family(x, y, named)
    row["n_families"] = len(set(named.tolist()))
    if len(left_out) > 1:
        row["without_family_low"], row["without_family_high"] = min(left_out.values()), max(left_out.values())
    return row


def _properties(table: pd.DataFrame, sizes: Mapping[str, float], vocabulary: Vocabulary) -> pd.DataFrame:
    found = pd.DataFrame(
        {"model": list(sizes), "property": SIZE, "x": np.log10(list(sizes.values()) or [1.0])[: len(sizes)]}
    )
    rows = summaries(table).dropna(subset=["value", "metric"])
    ability = rows[by_metric(rows, vocabulary, lambda metric: metric.role == "property")]
    parts = ability[["dataset", "target", "metric"]].astype("string").fillna("")
    names = parts["dataset"] + " " + parts["target"] + " " + parts["metric"]
    abilities = pd.DataFrame(
        {"model": ability["model"], "property": names.str.split().str.join(" "), "x": ability["value"]}
    )
    return pd.concat([found, abilities.drop_duplicates(["model", "property"])], ignore_index=True)


def _scores(table: pd.DataFrame, vocabulary: Vocabulary) -> pd.DataFrame:
    """Return the rows that are a model's one score of a metric; twins are no models."""
    rows = table.dropna(subset=["value", "metric"])
    if "specification" not in rows:
        rows = rows.assign(specification="")
    chosen = one_number(rows, vocabulary) & by_metric(rows, vocabulary, lambda metric: metric.is_score)
    return rows[chosen & ~untrained(rows)]
