"""The summary in plain words: sentences that rules make from rows, none of them stronger than its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuneshift.report.cautions import cautions
from tuneshift.report.selecting import (
    HEADLINE_SURPRISALS,
    by_layer,
    extreme,
    groups,
    is_untrained,
    overall,
    rows_of,
)
from tuneshift.report.size_axis import size_sentences
from tuneshift.report.source import Results
from tuneshift.report.summary_inside import inside_sentences
from tuneshift.report.words import interval, listed, metric_name, missing, number, p_value, signed, text

ALPHA = 0.05


@dataclass(frozen=True)
class Sentence:
    """One sentence of the summary.

    `kind` is "warning", "difference", "null", "unknown" or "finding"; `rows` are the anchors of the rows that carry it
    ("pair-3": row 3 of the table of pairs; "row-12": row 12 of the long table).
    """

    text: str
    kind: str
    rows: tuple[str, ...] = ()
    topic: str = ""

    def __str__(self) -> str:
        return self.text


def summary_sentences(results: Results) -> list[Sentence]:
    """Return the summary of a study: warnings, scores, pairs, how many comparisons there were, and the size axis."""
    table = results.table.reset_index(drop=True)
    pairs = results.pairs().reset_index(drop=True)
    headline = headline_pairs(pairs)
    return [
        *(Sentence(said, "warning", (), "data") for said in cautions(table, results.study)),
        *_brain_sentences(table),
        *_reading_sentences(table),
        *_followed_sentences(table),
        *(pair_sentence(row) for _, row in headline.iterrows()),
        *_count_sentence(headline),
        *(Sentence(*said) for said in inside_sentences(table, results.layer_links().reset_index(drop=True))),
        *(
            Sentence(said, kind, (anchor,), "models")
            for said, kind, anchor in size_sentences(results.correlations().reset_index(drop=True))
        ),
        *_failure_sentence(results),
    ]


def headline_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that the summary speaks of: one number a model, measurement, data set and form.

    For brains r of the layer chosen by nested cross-validation, over all regions; for reading Pearson r and delta-LL of
    the first kind of surprisal; for attribution the instruction score over all prompts; for abilities the accuracy or perplexity of a benchmark.
    """
    if pairs.empty:
        return pairs
    pairs = pairs[~is_untrained(pairs)]
    whole = rows_of(pairs, target=("mean", ""))
    brain = rows_of(whole, measurement="brain", metric="r", layer="nested")
    reading = rows_of(whole, measurement="reading", metric=("pearson_r", "delta_ll"), mapping=HEADLINE_SURPRISALS)
    inside = rows_of(whole, measurement="attribution", metric=("instruction_score", "followed_rate", "followed"))
    # Scores with the prompt's frame kept apart stand in the section: the summary speaks of the published definition.
    inside = inside[~inside["mapping"].fillna("").str.contains(",", regex=False)]
    ability = rows_of(whole, measurement="ability", metric=("accuracy", "perplexity"))
    return pd.concat([brain, reading, inside, ability])


def verdict(row: Any) -> str:
    """Return what a pair's interval and test allow to say: "difference", "unclear", "null" or "unknown".

    A difference needs an interval without 0 and, where there is a test, p below .05; only one of the two is "unclear".
    """
    low, high, p = row["ci_low"], row["ci_high"], row["p"]
    if missing(low) or missing(high):
        return "unknown"
    outside = float(low) > 0 or float(high) < 0
    significant = missing(p) or float(p) < ALPHA
    if outside and significant:
        return "difference"
    return "unclear" if outside or (not missing(p) and significant) else "null"


def pair_sentence(row: Any) -> Sentence:
    """Say how a tuned model compares with its base in one number, and how sure that is."""
    kind = verdict(row)
    where = _setting(row)
    values = f"{number(row['tuned'])} against {number(row['base'])} of its base {row['base_model']}"
    told = [f"difference {signed(row['difference'])}"]
    if kind != "unknown" and row["ci_low"] == row["ci_high"]:
        told.append("the same in every one of them, so that an interval has no width")
    elif kind != "unknown":
        told.append(f"95% interval {interval(row['ci_low'], row['ci_high'])}")
    told += [p_value(row["p"])] if p_value(row["p"]) else []
    told += [_counted(row)] if _counted(row) else []
    direction = "higher" if float(row["difference"]) > 0 else "lower"
    conclusion = {
        "difference": f"{direction} than the base",
        "null": "no evidence of a difference",
        "unclear": "interval and test disagree, so this is no firm evidence of a difference",
        "unknown": "no interval is known, so nothing is claimed",
    }[kind]
    sentence = f"{row['model']}, {metric_name(row['metric'])} ({where}): {values} ({'; '.join(told)}): {conclusion}."
    shown = "null" if kind == "unclear" else kind
    return Sentence(sentence, shown, (f"pair-{row.name}",), text(row["measurement"]))


def _counted(row: Any) -> str:
    if missing(row["n"]):
        return ""
    over = text(row.get("over")) or "units"
    up = "" if missing(row["n_up"]) else f", {int(row['n_up'])} of them higher after tuning"
    return f"n = {int(row['n'])} {over}{up}"


def _setting(row: Any) -> str:
    parts = [text(row["dataset"])]
    if text(row["measurement"]) == "attribution":
        parts += [f"{text(row['mapping'])} form"] if text(row["mapping"]) else []
    else:
        parts += [f"{text(row['split'])} split"] if text(row["split"]) else []
        parts += [f"{text(row['mapping'])} surprisal"] if text(row["measurement"]) == "reading" else []
        parts += ["layer chosen by nested cross-validation"] if text(row["layer"]) == "nested" else []
    return ", ".join(part for part in parts if part)


def _brain_sentences(table: pd.DataFrame) -> Iterator[Sentence]:
    scores = overall(rows_of(table, measurement="brain", layer="nested", metric="r"))
    scores = scores[~is_untrained(scores)]
    for (dataset, split), part in groups(scores, "dataset", "split"):
        best, worst = extreme(part), extreme(part, lowest=True)
        shown = [best] if len(part) == 1 else [worst, best]
        scored = " to ".join(_score(row) for row in shown)
        ceiling = "" if missing(best["ceiling"]) else f"; noise ceiling {number(best['ceiling'])}"
        n = "" if missing(best["n"]) else f"; n = {int(best['n'])} participants"
        above = sum(not missing(low) and float(low) > 0 for low in part["ci_low"])
        claim = f"the interval lies above 0 for {above} of {len(part)} models" if len(part) > 1 else _above_zero(best)
        yield Sentence(
            f"Brain scores on {dataset} ({split} split, layer chosen by nested cross-validation): r from "
            f"{scored}{ceiling}{n}; {claim}."
            if len(part) > 1
            else f"Brain score on {dataset} ({split} split, layer chosen by nested cross-validation): r = "
            f"{scored}{ceiling}{n}; {claim}.",
            "finding",
            tuple(f"row-{row.name}" for row in shown),
            "brain",
        )
        yield from _untrained_sentence(rows_of(table, measurement="brain", dataset=dataset, split=split), dataset)


def _untrained_sentence(table: pd.DataFrame, dataset: str) -> Iterator[Sentence]:
    """Compare each trained model's last layer with its untrained twin's: the same layer, so nobody chose anything."""
    layers = by_layer(overall(table))
    twins = layers[is_untrained(layers) & layers["metric"].astype(str).str.startswith("r").to_numpy(dtype=bool)]
    trained = rows_of(layers[~is_untrained(layers)], metric="r")
    apart, rows = [], []
    for (model,), mine in groups(twins, "model"):
        last = rows_of(trained, model=model).tail(1)
        twin = mine[mine["depth"].isin(last["depth"])].tail(1)
        if len(last) and len(twin):
            top, floor = last.iloc[0], twin.iloc[0]
            known = not (missing(top["ci_low"]) or missing(floor["ci_high"]))
            apart.append(known and float(top["ci_low"]) > float(floor["ci_high"]))
            rows += [f"row-{top.name}", f"row-{floor.name}"]
    if apart:
        clear, all_of_them = sum(apart), len(apart)
        yield Sentence(
            f"Control on {dataset}: at the last layer, {clear} of {all_of_them} trained models "
            f"{'score' if clear != 1 else 'scores'} above the untrained twin with intervals that do not overlap"
            + ("." if clear == all_of_them else "; for the others, training is not shown to matter."),
            "finding" if clear == all_of_them else "null",
            tuple(rows),
            "brain",
        )


def _reading_sentences(table: pd.DataFrame) -> Iterator[Sentence]:
    rows = overall(rows_of(table, measurement="reading", mapping=HEADLINE_SURPRISALS))
    for (dataset, mapping), part in groups(rows_of(rows, metric="pearson_r"), "dataset", "mapping"):
        ordered = part.sort_values("value")
        shown = [ordered.iloc[0], ordered.iloc[-1]] if len(ordered) > 1 else [ordered.iloc[0]]
        n = "" if missing(shown[0]["n"]) else f", n = {int(shown[0]['n']):,} words"
        above = sum(not missing(low) and float(low) > 0 for low in part["ci_low"])
        claim = (
            f"the interval lies above 0 for {above} of {len(part)} models" if len(part) > 1 else _above_zero(shown[0])
        )
        yield Sentence(
            f"Reading on {dataset} ({mapping} surprisal{n}): surprisal and reading time correlate with r "
            f"{'from' if len(shown) > 1 else '='} {' to '.join(_score(row) for row in shown)}; {claim}.",
            "finding",
            tuple(f"row-{row.name}" for row in shown),
            "reading",
        )


def _followed_sentences(table: pd.DataFrame) -> Iterator[Sentence]:
    rows = overall(rows_of(table, measurement="attribution", metric=("followed_rate", "followed")))
    for (dataset, mapping), part in groups(rows, "dataset", "mapping"):
        told = [f"{row['model']} {number(row['value'])}" for _, row in part.iterrows()]
        form = f", {mapping} form" if mapping else ""
        yield Sentence(
            f"Share of instructions followed ({dataset}{form}): {listed(told)}.",
            "finding",
            tuple(f"row-{index}" for index in part.index),
            "attribution",
        )


def _score(row: Any) -> str:
    bounds = "" if missing(row["ci_low"]) else f" [{interval(row['ci_low'], row['ci_high'])}]"
    return f"{number(row['value'])}{bounds} ({row['model']})"


def _above_zero(row: Any) -> str:
    if missing(row["ci_low"]):
        return "no interval is known"
    return "the interval lies above 0" if float(row["ci_low"]) > 0 else "the interval includes 0"


def _count_sentence(headline: pd.DataFrame) -> list[Sentence]:
    tested = [row for _, row in headline.iterrows() if verdict(row) != "unknown"]
    if len(tested) < 2:
        return []
    found = sum(verdict(row) == "difference" for row in tested)
    chance = number(ALPHA * len(tested), 1)
    return [
        Sentence(
            f"Of these {len(tested)} comparisons of a tuned model with its base, {found} "
            f"{'shows' if found == 1 else 'show'} a difference; if tuning changed nothing at all, about {chance} would "
            "by chance. A null result is a result: it says that these data show no difference, not that there is none.",
            "finding",
            tuple(f"pair-{row.name}" for row in tested),
        )
    ]


def _failure_sentence(results: Results) -> list[Sentence]:
    n = len(results.failures)
    if not n:
        return []
    return [
        Sentence(f"{n} {'measurement' if n == 1 else 'measurements'} failed; see Failures.", "warning", (), "failures")
    ]
