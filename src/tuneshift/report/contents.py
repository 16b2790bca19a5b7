"""What stands in the report, in order: the summary, the sections, the tables, and what was run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuneshift.errors import BadInput
from tuneshift.report.ability import ability_section
from tuneshift.report.across_models import across_models_section
from tuneshift.report.attribution import attribution_section
from tuneshift.report.brain import brain_section
from tuneshift.report.data_table import data_table, without_single_participants
from tuneshift.report.figures import model_styles
from tuneshift.report.internals import internals_section
from tuneshift.report.layer_link import layer_link_section
from tuneshift.report.methods import Methods, methods, settings_by_kind
from tuneshift.report.provenance import Provenance, provenance
from tuneshift.report.reading import reading_section
from tuneshift.report.section import Section
from tuneshift.report.selecting import names
from tuneshift.report.source import Cell, Results
from tuneshift.report.summary import Sentence, summary_sentences
from tuneshift.result import Result


@dataclass(frozen=True)
class Contents:
    """Everything that the page shows."""

    name: str
    summary: list[Sentence]
    sections: list[Section]
    tables: list[dict[str, Any]]
    table_note: str
    models: list[str]
    data_sets: list[str]
    methods: Methods
    provenance: Provenance


def contents(results: Results) -> Contents:
    """Return the contents of a study's report."""
    table = results.table.reset_index(drop=True)
    pairs = results.pairs().reset_index(drop=True)
    styles = model_styles(table)
    cells, damaged = _read(results)
    sections = [
        brain_section(table, pairs, styles),
        reading_section(table, pairs, cells, styles),
        attribution_section(table, pairs, cells, styles),
        internals_section(table, cells, styles),
        ability_section(table),
        across_models_section(results.correlations(), results.correlation_points(), styles),
        layer_link_section(results.layer_links()),
    ]
    kept, note = without_single_participants(table)
    tables = [
        data_table("pairs", "pair", "Every tuned model against its own base, one row a number.", pairs),
        data_table("results", "row", "Every number of the study, one row a number (the long table).", kept),
    ]
    return Contents(
        name=str(results.study.get("name", "study")),
        summary=summary_sentences(results),
        sections=sections,
        tables=tables,
        table_note=note,
        models=names(table["model"]),
        data_sets=names(table["dataset"]),
        methods=methods(table, settings_by_kind(results.cells)),
        provenance=provenance(results, table, damaged),
    )


def _read(results: Results) -> tuple[list[tuple[Cell, Result]], list[str]]:
    """Return the cells with their results, and a sentence for each whose files are damaged."""
    cells, damaged = [], []
    for cell in results.cells:
        try:
            cells.append((cell, cell.result))
        except BadInput as error:
            damaged.append(str(error))
    return cells, damaged
