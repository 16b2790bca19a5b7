"""Findings on pairs: what tuning changed in one headline number, for one tuned model or over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tuneshift.compare.over_pairs import mean_over_pairs
from tuneshift.compare.trajectories import Run, counted_once
from tuneshift.compare.verdict import TOO_FEW, verdict
from tuneshift.findings.finding import Bar, Finding
from tuneshift.findings.of_runs import run_said, runs_in
from tuneshift.findings.people import is_simulated
from tuneshift.findings.settings import setting_labels
from tuneshift.findings.tested import amount_of, sampled
from tuneshift.vocabulary import Metric, Vocabulary
from tuneshift.vocabulary.rows import headline
from tuneshift.vocabulary.selecting import groups, rows_of
from tuneshift.vocabulary.words import interval, listed, missing, number, p_value, signed, text

KEYS = ("measurement", "dataset", "split", "mapping", "metric", "specification")
MOST_NAMED = 2
"""More models than this are counted in a sentence, and named in its picture and its rows."""


def headline_pairs(pairs: pd.DataFrame, vocabulary: Vocabulary) -> pd.DataFrame:
    """Return the pairs that findings speak of: one number a model, measurement, data set and form."""
    return pairs[headline(pairs, vocabulary)] if len(pairs) else pairs


def headline_groups(pairs: pd.DataFrame, vocabulary: Vocabulary) -> Iterator[tuple[tuple[str, ...], str, pd.DataFrame]]:
    """Yield (values of `KEYS`, where, rows) of every headline number; `where` tells apart what is told apart by it."""
    rows = headline_pairs(pairs, vocabulary)
    if rows.empty:
        return
    if "specification" not in rows:
        rows = rows.assign(specification="")
    labels = setting_labels(rows)
    for key, part in groups(rows, *KEYS):
        yield key, ", ".join(word for word in (key[1], _form(key, rows), labels.get(key, "")) if word), part


def pair_findings(
    pairs: pd.DataFrame, vocabulary: Vocabulary, roots: Mapping[str, str], runs: Sequence[Run] = ()
) -> Iterator[Finding]:
    """Yield a finding for every headline number, over all pairs that have it; `roots` names each model's oldest base.

    Checkpoints of a run have one finding of their own. Among other pairs the run counts once, by its last checkpoint.
    """
    for key, where, part in headline_groups(pairs, vocabulary):
        metric = vocabulary.metric(key[0], key[4])
        label = f"{metric.label} ({where})"
        told: list[tuple[dict[str, Any], str, pd.DataFrame]] = []
        trajectories = list(runs_in(part, runs))
        for run, rows in trajectories:
            told.append((run_said(run, rows, metric, where), f"{metric.label} ({where}, run {run.name})", rows))
        once = counted_once(part, [run for run, _ in trajectories])
        if len(once) == 1 and not trajectories:
            told.append((_one(once.iloc[0], metric, where), label, once))
        elif len(once) > len(trajectories):
            said = f"{where}, runs by their last checkpoint" if trajectories else where
            told.append((_many(once, metric, said, roots), label, once))
        for finding, what, rows in told:
            yield Finding(
                **{
                    "bars": tuple(Bar.of_row(text(row["model"]), row, "difference") for _, row in rows.iterrows()),
                    **finding,
                },
                question=vocabulary.kind(key[0]).question,
                what=what,
                rows=tuple(f"pair-{index}" for index in rows.index),
                simulated=is_simulated(key[1]),
            )


def _form(key: tuple[str, ...], rows: pd.DataFrame) -> str:
    """Return split and form of a number that stands in several of them."""
    same = rows
    for place, column in ((0, "measurement"), (1, "dataset"), (4, "metric")):
        same = rows_of(same, **{column: key[place]})
    told = []
    for place, column in ((2, "split"), (3, "mapping")):
        if same[column].astype("string").fillna("").nunique() > 1 and key[place]:
            told.append(f"{key[place]} split" if column == "split" else key[place])
    return ", ".join(told)


def _one(row: Any, metric: Metric, where: str) -> dict[str, Any]:
    """Say what tuning changed in one model's number, tuned against base."""
    kind = verdict(row)
    model = text(row["model"])
    up = float(row["difference"]) > 0
    values = f"{metric.label} {number(row['tuned'])} against {number(row['base'])}"
    over, amount = sampled(row), amount_of(row)
    bounds = interval(row["ci_low"], row["ci_high"])
    if kind == "difference":
        test = f", {p_value(row['p'])}" if p_value(row["p"]) else ""
        said = f"Tuning made {model} {_changed(metric, up)} ({where}): {values}; difference {amount}{test}{over}."
    elif kind == "unknown":
        said = f"{model}, {where}: {values}; difference {amount}. No interval is known, so nothing is claimed."
    elif kind == "unclear":
        said = (
            f"No firm evidence of a change in {_what(metric)} ({model}, {where}): {values}; interval ({bounds}) and test "
            f"({p_value(row['p'])}) disagree{over}."
        )
    elif not missing(row["p"]) and int(row["n"]) <= TOO_FEW:
        said = (
            f"{int(row['n'])} {text(row.get('over')) or 'units'} are too few to show any change in {_what(metric)} ({model}, "
            f"{where}): {values}; difference {amount}."
        )
    elif row["ci_low"] == row["ci_high"]:
        said = f"Tuning changed nothing in {_what(metric)} ({model}, {where}): {values}, the same in each{over}."
    else:
        said = (
            f"No change is shown in {_what(metric)} ({model}, {where}): {values}; "
            f"difference {signed(row['difference'])}, outside {bounds} excluded (95%{over})."
        )
    sign = ("higher" if up else "lower") if kind == "difference" else ""
    return {"sentence": said, "kind": "null" if kind == "unclear" else kind, "amount": amount, "sign": sign}


def _many(part: pd.DataFrame, metric: Metric, where: str, roots: Mapping[str, str]) -> dict[str, Any]:
    """Say in how many pairs tuning changed a number, and by how much on average."""
    verdicts = [verdict(row) for _, row in part.iterrows()]
    difference = part["difference"].astype(float)
    changed = [kind == "difference" for kind in verdicts]
    up = part[[c and d > 0 for c, d in zip(changed, difference, strict=True)]]
    down = part[[c and d < 0 for c, d in zip(changed, difference, strict=True)]]
    bases = [roots.get(str(base), str(base)) for base in part["base_model"]]
    mean, low, high = mean_over_pairs(difference.to_numpy(), bases)
    spread = interval(low, high)
    amount = f"{signed(mean)}" + (f" [{spread}]" if spread != "–" else "")
    ends = f"{signed(difference.min())} to {signed(difference.max())}"
    told = f"change in {metric.label}: {f'{ends}, ' if spread == '–' else ''}mean {amount}"
    n = len(part)
    if len(up) or len(down):
        first, second = (up, down) if len(up) >= len(down) else (down, up)
        rises = len(up) >= len(down)
        named = f" ({listed(first['model'].astype(str).tolist())})" if len(first) <= MOST_NAMED else ""
        against = f", in {len(second)} the opposite" if len(second) else ""
        said = f"In {len(first)} of {n} pairs{named} tuning made the model {_changed(metric, rises)}{against} ({where}); {told}."
        sign = "mixed" if len(second) else "higher" if rises else "lower"
        return {"sentence": said, "kind": "difference", "amount": amount, "sign": sign}
    if all(kind == "unknown" for kind in verdicts):
        said = f"Over {n} pairs ({where}), {told}. No single pair has an interval, so nothing is claimed."
        return {"sentence": said, "kind": "unknown", "amount": amount}
    if not difference.any():
        said = f"Tuning changed nothing in {_what(metric)} in any of {n} pairs ({where}): {metric.label} is the same."
        return {"sentence": said, "kind": "null", "amount": amount}
    reach = _widest(part)
    excluded = f"; differences outside {reach} are excluded" if reach else ""
    said = f"No change is shown in {_what(metric)} in any of {n} pairs ({where}): {told}{excluded}."
    return {"sentence": said, "kind": "null", "amount": amount}


def _widest(part: pd.DataFrame) -> str:
    """Return what lies in some pair's interval: what is outside is excluded in every pair."""
    known = part.dropna(subset=["ci_low", "ci_high"])
    if len(known) < len(part):
        return ""
    return interval(known["ci_low"].astype(float).min(), known["ci_high"].astype(float).max())


def _changed(metric: Metric, up: bool) -> str:
    return (metric.up if up else metric.down) or f"have a {'higher' if up else 'lower'} {metric.label}"


def _what(metric: Metric) -> str:
    return metric.what or metric.label
