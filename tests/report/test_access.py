"""Who does not see the page, or has no mouse, gets everything too."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from browser import Page

UNNAMED = """
const name = (n) => (n.getAttribute('aria-label') || n.textContent || '').trim() || [...(n.labels || [])].map((l) => l.textContent.trim()).join('') || n.title;
return [...document.querySelectorAll('button, a[href], input, select, summary, [role=region], [role=group], canvas, [tabindex="0"]')]
  .filter((n) => !n.closest('.modebar') && !name(n)).map((n) => n.outerHTML.slice(0, 200))
"""
CONTRASTS = """
const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
const over = (top, back) => [0, 1, 2].map((i) => top[i] * top[3] + back[i] * (1 - top[3]));
const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const back = (n) => { const chain = []; for (let m = n; m; m = m.parentElement) chain.push(parse(getComputedStyle(m).backgroundColor)); return chain.reverse().reduce((under, c) => over(c, under), [255, 255, 255]); };
const found = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const text = walk.currentNode.textContent.trim();
  const node = walk.currentNode.parentElement;
  if (!text || node.closest('svg, script, style, noscript, option, :disabled') || !node.checkVisibility()) continue;
  const style = getComputedStyle(node);
  const under = back(node);
  const [a, b] = [light(over(parse(style.color), under)), light(under)].sort((x, y) => y - x);
  const big = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && Number(style.fontWeight) >= 700);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < (big ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${style.color} ${node.className} ${text.slice(0, 40)}`);
}
return [...new Set(found)];
"""


def drawn(page: Page) -> Page:
    for section in page.sections():
        page.scroll_through(section)
    return page


def test_every_control_has_a_name(page: Page) -> None:
    assert drawn(page).js(UNNAMED) == []


def test_every_figure_is_described_in_words(page: Page) -> None:
    drawn(page)
    told = page.js(
        "return [...document.querySelectorAll('.plot')].map((n) => [n.getAttribute('role'), n.getAttribute('aria-label')])"
    )
    assert all(role == "img" and len(label) > 60 for role, label in told)
    assert page.js(
        "return [...document.querySelectorAll('canvas')].every((n) => n.getAttribute('aria-label').includes('Arrow keys'))"
    )
    assert page.js(
        "return [...document.querySelectorAll('figure')].every((n) => n.querySelector('figcaption').textContent.length > 20)"
    )
    assert page.js("return [...document.querySelectorAll('table')].every((n) => n.caption && n.caption.textContent)")


def test_headings_go_down_one_step_at_a_time(page: Page) -> None:
    levels = drawn(page).js(
        "return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((n) => Number(n.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_names_of_places_are_unique(page: Page) -> None:
    ids = page.js("return [...document.querySelectorAll('[id]')].filter((n) => !n.closest('svg')).map((n) => n.id)")
    assert len(ids) == len(set(ids))
    assert page.js(
        "return [...document.querySelectorAll('section')].every((n) => document.getElementById(n.getAttribute('aria-labelledby')))"
    )
    assert page.js("return document.documentElement.lang") == "en"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_what_lies_under_it(browser: Page, report: Path, dark: bool) -> None:
    page = drawn(browser.open(report, dark=dark))
    assert page.js(CONTRASTS) == []


def test_the_first_tab_offers_to_skip_to_the_findings(page: Page) -> None:
    page.press("TAB")
    assert page.js("return document.activeElement.className") == "skip"
    assert page.js("return document.activeElement.getBoundingClientRect().left") >= 0
    page.press("ENTER")
    assert page.js("return location.hash") == "#findings"


def test_the_heat_map_is_read_with_arrow_keys(page: Page) -> None:
    page.scroll_through("prompts")
    page.js("document.querySelector('.heat-map canvas').focus()")
    readout = "return document.querySelector('.heat-map .readout').textContent"
    first = page.js(readout)
    assert "level" in first
    page.press("ARROW_DOWN", "ARROW_RIGHT")
    second = page.js(readout)
    assert second != first
    page.press("ARROW_UP", "ARROW_LEFT", "ARROW_LEFT")
    assert page.js(readout) == first


def test_the_head_browser_is_walked_with_arrow_keys(page: Page) -> None:
    page.scroll_through("weights")
    page.js("document.querySelector('.head[aria-pressed=true]').focus()")
    title = "return document.querySelector('.head-panel h3').firstChild.textContent"
    assert page.js(title) == "Layer 1, head 0"
    page.press("ARROW_DOWN", "ARROW_RIGHT")
    assert page.js(title) == "Layer 2, head 1"
    assert page.js("return document.activeElement.dataset.layer") == "2"
    page.press("ARROW_LEFT", "ARROW_LEFT")
    assert page.js(title) == "Layer 2, head 0"


def test_a_menu_closes_with_escape(page: Page) -> None:
    page.driver.find_element("css selector", ".dropdown summary").click()
    page.press("TAB", "ESCAPE")
    assert not page.js("return document.querySelector('.dropdown').open")
    assert page.js("return document.activeElement.tagName") == "SUMMARY"
