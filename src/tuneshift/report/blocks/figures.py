"""Figures: what all of them share, and the two shapes that come back: curves over layers, and forests of intervals."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tuneshift.report.blocks.embedding import plot_label
from tuneshift.vocabulary.selecting import floats
from tuneshift.vocabulary.words import interval, missing, number, signed

Trace = dict[str, Any]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours that stand out on white and on black (their yellow and black do not)."""
DASHES = ("solid", "dash", "dashdot", "dot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
NEUTRAL = "#888888"
MOST_IN_A_ROW = 8
"""More models than this have no line, no colour and no legend in common."""


@dataclass(frozen=True)
class Style:
    """How one model looks in every figure."""

    colour: str
    dash: str
    symbol: str

    def band(self) -> str:
        """Return the colour of the model's interval band."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},0.14)"


@dataclass(frozen=True)
class Figure:
    """A plotly figure with a caption and a description in words for those who do not see it."""

    key: str
    caption: str
    description: str
    data: list[Trace]
    layout: dict[str, Any] = field(default_factory=dict)
    kind: str = "figure"
    dataset: str = ""
    """The one data set that it shows, for the page's filter; empty where there are several or none."""


def model_styles(table: pd.DataFrame) -> dict[str, Style]:
    """Return a style for each model: a base is drawn solid, what was tuned from it dashed, in a colour of its own."""
    models = table[["model", "tuned"]].drop_duplicates("model")
    styles = {}
    for number_, (model, tuned) in enumerate(models.itertuples(index=False)):
        dash = DASHES[(0 if missing(tuned) or not tuned else 1) + 2 * (number_ // len(PALETTE) % 2)]
        symbol = SYMBOLS[number_ % len(SYMBOLS)]
        styles[str(model)] = Style(PALETTE[number_ % len(PALETTE)], dash, symbol)
    return styles


def curve(
    rows: pd.DataFrame, model: str, style: Style, *, axis: str = "", legend: bool = True, faint: bool = False
) -> list[Trace]:
    """Return a model's scores over layers (rows with `depth`, `value`, `ci_low`, `ci_high`) and their interval band.

    `axis` is "" or "2", "3", ...; `faint` draws an untrained twin: dotted, in the model's colour, without a band.
    """
    x, y = rows["depth"].tolist(), floats(rows["value"])
    low, high = floats(rows["ci_low"]), floats(rows["ci_high"])
    axes = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    name = f"{plot_label(model)}, untrained twin" if faint else plot_label(model)
    shared: Trace = {"legendgroup": name, "meta": {"model": model}, **axes}
    line = {"color": style.colour, "width": 1.2 if faint else 2, "dash": "dot" if faint else style.dash}
    traces: list[Trace] = []
    if not faint and all(v is not None for v in low + high) and low:
        band = {"x": x + x[::-1], "y": high + low[::-1], "fill": "toself", "fillcolor": style.band()}
        traces.append({**shared, **band, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip",
                       "showlegend": False, "name": name})  # fmt: skip
    texts = [f"{number(v)} [{interval(a, b)}]" for v, a, b in zip(y, low, high, strict=True)]
    return [
        *traces,
        {
            **shared, "x": x, "y": y, "mode": "lines" if faint else "lines+markers", "name": name, "line": line,
            "marker": {"symbol": style.symbol, "size": 6}, "opacity": 0.75 if faint else 1, "showlegend": legend,
            "text": texts, "hovertemplate": f"{name}<br>layer %{{x}}: %{{text}}<extra></extra>",
        },
    ]  # fmt: skip


def level_line(x: Sequence[float], y: float, name: str, *, axis: str = "", legend: bool = True) -> Trace:
    """Return a horizontal line, such as a noise ceiling."""
    return {
        "x": list(x), "y": [y] * len(x), "mode": "lines", "name": name, "legendgroup": name, "showlegend": legend,
        "line": {"color": NEUTRAL, "width": 1.5, "dash": "longdash"}, "xaxis": f"x{axis}", "yaxis": f"y{axis}",
        "hovertemplate": f"{name}: {number(y)}<extra></extra>",
    }  # fmt: skip


def interval_bars(
    x: Sequence[float | None], low: Sequence[float | None], high: Sequence[float | None], colour: str, thickness: float
) -> dict[str, Any]:
    """Return plotly's `error_x` of intervals around values; none where a value or a bound is missing."""
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": thickness, "width": 0,
        "array": [None if b is None or v is None else b - v for v, b in zip(x, high, strict=True)],
        "arrayminus": [None if a is None or v is None else v - a for v, a in zip(x, low, strict=True)],
    }  # fmt: skip


def axis_title(words: str, most: int = 36) -> str:
    """Return an axis's title as text of the page, in lines of about `most` letters: a longer one would be cut off."""
    return in_lines(plot_label(words), most)


def in_lines(title: str, most: int) -> str:
    """Return a title broken into lines, behind a comma where that is enough."""
    lines = [""]
    for part in re.split(r"(?<=,) ", title.replace("<br>", " ")):
        for piece in textwrap.wrap(part, most, break_long_words=False):
            joined = f"{lines[-1]} {piece}".strip()
            lines = [*lines[:-1], joined] if len(joined) <= most else [*lines, piece]
    return "<br>".join(line for line in lines if line)


def forest(key: str, pairs: pd.DataFrame, labels: Sequence[str], styles: dict[str, Style], **words: str) -> Figure:
    """Return differences tuned - base with their intervals, one line each; a filled mark where 0 lies outside.

    `words`: `caption`, `unit` and `reads` ("higher is better") for the axis, and `lines`, what its lines are ("region"). Of more than `MOST_IN_A_ROW`
    models each has lines of its own, named after it.
    """
    crowded = pairs["model"].nunique() > MOST_IN_A_ROW
    lines_are = words.get("lines", "number")
    if crowded:
        one = len(set(labels)) < 2
        labels_shown = [
            str(model) if one else f"{model} · {label}" for model, label in zip(pairs["model"], labels, strict=True)
        ]
        lines_are = "tuned model" if one else f"tuned model · {lines_are}"
    else:
        labels_shown = list(labels)
    shown = [plot_label(label) for label in labels_shown]
    traces = []
    for model in dict.fromkeys(pairs["model"].astype(str)):
        mine = [i for i, name in enumerate(pairs["model"].astype(str)) if name == model]
        part = pairs.iloc[mine]
        y, low, high = floats(part["difference"]), floats(part["ci_low"]), floats(part["ci_high"])
        outside = [a is not None and b is not None and (a > 0 or b < 0) for a, b in zip(low, high, strict=True)]
        style = styles.get(model, Style(PALETTE[0], "solid", "circle"))
        traces.append({
            "x": y, "y": [shown[i] for i in mine], "mode": "markers", "orientation": "h", "name": plot_label(model), "meta": {"model": model},
            "marker": {"size": 9, "color": style.colour, "line": {"width": 2, "color": style.colour},
                       "symbol": [style.symbol if out else f"{style.symbol}-open" for out in outside]},
            "error_x": interval_bars(y, low, high, style.colour, 1.6),
            "text": [f"{signed(v)} [{interval(a, b)}]" for v, a, b in zip(y, low, high, strict=True)],
            "hovertemplate": f"%{{y}}<br>{plot_label(model)}: %{{text}}<extra></extra>",
        })  # fmt: skip
    lines = len(set(shown))
    reads = f", {words['reads']}" if words.get("reads") else ""
    layout = {
        "height": 110 + (22 * lines if crowded else 30 * lines + 10 * len(traces)),
        "xaxis": {"title": {"text": f"tuned {chr(0x2212)} base ({words['unit']}){reads}"}, "zeroline": True, "zerolinewidth": 2},
        "yaxis": {"title": {"text": lines_are}, "autorange": "reversed", "automargin": True, "type": "category", "showgrid": False},
        **({} if crowded else {"scattermode": "group", "scattergap": 0.4}), "margin": {"l": 10},
    }  # fmt: skip
    told = [
        f"{label}, {row['model']}: {signed(row['difference'])}, 95% interval {interval(row['ci_low'], row['ci_high'])}"
        for label, (_, row) in zip(labels, pairs.iterrows(), strict=True)
    ]
    caption = (
        words["caption"]
        + " A filled mark: the 95% interval leaves out 0; an open mark: it does not. Intervals are not adjusted for the number of lines."
    )
    return Figure(key, caption, "; ".join(told) + ".", traces, layout, dataset=words.get("dataset", ""))
