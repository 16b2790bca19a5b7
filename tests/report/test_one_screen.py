"""The page at its default: not tall, and its first screen answers what tuning changed."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from browser import Page

SCREEN = {"width": 1300, "height": 900, "deviceScaleFactor": 1, "mobile": False}
MOST_TALL = 12_000
MOST_PAGES = 4


@pytest.fixture
def screen(browser: Page, report: Path) -> Page:
    page = browser.open(report, 1300, folded=True)
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SCREEN)
    return page


def test_the_folded_page_is_not_tall(screen: Page) -> None:
    assert screen.js("return document.querySelectorAll('details.fold[open]').length") == 0
    tall = screen.js("return document.documentElement.scrollHeight")
    assert 900 < tall <= MOST_TALL


def test_the_first_screen_holds_title_cautions_and_every_finding_with_its_picture(screen: Page) -> None:
    seen = (
        "return [...document.querySelectorAll(arguments[0])].map((node) => { const r = node.getBoundingClientRect();"
        "return r.width > 0 && r.height > 0 && r.top >= 0 && r.bottom <= 900 && r.left >= 0 && r.right <= 1300; })"
    )
    for what in ("h1", ".about", "#findings .cautions li", "#findings .claim-text", "#findings .claim-picture svg"):
        found = screen.js(seen, what)
        assert found, what
        assert all(found), what
    n_findings = len(screen.js(seen, "#findings .claim"))
    assert 3 < n_findings <= 7
    assert len(screen.js(seen, "#findings .claim-picture svg")) == n_findings


def test_one_pair_is_at_most_four_pages_of_paper(screen: Page) -> None:
    asked = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    pdf = base64.b64decode(screen.driver.execute_cdp_cmd("Page.printToPDF", asked)["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= MOST_PAGES


def test_on_paper_a_finding_stands_beside_its_picture_and_nothing_is_cut_off(screen: Page) -> None:
    driver = screen.driver
    paper = {"width": 698, "height": 1000, "deviceScaleFactor": 1, "mobile": False}  # A4 without its margins
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", paper)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        screen.js(
            "for (const fold of document.querySelectorAll('.question > .fold, #glance > .fold')) fold.open = true"
        )
        box = "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.right, r.top]"
        text = screen.js(box, "#findings .claim:has(svg) .claim-text")
        svg = screen.js(box, "#findings .claim:has(svg) svg")
        assert svg[0] >= text[1]
        tables = "return [...document.querySelectorAll('main table.small')].map((t) => t.getBoundingClientRect().right)"
        rights = screen.js(tables)
        assert len(rights) > 5
        assert max(rights) <= 699
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
