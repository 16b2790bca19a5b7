"""The section where both papers meet: does the layer whose inside moved most change its brain score most?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tuneshift.compare.layer_correlation import FEWEST_LAYERS_GIVEN_DEPTH
from tuneshift.compare.layer_link import POOLED, SCORE_KEYS
from tuneshift.compare.related_models import FEWEST_BASES
from tuneshift.findings.layer_link import ALPHA, is_pooled, measure_name, score_name
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import MOST_IN_A_ROW, Figure, Style, Trace
from tuneshift.report.blocks.section import Block, Fold, Leaf, Paragraph, Section, SmallTable, folded
from tuneshift.report.sections.layer_link_map import link_map
from tuneshift.vocabulary import ours
from tuneshift.vocabulary.selecting import groups, rows_of
from tuneshift.vocabulary.words import interval, listed, metric_name, number, p_value, text

_LEAD = (
    "Does the layer whose inside moved most change its brain score most? Here the two questions of this report, what tuning "
    "did to brain scores and what it did inside, are asked of the same layers."
)
MOST_FIGURES = 6
LABELS_UP_TO = 40


def layer_link_section(links: pd.DataFrame, points: pd.DataFrame, styles: dict[str, Style]) -> Section:
    """Return the section on the link between layers' inner change and their change in brain score.

    `links` and `points` as `compare.layer_link` gives them.
    """
    if links.empty:
        absent = (
            "The link needs brain scores of at least four layers and the measurement `internals` for the same pair; this study "
            "lacks one of them."
        )
        return Section("link", "The layer link", _LEAD, absent=absent, question="inside")
    blocks: list[Block] = [
        Paragraph(
            "How to read it. Each mark is a layer of one pair of models. Across: how far tuning moved that layer's inside; up: how "
            "much its brain score changed, in either direction (the mean over participants, without its sign). Overlaps and "
            "similarities stand as 1 minus themselves, so that every measure is larger where more moved. If the layers that moved "
            "more also changed more, the marks rise to the right and Spearman's r is above 0."
        ),
        *_shown(links, points, styles),
        Paragraph(_found(links)),
        Paragraph(
            "What it can show, and what not. A network has few layers, and neighbouring layers are alike, so that the marks of one "
            "pair are no sample: one pair has a correlation and no p, whatever it looks like. Pairs are a sample, over the base "
            f"models that they go back to, from {FEWEST_BASES} on: the row of all pairs has an interval and a p. Depth is a "
            "confounder: both changes may simply grow from the first layer to the last, for reasons of their own. The columns "
            "“given depth” take that out, and only they are tested: the ranks of both changes are regressed on depth, and what is "
            "left is correlated. Only a steady rise or fall is taken out; a hump in the middle that all models share is not. Depth "
            f"leaves too little of fewer than {FEWEST_LAYERS_GIVEN_DEPTH} layers: then the column is empty. A change of a brain score "
            "also holds noise: layers whose scores did not change cannot be linked to anything. And a correlation over layers is a "
            "hint where to look, never a cause."
        ),
    ]
    return Section("link", "The layer link", _LEAD, blocks, question="inside")


def _shown(links: pd.DataFrame, points: pd.DataFrame, styles: dict[str, Style]) -> list[Block]:
    """Return the figures and tables; of many pairs each brain score has a map of all of them, and a fold of its own."""
    if links["model"].nunique() <= MOST_IN_A_ROW + 1:  # the pairs, and all of them together
        return [*_figures(points, styles), *_tables(links)]
    parts = []
    for place, (key, part) in enumerate(groups(links, *SCORE_KEYS)):
        marks = rows_of(points, **dict(zip(SCORE_KEYS, key, strict=True)))
        marks = marks[marks["model"] == marks["model"].iloc[0]] if place < MOST_FIGURES else marks.head(0)
        others = "the other pairs" if len(marks) else "single layers"
        of_score = f"{metric_name(key[0], key[4])} ({score_name(key)})"
        blocks = (
            link_map(f"link-map-{place}", of_score, part, key[1]),
            *_tables(part),
            *_figures(marks, styles, place),
            Paragraph(f"The marks of {others} are left out to keep the page light; their correlations are above."),
        )
        parts.append(Fold(f"link-{place}", score_name(key), blocks, dataset=key[1]))
    return folded(parts, crowded=True)


def _figures(points: pd.DataFrame, styles: dict[str, Style], start: int = 0) -> Iterator[Leaf]:
    """Draw a figure a brain score and pair: one panel an inside measure, every layer labelled with its depth."""
    made = [*groups(points, *SCORE_KEYS, "model", "base_model")]
    for place, (key, part) in enumerate(made[:MOST_FIGURES], start):
        *score, model, base = key
        style = styles[model]
        data: list[Trace] = []
        titles: list[str] = []
        across: list[str] = []
        unit = plot_label(ours().metric(score[0], score[4]).unit or "value")
        told: list[str] = []
        for (inside,), mine in groups(part, "inside"):
            axis = "" if not titles else str(len(titles) + 1)
            titles.append(plot_label(measure_name(inside)))
            across.append(plot_label(f"movement ({_unit_inside(inside)})"))
            depth = [int(layer) for layer in mine["layer"]]
            x, y = mine["movement"].astype(float).tolist(), mine["change"].astype(float).tolist()
            labelled = len(depth) <= LABELS_UP_TO
            data.append({
                "x": x, "y": y, "mode": "markers+text" if labelled else "markers", "name": plot_label(model),
                "meta": {"model": model}, "xaxis": f"x{axis}", "yaxis": f"y{axis}", "showlegend": False,
                "marker": {"size": 7 if labelled else 5, "color": style.colour, "symbol": style.symbol},
                "text": [str(layer) for layer in depth], "textposition": "top center", "textfont": {"size": 10}, "cliponaxis": False,
                "hovertemplate": f"layer %{{text}}: moved %{{x:.3g}}, brain score changed by %{{y:.3g}}<extra>{plot_label(model)}</extra>",
            })  # fmt: skip
            most_inside, most_brain = depth[x.index(max(x))], depth[y.index(max(y))]
            told.append(
                f"{measure_name(inside)}: most at layer {most_inside}; the brain score changed most at layer {most_brain}."
            )
        yield Figure(
            f"link-{place}",
            f"{model} against {base}: change of the {metric_name(score[0], score[4])} ({score_name(tuple(score))}) against change inside, one "
            "mark a layer, its number above it.",
            " ".join(told),
            data,
            {"panels": {"titles": titles, "share": True, "x": {"nticks": 5}, "y": {"nticks": 4, "rangemode": "tozero"},
                        "xTitles": across, "yTitle": f"|change|, either way ({unit})"}},
            dataset=score[1],
        )  # fmt: skip
    if len(made) > MOST_FIGURES:
        left = dict.fromkeys(key[-2] for key, _ in made[MOST_FIGURES:])
        yield Paragraph(f"Figures of {listed([*left])} are left out to keep the page light; their numbers are below.")


def _unit_inside(inside: str) -> str:
    """Return the unit of an inside measure, also where it stands as 1 minus itself or with its mapping."""
    known = ours().movement(inside.rpartition(" ")[2])
    return (known.unit if known else "") or "value"


def _tables(links: pd.DataFrame) -> Iterator[SmallTable]:
    """Show the correlations, one table a brain score; the rows of all pairs together come last."""
    for key, part in groups(links, *SCORE_KEYS):
        shown = pd.concat([part[~is_pooled(part)], part[is_pooled(part)]])
        lines = tuple(
            (
                text(row["model"]), measure_name(row["inside"]), str(int(row["n_layers"])), str(int(row["n_bases"])),
                number(row["spearman_r"], 2), number(row["partial_r"], 2),
                interval(row["partial_low"], row["partial_high"], 2), _p(row["partial_p"]), number(row["partial_q"]),
            )
            for _, row in shown.iterrows()
        )  # fmt: skip
        yield SmallTable(
            f"Over layers: change of the {metric_name(key[0], key[4])} ({score_name(key)}) against change inside. Of all pairs "
            "together: Fisher's z averaged over base models, 95% interval and p by t; q is p adjusted for the number of inside "
            "measures (Benjamini-Hochberg).",
            ("model", "inside", "layers", "bases", "Spearman r", "given depth", "95% interval", "p", "q"),
            lines,
            models=tuple("" if model == POOLED else text(model) for model in shown["model"]),
            dataset=key[1],
        )


def _p(p: object) -> str:
    """Return p without its name, which heads the column."""
    return p_value(p).removeprefix("p ").removeprefix("= ") or "–"


def _found(links: pd.DataFrame) -> str:
    """Say how many links were tested over pairs and found."""
    tested = links.dropna(subset=["partial_p"])
    if tested.empty:
        return (
            "What was found. Nothing is claimed: a test needs pairs of at least three base models with at least "
            f"{FEWEST_LAYERS_GIVEN_DEPTH} layers each."
        )
    left = int((tested["partial_q"] < ALPHA).sum())
    return (
        f"What was found. Given depth, {left} of {len(tested)} correlations over all pairs {'has' if left == 1 else 'have'} q "
        f"below {ALPHA}; without adjustment {int((tested['partial_p'] < ALPHA).sum())} p below {ALPHA}, where about "
        f"{number(ALPHA * len(tested), 1)} would by chance."
    )
