"""The section on the inside: what tuning moved in attention heads, feed-forward components and hidden states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from tuneshift.findings.source import Cell
from tuneshift.report.blocks.figures import MOST_IN_A_ROW, Figure, Style, Trace, axis_title, curve
from tuneshift.report.blocks.section import Block, Fold, Section, SmallTable, folded
from tuneshift.report.sections.internals_pictures import browsers
from tuneshift.report.sections.internals_shift import NULLS, shift_figures, verb_figure
from tuneshift.report.sections.lens import lens_blocks
from tuneshift.result import Result
from tuneshift.vocabulary import OUR_KINDS, ours
from tuneshift.vocabulary.selecting import by_layer, extreme, groups, overall, rows_of
from tuneshift.vocabulary.words import capitalised, interval, metric_name, number, text

_LEAD = (
    "What did tuning move inside the network? From the weights alone: the word pairs that attention heads look for, and the "
    "words that feed-forward components write. From the same text read by both models: the hidden states."
)
KINDS = tuple(kind.name for kind in OUR_KINDS if kind.question == "inside")
MOST_LINES = 60
_SHIFTS = {
    "weights-overlap": "Heads, components and weights",
    "weights-rotation": "Rotation of feed-forward subspaces",
    "weights-states": "Hidden states",
}
"""Figures of the shift -> the line behind which those of many models are."""


def internals_section(table: pd.DataFrame, cells: Sequence[tuple[Cell, Result]], styles: dict[str, Style]) -> Section:
    """Return the section on heads, concepts, hidden states and their shift."""
    rows = overall(rows_of(table, measurement=KINDS), targets=False)
    mine = [(cell, result) for cell, result in cells if cell.measurement in KINDS]
    if rows.empty and not mine:
        absent = "The inside was not compared in this study; `tuneshift compare BASE TUNED` does it for one pair."
        return Section("weights", "Inside the network", _LEAD, absent=absent, question="inside")
    made = [*shift_figures(rows, styles)]
    verbs = verb_figure(rows, styles)
    made += [verbs] if verbs is not None else []
    shown = {index for _, drawn in made for index in drawn}
    rest = rows[~rows.index.isin(shown)]
    pictures = {picture.key: picture for picture in browsers(mine)}
    figures = [figure for figure, _ in made]
    parts = [Fold(key, title, tuple(f for f in figures if f.key.startswith(key))) for key, title in _SHIFTS.items()]
    shifts = folded(parts, crowded=rows["model"].nunique() > MOST_IN_A_ROW)
    blocks: list[Block] = []
    for key in ("weights-overlap", "weights-verbs", "heads", "weights-rotation", "concepts", "weights-states"):
        blocks += [block for block in shifts if isinstance(block, Fold | Figure) and block.key.startswith(key)]
        blocks += [figure for figure in figures if figure.key == key and key not in _SHIFTS]
        blocks += [pictures[key]] if key in pictures else []
    blocks += [*lens_blocks(mine), *_by_layer(rest, styles), *_the_rest(rest)]
    return Section("weights", "Inside the network", _LEAD, blocks, question="inside")


def _by_layer(rows: pd.DataFrame, styles: dict[str, Style]) -> Iterator[Figure]:
    layers = by_layer(overall(rows))
    for (kind, metric, mapping), part in groups(layers, "measurement", "metric", "mapping"):
        if part["depth"].nunique() < 2:
            continue
        traces: list[Trace] = []
        told = []
        for (model,), mine in groups(part.drop_duplicates(["model", "depth"]), "model"):
            traces += curve(mine, model, styles[model])
            top = extreme(mine)
            told.append(f"{model}: highest {number(top['value'])} at layer {top['depth']}.")
        yield Figure(
            f"weights-{metric}-{mapping}".replace(" ", "-"),
            f"{capitalised(metric_name(kind, metric))}{f' ({mapping})' if mapping else ''} by layer.",
            " ".join(told),
            traces,
            {"xaxis": {"title": {"text": "layer"}, "dtick": max(1, int(part["depth"].max()) // 12), "layeraxis": True},
             "yaxis": {"title": {"text": axis_title(ours().metric(kind, metric).axis)}, "rangemode": "tozero"}, "height": 340},
        )  # fmt: skip


def _the_rest(rows: pd.DataFrame) -> Iterator[SmallTable]:
    """Show rows that are in no figure: layer groups, single components, categories; one table a metric."""
    drawn = set(by_layer(overall(rows)).index)
    for (kind, metric), part in groups(rows[~rows.index.isin(drawn)].dropna(subset=["value"]), "measurement", "metric"):
        part = part[~part["target"].isin(NULLS).to_numpy(dtype=bool)]
        shown = part.head(MOST_LINES)
        if shown.empty:
            continue
        lines = tuple(
            (
                text(row["model"]), _layers(text(row["layer"])), _what(text(row["target"])), text(row["mapping"]) or "–",
                number(row["value"]), interval(row["ci_low"], row["ci_high"]),
                "–" if pd.isna(row["n"]) else str(int(row["n"])),
            )
            for _, row in shown.iterrows()
        )  # fmt: skip
        more = (
            f" The first {MOST_LINES} of {len(part):,} rows; all are in the table of results."
            if len(part) > MOST_LINES
            else ""
        )
        columns = ("model", "layers", "what", "kind", text(shown["unit"].iloc[0]) or "value", "95% interval", "n")
        kept = [0, *(i for i in range(1, len(columns)) if any(line[i] not in ("–", "all") for line in lines))]
        yield SmallTable(
            f"{capitalised(metric_name(kind, metric))}.{more}",
            tuple(columns[i] for i in kept),
            tuple(tuple(line[i] for i in kept) for line in lines),
            models=tuple(text(m) for m in shown["model"]),
        )


def _what(target: str) -> str:
    return "all" if target in ("", "mean") else target


def _layers(layers: str) -> str:
    first, _, last = layers.partition("-")
    return "all" if not layers else first if first == last else layers
