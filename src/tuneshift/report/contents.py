"""What stands in the report, in order: the summary, the sections, the tables, and what was run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.report.ability import ability_section
from tuneshift.report.across_models import across_models_section
from tuneshift.report.attribution import attribution_section
from tuneshift.report.brain import brain_section
from tuneshift.report.claims import Claim, claims
from tuneshift.report.data_table import data_table, without_single_participants
from tuneshift.report.figures import model_styles
from tuneshift.report.internals import internals_section
from tuneshift.report.layer_link import layer_link_section
from tuneshift.report.methods import Methods, methods, settings_by_kind
from tuneshift.report.overview import Overview, overview
from tuneshift.report.provenance import Provenance, provenance
from tuneshift.report.reading import reading_section
from tuneshift.report.section import Section
from tuneshift.report.selecting import by_layer, names
from tuneshift.report.source import Cell, Results
from tuneshift.report.summary import summary_sentences
from tuneshift.report.words import listed
from tuneshift.result import Result


@dataclass(frozen=True)
class Contents:
    """Everything that the page shows; `titles` are the titles of everything a link may lead to, by its key."""

    name: str
    about: str
    summary: list[Claim]
    overview: Overview | None
    sections: list[Section]
    tables: list[dict[str, Any]]
    titles: dict[str, str]
    models: list[str]
    data_sets: list[str]
    last_layer: int
    methods: Methods
    provenance: Provenance


def contents(results: Results) -> Contents:
    """Return the contents of a study's report."""
    table = results.table.reset_index(drop=True)
    pairs = results.pairs().reset_index(drop=True)
    links = results.layer_links().reset_index(drop=True)
    correlations = results.correlations().reset_index(drop=True)
    styles = model_styles(table)
    cells, damaged = _read(results)
    sections = [
        brain_section(table, pairs, cells, styles),
        reading_section(table, pairs, cells, styles),
        attribution_section(table, pairs, cells, styles),
        internals_section(table, cells, styles),
        layer_link_section(links, results.layer_link_points(), styles),
        ability_section(table),
        across_models_section(correlations, results.correlation_points(), styles),
    ]
    by_anchor = {"pair": pairs, "link": links, "correlation": correlations, "row": table}
    tables = _tables(by_anchor)
    layers = by_layer(table)
    titles = {section.key: section.title for section in sections} | {made["key"]: made["title"] for made in tables}
    return Contents(
        name=str(results.study.get("name", "study")),
        about=_about(table, results),
        summary=claims(summary_sentences(results), by_anchor),
        overview=overview(pairs),
        sections=sections,
        tables=tables,
        titles=titles | {"failures": "Failures", "provenance": "What was run"},
        models=names(table["model"]),
        data_sets=names(table["dataset"]),
        last_layer=int(layers["depth"].max()) if len(layers) else 0,
        methods=methods(table, settings_by_kind(cells), links),
        provenance=provenance(results, table, damaged),
    )


def _tables(by_anchor: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the long tables that hold anything; the table of all results is always there."""
    kept, note = without_single_participants(by_anchor["row"])
    lead = f"Every number of the study, one row a number; the same table lies beside this page as results.csv. {note}"
    wanted = (
        ("pairs", "pair", "Table of pairs", "Every tuned model against its own base, one row a number that both have."),
        (
            "links",
            "link",
            "Table of layer links",
            "Change inside against change in brain score, over layers; partial: given depth.",
        ),
        ("correlations", "correlation", "Table of correlations", "Scores against size and abilities, over models."),
        ("results", "row", "Table of all results", lead.strip()),
    )
    made = []
    for key, anchor, title, said in wanted:
        rows = kept if anchor == "row" else by_anchor[anchor]
        if len(rows) or anchor == "row":
            made.append(data_table(key, anchor, title, rows) | {"title": title, "lead": said})
    return made


def _about(table: pd.DataFrame, results: Results) -> str:
    models, data_sets = names(table["model"]), names(table["dataset"])
    tuned = len(names(table.loc[table["tuned"].fillna(False).to_numpy(dtype=bool), "model"]))
    parts = [
        f"{len(models)} {'model' if len(models) == 1 else 'models'}" + (f", {tuned} of them tuned" if tuned else ""),
        f"{len(results.cells)} {'measurement' if len(results.cells) == 1 else 'measurements'}",
    ]
    if data_sets:
        parts.append(f"on {listed(data_sets)}" if len(data_sets) < 5 else f"on {len(data_sets)} data sets")
    return f"{', '.join(parts[:1])}; {' '.join(parts[1:])}; {len(table):,} numbers."


def _read(results: Results) -> tuple[list[tuple[Cell, Result]], list[str]]:
    """Return the cells with their results, and a sentence for each whose files are damaged."""
    cells, damaged = [], []
    for cell in results.cells:
        try:
            cells.append((cell, cell.result))
        except BadInput as error:
            damaged.append(str(error))
    return cells, damaged
