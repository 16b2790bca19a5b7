"""Filters act on the whole page, tables sort, and what is saved is really written."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from browser import Page
from page_study import BASE, TUNED
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tuneshift.study import StudyResults


def column(page: Page, table: str, name: str) -> list[str]:
    return page.js(
        "const table = document.querySelector(arguments[0]);"
        "const place = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === arguments[1]);"
        "return [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[place].textContent.trim())",
        table,
        name,
    )


def figures_follow(page: Page) -> None:
    """The page answers first, its figures a moment later."""
    page.wait(lambda: page.js("return document.documentElement.dataset.figures !== 'waiting'"), "the figures are drawn")


def shown_traces(page: Page, figure: str) -> list[str]:
    figures_follow(page)
    return page.js(
        "return document.querySelector(`[data-figure='${arguments[0]}']`).data.filter((t) => t.visible !== false).map((t) => t.meta?.model ?? '')",
        figure,
    )


def hide(page: Page, model: str) -> None:
    page.js("document.querySelector('.dropdown').open = true")
    for label in page.driver.find_elements("css selector", ".menu .check"):
        if label.text == model:
            label.find_element("tag name", "input").click()
    page.js("document.querySelector('.dropdown').open = false")


def test_a_hidden_model_leaves_figures_and_tables_and_comes_back(page: Page) -> None:
    page.scroll_through("brain")
    figure = page.js("return document.querySelector('#brain .plot').dataset.figure")
    assert set(shown_traces(page, figure)) == {BASE, TUNED, ""}
    hide(page, BASE)
    assert set(shown_traces(page, figure)) == {TUNED, ""}
    assert set(column(page, "#table-results table", "model")) == {TUNED}
    assert BASE not in column(page, "#brain table.small", "model")
    page.driver.find_element("id", "filter-reset").click()
    assert set(shown_traces(page, figure)) == {BASE, TUNED, ""}
    assert BASE in column(page, "#brain table.small", "model")


def test_a_data_set_alone_hides_the_figures_of_others(page: Page) -> None:
    select = page.driver.find_element("css selector", "#filters select")
    Select(select).select_by_value("simulated_reading")
    assert page.js("return document.querySelector('#brain figure').hidden")
    assert not page.js("return document.querySelector('#reading figure').hidden")
    assert set(column(page, "#table-results table", "data set")) == {"simulated_reading"}


def test_layers_are_cut_in_tables_and_figures(page: Page) -> None:
    page.scroll_through("brain")
    first, last = page.driver.find_elements("css selector", "#filters input[type=number]")
    first.send_keys("2" + Keys.TAB)
    last.send_keys("3" + Keys.TAB)
    layers = {layer for layer in column(page, "#table-results table", "layer") if layer.isdigit()}
    assert {"2"} <= layers <= {"2", "3"}  # of the first page of rows
    figures_follow(page)
    shown = page.js("return document.querySelector('#brain .plot').layout.xaxis.range")
    assert shown == [1.6, 3.4]


def test_tables_sort_both_ways_and_back(page: Page) -> None:
    for table, name in (("#table-results table", "value"), ("#weights table.small", "layer")):
        before = column(page, table, name)
        button = page.js(
            "return [...document.querySelectorAll(arguments[0] + ' thead .sort')].find((b) => b.textContent.trim() === arguments[1])",
            table,
            name,
        )
        page.js("arguments[0].scrollIntoView({ block: 'center' })", button)
        for order in (1, -1):
            button.click()
            numbers = [float(v.replace("\u2212", "-").replace(",", "")) for v in column(page, table, name) if v]
            assert numbers == sorted(numbers, reverse=order < 0)
            header = page.js("return arguments[0].closest('th').getAttribute('aria-sort')", button)
            assert header == ("ascending" if order > 0 else "descending")
        button.click()
        assert column(page, table, name) == before


def test_a_search_finds_rows_and_says_how_many(page: Page) -> None:
    field = page.driver.find_element("css selector", "#table-results input[type=search]")
    field.send_keys("head_overlap")
    page.wait(lambda: set(column(page, "#table-results table", "metric")) == {"head_overlap"}, "the rows are found")
    assert "of 5 (" in page.driver.find_element("css selector", "#table-results .pager .status").text


def test_the_saved_table_holds_every_row_of_the_study(page: Page, results: StudyResults) -> None:
    [button] = [
        b
        for b in page.driver.find_elements("css selector", "#table-results button")
        if b.text == "Save these rows as CSV"
    ]
    page.js("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()
    rows = list(csv.DictReader(io.StringIO(page.downloaded("results.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == len(results.table)
    values = [float(row["value"]) for row in rows if row["value"]]
    expected = results.table["value"].dropna().astype(float).tolist()
    assert max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(values, expected, strict=True)) < 1e-6


def test_a_figure_is_saved_as_picture_drawing_and_numbers(page: Page) -> None:
    page.scroll_through("brain")
    buttons = page.driver.find_elements("css selector", "#brain figure .figure-buttons button")[:3]
    page.js("arguments[0].scrollIntoView({ block: 'center' })", buttons[0])
    for button in buttons:
        button.click()
    assert page.downloaded(".png").read_bytes().startswith(b"\x89PNG")
    drawing = page.downloaded(".svg").read_text(encoding="utf-8")
    assert "<svg" in drawing
    assert TUNED in drawing
    rows = list(csv.DictReader(io.StringIO(page.downloaded(".csv").read_text(encoding="utf-8-sig"))))
    assert {row["series"] for row in rows} >= {BASE, TUNED, "noise ceiling"}
    assert all(float(row["low"]) <= float(row["y"]) <= float(row["high"]) for row in rows if row["low"])


def test_small_tables_are_saved_too(page: Page) -> None:
    button = page.driver.find_element("css selector", "#brain .table-buttons button")
    page.js("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()
    text: Path = page.downloaded(".csv")
    assert BASE in text.read_text(encoding="utf-8-sig")
