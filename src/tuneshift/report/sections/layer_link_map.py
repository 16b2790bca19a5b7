"""The layer link of many pairs: one map of pairs by inside measures, where a figure a pair would be too many."""

from __future__ import annotations

from textwrap import wrap

import pandas as pd

from tuneshift.findings.layer_link import ALPHA, is_pooled, measure_name
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import Figure, Trace
from tuneshift.vocabulary.selecting import floats, names
from tuneshift.vocabulary.words import number, text

ALL_PAIRS = "all pairs together"
BETWEEN = [[0.0, "#D55E00"], [0.5, "#F4F4F2"], [1.0, "#0072B2"]]
"""Orange below 0, blue above: told apart with any colour vision, and pale where there is nothing."""
_SIDES = (("spearman_r", "", "Spearman r"), ("partial_r", "partial_q", "r given depth"))
"""Values, the q that is tested (plain correlations over layers are not), and the title."""
_LETTERS = 11  # of a measure's name side by side with five others


def link_map(key: str, of_score: str, links: pd.DataFrame, dataset: str) -> Figure:
    """Return the map of one brain score: a row a pair, a column an inside measure, with and without depth taken out.

    `links` are the rows of `compare.layer_link` of that score, with or without the row of all pairs together.
    """
    links = pd.concat([links[is_pooled(links)], links[~is_pooled(links)]])
    models = names(links["model"])
    inside = names(links["inside"])
    labels = [ALL_PAIRS if row["pooled"] else text(row["model"]) for _, row in _first(links, models).iterrows()]
    columns = ["<br>".join(wrap(plot_label(measure_name(name)), _LETTERS)) for name in inside]
    filtered = ["" if label == ALL_PAIRS else model for label, model in zip(labels, models, strict=True)]
    sides = [
        (title, _grid(links, value, models, inside), _grid(links, q, models, inside) if q else [])
        for value, q, title in _SIDES
    ]
    sides = [side for side in sides if any(value is not None for row in side[1] for value in row)]
    data: list[Trace] = []
    told = []
    for place, (title, values, qs) in enumerate(sides):
        axis = "" if place == 0 else str(place + 1)
        untested: list[list[float | None]] = [[None] * len(inside)] * len(labels)
        held = [["●" if q is not None and q < ALPHA else "" for q in row] for row in qs or untested]
        data.append({
            "type": "heatmap", "x": columns, "y": [plot_label(label) for label in labels], "z": values, "text": held,
            "texttemplate": "%{text}", "textfont": {"size": 9, "color": "#1d2733"}, "coloraxis": "coloraxis", "name": title,
            "xaxis": f"x{axis}", "yaxis": f"y{axis}", "meta": {"models": filtered}, "xgap": 1, "ygap": 1,
            "hovertemplate": f"%{{y}}<br>%{{x}}: {title} = %{{z:.2f}}<extra></extra>",
        })  # fmt: skip
        for label, row in zip(labels, values, strict=True):
            known = ", ".join(
                f"{measure_name(name)} {number(v, 2)}" for name, v in zip(inside, row, strict=True) if v is not None
            )
            told.append(f"{title}, {label}: {known}.")
    panels = {
        "titles": [title for title, _, _ in sides], "share": True, "height": 20 * len(labels), "foot": 120, "xTitle": "inside measure", "columnNames": [plot_label(measure_name(name)) for name in inside],
        "yTitle": "tuned model", "x": {"type": "category", "showgrid": False, "tickangle": 0, "tickfont": {"size": 10}},
        "y": {"type": "category", "autorange": "reversed", "showgrid": False, "tickmode": "linear", "dtick": 1, "tickfont": {"size": 11}},
    }  # fmt: skip
    colours = {"colorscale": BETWEEN, "cmin": -1, "cmax": 1, "colorbar": {"title": {"text": "r"}, "thickness": 12}}
    return Figure(
        key,
        f"Over layers: change of the {of_score} against change inside, a row a pair, a column an inside measure. Blue: layers "
        f"that moved more changed more; orange: less. A dot, in the row of all pairs: q below {ALPHA} over base models.",
        " ".join(told),
        data,
        {"panels": panels, "coloraxis": colours, "margin": {"b": 120}},
        dataset=dataset,
    )  # fmt: skip


def _first(links: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    return links.assign(pooled=is_pooled(links)).drop_duplicates("model").set_index("model", drop=False).loc[models]


def _grid(links: pd.DataFrame, column: str, models: list[str], inside: list[str]) -> list[list[float | None]]:
    """Return a column of the links as rows of models and columns of measures; None where there is no number."""
    wide = links.drop_duplicates(["model", "inside"]).set_index(["model", "inside"])[column].unstack("inside")
    return [floats(row) for _, row in wide.reindex(index=models, columns=inside).iterrows()]
