"""Sections of measurements from outside: what they ask, their scores by layer or side by side, what tuning changed."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import Figure, Style, Trace, axis_title, curve, forest, interval_bars
from tuneshift.report.blocks.section import Block, Section, SmallTable
from tuneshift.vocabulary import OUR_KINDS, QUESTIONS, Metric, Vocabulary
from tuneshift.vocabulary.rows import over_all, untrained
from tuneshift.vocabulary.selecting import by_layer, extreme, floats, groups, names, rows_of
from tuneshift.vocabulary.words import capitalised, interval, number, text


def other_sections(
    table: pd.DataFrame, pairs: pd.DataFrame, styles: dict[str, Style], vocabulary: Vocabulary
) -> list[Section]:
    """Return a section for every kind of measurement that is none of this package's own, drawn from its vocabulary."""
    ours = {kind.name for kind in OUR_KINDS}
    return [
        _section(name, rows_of(table, measurement=name), rows_of(pairs, measurement=name), styles, vocabulary)
        for name in names(table["measurement"])
        if name not in ours
    ]


def _section(
    name: str, table: pd.DataFrame, pairs: pd.DataFrame, styles: dict[str, Style], vocabulary: Vocabulary
) -> Section:
    kind = vocabulary.kind(name)
    blocks: list[Block] = []
    shown = table[over_all(table) & ~untrained(table)].dropna(subset=["value"])
    for (dataset, metric_name), rows in groups(shown, "dataset", "metric"):
        metric = vocabulary.metric(name, metric_name)
        layers = by_layer(rows)
        if layers["depth"].nunique() > 1:
            blocks.append(_curves(kind.name, dataset, metric, layers, styles))
        whole = rows[~rows.index.isin(layers.index)]
        if len(whole):
            blocks.append(_side_by_side(kind.name, dataset, metric, whole, styles))
    told = pairs[over_all(pairs)] if len(pairs) else pairs
    for (dataset, metric_name), rows in groups(told, "dataset", "metric"):
        metric = vocabulary.metric(name, metric_name)
        whole = rows[~rows.index.isin(by_layer(rows).index)]
        if len(whole):
            labels = [metric.label] * len(whole)
            caption = f"What tuning changed in the {metric.label} ({dataset})."
            key = f"{kind.name}-pairs-{dataset}-{metric.name}".replace(" ", "-")
            blocks.append(
                forest(
                    key,
                    whole,
                    labels,
                    styles,
                    caption=caption,
                    unit=metric.unit or "value",
                    reads=metric.reads,
                    lines="measure",
                    dataset=dataset,
                )
            )
    blocks += _table(shown, vocabulary)
    question = kind.question if kind.question in QUESTIONS else "other"
    return Section(
        f"kind-{kind.name}".replace(" ", "-"),
        kind.title,
        kind.asks or f"Measured by {name}.",
        blocks,
        question=question,
    )


def _curves(kind: str, dataset: str, metric: Metric, rows: pd.DataFrame, styles: dict[str, Style]) -> Figure:
    traces: list[Trace] = []
    told = []
    for (model,), mine in groups(rows.drop_duplicates(["model", "depth"]), "model"):
        traces += curve(mine, model, styles[model])
        top = extreme(mine)
        told.append(f"{model}: highest {number(top['value'])} at layer {top['depth']}.")
    return Figure(
        f"{kind}-layers-{dataset}-{metric.name}".replace(" ", "-"),
        f"{capitalised(metric.label)} by layer ({dataset}); layer 0 is the embedding. Bands: 95% intervals.",
        " ".join(told),
        traces,
        {
            "xaxis": {"title": {"text": "layer"}, "layeraxis": True},
            "yaxis": {"title": {"text": axis_title(metric.axis)}},
        },
        dataset=dataset,
    )


def _side_by_side(kind: str, dataset: str, metric: Metric, rows: pd.DataFrame, styles: dict[str, Style]) -> Figure:
    traces: list[Trace] = []
    for (model,), mine in groups(rows, "model"):
        style = styles[model]
        x, low, high = floats(mine["value"]), floats(mine["ci_low"]), floats(mine["ci_high"])
        traces.append({
            "x": x, "y": [plot_label(model)] * len(x), "mode": "markers", "name": plot_label(model), "meta": {"model": model},
            "marker": {"size": 9, "color": style.colour, "symbol": style.symbol}, "showlegend": False,
            "error_x": interval_bars(x, low, high, style.colour, 1.6),
        })  # fmt: skip
    told = [f"{row['model']}: {number(row['value'])}" for _, row in rows.iterrows()]
    return Figure(
        f"{kind}-{dataset}-{metric.name}".replace(" ", "-"),
        f"{capitalised(metric.label)} ({dataset}), with 95% intervals where they are known.",
        "; ".join(told) + ".",
        traces,
        {"height": 110 + 30 * len(traces), "xaxis": {"title": {"text": axis_title(metric.axis, 80)}},
         "yaxis": {"title": {"text": "model"}, "autorange": "reversed", "automargin": True, "type": "category", "showgrid": False}},
        dataset=dataset,
    )  # fmt: skip


def _table(rows: pd.DataFrame, vocabulary: Vocabulary) -> Iterator[SmallTable]:
    whole = rows[~rows.index.isin(by_layer(rows).index)]
    if whole.empty:
        return
    lines = tuple(
        (
            text(row["model"]), vocabulary.label(row["measurement"], row["metric"]), text(row["dataset"]) or "–",
            number(row["value"]), interval(row["ci_low"], row["ci_high"]),
            "–" if pd.isna(row["n"]) else str(int(row["n"])), text(row["unit"]) or "–",
        )
        for _, row in whole.iterrows()
    )  # fmt: skip
    columns = ("model", "number", "data", "value", "95% interval", "n", "unit")
    yield SmallTable("Every number over all items.", columns, lines, models=tuple(text(m) for m in whole["model"]))
