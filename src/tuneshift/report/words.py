"""Numbers and names as a reader wants them: three decimals, a real minus sign, p as p."""

from __future__ import annotations

from typing import Any

import pandas as pd

MINUS = "\u2212"

METRIC_NAMES = {
    "r": "brain score r",
    "r_normalised": "brain score, share of ceiling",
    "ceiling": "noise ceiling (root of the reliability)",
    "r_surrogate": "score of surrogate recordings, where 0 is true",
    "sd_surrogate": "spread of the scores of surrogate recordings",
    "p_surrogate": "p of the score among its surrogates",
    "unique_r2": "unique variance r²",
    "pearson_r": "correlation of surprisal with reading time",
    "pearson_r_normalised": "correlation with reading time, share of ceiling",
    "delta_ll": "predictive power of surprisal, ΔLL",
    "instruction_score": "instruction score",
    "followed": "share of instructions followed",
    "followed_rate": "share of instructions followed",
    "verb_gain_share": "share of heads that gained the verb",
    "head_overlap": "overlap of heads' word pairs",
    "rotation_deg": "rotation of feed-forward components",
    "category_share": "share of concepts in a category",
    "category_share_change": "change of the share of concepts in a category",
    "category_share_p": "category shares: p over repeats of the naming model, which measures its noise",
    "verb_gain_difference": "verbs gained: instruction − control",
    "verb_gain_p": "verbs gained: p of a Welch test over verbs",
    "verb_pair_share": "share of word pairs that hold such a verb",
    "concept_overlap": "overlap of component words",
    "weight_change": "change of written weights",
    "state_cka": "hidden states: CKA",
    "state_cosine": "hidden states: cosine",
    "state_change": "hidden states: length of change",
    "variance_share": "variance held by the first components",
    "pair_units": "strongest word pair of each head: units it occurs in",
    "head_pairs": "word pairs known",
    "accuracy": "accuracy",
    "perplexity": "perplexity",
}
"""What a metric of the long table is called in running text; any other goes by its own name."""


def missing(value: Any) -> bool:
    """Whether a table's cell holds nothing."""
    return value is None or bool(pd.isna(value))


def number(value: Any, digits: int = 3) -> str:
    """Return a number with so many decimals and a real minus sign; an en dash where there is none.

    Numbers of 1,000 and more lose their decimals, and numbers that the decimals would round to 0 get two significant
    digits instead.
    """
    if missing(value):
        return "–"
    value = float(value)
    if abs(value) >= 1000:
        text = f"{value:,.0f}"
    elif value != 0 and abs(value) < 0.5 * 10**-digits:
        text = f"{value:.1e}"
    else:
        text = f"{value:.{digits}f}"
    return text.replace("-", MINUS)


def signed(value: Any, digits: int = 3) -> str:
    """Return a number with its sign."""
    text = number(value, digits)
    return f"+{text}" if not missing(value) and float(value) > 0 else text


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Return "low to high", or an en dash where there is no interval."""
    if missing(low) or missing(high):
        return "–"
    return f"{number(low, digits)} to {number(high, digits)}"


def p_value(p: Any) -> str:
    """Return "p = 0.021" or "p < 0.001"; "" where there is no test."""
    if missing(p):
        return ""
    return "p < 0.001" if float(p) < 0.001 else f"p = {float(p):.3f}"


def metric_name(metric: Any) -> str:
    """Return a metric in words."""
    return METRIC_NAMES.get(str(metric), str(metric).replace("_", " "))


def listed(names: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def text(value: Any) -> str:
    """Return a cell's text, "" where it holds nothing."""
    return "" if missing(value) else str(value)
