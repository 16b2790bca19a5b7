"""Every link leads somewhere: to a page that is there, to a heading on it, to a name that the reference has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pages import DOCS, PAGES, ROOT, text_of

import tuneshift


def _prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown makes them."""
    found = set()
    for heading in re.findall(r"^#+ (.*?)\s*$", _prose(page), re.M):
        plain = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading)
        found.add(re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower()))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", _prose(page)):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.is_file() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def _listed(entries: object) -> list[str]:
    if isinstance(entries, str):
        return [entries]
    parts = entries.values() if isinstance(entries, dict) else entries
    return [name for part in parts for name in _listed(part)]  # type: ignore[attr-defined]


def test_every_page_is_in_the_navigation_once() -> None:
    nav = _listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(nav) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def test_the_reference_has_every_public_name() -> None:
    reference = set(re.findall(r"^::: ([\w.]+)$", text_of("reference.md"), re.M))
    names = {name.rpartition(".")[2] for name in reference}
    assert set(tuneshift.__all__) <= names
    for path in reference:
        module, _, name = path.rpartition(".")
        assert hasattr(__import__(module, fromlist=[name]), name), path


def test_the_readme_has_two_commands_to_set_up() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    setting_up = readme[readme.index("## Set up") : readme.index("## Your first finding")]
    (block,) = re.findall(r"^```\n(.*?)^```$", setting_up, re.M | re.S)
    assert [line.split("#")[0].strip() for line in block.splitlines()] == ["make demo", "make test"]
