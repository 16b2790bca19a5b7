"""Findings across models and layers: does a score go with size, does what moved inside go with what it predicts?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tuneshift.compare.correlations import SIZE
from tuneshift.compare.layer_link import SCORE_KEYS
from tuneshift.compare.layer_permutation import FEWEST_LAYERS_GIVEN_DEPTH
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
    """Yield a finding for every linked score: over all pairs together where there are several, else for the one pair."""
    if links.empty:
        return
    rows = links[by_metric(links, vocabulary, lambda metric: metric.linked)]
    for key, part in groups(rows, *SCORE_KEYS):
        pooled = part[is_pooled(part)]
        chosen = (pooled if len(pooled) else part).dropna(subset=["p"])
        if chosen.empty:
            continue
        found, plain = (chosen[(chosen[q] < ALPHA).fillna(False).to_numpy(dtype=bool)] for q in ("partial_q", "q"))
        where = ", ".join([score_name(key), *(["all pairs together"] if len(pooled) else [])])
        label = vocabulary.label(key[0], key[4])
        if len(found):
            best = found.iloc[int(found["partial_r"].astype(float).abs().to_numpy().argmax())]
            amount = f"r = {number(best['partial_r'], 2)}, q = {number(best['partial_q'])}"
            said = (
                f"Over layers, the change of the {label} ({where}) goes with {measure_name(best['inside'], vocabulary)}: "
                f"r = {number(best['partial_r'], 2)} given depth, q = {number(best['partial_q'])}; {len(found)} of "
                f"{len(chosen)} inside measures do. No evidence of a cause."
            )
        else:
            amount = f"0 of {len(chosen)} measures"
            said = (
                f"No evidence that layers whose inside moved more changed their {label} more ({where}): "
                f"{_before_depth(plain, len(chosen))}."
            )
        yield Finding(
            said,
            "difference" if len(found) else "null",
            "inside",
            f"layer link ({where})",
            amount,
            rows=tuple(f"link-{index}" for index in next(part for part in (found, plain, chosen) if len(part)).index),
            bars=tuple(_bar(row, vocabulary) for _, row in chosen.iterrows()),
            simulated=is_simulated(key[1]),
        )


def _before_depth(plain: pd.DataFrame, n: int) -> str:
    """Say what the plain correlations showed, and why it is no finding."""
    if plain.empty:
        return f"none of {n} inside measures has q below {ALPHA}"
    told = f"{len(plain)} of {n} inside measures do"
    if plain["partial_p"].notna().any():
        return f"{told} before depth is taken out, none once it is"
    few = int(plain["n_layers"].max()) < FEWEST_LAYERS_GIVEN_DEPTH
    return f"{told}, but there are too few layers to take depth out" if few else f"{told}, but depth explains all of it"


def beyond_zero(row: Any) -> bool:
    """Whether no interval of a correlation, over models or over stories, holds 0."""
    bounds = [(row["pearson_low"], row["pearson_high"])]
    if not missing(row.get("over_stories_low")):
        bounds.append((row["over_stories_low"], row["over_stories_high"]))
    return all(not missing(low) and (float(low) > 0 or float(high) < 0) for low, high in bounds)


def _bar(row: Any, vocabulary: Vocabulary) -> Bar:
    return Bar(measure_name(row["inside"], vocabulary), float(row["spearman_r"]))
