"""Scores of many models by region: one map of models by regions, where panels of curves would hold too many."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import Figure, Trace
from tuneshift.vocabulary.selecting import floats, groups, names, overall
from tuneshift.vocabulary.words import number

MOST_REGIONS = 40


def region_map(key: str, where: str, people: str, nested: pd.DataFrame) -> Iterator[Figure]:
    """Yield the map of nested scores, a row a model and a column a region; `nested` are rows of the nested layer."""
    rows = overall(nested, targets=False)
    rows = rows[~rows["target"].isin(["mean", "median"]).to_numpy(dtype=bool)].dropna(subset=["target"])
    regions = names(rows["target"])
    if len(regions) < 2:
        return
    left_out = len(regions) - MOST_REGIONS
    regions = regions[:MOST_REGIONS]
    shown = [plot_label(region) for region in regions]
    models: list[str] = []
    scores: list[list[float | None]] = []
    told = []
    for (model,), mine in groups(rows, "model"):
        values = floats(mine.drop_duplicates("target").set_index("target")["value"].reindex(regions))
        models.append(model)
        scores.append(values)
        known = {region: value for region, value in zip(regions, values, strict=True) if value is not None}
        if known:
            top, low = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
            told.append(f"{model}: from {number(known[low])} ({low}) to {number(known[top])} ({top}).")
    more = f" {left_out} more regions are in the study's results.csv." if left_out > 0 else ""
    # One trace: a row a trace would lie beside its label. The page's filter takes rows out by `models`.
    trace: Trace = {
        "type": "heatmap", "x": shown, "y": [plot_label(model) for model in models], "z": scores, "coloraxis": "coloraxis",
        "meta": {"models": models}, "xgap": 1, "ygap": 1, "hovertemplate": "%{y}<br>%{x}: r = %{z:.3f}<extra></extra>",
    }  # fmt: skip
    yield Figure(
        f"brain-regions-{key}",
        f"Brain scores by region ({where}; nested layer, mean over {people}): a row a model, a column a region.{more}",
        " ".join(told),
        [trace],
        {"height": 150 + 22 * len(models), "coloraxis": {"colorscale": "Viridis", "colorbar": {"title": {"text": "r"}, "thickness": 12}},
         "xaxis": {"title": {"text": "region"}, "type": "category", "showgrid": False},
         "yaxis": {"title": {"text": "model"}, "type": "category", "autorange": "reversed", "showgrid": False, "tickmode": "linear", "dtick": 1, "tickfont": {"size": 11}}, "margin": {"l": 10}},
        dataset=where.partition(",")[0],
    )  # fmt: skip
