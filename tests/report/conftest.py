"""One study, two pages of it (one whose texts try to be markup), one browser, for all tests of the report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks._large_study import Size, make_large_study
from browser import Page
from page_study import hostile_study, plain_study

from tuneshift.report import write_report
from tuneshift.study import StudyResults


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the study: on a crowded machine that takes minutes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    return plain_study(tmp_path_factory.mktemp("page") / "study")


@pytest.fixture(scope="session")
def many_results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """A made-up study of 13 models of 8 bases: figures of many models have other shapes."""
    size = Size(pairs=9, recordings=1, layers=5, people=6)
    return StudyResults.load(make_large_study(tmp_path_factory.mktemp("many") / "study", size))


@pytest.fixture(scope="session")
def hostile_results(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """What was measured already is not measured again: only names and prompts differ."""
    folder = tmp_path_factory.mktemp("hostile") / "study"
    shutil.copytree(results.folder, folder)
    return hostile_study(folder)


@pytest.fixture(scope="session")
def report(results: StudyResults) -> Path:
    return write_report(results, results.folder / "report.html")


@pytest.fixture(scope="session")
def hostile_report(hostile_results: StudyResults) -> Path:
    return write_report(hostile_results, hostile_results.folder / "report.html")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(tmp_path_factory.mktemp("browser"))
    yield page
    page.driver.quit()


@pytest.fixture
def page(browser: Page, report: Path) -> Page:
    return browser.open(report)


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept; TUNESHIFT_ARTEFACTS names the folder."""
    return Path(os.environ.get("TUNESHIFT_ARTEFACTS") or Path(__file__).parents[2] / "artefacts")
