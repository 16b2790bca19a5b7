"""The section across models: does a score go with size or ability?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tuneshift.compare.correlations import SIZE, TOO_FEW_BASES
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import Figure, Style, Trace, axis_title
from tuneshift.report.blocks.section import Block, Paragraph, Section, SmallTable
from tuneshift.vocabulary import Vocabulary, ours
from tuneshift.vocabulary.rows import headline
from tuneshift.vocabulary.selecting import groups, rows_of
from tuneshift.vocabulary.words import interval, metric_name, missing, number, p_value, text

_LEAD = "Does a score go with a model's size or abilities? Each mark is a model."
MOST_FIGURES = 6
FEW_MODELS = 10


def across_models_section(
    correlations: pd.DataFrame,
    points: pd.DataFrame | None,
    styles: dict[str, Style],
    vocabulary: Vocabulary | None = None,
) -> Section:
    """Return the section on correlations over models; `points` are those behind the correlations, where known."""
    if correlations.empty or "pearson_r" not in correlations:
        absent = "A correlation over models needs at least four models with a size or an ability; this study has none."
        return Section("models", "Across models", _LEAD, absent=absent, question="across")
    vocabulary = vocabulary or ours()
    rows = correlations
    blocks: list[Block] = []
    fewest = int(rows["n"].min()) if len(rows) else 0
    if fewest < FEW_MODELS:
        blocks.append(Paragraph(
            f"With {fewest} models, of few families, even a high correlation may come by chance or from the family alone: "
            "read the intervals, and the range when each family in turn is left out."
        ))  # fmt: skip
    if (rows["interval_over"] == TOO_FEW_BASES).any():
        blocks.append(Paragraph(
            f"These models go back to {int(rows['n_bases'].min())} base models. A model and what was tuned from it are not "
            "independent, and so few base models allow any correlation: the interval over models is −1 to 1, and there is no p."
        ))  # fmt: skip
    if points is not None:
        blocks += _scatters(rows, points, styles, vocabulary)
    blocks.append(_table(rows, vocabulary))
    return Section("models", "Across models", _LEAD, blocks, question="across")


def _name(row: Any, vocabulary: Vocabulary) -> str:
    parts = [text(row["dataset"]), text(row["split"]), text(row["mapping"]), text(row["layer"]), _setting(row)]
    return f"{metric_name(row['measurement'], row['metric'], vocabulary)} ({', '.join(part for part in parts if part)})"


def _table(rows: pd.DataFrame, vocabulary: Vocabulary) -> SmallTable:
    lines = tuple(
        (
            _name(row, vocabulary),
            text(row["property"]),
            str(int(row["n"])),
            number(row["pearson_r"], 2),
            interval(row["pearson_low"], row["pearson_high"], 2),
            interval(row.get("over_stories_low"), row.get("over_stories_high"), 2),
            p_value(row["pearson_p"]) or "–",
            "–" if missing(row["pearson_q"]) else number(row["pearson_q"]),
            number(row["spearman_r"], 2),
            number(row["partial_r"], 2),
            interval(row["without_family_low"], row["without_family_high"], 2),
        )
        for _, row in rows.iterrows()
    )
    return SmallTable(
        "Correlations over models: Pearson with 95% interval and p over base models (Fisher's z; where models share a base, each "
        "base left out in turn with all that was tuned from it; for reading also over stories), q adjusted for the number of "
        "correlations (Benjamini-Hochberg), partial r given size, and the range when each family in turn is left out.",
        (
            "score",
            "property",
            "models",
            "Pearson r",
            "95% interval",
            "over stories",
            "p",
            "q",
            "Spearman r",
            "partial r",
            "without a family",
        ),
        lines,
    )


def _setting(row: Any) -> str:
    """Return the settings of a measurement that are not its defaults, so that two ways of measuring stay apart."""
    return " ".join(word for word in text(row.get("specification")).split() if "=" in word)


def _scatters(
    rows: pd.DataFrame, points: pd.DataFrame, styles: dict[str, Style], vocabulary: Vocabulary
) -> Iterator[Figure]:
    keys = ["measurement", "dataset", "split", "mapping", "layer", "metric", "specification"]
    shown = rows[headline(rows.assign(target="mean"), vocabulary)].dropna(
        subset=["pearson_r"]
    )  # all alike: nothing to see
    for number_, (_, row) in enumerate(shown.head(MOST_FIGURES).iterrows()):
        mine = rows_of(points, property=text(row["property"]), **{key: text(row[key]) for key in keys})
        traces: list[Trace] = []
        for (model,), part in groups(mine, "model"):
            style = styles.get(model)
            traces.append({
                "x": part["x"].astype(float).tolist(), "y": part["y"].astype(float).tolist(), "mode": "markers",
                "name": plot_label(model), "meta": {"model": model},
                "marker": {"size": 11, "color": style.colour if style else "#888888",
                           "symbol": style.symbol if style else "circle"},
                "hovertemplate": f"{plot_label(model)}<br>%{{x:.3g}}, %{{y:.3f}}<extra></extra>",
            })  # fmt: skip
        told = f"Pearson r = {number(row['pearson_r'], 2)}, 95% interval {interval(row['pearson_low'], row['pearson_high'], 2)}"
        if traces:
            yield Figure(
                f"models-{number_}",
                f"{_name(row, vocabulary)} against {text(row['property'])}: {told}, n = {int(row['n'])} models.",
                told + ".",
                traces,
                {"xaxis": {"title": {"text": axis_title(_property_axis(text(row["property"]), vocabulary), 80)}},
                 "yaxis": {"title": {"text": axis_title(vocabulary.metric(row["measurement"], row["metric"]).axis)}}, "height": 360},
                dataset=text(row["dataset"]),
            )  # fmt: skip


def _property_axis(name: str, vocabulary: Vocabulary) -> str:
    """Return a property as it stands on an axis: what it is of, its unit, and which direction is better."""
    if name == SIZE:
        return "size (log10 of the number of parameters)"
    metrics = (metric for kind in vocabulary.kinds for metric in kind.metrics if metric.role == "property")
    for metric in metrics:
        of, _, last = name.rpartition(" ")
        if last == metric.name:
            return f"{of} {metric.axis}".strip()
    return name
