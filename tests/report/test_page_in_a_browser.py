"""The report opens in a real browser: nothing is reported, nothing is fetched, everything is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import NARROW, WIDE, Page

MOST_BYTES = 15_000_000


def test_every_section_is_reached_from_the_contents_and_drawn(page: Page, artefacts: Path) -> None:
    links = page.driver.find_elements("css selector", "nav.contents a")
    assert [link.get_attribute("href").rpartition("#")[2] for link in links] == page.sections()
    for link, section in zip(links, page.sections(), strict=True):
        page.js("arguments[0].scrollIntoView({ block: 'center' })", link)
        link.click()
        near = "const r = document.getElementById(arguments[0]).getBoundingClientRect(); return r.top < innerHeight && r.bottom > 0"
        page.wait(lambda s=section, q=near: page.js(q, s), f"{section} is in the window")
        page.scroll_through(section)
        page.screenshot(section, artefacts / "report" / f"{section}.png")
    assert page.log() == []
    expected = page.js(
        "const r = JSON.parse(document.getElementById('report-data').textContent); return Object.keys(r.figures).length"
    )
    assert page.js("return document.querySelectorAll('.plot .main-svg:first-child').length") == expected > 8


def test_nothing_is_asked_of_the_network(page: Page, report: Path) -> None:
    for section in page.sections():
        page.scroll_through(section)
    asked = [url for url in page.requests() if not url.startswith(("data:", "blob:"))]
    assert set(asked) == {report.as_uri()}
    entries = page.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in entries if not name.startswith(("data:", "blob:"))] == []


def test_the_policy_lets_no_foreign_script_run(page: Page) -> None:
    page.js("const s = document.createElement('script'); s.textContent = 'window.hacked = 9'; document.body.append(s)")
    page.js("const i = document.createElement('img'); i.src = 'https://example.org/x.png'; document.body.append(i)")
    assert page.js("return window.hacked") is None
    page.wait(lambda: any("Content Security Policy" in line for line in page.log()), "the policy refuses")
    assert not any("example.org" in url for url in page.requests())


def test_the_page_can_be_mailed(report: Path) -> None:
    assert report.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_is_wider_than_the_window(browser: Page, report: Path, width: int, dark: bool, artefacts: Path) -> None:
    page = browser.open(report, width, dark=dark)
    for section in page.sections():
        page.scroll_through(section)
        if width == NARROW or dark:
            page.screenshot(section, artefacts / f"report-{width}-{'dark' if dark else 'light'}" / f"{section}.png")
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    assert page.js("return document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert page.log() == []


def test_figures_take_the_colours_of_the_theme(browser: Page, report: Path) -> None:
    colours = {}
    for dark in (False, True):
        page = browser.open(report, dark=dark)
        page.scroll_through("brain")
        colours[dark] = page.js(
            "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('#brain .xtick text')).fill]"
        )
    assert colours[False] != colours[True]
    assert colours[True][0] == "rgb(18, 23, 29)"


def test_panels_stand_below_one_another_on_a_telephone(browser: Page, report: Path) -> None:
    lefts = {}
    for width in (WIDE, NARROW):
        page = browser.open(report, width)
        page.scroll_through("weights")
        lefts[width] = page.js(
            "const { layout } = document.querySelector('[data-figure=weights-rotation]');"
            "return new Set(Object.keys(layout).filter((k) => k.startsWith('xaxis')).map((k) => layout[k].domain[0])).size"
        )
    assert lefts[NARROW] == 1 < lefts[WIDE]


def test_the_whole_study_is_printed(page: Page) -> None:
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        hidden = "return [...document.querySelectorAll('nav.contents, #filters, .figure-buttons, .table-controls')].every((n) => getComputedStyle(n).display === 'none')"
        assert page.js(hidden)
        page.js("window.dispatchEvent(new Event('beforeprint'))")
        drawn = "return [...document.querySelectorAll('.plot')].every((box) => box.querySelector('.main-svg'))"
        page.wait(lambda: page.js(drawn), "every figure is drawn for paper")
        printed = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})
        assert printed["data"].startswith("JVBERi0")  # %PDF-
        assert len(printed["data"]) > 50_000
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
