"""The pages and the command line agree: nothing is left undescribed, nothing is shown that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer
from pages import PAGES, ROOT, blocks, commands, differing_line, text_of
from typer.testing import CliRunner

from tuneshift.cli.app import app

GROUP = typer.main.get_command(app)
HOW_TO = {
    "ability": "ability", "attribute": "attribute", "brain": "brain", "compare": "compare",
    "concepts": "heads_and_concepts", "data": "models_and_data", "demo": "demo_and_doctor",
    "doctor": "demo_and_doctor", "heads": "heads_and_concepts", "models": "models_and_data", "reading": "reading",
    "report": "run_and_report", "run": "run_and_report", "show": "run_and_report", "tune": "tune",
}  # fmt: skip
PAGES_THAT_RUN = (
    "ability", "attribute", "demo_and_doctor", "heads_and_concepts", "models_and_data", "run_and_report", "tune",
)  # fmt: skip
"""Their ```sh blocks are run, and what they print is compared; other pages show longer runs, which are parsed."""


def _commands() -> dict[str, Any]:
    return dict(GROUP.commands)  # type: ignore[attr-defined]


def _shown() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("", "sh", "bash"):
                for words in commands(block.text):
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
        options = [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []
        assert [option for option in options if option not in _named(page) | {"--help"}] == []


@pytest.mark.parametrize("name", HOW_TO)
def test_every_choice_of_an_option_is_on_its_page(name: str) -> None:
    text = text_of(f"how_to/{HOW_TO[name]}.md")
    hints = get_type_hints(_commands()[name].callback)
    kinds = [kind for hint in hints.values() for kind in (hint, *get_args(hint)) if isinstance(kind, EnumType)]
    assert [choice.value for kind in kinds for choice in kind if f"{choice.value}" not in text] == []


def test_options_of_all_commands_are_in_the_overview() -> None:
    wanted = {option for parameter in GROUP.params for option in parameter.opts}
    assert wanted <= _named("how_to/commands.md") | {"--help"}


@pytest.mark.parametrize("name", HOW_TO)
def test_no_page_tells_of_an_option_that_the_command_does_not_have(name: str) -> None:
    page = f"how_to/{HOW_TO[name]}.md"
    parameters = [p for command in (*_commands().values(), GROUP) for p in command.params]
    known = {option for p in parameters for option in (*p.opts, *p.secondary_opts)}
    assert _named(page) <= known | {"--help", "--output"}  # the latter of lm-eval: --output_path


def test_every_command_that_is_shown_is_one_that_the_command_line_accepts() -> None:
    shown = 0
    for page, words in _shown():
        words = [word for word in words if word != "..." and word != "--debug"]
        if words and words[0] in _commands():
            try:
                _commands()[words[0]].make_context(words[0], words[1:])
            except Exception as error:  # an unknown option or choice, a missing argument
                pytest.fail(f"{page}: tuneshift {' '.join(words)}: {error}")
            shown += 1
        else:
            assert not words or words[0] in ("COMMAND", "--version"), f"{page}: {words}"
    assert shown > 50


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PAGES_THAT_RUN)
def test_the_commands_of_a_page_print_what_it_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
