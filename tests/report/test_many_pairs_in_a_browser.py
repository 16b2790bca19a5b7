"""A page of nine pairs in a browser: small panels, folds that the filter unfolds, and a map whose rows the filter takes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks._large_study import Size, make_large_study
from browser import Page

from tuneshift.report import write_report
from tuneshift.study import StudyResults

TALLEST = 8000


@pytest.fixture(scope="module")
def nine_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_large_study(tmp_path_factory.mktemp("nine") / "s", Size(pairs=9, recordings=2, layers=9, people=3))
    return write_report(StudyResults.load(folder), folder / "report.html")


def test_the_data_set_that_is_asked_for_is_unfolded_and_the_other_is_hidden(page: Page, nine_pairs: Path) -> None:
    page.open(nine_pairs, folded=True)
    page.js("document.querySelector('#question-brains > details').open = true")
    state = "return [...document.querySelectorAll('#brain > .fold')].map((f) => [f.dataset.dataset, f.open, f.hidden])"
    assert page.js(state) == [["simulated_dawn", True, False], ["simulated_noon", False, False]]
    page.js(
        "const box = document.querySelector('#filters select'); box.value = 'simulated_noon'; box.dispatchEvent(new Event('change'))"
    )
    assert page.js(state) == [["simulated_dawn", True, True], ["simulated_noon", True, False]]


def test_a_hidden_models_row_leaves_the_map_and_the_row_of_all_pairs_stays(page: Page, nine_pairs: Path) -> None:
    page.open(nine_pairs)
    page.scroll_through("link")
    rows = "return document.querySelector('[data-figure=link-map-0]').data[0].y"
    before = page.js(rows)
    assert len(before) == 10
    page.js(
        "[...document.querySelectorAll('.menu .check')].find((l) => l.textContent === arguments[0]).querySelector('input').click()",
        before[1],
    )
    page.wait(lambda: page.js(rows) == [before[0], *before[2:]], "the row is gone")
    marks = page.js(
        "const [t] = document.querySelector('[data-figure=link-map-0]').data; return [t.z.length, t.text.length]"
    )
    assert marks == [9, 9]


def test_no_question_is_many_screens_tall_and_small_panels_stand_in_even_rows(page: Page, nine_pairs: Path) -> None:
    page.open(nine_pairs, folded=True)
    for question in ("question-brains", "question-inside"):
        page.js("document.querySelector(`#${arguments[0]} > details`).open = true", question)
        height = page.js("return document.getElementById(arguments[0]).offsetHeight", question)
        assert 1000 < height < TALLEST, question
        page.js("document.querySelector(`#${arguments[0]} > details`).open = false", question)
    page.open(nine_pairs)
    page.scroll_through("weights")
    lefts = page.js(
        "const { layout } = document.querySelector('[data-figure=weights-overlap]');"
        "return Object.keys(layout).filter((k) => /^xaxis/.test(k)).map((k) => layout[k].domain[0].toFixed(3))"
    )
    assert len(lefts) == 8
    assert sorted(lefts) == sorted([*set(lefts)] * 2), "two rows of four"


def test_long_tables_scroll_where_models_are_many_and_stand_whole_where_they_are_few(
    page: Page, nine_pairs: Path, report: Path
) -> None:
    tall = (
        "return [...document.querySelectorAll('.scroll.long')].map((s) => [s.querySelectorAll('tbody tr').length,"
        "s.scrollHeight > s.clientHeight + 1])"
    )
    for file, scrolls in ((nine_pairs, True), (report, False)):
        page.open(file)
        found = page.js(tall)
        assert found
        assert all(rows > 16 and is_scrolled == scrolls for rows, is_scrolled in found)
