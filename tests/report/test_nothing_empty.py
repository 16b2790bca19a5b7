"""A table without a row and a figure without a mark are no part of the page."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import pytest

from tuneshift.report import write_report
from tuneshift.report.blocks.figures import Figure
from tuneshift.report.blocks.section import Fold, Paragraph, Section, SmallTable, folded, unfolded, without_empty
from tuneshift.report.page import contents as page_contents
from tuneshift.report.page.contents import Contents, contents
from tuneshift.report.page.provenance import provenance
from tuneshift.study import StudyResults
from tuneshift.study.cell import SCHEMA
from tuneshift.study.index import StudyIndex

NOTHING = (SmallTable("Correlations with 0 models.", ("score", "r"), ()), Figure("none", "No curve.", "", []))


def small_tables(made: Contents) -> list[SmallTable]:
    blocks = [block for section in made.sections for block in unfolded(section.blocks)]
    return [block for block in (*blocks, *made.provenance.tables) if isinstance(block, SmallTable)]


@pytest.mark.parametrize("study", ["results", "many_results"])
def test_every_table_of_a_report_has_rows(study: str, request: pytest.FixtureRequest) -> None:
    made = contents(request.getfixturevalue(study))
    assert len(small_tables(made)) > 5
    assert [table.caption for table in small_tables(made) if not table.rows] == []
    assert [table["title"] for table in made.tables if not table["ids"]] == []


def test_what_a_section_has_no_rows_for_is_left_out(results: StudyResults, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [*NOTHING, Paragraph("Kept.")]
    monkeypatch.setattr(page_contents, "brain_section", lambda *_: Section("brain", "Brains", "Lead.", blocks))
    brains = next(section for section in contents(results).sections if section.key == "brain")
    assert brains.blocks == [Paragraph("Kept.")]


def test_a_fold_loses_what_is_empty_and_goes_where_nothing_is_left() -> None:
    half, none = Fold("half", "Half", (*NOTHING, Paragraph("Kept."))), Fold("none", "None", NOTHING)
    assert without_empty([none, half]) == [Fold("half", "Half", (Paragraph("Kept."),))]


def test_the_first_fold_that_holds_anything_is_the_open_one() -> None:
    filled = [Fold(key, key, (Paragraph(key),)) for key in "ab"]
    shown = folded([Fold("none", "None", NOTHING), *filled], crowded=True)
    assert [(fold.key, fold.opened) for fold in shown if isinstance(fold, Fold)] == [("a", True), ("b", False)]


def test_a_study_without_versions_has_no_table_of_versions(results: StudyResults) -> None:
    def captions(of: StudyResults) -> list[str]:
        return [table.caption for table in provenance(of, of.table).tables]

    assert captions(results) == ["Models.", "Data sets.", "Versions."]
    without = copy(results)
    without.study = {key: value for key, value in results.study.items() if key != "versions"}
    assert captions(without) == ["Models.", "Data sets."]


def test_a_study_that_measured_nothing_has_a_page_without_tables_of_results(
    results: StudyResults, tmp_path: Path
) -> None:
    (tmp_path / "study.yaml").write_text((results.folder / "study.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    StudyIndex((), SCHEMA.empty_table()).write(tmp_path)
    none = StudyResults.load(tmp_path)
    page = write_report(none, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Nothing has been measured yet." in page
    assert "Table of all results" not in page
