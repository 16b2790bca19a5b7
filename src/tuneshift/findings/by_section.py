"""Sentences of the sections: scores of single models, their controls, what moved inside, measurements that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tuneshift.compare.trajectories import counted_once
from tuneshift.findings.finding import Sentence
from tuneshift.findings.inside import inside_sentences
from tuneshift.findings.source import Results
from tuneshift.vocabulary.reading import FIRST_SURPRISALS
from tuneshift.vocabulary.rows import untrained
from tuneshift.vocabulary.selecting import extreme, groups, overall, rows_of
from tuneshift.vocabulary.words import interval, listed, missing, number

MOST_CONTROLS = 8
"""More models than this are counted in one sentence on controls."""
_MAPPINGS = FIRST_SURPRISALS["mapping"]


def section_sentences(results: Results) -> list[Sentence]:
    """Return what sections say of single models, before their figures; of a run they speak of the last checkpoint."""
    table = counted_once(results.table.reset_index(drop=True), results.runs)
    table = rows_of(table, participant=("mean", "median", ""))
    return [
        *_brain_sentences(table),
        *_reading_sentences(table),
        *_followed_sentences(table),
        *(Sentence(*said) for said in inside_sentences(table)),
        *_failure_sentence(results),
    ]


def _brain_sentences(table: pd.DataFrame) -> Iterator[Sentence]:
    scores = overall(rows_of(table, measurement="brain", layer="nested", metric="r"))
    scores = scores[~untrained(scores)]
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
        mine = overall(rows_of(table, measurement="brain", dataset=dataset, split=split))
        controls = [said for (model,), own in groups(mine, "model") for said in _control_sentence(model, own, dataset)]
        yield from controls if len(controls) <= MOST_CONTROLS else [_controls_together(controls, dataset)]


def _controls_together(controls: list[Sentence], dataset: str) -> Sentence:
    """Say of many models how many score above their controls; the first row of each sentence is its model's score."""
    held = [said for said in controls if said.kind == "finding"]
    return Sentence(
        f"Controls on {dataset}, layer chosen by nested cross-validation: {len(held)} of {len(controls)} models score above "
        "their untrained twin and, where it is known, the text's surface alone.",
        "finding" if len(held) == len(controls) else "null",
        tuple(said.rows[0] for said in controls),
        "brain",
    )


def _control_sentence(model: str, rows: pd.DataFrame, dataset: str) -> Iterator[Sentence]:
    """Hold a model's nested score against its controls: the untrained twin's nested score, the surface, what is its own."""
    score, twin = (rows_of(rows, layer="nested", metric=name) for name in ("r", "r_untrained"))
    surface, unique = rows_of(rows, metric="r_nuisance"), rows_of(rows, layer="nested", metric="unique_r2")
    score = score[~untrained(score)]
    if score.empty or (twin.empty and surface.empty):
        return
    told, beaten = [], []
    for name, control in (("its untrained twin", twin), ("the text's surface alone", surface)):
        if len(control):
            told.append(f"{name} {_bounded(control.iloc[0])}")
            beaten += [name] if float(control["value"].iloc[0]) >= float(score["value"].iloc[0]) else []
    own = "" if unique.empty else f"; unique r² {_bounded(unique.iloc[0])}"
    found = [part.iloc[0] for part in (score, twin, surface, unique) if len(part)]
    conclusion = f"{' and '.join(beaten)} {'score' if len(beaten) > 1 else 'scores'} as high" if beaten else ""
    if not beaten:
        clear = twin.empty or not _overlap(score.iloc[0], twin.iloc[0])
        conclusion = "above its controls" if clear else "not told apart from its untrained twin"
    yield Sentence(
        f"Control on {dataset}, layer chosen by nested cross-validation: {model} {_bounded(score.iloc[0])}; {'; '.join(told)}"
        f"{own}: {conclusion}.",
        "null" if beaten or conclusion.startswith("not") else "finding",
        tuple(f"row-{row.name}" for row in found),
        "brain",
    )


def _overlap(first: Any, second: Any) -> bool:
    """Whether two intervals overlap, or one of them is not known."""
    if missing(first["ci_low"]) or missing(second["ci_high"]):
        return True
    return not float(first["ci_low"]) > float(second["ci_high"])


def _bounded(row: Any) -> str:
    return number(row["value"]) + ("" if missing(row["ci_low"]) else f" [{interval(row['ci_low'], row['ci_high'])}]")


def _reading_sentences(table: pd.DataFrame) -> Iterator[Sentence]:
    rows = overall(rows_of(table, measurement="reading", mapping=_MAPPINGS))
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
            "prompts",
        )


def _score(row: Any) -> str:
    bounds = "" if missing(row["ci_low"]) else f" [{interval(row['ci_low'], row['ci_high'])}]"
    return f"{number(row['value'])}{bounds} ({row['model']})"


def _above_zero(row: Any) -> str:
    if missing(row["ci_low"]):
        return "no interval is known"
    return "the interval lies above 0" if float(row["ci_low"]) > 0 else "the interval includes 0"


def _failure_sentence(results: Results) -> list[Sentence]:
    n = len(results.failures)
    if not n:
        return []
    return [
        Sentence(f"{n} {'measurement' if n == 1 else 'measurements'} failed; see Failures.", "warning", (), "failures")
    ]
