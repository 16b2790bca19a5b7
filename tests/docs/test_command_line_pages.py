"""The pages and the command line agree: nothing is left undescribed, nothing is shown that does not exist."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from pages import DOCS, PAGES, ROOT, blocks, commands, differing_line, text_of
from typer.testing import CliRunner

from tuneshift.cli.app import app

GROUP = typer.main.get_command(app)
HOW_TO = {
    "ability": "ability", "attribute": "attribute", "brain": "brain", "compare": "compare",
    "concepts": "heads_and_concepts", "data": "models_and_data", "demo": "demo_and_doctor",
    "doctor": "demo_and_doctor", "heads": "heads_and_concepts", "models": "models_and_data", "reading": "reading",
    "report": "run_and_report", "run": "run_and_report", "tune": "tune",
}  # fmt: skip
PAGES_THAT_RUN = ("attribute", "models_and_data", "run_and_report", "tune", "heads_and_concepts", "demo_and_doctor")
"""Their ```sh blocks are run, and what they print is compared; other pages show longer runs, which are parsed."""


def _commands() -> dict[str, click.Command]:
    assert isinstance(GROUP, click.Group)
    return dict(GROUP.commands)


def _shown() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
            for words in commands(block):
                yield str(page.relative_to(ROOT)), words


def _named(page: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text_of(page)))


def test_every_command_has_a_page_and_stands_in_the_overview() -> None:
    assert set(HOW_TO) == set(_commands())
    overview = text_of("how_to/commands.md")
    assert [name for name in HOW_TO if f"`tuneshift {name}" not in overview] == []


@pytest.mark.parametrize("name", HOW_TO)
def test_every_option_of_a_command_is_on_its_page(name: str) -> None:
    page = f"how_to/{HOW_TO[name]}.md"
    for parameter in _commands()[name].params:
        if isinstance(parameter, click.Option) or parameter.param_type_name == "option":
            missing = [option for option in (*parameter.opts, *parameter.secondary_opts) if option not in _named(page)]
            assert missing == [], f"{page} says nothing of {missing}"


@pytest.mark.parametrize("name", HOW_TO)
def test_every_choice_of_an_option_is_on_its_page(name: str) -> None:
    text = text_of(f"how_to/{HOW_TO[name]}.md")
    for parameter in _commands()[name].params:
        choices = getattr(parameter.type, "choices", ())
        missing = [str(getattr(c, "value", c)) for c in choices if str(getattr(c, "value", c)) not in text]
        assert missing == [], f"{parameter.name}: {missing}"


def test_options_of_all_commands_are_in_the_overview() -> None:
    wanted = {option for parameter in GROUP.params for option in parameter.opts}
    assert wanted <= _named("how_to/commands.md") | {"--help"}


@pytest.mark.parametrize("name", HOW_TO)
def test_no_page_tells_of_an_option_that_the_command_does_not_have(name: str) -> None:
    page = f"how_to/{HOW_TO[name]}.md"
    known = {option for command in _commands().values() for p in command.params for option in (*p.opts, *p.secondary_opts)}
    elsewhere = {"--output_path", "--help", "--output", "--only", "--upgrade"}  # of other programs
    assert {option for option in _named(page) if option not in known} <= elsewhere


@pytest.mark.parametrize(("page", "words"), list(_shown()), ids=lambda value: " ".join(value)[:60])
def test_every_command_that_is_shown_is_one_that_the_command_line_accepts(page: str, words: list[str]) -> None:
    words = [word for word in words if word != "..."]
    if words[0].startswith("--"):
        words = words[1:]
    command = _commands()[words[0]]
    command.make_context(words[0], list(words[1:]))  # raises for an unknown option, choice or a missing argument


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PAGES_THAT_RUN)
def test_the_commands_of_a_page_print_what_it_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"how_to/{name}.md"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESHIFT_MODELS", raising=False)
    monkeypatch.setenv("COLUMNS", "250")
    printed, compared = "", 0
    for block in blocks(page):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        for words in commands(block.text) if block.language == "sh" else ():
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, (words, done.output, done.exception)
            printed = done.stdout
        if block.language == "text":
            assert differing_line(block.text, printed) is None, printed
            compared += 1
    assert compared, f"{page} shows no output"
    assert os.listdir(tmp_path) or name in ("models_and_data", "heads_and_concepts", "demo_and_doctor")


def test_every_how_to_is_one_of_a_command_or_of_a_task() -> None:
    tasks = {"commands", "bring_your_own_recording", "tuning_trajectory"}
    assert {path.stem for path in (DOCS / "how_to").glob("*.md")} == set(HOW_TO.values()) | tasks
