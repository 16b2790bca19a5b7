"""Findings on runs: one sentence a headline number for all checkpoints of a training run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from tuneshift.compare.trajectories import Run
from tuneshift.compare.verdict import TOO_FEW, verdict
from tuneshift.findings.finding import MOST_WORDS, Bar
from tuneshift.findings.tested import amount_of, sampled
from tuneshift.vocabulary import Metric
from tuneshift.vocabulary.words import interval, listed, missing, number, p_value, signed, text

MOST_NAMED = 3
"""More runs than this are counted, not named."""


def runs_in(rows: pd.DataFrame, runs: Sequence[Run]) -> Iterator[tuple[Run, pd.DataFrame]]:
    """Yield each run of which rows of a table of pairs hold two or more checkpoints, and these rows by their steps."""
    for run in runs:
        mine = rows[rows["model"].isin(run.models).to_numpy(dtype=bool)]
        if mine["model"].nunique() > 1:
            places = mine["model"].map({model: place for place, model in enumerate(run.models)})
            yield run, mine.loc[places.sort_values(kind="stable").index]


def run_said(run: Run, rows: pd.DataFrame, metric: Metric, where: str) -> dict[str, Any]:
    """Say where a number came to over the checkpoints of a run (`rows`, by their steps), from the base to the last."""
    last = rows.iloc[-1]
    kind = verdict(last)
    up = float(last["difference"]) > 0
    step = run.step(text(last["model"]))
    top, peak = _extreme(rows, highest=up or kind != "difference")
    by_the_way = "" if peak == last["model"] else f", {top} at step {run.step(peak)}"
    over, amount = sampled(last), amount_of(last)
    test = f", {p_value(last['p'])}" if p_value(last["p"]) else ""
    opening = f"Over the {len(rows)} checkpoints of run {run.name} ({where})"
    first, now = number(last["base"]), number(last["tuned"])
    base = f" ({run.base})"
    if kind == "difference":
        way = "rose" if up else "fell"
        said = _fitting(
            f"{opening}, {metric.label} {way} from {first}",
            [base, f" to {now} by step {step}", by_the_way, f"; difference {amount}", over, test],
            (0, 5, 4, 2),
        )
    else:
        shown = "is claimed" if kind == "unknown" else "is shown"
        said = _fitting(
            f"{opening}, no change {shown} by step {step} in {metric.label}: {now} against {first}",
            [base, by_the_way, _why_nothing(last, kind)],
            (0, 1),
        )
    sign = ("higher" if up else "lower") if kind == "difference" else ""
    return {
        "sentence": f"{said}.",
        "kind": "null" if kind == "unclear" else kind,
        "amount": amount,
        "sign": sign,
        "each": "checkpoints",
        "bars": tuple(
            Bar.of_row(f"step {run.step(text(row['model']))}", row, "difference") for _, row in rows.iterrows()
        ),
    }


def _why_nothing(last: Any, kind: str) -> str:
    """Say what the last checkpoint's interval and test leave open."""
    bounds = interval(last["ci_low"], last["ci_high"])
    if kind == "unknown":
        return ". No interval is known"
    if kind == "unclear":
        return f"; interval ({bounds}) and test ({p_value(last['p'])}) disagree"
    if not missing(last["p"]) and int(last["n"]) <= TOO_FEW:
        return f"; {int(last['n'])} {text(last.get('over')) or 'units'} are too few"
    if last["ci_low"] == last["ci_high"]:
        return ", the same in each"
    return f"; difference {signed(last['difference'])}, outside {bounds} excluded"


def checkpoints_read_as_runs(runs: Sequence[Run]) -> str:
    """Say which runs nobody declared, where their steps were read, and how they count; "" where there are none."""
    guessed = [run for run in runs if run.told_by]
    if not guessed:
        return ""
    names = listed([run.name for run in guessed]) if len(guessed) <= MOST_NAMED else f"{len(guessed)} runs"
    told = listed(list(dict.fromkeys(run.told_by for run in guessed)))
    many = len(guessed) > 1
    return (
        f"Checkpoints taken for {'runs' if many else 'one run'} by {told}: {names}. {'Each counts' if many else 'It counts'} "
        "once, by its last checkpoint; declare run: and step: in the study to say otherwise."
    )


def _fitting(opening: str, parts: list[str], dispensable: tuple[int, ...]) -> str:
    """Return opening and parts as one sentence; what can be spared goes, in this order, where it has too many words."""
    kept = dict(enumerate(parts))
    for place in (*dispensable, None):
        said = opening + "".join(kept.values())
        if len(said.split()) <= MOST_WORDS or place is None:
            break
        kept.pop(place)
    return said


def _extreme(rows: pd.DataFrame, *, highest: bool) -> tuple[str, str]:
    """Return "highest 0.384" (or "lowest") and the checkpoint that has it, the latest of equals."""
    values = rows["tuned"].astype(float)
    best = values.max() if highest else values.min()
    model = rows["model"][(values == best).to_numpy(dtype=bool)].iloc[-1]
    return f"{'highest' if highest else 'lowest'} {number(best)}", text(model)
