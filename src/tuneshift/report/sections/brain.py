"""The section on brains: curves over layers with ceilings and untrained twins, scores, differences from tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from tuneshift.findings.people import is_simulated
from tuneshift.findings.source import Cell
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import MOST_IN_A_ROW, Figure, Style, Trace, axis_title, curve, forest, level_line
from tuneshift.report.blocks.section import Fold, Leaf, Paragraph, Section, SmallTable, folded
from tuneshift.report.sections.brain_picture import glass_brains
from tuneshift.report.sections.brain_regions import region_map
from tuneshift.result import Result
from tuneshift.vocabulary import ours
from tuneshift.vocabulary.rows import untrained
from tuneshift.vocabulary.selecting import by_layer, extreme, groups, names, overall, rows_of
from tuneshift.vocabulary.words import interval, missing, number

MOST_PANELS = 12
SCORE = ours().metric("brain", "r")
BRAIN_AXIS = SCORE.axis
_SETTING = ("dataset", "split", "mapping")
_LEAD = (
    "How well do a model's hidden states predict people's brain responses to the same text? A score is the "
    "correlation r of predicted and recorded responses on text that the mapping never saw."
)


def brain_section(
    table: pd.DataFrame, pairs: pd.DataFrame, cells: Sequence[tuple[Cell, Result]], styles: dict[str, Style]
) -> Section:
    """Return the section on brain alignment."""
    rows = rows_of(table, measurement="brain")
    if rows.empty:
        return Section(
            "brain", "Brains", _LEAD, absent="No brain measurement was made in this study.", question="brains"
        )
    parts = []
    for setting, part in groups(rows, *_SETTING):
        differences = rows_of(pairs, measurement="brain", **dict(zip(_SETTING, setting, strict=True)))
        blocks = (
            *_setting_blocks(setting, part, styles),
            *glass_brains(setting, cells),
            *_difference_blocks(setting, differences, styles),
        )
        parts.append(Fold(f"brain-{_key(setting)}", _where(setting), blocks, dataset=setting[0]))
    shown = folded(parts, crowded=rows["model"].nunique() > MOST_IN_A_ROW)
    return Section("brain", "Brains", _LEAD, shown, question="brains")


def _key(setting: tuple[str, ...]) -> str:
    return "-".join(setting).replace(" ", "-")


def _where(setting: tuple[str, ...]) -> str:
    dataset, split, mapping = setting
    return f"{dataset}, {split} split, {mapping}" if mapping else f"{dataset}, {split} split"


def _setting_blocks(setting: tuple[str, ...], part: pd.DataFrame, styles: dict[str, Style]) -> Iterator[Leaf]:
    dataset, split, _ = setting
    where = _where(setting)
    people = "simulated participants" if is_simulated(dataset) else "participants"
    key = _key(setting)
    if split == "shuffled":
        yield Paragraph(
            "The split is shuffled: neighbouring stimuli stand on both sides of it, which leaks, so scores are too high. "
            "Use the grouped or contiguous split to judge a model."
        )
    layers = by_layer(part)
    if not layers.empty:
        yield from _curves(key, where, people, overall(layers), styles)
        yield from _panels(key, where, people, part, layers, styles)
    table = _scores(dataset, where, people, part)
    if table.rows:
        yield table


def _curves(key: str, where: str, people: str, layers: pd.DataFrame, styles: dict[str, Style]) -> Iterator[Figure]:
    raw = layers[(layers["metric"].isin(["r"]) | untrained(layers)).to_numpy(dtype=bool)]
    if raw.empty:
        return
    data, told = _panel(raw, styles, axis="", legend=True)
    yield Figure(
        f"brain-layers-{key}",
        f"Brain score by layer ({where}), mean over regions and {people}. Layer 0 is the embedding. Bands: 95% bootstrap "
        "intervals. Base models are drawn solid, tuned models dashed, untrained twins (same architecture, random "
        "weights) dotted; the grey line is the noise ceiling.",
        " ".join(told),
        data,
        {"xaxis": {"title": {"text": "layer"}, "dtick": _tick(raw), "layeraxis": True},
         "yaxis": {"title": {"text": BRAIN_AXIS}, "rangemode": "tozero"}, "height": 420},
        dataset=where.partition(",")[0],
    )  # fmt: skip


def _panel(rows: pd.DataFrame, styles: dict[str, Style], *, axis: str, legend: bool) -> tuple[list[Trace], list[str]]:
    traces: list[Trace] = []
    told: list[str] = []
    twin = untrained(rows)
    for (model,), mine in groups(rows[~twin], "model"):
        traces += curve(mine, model, styles[model], axis=axis, legend=legend)
        first, last = mine.iloc[0], mine.iloc[-1]
        top = extreme(mine)
        told.append(
            f"{model}: r = {number(first['value'])} at layer {first['depth']}, highest {number(top['value'])} at layer "
            f"{top['depth']}, {number(last['value'])} at layer {last['depth']}."
        )
    for (model,), mine in groups(rows[twin], "model"):
        traces += curve(mine, model, styles[model], axis=axis, legend=legend, faint=True)
        told.append(f"Untrained twin of {model}: at most {number(mine['value'].astype(float).max())}.")
    ceilings = rows["ceiling"].dropna().astype(float)
    if len(ceilings):
        x = [int(rows["depth"].min()), int(rows["depth"].max())]
        traces.append(level_line(x, float(ceilings.median()), "noise ceiling", axis=axis, legend=legend))
        told.append(f"Noise ceiling {number(ceilings.median())}.")
    return traces, told


def _panels(
    key: str, where: str, people: str, part: pd.DataFrame, layers: pd.DataFrame, styles: dict[str, Style]
) -> Iterator[Figure]:
    """Draw one small panel a region, all with the same scale."""
    regional = overall(layers, targets=False)
    regional = regional[(regional["metric"].isin(["r"]) | untrained(regional)).to_numpy(dtype=bool)]
    regions = [name for name in names(regional["target"]) if name not in ("mean", "median")]
    if len(regions) < 2:
        return
    if regional["model"].nunique() > MOST_IN_A_ROW:
        yield from region_map(key, where, people, rows_of(part, layer="nested", metric="r"))
        return
    left_out = len(regions) - MOST_PANELS
    regions = regions[:MOST_PANELS]
    data: list[Trace] = []
    told = []
    for place, region in enumerate(regions):
        axis = "" if place == 0 else str(place + 1)
        traces, sentences = _panel(rows_of(regional, target=region), styles, axis=axis, legend=place == 0)
        data += traces
        told.append(f"{region}: {' '.join(sentences)}")
    more = f" {left_out} more regions are in the table of all results." if left_out > 0 else ""
    panels = {
        "titles": [plot_label(region) for region in regions], "share": True, "xTitle": "layer", "yTitle": axis_title(BRAIN_AXIS, 26),
        "x": {"dtick": _tick(regional, 5), "layeraxis": True}, "y": {"nticks": 4, "rangemode": "tozero"},
    }  # fmt: skip
    yield Figure(
        f"brain-regions-{key}",
        f"The same by region ({where}), mean over {people}; all panels share one scale.{more}",
        " ".join(told),
        data,
        {"panels": panels},
        dataset=where.partition(",")[0],
    )


def _tick(rows: pd.DataFrame, most: int = 12) -> int:
    return max(1, -(-int(rows["depth"].max()) // most)) if len(rows) else 1


def _scores(dataset: str, where: str, people: str, part: pd.DataFrame) -> SmallTable:
    rows = overall(part)
    raw = rows[~untrained(rows)]
    lines, models = [], []
    for (model,), mine in groups(raw, "model"):
        twin = by_layer(rows_of(rows[untrained(rows)], model=model))
        last = by_layer(rows_of(mine, metric="r")).tail(1)
        nested = rows_of(mine, layer="nested")
        score, share, best = (
            rows_of(nested, metric="r"), rows_of(nested, metric="r_normalised"), rows_of(mine, layer="best", metric="r"),
        )  # fmt: skip
        unique, scrambled = rows_of(nested, metric="unique_r2"), rows_of(nested, metric="r_surrogate")
        lines.append((
            model, _value(score), _interval(score), _column(score, "ceiling"), _value(share), _interval(share),
            _value(unique), _value(scrambled), _value(best), _value(last), _value(twin.tail(1)), _column(score, "n"),
        ))  # fmt: skip
        models.append(model)
    columns = (
        "model", "r, nested layer", "95% interval", "ceiling", "share of ceiling", "95% interval ", "unique r²",
        "surrogates (true: 0)", "best layer (optimistic)", "last layer", "untrained, last layer", "n",
    )  # fmt: skip
    kept = [0, *(i for i in range(1, len(columns)) if any(line[i] != "–" for line in lines))]
    return SmallTable(
        f"Brain scores over all regions ({where}). The nested layer was chosen without the stimuli it is scored on; the "
        f"best layer was chosen by its own score and is optimistic; n counts {people}.",
        tuple(columns[i] for i in kept),
        tuple(tuple(line[i] for i in kept) for line in lines),
        models=tuple(models),
        dataset=dataset,
    )


def _value(rows: pd.DataFrame) -> str:
    return number(rows["value"].iloc[0]) if len(rows) else "–"


def _interval(rows: pd.DataFrame) -> str:
    return interval(rows["ci_low"].iloc[0], rows["ci_high"].iloc[0]) if len(rows) else "–"


def _column(rows: pd.DataFrame, column: str) -> str:
    if not len(rows) or missing(rows[column].iloc[0]):
        return "–"
    value = rows[column].iloc[0]
    return str(int(value)) if column == "n" else number(value)


def _difference_blocks(setting: tuple[str, ...], pairs: pd.DataFrame, styles: dict[str, Style]) -> Iterator[Leaf]:
    where = ", ".join(part for part in setting if part)
    key = _key(setting)
    pairs = rows_of(pairs[~untrained(pairs)], metric="r") if len(pairs) else pairs
    if pairs.empty:
        return
    chosen = rows_of(pairs, layer="nested")
    chosen = chosen[~chosen["target"].isin(["median"]).to_numpy(dtype=bool)]
    if chosen["model"].nunique() > MOST_IN_A_ROW:  # a line a model; its regions are in the map and in the table
        chosen = rows_of(chosen, target=("mean", ""))
    if len(chosen):
        labels = ["all regions" if t in ("mean", "") else str(t) for t in chosen["target"].fillna("")]
        caption = f"What tuning changed in the brain score ({where}; layer chosen by nested cross-validation)."
        yield forest(
            f"brain-pairs-{key}",
            chosen,
            labels,
            styles,
            caption=caption,
            unit="r",
            reads=SCORE.reads,
            lines="region",
            dataset=setting[0],
        )
    layers = by_layer(rows_of(pairs, target=("mean", "")))
    if len(layers):
        layers["value"] = layers["difference"]
        layers["ceiling"] = pd.NA
        layers["mapping"] = layers["mapping"].astype("string")
        traces, told = _panel(layers, styles, axis="", legend=True)
        yield Figure(
            f"brain-change-{key}",
            f"What tuning changed at each layer ({where}): tuned {chr(0x2212)} base, with 95% intervals of the paired "
            "difference. Where a band holds 0, these data show no difference at that layer.",
            " ".join(told).replace("r =", "difference"),
            traces,
            {"xaxis": {"title": {"text": "layer"}, "dtick": _tick(layers), "layeraxis": True},
             "yaxis": {"title": {"text": f"tuned {chr(0x2212)} base (r), {SCORE.reads}"}, "zeroline": True, "zerolinewidth": 2},
             "height": 340},
            dataset=setting[0],
        )  # fmt: skip
