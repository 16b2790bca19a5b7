"""Figures of what tuning moved, layer by layer: heads, feed-forward subspaces, hidden states, each beside its null."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import (
    MOST_IN_A_ROW,
    NEUTRAL,
    Figure,
    Style,
    Trace,
    axis_title,
    curve,
    interval_bars,
)
from tuneshift.vocabulary import ours
from tuneshift.vocabulary.selecting import by_layer, extreme, floats, groups, names, overall, rows_of
from tuneshift.vocabulary.words import capitalised, interval, metric_name, missing, number, text

NULLS = ("random rotation", "another head")
"""Targets of rows that say what a measure would be had tuning left nothing of the base, or between unlike things."""
_WEIGHTS = (
    ("head_overlap", ""),
    ("rotation_deg", "mean principal angle"),
    ("rotation_largest_deg", "largest principal angle"),
    ("rotation_matched_deg", "matched components"),
    ("concept_overlap", ""),
    ("weight_change", ""),
)
_STATES = (("state_cka", ""), ("state_cosine", ""), ("state_change", ""))
_ROTATION = "rotation_"


def shift_figures(rows: pd.DataFrame, styles: dict[str, Style]) -> Iterator[tuple[Figure, pd.Index]]:  # type: ignore[type-arg]
    """Yield the figures of `rows` (long table, over all participants), each with the index of the rows it shows."""
    layers = by_layer(overall(rows))
    nulls = rows_of(rows, target=NULLS)
    rotation = [wanted for wanted in _WEIGHTS if wanted[0].startswith(_ROTATION)]
    rest = [wanted for wanted in _WEIGHTS if not wanted[0].startswith(_ROTATION)]
    for key, wanted, caption in (
        (
            "rotation", rotation,
            "How far tuning turned what feed-forward layers write, by layer. Principal angles compare the subspaces of the first "
            "components as wholes; matched components are compared one to one, and also turn where components only mix among "
            "themselves. Grey: what a random rotation gives, that is, had tuning left nothing of the base (band: 95% of 20 draws).",
        ),
        (
            "overlap", rest,
            "What tuning left of heads and feed-forward components, by layer, and how far the written weights moved. Overlaps are "
            "Jaccard indices: 1, all words or pairs kept; 0, none. Grey: the overlap of two different heads of one layer, base "
            "against tuned, which is what chance and common words give. Weight change is the length of the difference over the base's.",
        ),
        (
            "states", _STATES,
            "How far tuning moved the hidden states of the same text, by layer (layer 0 is the embedding): CKA (1: the same geometry), "
            "mean cosine of a stimulus's two states, and the length of the change over that of the base's state. Bands: 95% "
            "bootstrap intervals over documents.",
        ),
    ):  # fmt: skip
        measures = [one for one in (_of_measure(*names_, layers, nulls) for names_ in wanted) if one is not None]
        if not measures:
            continue
        if any(measure.rows["model"].nunique() > MOST_IN_A_ROW for measure in measures):
            yield from _multiples(f"weights-{key}", caption, measures, styles)
        else:
            yield _panelled(f"weights-{key}", caption, measures, styles)


@dataclass(frozen=True)
class _Measure:
    """One measure of the shift: its name, its unit and how it is read (`axis`: all three), its rows by layer and of its null."""

    name: str
    unit: str
    axis: str
    rows: pd.DataFrame
    null: pd.DataFrame

    @property
    def index(self) -> pd.Index:  # type: ignore[type-arg]
        return self.rows.index.append(self.null.index)

    def curves(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each model with its rows, a row a layer."""
        for (model,), part in groups(self.rows.drop_duplicates(["model", "depth"]), "model"):
            yield model, part

    def told(self) -> Iterator[str]:
        """Say in words where each model moved least and most."""
        for model, part in self.curves():
            top, low = extreme(part), extreme(part, lowest=True)
            yield (
                f"{self.name}, {model}: {number(low['value'])} (layer {low['depth']}) to {number(top['value'])} (layer {top['depth']})"
                + (f"; {self.null['target'].iloc[0]} {number(self.null['value'].iloc[0])}." if len(self.null) else ".")
            )


def _of_measure(metric: str, mapping: str, layers: pd.DataFrame, nulls: pd.DataFrame) -> _Measure | None:
    """Return a measure's rows, None where they are of fewer than two layers."""
    mine = rows_of(layers, metric=metric, mapping=mapping)
    if mine["depth"].nunique() < 2:
        return None
    name, declared = _name(metric, mapping), ours().metric("internals", metric)
    unit = ", ".join(part for part in (text(mine["unit"].iloc[0]), declared.reads) if part)
    axis = replace(declared, label=name).axis
    return _Measure(name, unit, axis, mine, rows_of(nulls, metric=metric, mapping=mapping))


def _panelled(key: str, caption: str, measures: list[_Measure], styles: dict[str, Style]) -> tuple[Figure, pd.Index]:  # type: ignore[type-arg]
    """Draw few models: a panel a measure, all models in it."""
    data: list[Trace] = []
    told: list[str] = []
    for place, measure in enumerate(measures):
        axis = "" if place == 0 else str(place + 1)
        data += _null(
            measure.null, measure.rows, axis, legend=not any(trace.get("meta", {}).get("null") for trace in data)
        )
        for model, part in measure.curves():
            data += curve(part, model, styles[model], axis=axis, legend=axis == "")
        told += measure.told()
    panels = {"titles": [plot_label(measure.name) for measure in measures], "yTitles": [axis_title(measure.unit, 26) for measure in measures],
              "x": {"dtick": _tick(measures), "layeraxis": True}, "y": {"rangemode": "tozero", "nticks": 5}, "xTitle": "layer"}  # fmt: skip
    return Figure(key, caption, " ".join(told), data, {"panels": panels}), _index(measures)


def _multiples(
    key: str, caption: str, measures: list[_Measure], styles: dict[str, Style]
) -> Iterator[tuple[Figure, pd.Index]]:  # type: ignore[type-arg]
    """Draw many models: a figure a measure, which the page spreads over panels, each before the mean of all pairs."""
    for place, measure in enumerate(measures):
        data = [_mean(measure), *_null(measure.null, measure.rows, "", legend=False)]
        for model, part in measure.curves():
            data += curve(part, model, styles[model])
        n = measure.rows["model"].nunique()
        behind = f"The thick grey line, the same in every panel, is the mean over all {n} pairs; the axis need not begin at 0."
        said = caption.replace("Grey: ", "Dashed grey: ") if place == 0 else "Drawn as the figure above."
        layout = {"xaxis": {"title": {"text": "layer"}, "dtick": _tick(measures), "layeraxis": True},
                  "yaxis": {"title": {"text": axis_title(measure.axis)}}}  # fmt: skip
        figure = Figure(
            key if place == 0 else f"{key}-{place + 1}", f"{capitalised(measure.name)}. {said} {behind}",
            " ".join(measure.told()), data, layout,
        )  # fmt: skip
        yield figure, measure.index


def _tick(measures: list[_Measure]) -> int:
    return max(1, -(-max(int(measure.rows["depth"].max()) for measure in measures) // 6))


def _index(measures: list[_Measure]) -> pd.Index:  # type: ignore[type-arg]
    index = measures[0].index
    for measure in measures[1:]:
        index = index.append(measure.index)
    return index


def _mean(measure: _Measure) -> Trace:
    """Return the mean over models at each layer that any of them has."""
    rows = measure.rows.drop_duplicates(["model", "depth"])
    mean = rows.assign(value=rows["value"].astype(float)).groupby("depth")["value"].mean()
    y = floats(mean)
    return {
        "x": [int(depth) for depth in mean.index], "y": y, "mode": "lines", "name": "mean over pairs",
        "line": {"color": "rgba(128,128,128,0.55)", "width": 5}, "meta": {"mean": True},
        "text": [number(value) for value in y], "hovertemplate": "mean over pairs<br>layer %{x}: %{text}<extra></extra>",
    }  # fmt: skip


def _null(null: pd.DataFrame, rows: pd.DataFrame, axis: str, *, legend: bool) -> list[Trace]:
    """Return a grey band of the null and its line over the layers that are shown; models of one size share it."""
    traces: list[Trace] = []
    known = null.dropna(subset=["value"])
    if rows["model"].nunique() > MOST_IN_A_ROW and known["value"].nunique() > 1:
        alone = known.drop_duplicates(["model", "value"])  # each stands in the panel of its own model
    else:
        alone = known.drop_duplicates(["value"])
    for _, row in alone.iterrows():
        x = [int(rows["depth"].min()), int(rows["depth"].max())]
        value, low, high = (floats(pd.Series([row[c]]))[0] for c in ("value", "ci_low", "ci_high"))
        shared: Trace = {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "legendgroup": "null", "name": "null (see caption)",
                         "meta": {"model": text(row["model"]), "null": True} if len(alone) > 1 else {"null": True}}  # fmt: skip
        if low is not None and high is not None:
            traces.append({**shared, "x": x + x[::-1], "y": [high, high, low, low], "fill": "toself", "mode": "lines",
                           "fillcolor": "rgba(128,128,128,0.22)", "line": {"width": 0}, "hoverinfo": "skip",
                           "showlegend": False})  # fmt: skip
        traces.append({**shared, "x": x, "y": [value, value], "mode": "lines", "showlegend": legend and not traces[1:],
                       "line": {"color": NEUTRAL, "width": 1.5, "dash": "longdash"},
                       "hovertemplate": f"{plot_label(row['target'])}: {number(value)} [{interval(low, high)}]<extra></extra>"})  # fmt: skip
    return traces


def _name(metric: str, mapping: str) -> str:
    return mapping if metric.startswith(_ROTATION) else metric_name("internals", metric)


def verb_figure(rows: pd.DataFrame, styles: dict[str, Style]) -> tuple[Figure, pd.Index] | None:  # type: ignore[type-arg]
    """Return the share of heads that gained instruction verbs beside that of control verbs, by group of layers."""
    mine = overall(rows_of(rows, metric="verb_gain_share")).dropna(subset=["value"])
    if mine.empty:
        return None
    data: list[Trace] = []
    told = []
    mine = mine.assign(group=groups_of_layers(mine))
    mine = mine.sort_values("mapping", key=lambda kinds: ~kinds.str.startswith("instruction"), kind="stable")
    crowded = mine["model"].nunique() > MOST_IN_A_ROW
    if crowded:  # a line a model; the parts of each are in the table of all results
        mine = mine[(mine["group"] == ALL_LAYERS).to_numpy(dtype=bool)]
    order = sorted(names(mine["group"]), key=lambda group: (group == ALL_LAYERS, group))
    for (model, kind), part in groups(mine, "model", "mapping"):
        style = styles[model]
        x, low, high = floats(part["value"]), floats(part["ci_low"]), floats(part["ci_high"])
        layers = [plot_label(model)] * len(part) if crowded else part["group"].tolist()
        symbol = style.symbol if kind.startswith("instruction") else f"{style.symbol}-open"
        name = f"{plot_label(model)}, {plot_label(kind)}"
        data.append({
            "x": x, "y": layers, "mode": "markers", "orientation": "h", "name": name, "meta": {"model": model},
            "marker": {"size": 9, "color": style.colour, "symbol": symbol, "line": {"width": 2, "color": style.colour}},
            "error_x": interval_bars(x, low, high, style.colour, 1.4),
            "text": [f"{number(v)} [{interval(a, b)}], {group_name(text(span))}, {'' if missing(n) else int(n)} key heads"
                     for v, a, b, n, span in zip(x, low, high, part["n"], part["layer"], strict=True)],
            "hovertemplate": f"%{{y}}<br>{name}: %{{text}}<extra></extra>",
        })  # fmt: skip
        told.append(
            f"{model}, {kind}: "
            + ", ".join(f"{group} {number(v)}" for group, v in zip(part["group"], x, strict=True)) + "."
        )  # fmt: skip
    lines = len(names(mine["model"])) if crowded else mine["group"].nunique()
    caption = (
        "Share of heads in which a verb occurs in more word pairs after tuning than before (heads where it occurs equally often left "
        "out), mean over verbs. Filled: instruction verbs; open: frequent other verbs, which are the control. 0.5 is no tendency. "
        "Intervals are bootstraps over key heads, where there are enough of them."
    )
    layout = {
        "height": 120 + (24 if crowded else max(40, 14 * len(data))) * lines,
        "xaxis": {"title": {"text": "heads that gained the verb (share)"}, "range": [-0.03, 1.03]},
        "yaxis": {"title": {"text": "tuned model" if crowded else "part of the layers"}, "autorange": "reversed", "automargin": True,
                  "type": "category", "showgrid": False,
                  **({} if crowded else {"categoryorder": "array", "categoryarray": order})},
        "shapes": [{"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1,
                    "line": {"color": NEUTRAL, "dash": "longdash", "width": 1.5}}],
        **({} if crowded else {"scattermode": "group", "scattergap": 0.4}), "margin": {"l": 10},
    }  # fmt: skip
    return Figure("weights-verbs", caption, " ".join(told), data, layout), mine.index


ALL_LAYERS = "all layers"


def groups_of_layers(rows: pd.DataFrame) -> list[str]:
    """Return which part of its model's layers each row is about: "part 1 of 4", ..., "all layers".

    Layers of models of different depth, and a part of one layer beside a part of two, are then the same line.
    """
    named = {}
    for (model,), part in groups(rows, "model"):
        spans = sorted({_span(text(layer)) for layer in part["layer"]})
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        parts = [span for span in spans if len(spans) == 1 or span != (first, last)]
        named.update({(model, span): f"part {place} of {len(parts)}" for place, span in enumerate(parts, start=1)})
        named.setdefault((model, (first, last)), ALL_LAYERS)
    return [named[text(model), _span(text(layer))] for model, layer in zip(rows["model"], rows["layer"], strict=True)]


def _span(layers: str) -> tuple[int, int]:
    first, _, last = layers.partition("-")
    return int(first), int(last or first)


def group_name(layers: str, whole: str = "") -> str:
    """Return a group of layers as a reader wants it: "layer 3", "layers 1-8", "all layers"."""
    first, _, last = layers.partition("-")
    if layers == whole and first != last:
        return "all layers"
    return f"layer {first}" if first == last or not last else f"layers {layers}"
