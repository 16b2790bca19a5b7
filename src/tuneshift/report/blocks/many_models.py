"""Figures of many models: a small panel a base with what was tuned from it, instead of twenty curves and their legend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from tuneshift.compare.correlations import root_of
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import MOST_IN_A_ROW, PALETTE, SYMBOLS, Figure, Trace, in_lines
from tuneshift.vocabulary.words import text

MOST_PANELS = 30
_TITLE_LENGTH = 22
_TUNED_LENGTH = 26
_UPRIGHT_LENGTH = 19
_MANY_POINTS = 12
_BASE, _TUNED = "base model", "tuned model"

Kin = dict[str, tuple[str, int]]
"""Model -> its oldest base, and its place among the models that go back to it (0: the base itself)."""


def kin_of(table: pd.DataFrame) -> Kin:
    """Return the kin of the models of a long table."""
    bases = {
        text(model): text(base)
        for model, base in table[["model", "base_model"]].drop_duplicates().itertuples(index=False)
        if text(base)
    }
    kin: Kin = {}
    placed: dict[str, int] = {}
    for model in dict.fromkeys(text(name) for name in table["model"].unique()):
        root = root_of(model, bases)
        place = 0
        if model != root:
            place = placed[root] = placed.get(root, 0) + 1
        kin[model] = (root, place)
    return kin


def spread(figure: Figure, kin: Kin) -> Figure:
    """Return the figure as it is drawn: of more than `MOST_IN_A_ROW` models curves in panels, marks in two colours."""
    shown = list(dict.fromkeys(model for trace in figure.data if (model := _model(trace))))
    if len(shown) <= MOST_IN_A_ROW:
        return figure
    layout = figure.layout
    if "panels" in layout or layout.get("yaxis", {}).get("type") == "category":
        said = f"{figure.caption} Point at a line or a mark to read its model."
        return replace(figure, data=[_without_legend(trace) for trace in figure.data], caption=said)
    if any("lines" in text(trace.get("mode")) for trace in figure.data if _model(trace)):
        return _panels(figure, shown, kin)
    return _two_colours(figure, kin)


def _model(trace: Trace) -> str:
    return text((trace.get("meta") or {}).get("model"))


def _without_legend(trace: Trace) -> Trace:
    return {**trace, "showlegend": False} if _model(trace) else trace


def _panels(figure: Figure, shown: list[str], kin: Kin) -> Figure:
    roots = list(dict.fromkeys(kin[model][0] for model in shown if model in kin))
    left_out = len(roots) - MOST_PANELS
    roots = roots[:MOST_PANELS]
    axes = {root: "" if place == 0 else str(place + 1) for place, root in enumerate(roots)}
    data: list[Trace] = []
    for trace in figure.data:
        model = _model(trace)
        wanted = [kin.get(model, ("", 0))[0]] if model else roots
        for root in wanted:
            if root in axes:
                placed = {**trace, "xaxis": f"x{axes[root]}", "yaxis": f"y{axes[root]}", "showlegend": False}
                data.append(_coloured(placed, kin[model][1]) if model and not trace["meta"].get("null") else placed)
    x, y = ({**figure.layout.get(name, {})} for name in ("xaxis", "yaxis"))
    panels = {
        "small": True, "titles": [_title(root, [model for model in shown if kin.get(model, ("",))[0] == root], kin) for root in roots],
        "share": True, "xTitle": _pop_title(x), "yTitle": in_lines(_pop_title(y), _UPRIGHT_LENGTH), "x": {**x, "dtick": 2 * x["dtick"]} if "dtick" in x else x,
        "y": {**y, "nticks": 3},
    }  # fmt: skip
    more = f" {left_out} more base models are in the table of all results." if left_out > 0 else ""
    bases = "the base in blue, " if any(model in roots for model in shown) else ""
    said = f" One panel a base model: {bases}what was tuned from it in the colour of its name; all panels share one scale.{more}"
    rest = {key: value for key, value in figure.layout.items() if key not in ("xaxis", "yaxis", "height")}
    return replace(figure, data=data, layout={**rest, "panels": panels}, caption=figure.caption + said)


def _pop_title(axis: dict[str, Any]) -> str:
    return text((axis.pop("title", None) or {}).get("text"))


def _title(root: str, models: list[str], kin: Kin) -> str:
    """Return a panel's title: the base, and below it each tuned model without the base's name, in its curve's colour."""
    parts, length = [], 0
    tuned = [model for model in models if model != root]
    for number, model in enumerate(tuned):
        name = model.removeprefix(root).lstrip("-_ ") or model
        length += len(name) + 3
        if length > _TUNED_LENGTH:
            parts.append(f"+{len(tuned) - number}")
            break
        parts.append(f'<span style="color:{_colour(kin[model][1])}">{plot_label(name)}</span>')
    return "<br>".join([plot_label(_shortened(root)), *([" · ".join(parts)] if parts else [])])


def _shortened(name: str) -> str:
    """Return a name that fits a panel, its end kept: sizes and versions stand there."""
    return name if len(name) <= _TITLE_LENGTH else f"…{name[1 - _TITLE_LENGTH :]}"


def _colour(place: int) -> str:
    return PALETTE[place % len(PALETTE)]


def _coloured(trace: Trace, place: int) -> Trace:
    """Return the trace in the colour of its model's place in the family."""
    colour = _colour(place)
    made = dict(trace)
    for part in ("line", "marker", "error_x", "error_y"):
        if isinstance(made.get(part), Mapping):
            made[part] = {**made[part], **({"color": colour} if "color" in made[part] or part == "marker" else {})}
    if "marker" in made:
        made["marker"]["symbol"] = SYMBOLS[place % len(SYMBOLS)]
        most = 5 if len(trace["x"]) <= _MANY_POINTS else 3  # larger marks of many layers would hide the line
        made["marker"]["size"] = min(most, made["marker"].get("size", most))
    if "line" in made and made["line"].get("width"):
        made["line"]["width"] = min(1.5, made["line"]["width"])
    if "lines+markers" in text(made.get("mode")):  # in one panel a family's base is told from what was tuned from it
        made["line"] = {**made["line"], "dash": "dash" if place else "solid"}
    if "fillcolor" in made:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        made["fillcolor"] = f"rgba({red},{green},{blue},0.14)"
    return made


def _two_colours(figure: Figure, kin: Kin) -> Figure:
    """Draw marks of bases and of tuned models apart, with a legend of two."""
    data: list[Trace] = []
    named: set[str] = set()
    for trace in figure.data:
        model = _model(trace)
        if not model:
            data.append(trace)
            continue
        tuned = min(1, kin.get(model, ("", 0))[1])
        name = (_BASE, _TUNED)[tuned]
        marker = {**trace.get("marker", {}), "color": _colour(tuned), "symbol": SYMBOLS[tuned]}
        data.append({**trace, "marker": marker, "name": name, "legendgroup": name, "showlegend": name not in named})
        named.add(name)
    return replace(figure, data=data, caption=f"{figure.caption} Point at a mark to read its model.")
