"""The tutorial is true: its commands run one after another in an empty folder and print what it says they print."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import Block, blocks, commands, differing_line, text_of
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.study import StudyResults

PAGE = "tutorial.md"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[tuple[Block, str]]]]:
    """The folder after the whole tutorial, and every command with what it printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    before = Path.cwd()
    os.chdir(folder)
    try:
        printed = []
        for block in blocks(PAGE):
            if block.title:
                (folder / block.title).write_text(block.text, encoding="utf-8")
            if block.language == "sh":
                for words in commands(block.text):
                    done = CliRunner().invoke(app, words)
                    assert done.exit_code == 0, (words, done.output, done.exception)
                    printed.append((block, done.stdout))
        yield folder, printed
    finally:
        os.chdir(before)


@pytest.mark.timeout(1500)
def test_every_command_of_the_tutorial_runs(walked: tuple[Path, list[tuple[Block, str]]]) -> None:
    _, printed = walked
    assert [next(commands(block.text))[0] for block, _ in printed] == ["brain", "brain", "reading", "run", "show"]


@pytest.mark.timeout(1500)
def test_it_prints_what_the_page_shows(walked: tuple[Path, list[tuple[Block, str]]]) -> None:
    _, printed = walked
    outputs = iter(printed)
    shown = 0
    found = ""
    for block in blocks(PAGE):
        if block.language == "sh":
            _, found = next(outputs)
        if block.language == "text":
            assert differing_line(block.text, found) is None, found
            shown += 1
    assert shown == 5


@pytest.mark.timeout(1500)
def test_the_study_leaves_the_files_that_the_page_names(walked: tuple[Path, list[tuple[Block, str]]]) -> None:
    folder, _ = walked
    assert (folder / "first" / "results.csv").is_file()
    assert "fable-2m-instruct" in (folder / "first" / "report.html").read_text(encoding="utf-8")


@pytest.mark.timeout(1500)
def test_the_finding_is_the_one_that_the_page_tells(walked: tuple[Path, list[tuple[Block, str]]]) -> None:
    folder, _ = walked
    pairs = StudyResults.load(folder / "first").pairs()
    nested = pairs[(pairs["metric"] == "r") & (pairs["layer"] == "nested") & (pairs["target"] == "mean")].iloc[0]
    r = pairs[(pairs["metric"] == "pearson_r") & (pairs["mapping"] == "corrected")].iloc[0]
    told = re.findall(r"(-?[\d.]+) \[(-?[\d.]+) to (-?[\d.]+)\]", text_of(PAGE).replace("\u2212", "-"))
    for row, numbers in zip((nested, r), told, strict=True):
        found = [row["difference"], row["ci_low"], row["ci_high"]]
        assert [float(number) for number in numbers] == pytest.approx(found, abs=0.0025)
