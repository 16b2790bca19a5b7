"""How far tuned - base in the instruction score hangs on constants and lengths (methods, section 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
import xarray as xr
from scipy import stats

from tuneshift.compare.resampling import paired_test
from tuneshift.result import Result

_SCORES = "instruction_scores"
_LENGTHS = ("response_length", "prompt_length", "instruction_length")
COLUMNS = (
    "frame",
    "scaled",
    "threshold",
    "p",
    "n",
    "base",
    "tuned",
    "difference",
    "ci_low",
    "ci_high",
    "cohens_d",
    "p_welch_one_sided",
    "p_paired",
    "adjusted_difference",
    "p_adjusted_difference",
)
"""Columns of a table of sensitivity; `frame` says whether the prompt's frame counts as prompt."""


def has_sensitivity(result: Result) -> bool:
    """Whether a result holds instruction scores under several choices of constants."""
    return _SCORES in result.arrays


def sensitivity(base: Result, tuned: Result) -> pd.DataFrame:
    """Compare instruction scores under every choice of constants, on the prompts that both results scored.

    Columns: `COLUMNS`. `difference` = tuned - base with its 95% bootstrap interval over prompts; `cohens_d` (pooled
    spread) and `p_welch_one_sided` (tuned above base) as published; `p_paired`: sign flips over prompts, two-sided;
    `adjusted_difference`: coefficient of tuned in an ordinary regression with log response length, log prompt length
    and log2(2 + instruction tokens), errors clustered by prompt. Empty where fewer than 3 prompts are shared.
    """
    first, second = xr.align(base.arrays[_SCORES], tuned.arrays[_SCORES], join="inner")
    lengths = [_lengths(result, first.coords["prompt"].values) for result in (base, tuned)]
    rows: list[dict[str, Any]] = []
    for variant in range(first.sizes["variant"]):
        a, b = first[variant].values.astype(float), second[variant].values.astype(float)
        there = np.isfinite(a) & np.isfinite(b)
        if there.sum() < 3:
            continue
        here = first[variant].coords
        rows.append(
            {
                "frame": bool(here["frame"]),
                "scaled": bool(here["scaled"]),
                "threshold": int(here["threshold"]),
                "p": float(here["p"]),
                **_compared(a[there], b[there], [part[there] for part in lengths]),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _lengths(result: Result, prompts: np.ndarray) -> np.ndarray:
    """Return log response length, log prompt length and log2(2 + instruction tokens) of prompts (n, 3)."""
    response, prompt, instruction = (result.arrays[name].sel(prompt=prompts).values.astype(float) for name in _LENGTHS)
    return np.column_stack([np.log(np.maximum(response, 1)), np.log(prompt), np.log2(2 + instruction)])


def _compared(a: np.ndarray, b: np.ndarray, lengths: list[np.ndarray]) -> dict[str, float]:
    test = paired_test(b - a)
    pooled = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    nan = float("nan")
    adjusted, p_adjusted = _adjusted(a, b, lengths)
    welch = stats.ttest_ind(b, a, equal_var=False, alternative="greater").pvalue if pooled > 0 else nan
    return {
        "n": len(a),
        "base": float(a.mean()),
        "tuned": float(b.mean()),
        "difference": float((b - a).mean()),
        "ci_low": float(test.ci_low[0]),
        "ci_high": float(test.ci_high[0]),
        "cohens_d": float((b - a).mean() / pooled) if pooled > 0 else nan,
        "p_welch_one_sided": float(welch),
        "p_paired": float(test.p[0]),
        "adjusted_difference": adjusted,
        "p_adjusted_difference": p_adjusted,
    }


def _adjusted(a: np.ndarray, b: np.ndarray, lengths: list[np.ndarray]) -> tuple[float, float]:
    scores = np.concatenate([a, b])
    tuned = np.repeat([0.0, 1.0], len(a))
    covariates = np.concatenate(lengths)
    covariates = covariates[:, np.ptp(covariates, axis=0) > 0]  # a covariate that never varies is the intercept again
    design = np.column_stack([np.ones_like(tuned), tuned, covariates])
    if len(scores) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1] or not np.ptp(scores):
        return float("nan"), float("nan")
    prompts = np.tile(np.arange(len(a)), 2)
    fitted = sm.OLS(scores, design).fit(cov_type="cluster", cov_kwds={"groups": prompts})
    return float(fitted.params[1]), float(fitted.pvalues[1])
