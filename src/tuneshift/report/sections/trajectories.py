"""Sections on runs: every headline number over the steps of tuning, one line a run, the base where it starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from tuneshift.compare.trajectories import Run
from tuneshift.findings.of_pairs import headline_groups
from tuneshift.findings.of_runs import checkpoints_read_as_runs
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import (
    DASHES,
    MOST_IN_A_ROW,
    PALETTE,
    SYMBOLS,
    Figure,
    Trace,
    axis_title,
    interval_bars,
    level_line,
)
from tuneshift.report.blocks.section import Block, Paragraph, Section
from tuneshift.vocabulary import QUESTIONS, Metric, Vocabulary
from tuneshift.vocabulary.selecting import extreme, floats
from tuneshift.vocabulary.words import capitalised, interval, number, signed, text

_LEAD = (
    "How did it change while the model was tuned? Checkpoints of one run at their steps; the base is where it starts."
)
_TREND = "Believe a trend, not a peak: checkpoints of a run share all that was learned before, so ten steps are not ten samples."


def trajectory_sections(
    table: pd.DataFrame, pairs: pd.DataFrame, runs: Sequence[Run], vocabulary: Vocabulary
) -> list[Section]:
    """Return a section for each question that has a headline number of two or more checkpoints of a run."""
    if not runs:
        return []
    differences = {
        (*key, text(row["model"])): row
        for key, _, part in headline_groups(pairs, vocabulary)
        for _, row in part.iterrows()
    }
    found: dict[str, list[Block]] = {}
    for key, where, part in headline_groups(table, vocabulary):
        question = vocabulary.kind(key[0]).question
        metric = vocabulary.metric(key[0], key[4])
        lines = [line for run in runs for line in _line(run, part, key, differences)]
        if lines:
            figure_key = "-".join(("trajectory", *(word for word in key if word))).replace(" ", "-")
            found.setdefault(question, []).append(_figure(figure_key, metric, where, key[1], lines))
    said = " ".join(filter(None, (checkpoints_read_as_runs(runs), _TREND)))
    return [
        Section(f"trajectory-{question}", "Over the steps of tuning", _LEAD, [Paragraph(said), *found[question]], question=question)
        for question in QUESTIONS
        if question in found
    ]  # fmt: skip


def _line(
    run: Run, part: pd.DataFrame, key: tuple[str, ...], differences: dict[tuple[str, ...], Any]
) -> Iterator[tuple[Run, pd.DataFrame]]:
    """Yield the run with its rows in order, the base's first, each with its `step` and its difference from the base."""
    places = {model: place for place, model in enumerate((run.base, *run.models))}
    mine = part[part["model"].isin(list(places)).to_numpy(dtype=bool)].dropna(subset=["value"])
    mine = mine.drop_duplicates("model")
    mine = mine.loc[mine["model"].map(places).sort_values(kind="stable").index]
    if (mine["model"] != run.base).sum() < 2:
        return
    against: Any = [differences.get((*key, text(model))) for model in mine["model"]]
    yield run, mine.assign(step=[run.step(text(model)) for model in mine["model"]], against=against)


def _figure(key: str, metric: Metric, where: str, dataset: str, lines: Sequence[tuple[Run, pd.DataFrame]]) -> Figure:
    traces = [_trace(run, rows, place, legend=len(lines) <= MOST_IN_A_ROW) for place, (run, rows) in enumerate(lines)]
    steps = [step for _, rows in lines for step in rows["step"]]
    ceilings = pd.concat([rows["ceiling"] for _, rows in lines]).dropna().astype(float)
    if len(ceilings):
        traces.append(level_line([min(steps), max(steps)], float(ceilings.median()), "noise ceiling"))
    return Figure(
        key,
        f"{capitalised(metric.label)} over the steps of tuning ({where}), with 95% intervals of each value. A filled mark: "
        "the 95% interval of the difference from the base leaves out 0; an open mark: it does not, or is not known.",
        " ".join(_told(run, rows) for run, rows in lines),
        traces,
        {
            "xaxis": {"title": {"text": "step of tuning (base: where it starts)"}},
            "yaxis": {"title": {"text": axis_title(metric.axis)}},
            "height": 360,
        },
        dataset=dataset,
    )


def _trace(run: Run, rows: pd.DataFrame, place: int, *, legend: bool) -> Trace:
    colour, symbol = PALETTE[place % len(PALETTE)], SYMBOLS[place % len(SYMBOLS)]
    y, low, high = floats(rows["value"]), floats(rows["ci_low"]), floats(rows["ci_high"])
    texts = [
        f"{plot_label(text(model))}: {number(value)} [{interval(a, b)}]{_difference(row)}"
        for model, value, a, b, row in zip(rows["model"], y, low, high, rows["against"], strict=True)
    ]
    return {
        "x": [int(step) for step in rows["step"]], "y": y, "mode": "lines+markers", "name": plot_label(run.name),
        "line": {"color": colour, "width": 2, "dash": DASHES[place // len(PALETTE) % len(DASHES)]}, "showlegend": legend,
        "marker": {"size": 8, "color": colour, "line": {"width": 2, "color": colour},
                   "symbol": [symbol if _holds(row) else f"{symbol}-open" for row in rows["against"]]},
        "error_y": interval_bars(y, low, high, colour, 1.2), "text": texts,
        "hovertemplate": f"{plot_label(run.name)}, step %{{x}}<br>%{{text}}<extra></extra>",
    }  # fmt: skip


def _difference(row: Any) -> str:
    if row is None:
        return ""
    return f"; against the base {signed(row['difference'])} [{interval(row['ci_low'], row['ci_high'])}]"


def _holds(row: Any) -> bool:
    if row is None or pd.isna(row["ci_low"]) or pd.isna(row["ci_high"]):
        return False
    return bool(float(row["ci_low"]) > 0 or float(row["ci_high"]) < 0)


def _told(run: Run, rows: pd.DataFrame) -> str:
    top = extreme(rows)
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"{run.name}: {number(first['value'])} at step {first['step']}, highest {number(top['value'])} at step "
        f"{top['step']}, {number(last['value'])} at step {last['step']}."
    )
