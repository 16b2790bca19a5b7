"""The section on reading: times against surprisal, scores of each model, differences from tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import xarray as xr

from tuneshift.findings.people import is_simulated
from tuneshift.findings.source import Cell
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import NEUTRAL, Figure, Style, Trace, forest
from tuneshift.report.blocks.section import Block, Paragraph, Section, SmallTable
from tuneshift.result import Result
from tuneshift.vocabulary import ours
from tuneshift.vocabulary.selecting import groups, overall, rows_of
from tuneshift.vocabulary.words import interval, metric_name, number, text

_LEAD = (
    "Does a word that surprises the model slow readers down? Surprisal is the negative log probability of a word given "
    "the words before it, in bits."
)
_SHOWN = ("pearson_r", "delta_ll")


def reading_section(
    table: pd.DataFrame, pairs: pd.DataFrame, cells: Sequence[tuple[Cell, Result]], styles: dict[str, Style]
) -> Section:
    """Return the section on reading alignment; `cells` are the finished cells with their results."""
    rows = rows_of(table, measurement="reading")
    if rows.empty:
        return Section(
            "reading", "Reading", _LEAD, absent="No reading measurement was made in this study.", question="reading"
        )
    blocks: list[Block] = []
    for (dataset,), part in groups(rows, "dataset"):
        people = "simulated readers" if is_simulated(dataset) else "readers"
        mine = [(cell, result) for cell, result in cells if cell.fingerprint in set(part["fingerprint"].dropna())]
        blocks += _times_figure(dataset, people, mine, styles)
        blocks += _scores(dataset, part)
        blocks += _read_at_all(mine)
        blocks += _lag_figure(dataset, mine, styles)
        blocks += _pair_figures(dataset, rows_of(pairs, measurement="reading", dataset=dataset), styles)
    return Section("reading", "Reading", _LEAD, blocks, question="reading")


def _times_figure(
    dataset: str, people: str, cells: Sequence[tuple[Cell, Result]], styles: dict[str, Style]
) -> Iterator[Figure]:
    traces: list[Trace] = []
    told, unit = [], "ms"
    for cell, result in _once_a_model(cells, "binned_time"):
        means: xr.DataArray = result.arrays["binned_time"]
        unit = str(means.attrs.get("unit", unit))
        x, y = means["surprisal"].values.astype(float).tolist(), means.values.astype(float).tolist()
        errors = (1.96 * means["standard_error"].values.astype(float)).tolist()
        counts = means["n"].values.astype(int).tolist()
        style = styles[cell.model]
        traces.append({
            "x": x, "y": y, "mode": "lines+markers", "name": plot_label(cell.model), "meta": {"model": cell.model},
            "line": {"color": style.colour, "width": 1.8, "dash": style.dash},
            "marker": {"symbol": style.symbol, "size": 6},
            "error_y": {"type": "data", "array": errors, "color": style.colour, "thickness": 1, "width": 0},
            "text": [f"{number(t, 1)} {unit} ± {number(e, 1)}, {n} words"
                     for t, e, n in zip(y, errors, counts, strict=True)],
            "hovertemplate": f"{plot_label(cell.model)}<br>%{{x:.1f}} bits: %{{text}}<extra></extra>",
        })  # fmt: skip
        told.append(
            f"{cell.model}: mean time {number(y[0], 1)} {unit} at {number(x[0], 1)} bits, {number(y[-1], 1)} {unit} at "
            f"{number(x[-1], 1)} bits."
        )
    if traces:
        yield Figure(
            f"reading-times-{dataset}",
            f"Reading time against surprisal ({dataset}). Each mark is the mean over words of similar surprisal (bins of "
            f"equal count), times averaged over {people}; bars are 95% intervals of that mean over words (± 1.96 standard errors).",
            " ".join(told),
            traces,
            {"xaxis": {"title": {"text": "surprisal (bits)"}, "rangemode": "tozero"},
             "yaxis": {"title": {"text": f"reading time ({unit})"}}, "height": 420},
            dataset=dataset,
        )  # fmt: skip


def _lag_figure(dataset: str, cells: Sequence[tuple[Cell, Result]], styles: dict[str, Style]) -> Iterator[Figure]:
    traces: list[Trace] = []
    told = []
    for cell, result in _once_a_model(cells, "lag_r"):
        profile = result.arrays["lag_r"]
        lags, y = profile["lag"].values.astype(int).tolist(), profile.values.astype(float).tolist()
        style = styles[cell.model]
        traces.append({
            "x": lags, "y": y, "mode": "lines+markers", "name": plot_label(cell.model), "meta": {"model": cell.model},
            "line": {"color": style.colour, "width": 1.8, "dash": style.dash},
            "marker": {"symbol": style.symbol, "size": 7},
            "hovertemplate": f"{plot_label(cell.model)}<br>lag %{{x}}: r = %{{y:.3f}}<extra></extra>",
        })  # fmt: skip
        told.append(
            f"{cell.model}: " + ", ".join(f"lag {k} r = {number(v)}" for k, v in zip(lags, y, strict=True)) + "."
        )
    if traces:
        yield Figure(
            f"reading-lags-{dataset}",
            f"A check that words and times are in step ({dataset}): correlation of reading time with the surprisal of the "
            "word so many places before it. A peak away from 0 and 1 would say that texts and times are shifted.",
            " ".join(told),
            traces,
            {"xaxis": {"title": {"text": "lag (words)"}, "dtick": 1}, "yaxis": {"title": {"text": "correlation with reading time (r)"}, "zeroline": True,
             "zerolinecolor": NEUTRAL}, "height": 320},
            dataset=dataset,
        )  # fmt: skip


def _read_at_all(cells: Sequence[tuple[Cell, Result]]) -> Iterator[Paragraph]:
    """Say of each model how well it reads the text, against a guess with equal chances for every token."""
    told = []
    for cell, result in cells:
        if "sanity" in result.details:
            start = result.details.get("start_token")
            before = f", behind {start}" if start else ""
            told.append(f"{cell.model}: {result.details['sanity']}{before}")
    if told:
        yield Paragraph(f"Does each model read the text at all? {'. '.join(dict.fromkeys(told))}.")


def _once_a_model(cells: Sequence[tuple[Cell, Result]], array: str) -> Iterator[tuple[Cell, Result]]:
    """Yield the first cell of each model that holds the array: several seeds or forms would overdraw one another."""
    seen = set()
    for cell, result in cells:
        if cell.model not in seen and array in result.arrays:
            seen.add(cell.model)
            yield cell, result


def _scores(dataset: str, part: pd.DataFrame) -> Iterator[SmallTable]:
    rows = overall(rows_of(part, metric=(*_SHOWN, "pearson_r_normalised")))
    lines, models = [], []
    for (model, mapping, _), mine in groups(rows, "model", "mapping", "fingerprint"):
        cells = [model, mapping]
        for metric in (*_SHOWN[:1], "pearson_r_normalised", *_SHOWN[1:]):
            found = rows_of(mine, metric=metric)
            cells += _cells(found, 2 if metric == "delta_ll" else 3, interval_too=metric in _SHOWN)
        words = rows_of(mine, metric="pearson_r")["n"].dropna()
        lines.append((*cells, f"{int(words.iloc[0]):,}" if len(words) else "–"))
        models.append(model)
    columns = (
        "model", "surprisal", "Pearson r", "95% interval", "share of ceiling", "ΔLL, nats × 1000 a word", "95% interval ",
        "words",
    )  # fmt: skip
    kept = [0, 1, *(i for i in range(2, len(columns)) if any(line[i] != "–" for line in lines))]
    if lines:
        yield SmallTable(
            f"Reading scores ({dataset}). ΔLL is what surprisal adds to the log-likelihood of a regression that already "
            "knows length, frequency and position of this word and of those before it, on held-out text. “Corrected” "
            "surprisal counts a word's end to the word; “plain” is the sum over its tokens.",
            tuple(columns[i] for i in kept),
            tuple(tuple(line[i] for i in kept) for line in lines),
            models=tuple(models),
            dataset=dataset,
        )


def _cells(rows: pd.DataFrame, digits: int, *, interval_too: bool) -> list[str]:
    if rows.empty:
        return ["–", "–"] if interval_too else ["–"]
    row = rows.iloc[0]
    cells = [number(row["value"], digits)]
    return [*cells, interval(row["ci_low"], row["ci_high"], digits)] if interval_too else cells


def _pair_figures(dataset: str, pairs: pd.DataFrame, styles: dict[str, Style]) -> Iterator[Figure]:
    for metric in _SHOWN:
        rows = rows_of(pairs, metric=metric, target=("mean", ""))
        if rows.empty:
            continue
        labels = [f"{text(row['mapping'])} surprisal" for _, row in rows.iterrows()]
        yield forest(
            f"reading-pairs-{dataset}-{metric}",
            rows,
            labels,
            styles,
            caption=f"What tuning changed in the {metric_name('reading', metric)} ({dataset}).",
            unit=text(rows["unit"].iloc[0]) or metric,
            reads=ours().metric("reading", metric).reads,
            lines="surprisal",
            dataset=dataset,
        )
