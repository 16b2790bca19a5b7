"""What stands in the report, in order: the summary, the sections, the tables, and what was run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.findings.by_section import section_sentences
from tuneshift.findings.cautions import cautions
from tuneshift.findings.source import Cell, Results
from tuneshift.report.blocks.figures import model_styles
from tuneshift.report.blocks.many_models import kin_of, spread
from tuneshift.report.blocks.section import Section, redrawn, without_empty
from tuneshift.report.page.claims import Claim, claims, finding_claims
from tuneshift.report.page.data_table import data_table, light
from tuneshift.report.page.overview import Overview, overview
from tuneshift.report.page.provenance import Provenance, provenance
from tuneshift.report.sections.ability import ability_section
from tuneshift.report.sections.across_models import across_models_section
from tuneshift.report.sections.attribution import attribution_section
from tuneshift.report.sections.brain import brain_section
from tuneshift.report.sections.internals import internals_section
from tuneshift.report.sections.layer_link import layer_link_section
from tuneshift.report.sections.methods import Methods, methods, settings_by_kind
from tuneshift.report.sections.other import other_sections
from tuneshift.report.sections.reading import reading_section
from tuneshift.report.sections.trajectories import trajectory_sections
from tuneshift.result import Result
from tuneshift.vocabulary import QUESTIONS
from tuneshift.vocabulary.selecting import by_layer, names
from tuneshift.vocabulary.words import listed

_ELSEWHERE = {
    "row": "results.csv", "pair": "Python's results.pairs()", "link": "results.layer_links()", "correlation": "results.correlations()",
}  # fmt: skip
"""Where the rows of a table are that the page is too small for."""


@dataclass(frozen=True)
class Question:
    """A question of the report: its sections, and the findings on it that are not on the first screen."""

    key: str
    title: str
    findings: list[Claim]
    sections: list[tuple[Section, list[Claim]]]

    @property
    def absent(self) -> bool:
        """Whether nothing was measured for it."""
        return all(section.absent for section, _ in self.sections)


@dataclass(frozen=True)
class Contents:
    """Everything that the page shows; `titles` are the titles of everything a link may lead to, by its key."""

    name: str
    about: str
    cautions: tuple[str, ...]
    findings: list[Claim]
    count: str
    overview: Overview | None
    questions: list[Question]
    tables: list[dict[str, Any]]
    titles: dict[str, str]
    models: list[str]
    data_sets: list[str]
    last_layer: int
    methods: Methods
    provenance: Provenance

    @property
    def sections(self) -> list[Section]:
        """Every section, in order."""
        return [section for question in self.questions for section, _ in question.sections]


def contents(results: Results) -> Contents:
    """Return the contents of a study's report."""
    vocabulary = results.vocabulary
    table = results.table.reset_index(drop=True)
    pairs = results.pairs().reset_index(drop=True)
    links = results.layer_links().reset_index(drop=True)
    correlations = results.correlations().reset_index(drop=True)
    # Sections, cautions and methods speak of all participants together; of a million rows these are a tenth.
    told = table[_over_people(table)]
    styles = model_styles(table)
    kin = kin_of(table)
    cells, damaged = _read(results)
    sections = [
        *trajectory_sections(told, pairs, results.runs, vocabulary),
        brain_section(told, pairs, cells, styles),
        reading_section(told, pairs, cells, styles),
        attribution_section(told, pairs, cells, styles),
        internals_section(told, cells, styles),
        layer_link_section(links, results.layer_link_points(), styles),
        *other_sections(told, pairs, styles, vocabulary),
        ability_section(told),
        across_models_section(correlations, results.correlation_points(), styles, vocabulary),
    ]
    sections = [
        replace(
            section,
            blocks=[redrawn(block, lambda figure: spread(figure, kin)) for block in without_empty(section.blocks)],
        )
        for section in sections
    ]
    by_anchor = {"pair": pairs, "link": links, "correlation": correlations, "row": table}
    found = results.found
    said = section_sentences(results)
    questions = []
    for key, title in QUESTIONS.items():
        mine = [section for section in sections if section.question == key]
        if mine:
            more = [finding for finding in found.all if finding.question == key and finding not in found.first]
            questions.append(Question(
                f"question-{key}", title, finding_claims(more, by_anchor, vocabulary),
                [(section, claims([s for s in said if s.topic == section.key], by_anchor, vocabulary)) for section in mine],
            ))  # fmt: skip
    glance = overview(pairs, vocabulary)
    cited = _cited([*(finding.rows for finding in found.all), *(sentence.rows for sentence in said)], glance)
    tables = _tables(by_anchor, cited)
    layers = by_layer(told)
    titles = {section.key: section.title for section in sections} | {made["key"]: made["title"] for made in tables}
    return Contents(
        name=str(results.study.get("name", "study")),
        about=_about(table, results),
        cautions=(*cautions(told, results.study, results.runs), *_failed(results)),
        findings=finding_claims(found.first, by_anchor, vocabulary),
        count=found.count,
        overview=glance,
        questions=questions,
        tables=tables,
        titles=titles | {f"question-{key}": title for key, title in QUESTIONS.items()},
        models=names(table["model"]),
        data_sets=names(table["dataset"]),
        last_layer=int(layers["depth"].max()) if len(layers) else 0,
        methods=methods(told, settings_by_kind(cells), links, vocabulary),
        provenance=provenance(results, told, damaged),
    )


def _failed(results: Results) -> list[str]:
    n = len(results.failures)
    return [f"{n} {'measurement' if n == 1 else 'measurements'} failed; see Failures."] if n else []


def _over_people(table: pd.DataFrame) -> np.ndarray:
    """Whether each row is over all participants, or of none."""
    return (table["participant"].isna() | table["participant"].isin(["mean", "median", ""])).to_numpy(dtype=bool)


def _cited(anchors: Iterable[Sequence[str]], glance: Overview | None) -> dict[str, set[int]]:
    """Return the rows that some sentence or cell leads to, by the first part of their anchors."""
    cells = [cell.anchor for _, _, line in (glance.lines if glance else ()) for cell in line if cell]
    cited: dict[str, set[int]] = {}
    for anchor in [*(anchor for rows in anchors for anchor in rows), *cells]:
        name, _, row = anchor.rpartition("-")
        cited.setdefault(name, set()).add(int(row))
    return cited


def _tables(by_anchor: dict[str, pd.DataFrame], cited: dict[str, set[int]]) -> list[dict[str, Any]]:
    """Return the long tables that hold anything."""
    lead = "Every number of the study, one row a number; the same table lies beside this page as results.csv."
    wanted = (
        ("pairs", "pair", "Table of pairs", "Every tuned model against its own base, one row a number that both have."),
        (
            "links",
            "link",
            "Table of layer links",
            "Change inside against change in brain score, over layers; partial: given depth.",
        ),
        ("correlations", "correlation", "Table of correlations", "Scores against size and abilities, over models."),
        ("results", "row", "Table of all results", lead),
    )
    made = []
    for key, anchor, title, said in wanted:
        rows, note = light(by_anchor[anchor], cited.get(anchor, set()), _ELSEWHERE[anchor])
        if len(rows):
            made.append(data_table(key, anchor, title, rows) | {"title": title, "lead": f"{said} {note}".strip()})
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
