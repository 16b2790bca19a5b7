"""Across models: does a score go with size or ability, and does it still without any one family?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from tuneshift.compare.resampling import N_BOOTSTRAP, SEED, adjusted
from tuneshift.compare.units import OVERALL, summaries

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
    "spearman_p",
    "spearman_q",
    "partial_r",
    "partial_p",
    "n_bases",
    "interval_over",
    "n_families",
    "without_family_low",
    "without_family_high",
)
SIZE = "log10 parameters"
FEWEST_MODELS = 4
FEWEST_BASES = 3
"""Fewer base models allow any correlation: the interval is then from -1 to 1."""
TOO_FEW_BASES = "too few base models"
_ONE_LAYER = ("nested", "best")
_ABILITIES = ("accuracy", "perplexity")
"""The one metric of a task by which abilities are told; its others would multiply the same ability."""
_NO_SCORE = ("ceiling", "r_surrogate", "sd_surrogate", "p_surrogate", "p_permutation")
"""What stands beside a score to judge it by, and is no score of a model."""


def correlate_with_properties(
    table: pd.DataFrame,
    sizes: Mapping[str, float],
    families: Mapping[str, str],
    bases: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Correlate every summary score with size and abilities over models (paper 1, section 5; methods, section 3).

    `table` is the long table of all models, with a column `specification` where one measurement was made in several
    ways; `sizes` are numbers of parameters by model, `families` their families, `bases` the base of each tuned model.
    One row a score and property, columns `CORRELATION_COLUMNS`: Pearson with a 95% bootstrap interval, Spearman,
    partial Pearson given size, Benjamini-Hochberg q over all rows, and the range of Pearson r when each family in turn
    is left out. The interval draws base models, each with all that was tuned from it, because those are not independent
    (`interval_over` "base models"); fewer than 3 of them allow any correlation, and the interval is from -1 to 1.
    Of abilities only accuracies and perplexities are properties, one a task, not all its metrics.
    The p-values take models as independent, as published. Scores of fewer than 4 models are left out.
    """
    bases = bases or {}
    points = score_points(table, sizes)
    rows = []
    for keys, group in points.groupby([*SCORE_KEYS, "property"], dropna=False, sort=False):
        if len(group) >= FEWEST_MODELS:
            rows.append(dict(zip([*SCORE_KEYS, "property"], keys, strict=True)) | _row(group, sizes, families, bases))
    frame = pd.DataFrame(rows, columns=list(CORRELATION_COLUMNS))
    for name in ("pearson", "spearman"):
        frame[f"{name}_q"] = adjusted(frame[f"{name}_p"].to_numpy(dtype=float))
    return frame


def score_points(table: pd.DataFrame, sizes: Mapping[str, float]) -> pd.DataFrame:
    """Return the points behind the correlations: `SCORE_KEYS`, `property`, `model`, `x` (property), `y` (score)."""
    rows = summaries(table).dropna(subset=["value", "metric"])
    if "specification" not in rows:
        rows = rows.assign(specification="")
    properties = _properties(rows, sizes)
    scores = rows[_is_score(rows)].rename(columns={"value": "y"})
    scores = scores.drop_duplicates([*SCORE_KEYS, "model"], keep=False)
    points = scores[[*SCORE_KEYS, "model", "y"]].merge(properties, on="model")
    points[["x", "y"]] = points[["x", "y"]].astype(float)
    # In an order of their own: the draws of a bootstrap must not depend on which model was measured first.
    return points.sort_values("model", kind="stable", ignore_index=True)


def pearson_interval(
    x: np.ndarray, y: np.ndarray, seed: int = SEED, groups: np.ndarray | None = None
) -> tuple[float, float]:
    """Return a 95% percentile bootstrap interval of Pearson r; x, y (n_models,).

    Models are drawn, or, with `groups` (n_models,), whole groups of models.
    """
    _, group = np.unique(np.arange(len(x)) if groups is None else groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    chosen = np.random.default_rng(seed).integers(0, n_groups, size=(N_BOOTSTRAP, n_groups))
    places = chosen + n_groups * np.arange(N_BOOTSTRAP)[:, None]
    drawn = np.bincount(places.ravel(), minlength=N_BOOTSTRAP * n_groups).reshape(N_BOOTSTRAP, n_groups)
    weights = drawn[:, group].astype(float)  # how often each model
    weights /= weights.sum(axis=1, keepdims=True)
    a, b = x - (weights @ x)[:, None], y - (weights @ y)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
        r = np.where(spread > 1e-12 * np.ptp(x) * np.ptp(y), (weights * a * b).sum(axis=1) / spread, np.nan)
    r = r[np.isfinite(r)]  # a draw of one model (or one size) only has no correlation
    if len(r) < N_BOOTSTRAP / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(r, [0.025, 0.975])
    return float(low), float(high)


def partial_correlation(x: np.ndarray, y: np.ndarray, given: np.ndarray) -> tuple[float, float]:
    """Return Pearson r of x and y given a third variable, and its two-sided p (n - 3 degrees of freedom)."""
    design = np.column_stack([np.ones_like(given), given])
    left, right = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y))
    freedom = len(x) - 3
    if freedom < 1 or _flat(left, x) or _flat(right, y):
        return float("nan"), float("nan")
    r = float(np.clip(left @ right / np.sqrt((left @ left) * (right @ right)), -1, 1))
    if abs(r) == 1:
        return r, 0.0
    t = r * np.sqrt(freedom / (1 - r * r))
    return r, float(2 * stats.t.sf(abs(t), freedom))


def without_each_family(x: np.ndarray, y: np.ndarray, families: np.ndarray) -> dict[str, float]:
    """Return Pearson r with each family left out, where at least 3 models stay; family -> r."""
    found = {}
    for family in dict.fromkeys(families.tolist()):
        stay = families != family
        if stay.sum() >= 3 and not _flat(x[stay]) and not _flat(y[stay]):
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
    if _flat(x) or _flat(y):
        return row
    pearson, spearman = stats.pearsonr(x, y), stats.spearmanr(x, y)
    row |= {"pearson_r": pearson.statistic, "pearson_p": pearson.pvalue}
    row |= {"spearman_r": spearman.statistic, "spearman_p": spearman.pvalue}
    if n_bases < FEWEST_BASES:
        row |= {"interval_over": TOO_FEW_BASES, "pearson_low": -1.0, "pearson_high": 1.0}
    else:
        row["interval_over"] = "base models" if n_bases < len(group) else "models"
        row["pearson_low"], row["pearson_high"] = pearson_interval(x, y, groups=roots)
    if group["property"].iloc[0] != SIZE and all(model in sizes for model in models):
        size = np.log10([sizes[model] for model in models])
        row["partial_r"], row["partial_p"] = partial_correlation(x, y, size)
    named = np.array([families.get(model, model) for model in models], dtype=object)
    left_out = without_each_family(x, y, named)
    row["n_families"] = len(set(named.tolist()))
    if len(left_out) > 1:
        row["without_family_low"], row["without_family_high"] = min(left_out.values()), max(left_out.values())
    return row


def _properties(rows: pd.DataFrame, sizes: Mapping[str, float]) -> pd.DataFrame:
    found = pd.DataFrame(
        {"model": list(sizes), "property": SIZE, "x": np.log10(list(sizes.values()) or [1.0])[: len(sizes)]}
    )
    told = (rows["measurement"] == "ability") & rows["metric"].isin(_ABILITIES)
    ability = rows[told.to_numpy(dtype=bool)]
    parts = ability[["dataset", "target", "metric"]].astype("string").fillna("")
    names = parts["dataset"] + " " + parts["target"] + " " + parts["metric"]
    abilities = pd.DataFrame(
        {"model": ability["model"], "property": names.str.split().str.join(" "), "x": ability["value"]}
    )
    return pd.concat([found, abilities.drop_duplicates(["model", "property"])], ignore_index=True)


def _is_score(rows: pd.DataFrame) -> np.ndarray:
    """Whether a row is a model's one score: no ability, over all targets, and of no single layer."""
    whole = rows["target"].isna() | rows["target"].isin(OVERALL)
    one_layer = rows["layer"].isna() | rows["layer"].isin(_ONE_LAYER)
    score = (rows["measurement"] != "ability") & ~rows["metric"].isin(_NO_SCORE)
    mask: np.ndarray = (whole & one_layer & score).to_numpy(dtype=bool)
    return mask


def _flat(values: np.ndarray, scale: np.ndarray | None = None) -> bool:
    """Whether values do not vary: exactly, or beside the spread of what they are a rest of."""
    if scale is None:
        return float(np.ptp(values)) == 0
    return float(np.ptp(values)) <= 1e-10 * (float(np.ptp(scale)) or 1.0)
