"""Every sentence of the summary leads to the rows that carry it, and the rows say the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

from browser import Page

COUNTED = ("No evidence that layers",)
"""Sentences that count rows instead of citing their values."""
VALUE_OF = {"pair": "difference", "row": "value", "link": "partial r", "correlation": "Pearson r"}


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", "").lstrip("+"))


def numbers_in(sentence: str) -> set[str]:
    return set(re.findall(r"[\u2212-]?\d[\d,]*(?:\.\d+)?(?:e[\u2212-]?\d+)?", sentence))


def value_of_row(page: Page, anchor: str) -> str:
    """The value of a marked row, read where a reader reads it."""
    return page.js(
        "const row = document.getElementById(arguments[0]); const table = row.closest('table');"
        "const place = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === arguments[1]);"
        "return row.cells[place].textContent",
        anchor,
        VALUE_OF[anchor.partition("-")[0]],
    )


def follow(page: Page, link) -> str:
    anchor = link.get_attribute("href").rpartition("#")[2]
    page.js("arguments[0].scrollIntoView({ block: 'center' })", link)
    link.click()
    return anchor


def test_every_claim_is_followed_to_its_rows_and_their_values_are_those_of_the_sentence(page: Page) -> None:
    claims = page.driver.find_elements("css selector", ".claim")
    assert len(claims) > 8
    followed = 0
    for claim in claims:
        sentence = claim.find_element("css selector", ".claim-text").text
        said = numbers_in(sentence)
        for link in claim.find_elements("css selector", ".row-link"):
            label = link.text
            anchor = follow(page, link)
            kind, _, ids = anchor.partition("-")
            marked = page.js("return [...document.querySelectorAll('tr.found')].map((row) => row.id)")
            assert set(marked) == {f"{kind}-{row}" for row in ids.split(",")}
            assert page.js("return document.activeElement.id") == f"{kind}-{ids.split(',')[0]}"
            assert sentence in page.js(
                "return [...document.querySelectorAll('.claim-note:not([hidden])')].map((n) => n.textContent).join()"
            )
            if "," in ids:
                continue
            value = number(value_of_row(page, anchor))
            assert number(label.rpartition(" ")[2]) == value
            if not sentence.startswith(COUNTED):
                rounded = {f"{value:.{digits}f}".replace("-", "\u2212") for digits in (1, 2, 3)}
                assert rounded & said, f"{value} is not in: {sentence}"
            followed += 1
    assert followed > 15
    assert page.log() == []


def test_the_way_back_leads_to_the_sentence(page: Page) -> None:
    claim = page.driver.find_elements("css selector", ".claim.difference, .claim.null")[0]
    follow(page, claim.find_element("css selector", ".row-link"))
    page.driver.find_element("css selector", ".claim-note:not([hidden]) a.button").click()
    page.wait(
        lambda: page.js("return document.activeElement.id") == claim.get_attribute("id"), "the sentence has the focus"
    )


def test_a_cell_of_the_overview_leads_to_its_row(page: Page) -> None:
    cell = page.driver.find_element("css selector", ".overview a.row-link")
    shown = cell.find_element("css selector", ".value").text.split()[0]
    assert number(value_of_row(page, follow(page, cell))) == number(shown)


def test_an_address_with_a_row_opens_at_the_row(browser: Page, report: Path) -> None:
    browser.open(report)
    browser.driver.get("about:blank")
    browser.driver.get(f"{report.as_uri()}#row-3")
    browser.wait(lambda: browser.js("return document.querySelector('tr.found')?.id") == "row-3", "the row is marked")


def test_claims_under_a_filter_show_their_row_all_the_same(page: Page) -> None:
    page.js("document.querySelector('.dropdown').open = true")
    for box in page.driver.find_elements("css selector", ".menu input[type=checkbox]"):
        box.click()
    page.driver.find_element("css selector", "#findings h2").click()
    link = page.driver.find_element("css selector", ".claim .row-link")
    anchor = follow(page, link)
    assert page.js("return document.getElementById(arguments[0]).className", anchor.split(",")[0]) == "found"
