"""Text of models, data and people stays text: whatever it says, the page shows it and runs nothing."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from browser import Page
from page_study import FOREIGN, IN_NAME, IN_NOTES, IN_PROMPT, IN_RESPONSE, IN_WORD

from tuneshift.report.blocks.embedding import embedded_json


def test_markup_in_prompt_response_name_notes_and_words_runs_nothing(browser: Page, hostile_report: Path) -> None:
    page = browser.open(hostile_report)
    for section in page.sections():
        page.scroll_through(section)
    page.js("document.querySelector('.row-link').click()")
    assert page.js("return window.hacked") is None
    assert page.js("return document.querySelectorAll('img').length") == 0
    scripts = page.js("return [...document.querySelectorAll('script')].map((script) => script.type)")
    assert len([kind for kind in scripts if kind != "application/json"]) == 2  # plotly's and the page's own
    assert page.log() == []
    assert [url for url in page.requests() if not url.startswith(("data:", "blob:"))] == [hostile_report.as_uri()]


def test_such_text_is_shown_as_it_is_written(browser: Page, hostile_report: Path) -> None:
    page = browser.open(hostile_report)
    for section in ("prompts", "weights", "provenance"):
        page.scroll_through(section)
    assert IN_NAME in page.js("return document.querySelector('.overview').textContent")
    assert IN_NAME in page.js(
        "return document.querySelector('#brain figure .legend')?.textContent ?? document.querySelector('#filters').textContent"
    )
    assert IN_NOTES in page.js("return document.getElementById('provenance').textContent")
    assert IN_PROMPT in page.js("return document.querySelector('.prompt-words').textContent")
    tokens = "JSON.parse(document.getElementById('pictures-data-heat-maps').textContent)[0].responseTokens"
    assert IN_RESPONSE in page.js(f"return {tokens}.join('')")
    assert IN_WORD in page.js("return document.querySelector('.head-panel').textContent")
    assert IN_WORD in page.js("return document.querySelector('.card').textContent")


@pytest.mark.parametrize("text", FOREIGN)
def test_the_file_holds_no_foreign_text_as_markup(hostile_report: Path, text: str) -> None:
    page = hostile_report.read_text(encoding="utf-8")
    assert text not in page
    if text == IN_RESPONSE:
        return  # it is stored token by token
    assert html.escape(text) in page or embedded_json(text)[1:-1] in page
