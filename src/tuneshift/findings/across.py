"""Findings across models and layers: does a score go with size, does what moved inside go with what it predicts?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tuneshift.compare.correlations import SIZE
from tuneshift.compare.layer_link import SCORE_KEYS
from tuneshift.findings.finding import Bar, Finding
from tuneshift.findings.layer_link import ALPHA, is_pooled, measure_name, score_name
from tuneshift.findings.people import is_simulated
from tuneshift.vocabulary import Vocabulary
from tuneshift.vocabulary.rows import by_metric, headline
from tuneshift.vocabulary.selecting import groups
from tuneshift.vocabulary.words import interval, missing, number, text

FEWEST_MODELS = 10


def size_findings(correlations: pd.DataFrame, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Yield a finding for every headline score of at least 10 models whose sizes are known."""
    if correlations.empty or "pearson_r" not in correlations:
        return
    rows = correlations[(correlations["property"] == SIZE).to_numpy(dtype=bool)]
    rows = rows[headline(rows.assign(target="mean"), vocabulary)]
    for index, row in rows.dropna(subset=["pearson_r"]).iterrows():
        if int(row["n"]) < FEWEST_MODELS:
            continue
        label = vocabulary.label(row["measurement"], row["metric"])
        bounds = f"95% over models {interval(row['pearson_low'], row['pearson_high'], 2)}"
        if not missing(row.get("over_stories_low")):
            bounds += f", over stories {interval(row['over_stories_low'], row['over_stories_high'], 2)}"
        holds = beyond_zero(row)
        way = "higher" if float(row["pearson_r"]) > 0 else "lower"
        head = f"Larger models have a {way} {label}" if holds else f"No evidence that size matters for the {label}"
        yield Finding(
            f"{head} ({text(row['dataset'])}, {int(row['n'])} models): r = {number(row['pearson_r'], 2)} with log size; {bounds}.",
            "difference" if holds else "null",
            "across",
            f"{label} and size ({text(row['dataset'])})",
            f"r = {number(row['pearson_r'], 2)} [{interval(row['pearson_low'], row['pearson_high'], 2)}]",
            way if holds else "",
            (f"correlation-{index}",),
            (Bar("r with log size", float(row["pearson_r"]), float(row["pearson_low"]), float(row["pearson_high"])),),
            simulated=is_simulated(text(row["dataset"])),
        )


def link_findings(links: pd.DataFrame, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Yield a finding for every linked score of which several pairs are tested together; one pair alone shows nothing."""
    if links.empty:
        return
    pooled = links[is_pooled(links)].dropna(subset=["partial_p"])
    for key, chosen in groups(pooled[by_metric(pooled, vocabulary, lambda metric: metric.linked)], *SCORE_KEYS):
        found = chosen[(chosen["partial_q"] < ALPHA).to_numpy(dtype=bool)]
        first = chosen.iloc[0]
        where = f"{score_name(key)}, {int(first['n_pairs'])} pairs of {int(first['n_bases'])} bases"
        label = vocabulary.label(key[0], key[4])
        if len(found):
            best = found.iloc[int(found["partial_r"].astype(float).abs().to_numpy().argmax())]
            amount = f"r = {number(best['partial_r'], 2)} [{interval(best['partial_low'], best['partial_high'], 2)}]"
            said = (
                f"Over layers, change of the {label} ({where}) goes with {measure_name(best['inside'], vocabulary)}: "
                f"{amount} given depth ({len(found)} of {len(chosen)} measures)."
            )
        else:
            amount = f"0 of {len(chosen)} measures"
            said = (
                f"No evidence that layers whose inside moved more changed their {label} more ({where}): given depth, none of "
                f"{len(chosen)} inside measures has q below {ALPHA}."
            )
        yield Finding(
            said,
            "difference" if len(found) else "null",
            "inside",
            f"layer link ({where})",
            amount,
            rows=tuple(f"link-{index}" for index in (found if len(found) else chosen).index),
            bars=tuple(_bar(row, vocabulary) for _, row in chosen.iterrows()),
            simulated=is_simulated(key[1]),
        )


def beyond_zero(row: Any) -> bool:
    """Whether no interval of a correlation, over models or over stories, holds 0."""
    bounds = [(row["pearson_low"], row["pearson_high"])]
    if not missing(row.get("over_stories_low")):
        bounds.append((row["over_stories_low"], row["over_stories_high"]))
    return all(not missing(low) and (float(low) > 0 or float(high) < 0) for low, high in bounds)


def _bar(row: Any, vocabulary: Vocabulary) -> Bar:
    values = (float(row[name]) for name in ("partial_r", "partial_low", "partial_high"))
    return Bar(measure_name(row["inside"], vocabulary), *values)
