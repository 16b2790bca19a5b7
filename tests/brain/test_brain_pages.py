"""The pages on brains name options, metrics and arrays that exist."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from tuneshift.brain import BrainAlignment
from tuneshift.cli.app import app
from tuneshift.human.embedded_data import embedded_file

DOCS = Path(__file__).parents[2] / "docs"
EXPLAINED = (DOCS / "explain" / "brain.md").read_text(encoding="utf-8")
UNITS = (DOCS / "how_to" / "language_units.md").read_text(encoding="utf-8")


def test_every_option_on_the_pages_is_an_option_of_the_command() -> None:
    known = CliRunner().invoke(app, ["brain", "--help"], env={"COLUMNS": "200"}).output
    options = re.findall(r"`(--[a-z-]+)", EXPLAINED) + re.findall(r"tuneshift brain [^\n]*?(--units)", UNITS)
    assert "--units" in options
    for option in options:
        assert option in known, option


def test_the_line_for_a_study_file_is_a_measurement() -> None:
    (line,) = re.findall(r"`(\{kind: brain.*?\})`", UNITS)
    assert BrainAlignment(**yaml.safe_load(line)).units == 32


def test_the_stimuli_are_where_the_page_says() -> None:
    (path,) = re.findall(r"`src/tuneshift/human/embedded/(\S+?)`", UNITS)
    assert embedded_file(path).is_file()
