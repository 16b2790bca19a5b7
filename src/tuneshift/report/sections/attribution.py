"""The section on prompts: which prompt words drive the response, and how much of that is the instruction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from tuneshift.compare import has_sensitivity, sensitivity
from tuneshift.findings.source import Cell
from tuneshift.report.blocks.embedding import plot_label
from tuneshift.report.blocks.figures import MOST_IN_A_ROW, Figure, Style, Trace, forest, interval_bars
from tuneshift.report.blocks.section import Block, Paragraph, Section, SmallTable
from tuneshift.report.sections.attribution_pictures import heat_maps
from tuneshift.result import Result
from tuneshift.vocabulary import ours
from tuneshift.vocabulary.selecting import floats, groups, names, overall, rows_of
from tuneshift.vocabulary.words import interval, number, text

_LEAD = (
    "Which words of a prompt drive the response, and how much of that is the instruction? Gradient × input of each "
    "response token's probability, normalised per response token, as levels 0 to 10."
)
FOLLOWED = ("followed_rate", "followed")
SCORE = ours().metric("attribution", "instruction_score")
SCORE_AXIS = SCORE.axis


def attribution_section(
    table: pd.DataFrame, pairs: pd.DataFrame, cells: Sequence[tuple[Cell, Result]], styles: dict[str, Style]
) -> Section:
    """Return the section on prompt attribution."""
    rows = rows_of(table, measurement="attribution")
    if rows.empty:
        return Section(
            "prompts", "Prompts", _LEAD, absent="No prompt attribution was made in this study.", question="prompts"
        )
    mine = [(cell, result) for cell, result in cells if cell.measurement == "attribution"]
    blocks: list[Block] = [*heat_maps(mine)]
    for (dataset,), part in groups(rows, "dataset"):
        blocks += _score_figures(dataset, part, styles)
        blocks += _score_table(dataset, part)
        chosen = rows_of(pairs, measurement="attribution", dataset=dataset, metric="instruction_score")
        chosen = chosen[_is_summary(chosen["target"])] if len(chosen) else chosen
        if len(chosen):
            labels = [_line(row) for _, row in chosen.iterrows()]
            caption = (
                f"What tuning changed in the instruction score ({dataset}), by the form of the prompt and by task. The "
                "sign may differ between forms and tasks; neither stands for the other."
            )
            blocks.append(
                forest(
                    f"prompts-pairs-{dataset}",
                    chosen,
                    labels,
                    styles,
                    caption=caption,
                    unit="score",
                    reads=SCORE.reads,
                    lines="task · form",
                    dataset=dataset,
                )
            )
    blocks += _test_tables(mine)
    blocks += _sensitivity_tables(mine)
    return Section("prompts", "Prompts", _LEAD, blocks, question="prompts")


def _is_summary(targets: pd.Series) -> pd.Series:  # type: ignore[type-arg]
    plain = targets.astype("string").fillna("")
    return plain.isin(("mean", "")) | plain.str.startswith("task:")


def _line(row: Any) -> str:
    target = text(row["target"])
    what = "all prompts" if target in ("mean", "") else target.removeprefix("task:")
    return f"{what} · {text(row['mapping'])}" if text(row["mapping"]) else what


def _score_figures(dataset: str, part: pd.DataFrame, styles: dict[str, Style]) -> Iterator[Figure]:
    """Draw the instruction score of every model, one group of marks a task, one figure a form."""
    rows = overall(rows_of(part, metric="instruction_score"), targets=False)
    rows = rows[_is_summary(rows["target"])]
    crowded = rows["model"].nunique() > MOST_IN_A_ROW
    if crowded:  # a line a model; its tasks are in the table of pairs
        rows = rows_of(rows, target=("mean", ""))
    for (form,), mine in groups(rows, "mapping"):
        traces: list[Trace] = []
        told = []
        for (model,), scores in groups(mine, "model"):
            style = styles[model]
            shown = [plot_label("all prompts" if t in ("mean", "") else t.removeprefix("task:"))
                     for t in scores["target"].fillna("").astype(str)]  # fmt: skip
            x, low, high = floats(scores["value"]), floats(scores["ci_low"]), floats(scores["ci_high"])
            counts = ["" if pd.isna(n) else f", n = {int(n)}" for n in scores["n"]]
            if crowded:
                shown = [plot_label(model)] * len(x)
            traces.append({
                "x": x, "y": shown, "mode": "markers", "orientation": "h", "name": plot_label(model), "meta": {"model": model},
                "marker": {"size": 8, "color": style.colour, "symbol": style.symbol},
                "error_x": interval_bars(x, low, high, style.colour, 1.4),
                "text": [f"{number(v)} [{interval(a, b)}]{n}" for v, a, b, n in zip(x, low, high, counts, strict=True)],
                "hovertemplate": f"%{{y}}<br>{plot_label(model)}: %{{text}}<extra></extra>",
            })  # fmt: skip
            told.append(f"{model}: " + ", ".join(f"{name} {number(v)}" for name, v in zip(shown, x, strict=True)) + ".")
        lines = len(traces) if crowded else len(names(mine["target"]))
        yield Figure(
            f"prompts-scores-{dataset}-{form}",
            f"Instruction score by task ({dataset}{f', {form} form' if form else ''}), mean over prompts with 95% bootstrap "
            "intervals. High: response tokens lean on the instruction's words.",
            " ".join(told),
            traces,
            {"height": 120 + (22 if crowded else max(34, 9 * len(traces))) * lines, "xaxis": {"title": {"text": SCORE_AXIS}},
             "yaxis": {"title": {"text": "model" if crowded else "task"}, "autorange": "reversed", "automargin": True, "type": "category"},
             **({} if crowded else {"scattermode": "group", "scattergap": 0.35}), "margin": {"l": 10}},
            dataset=dataset,
        )  # fmt: skip


def _score_table(dataset: str, part: pd.DataFrame) -> Iterator[SmallTable]:
    rows = overall(part)
    lines, models = [], []
    for (model, form), mine in groups(rows, "model", "mapping"):
        score, followed = rows_of(mine, metric="instruction_score"), rows_of(mine, metric=FOLLOWED)
        if score.empty and followed.empty:
            continue
        lines.append((model, form or "–", *_cells(score, 3), *_cells(followed, 2)))
        models.append(model)
    if lines:
        yield SmallTable(
            f"Instruction score and share of instructions followed ({dataset}). Whether an instruction was followed is "
            "decided by a program on the model's own answer.",
            ("model", "form", "instruction score", "95% interval", "prompts", "followed", "95% interval ", "answers"),
            tuple(lines),
            models=tuple(models),
            dataset=dataset,
        )


def _cells(rows: pd.DataFrame, digits: int) -> tuple[str, str, str]:
    if rows.empty:
        return "–", "–", "–"
    row = rows.iloc[0]
    n = "–" if pd.isna(row["n"]) else str(int(row["n"]))
    return number(row["value"], digits), interval(row["ci_low"], row["ci_high"], digits), n


def _test_tables(cells: Sequence[tuple[Cell, Result]]) -> Iterator[Block]:
    """Show the tests of followed against not followed, as results carry them in their details."""
    for cell, result in cells:
        lines = result.details.get("tests")
        if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
            continue
        lines = [line for line in lines if line.get("n_followed") and line.get("n_not")]
        if not lines:
            continue
        columns = tuple(dict.fromkeys(name for line in lines for name in line))
        form = text(cell.settings.get("form"))
        yield SmallTable(
            f"{cell.model}{f', {form} form' if form else ''}: instruction scores of followed against not followed prompts. "
            "“Within tasks” has an intercept for every task: tasks that are easy may lean on their text, not on the "
            "instruction, and must not be mixed blindly.",
            tuple(name.replace("_", " ") for name in columns),
            tuple(tuple(_plain(line.get(name)) for name in columns) for line in lines),
            models=(cell.model,) * len(lines),
        )


def _sensitivity_tables(cells: Sequence[tuple[Cell, Result]]) -> Iterator[Block]:
    """Show, for every pair and form, how tuned - base depends on the constants."""
    shown = False
    for cell, result in cells:
        pair = next((other for other in cells if _is_base(other[0], cell)), None) if cell.base_model else None
        if pair is None or not has_sensitivity(result) or not has_sensitivity(pair[1]):
            continue
        table = sensitivity(pair[1], result)
        if table.empty:
            continue
        shown = True
        form = text(cell.settings.get("form"))
        yield SmallTable(
            f"{cell.model} − {cell.base_model}{f', {form} form' if form else ''}: the difference in instruction score under "
            "other choices: whether the prompt's frame (beginning of sequence, blank line, chat template) counts, whether "
            "densities are divided by their maximum, threshold b and exponent p. Published: scaled, b = 7, p = 4. Welch's test "
            "asks one-sidedly whether tuned is above base, as published; the paired test is two-sided; “adjusted” holds "
            "lengths constant.",
            tuple(name.replace("_", " ") for name in table.columns),
            tuple(tuple(_plain(value) for value in row) for row in table.astype(object).itertuples(index=False)),
            models=(cell.model,) * len(table),
        )
    if not shown:
        yield Paragraph(
            "The instruction score depends on its constants and grows with the response's length: compare models on the "
            "same prompts and responses only, and read the difference together with the table of pairs."
        )


def _is_base(candidate: Cell, cell: Cell) -> bool:
    return candidate.model == cell.base_model and candidate.settings == cell.settings


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return number(value) if isinstance(value, float) else "–" if value is None else str(value)
