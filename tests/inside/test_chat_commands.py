"""The chat form on the command line: named templates, failing ones, none, and lent ones, each in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tuneshift.cli.app import app
from tuneshift.errors import BadInput
from tuneshift.models.embedded_models import embedded_folder

_TURNS = "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|assistant|>"
_SYSTEM = "{% if messages[0].role != 'system' %}{{ raise_exception('System first.') }}{% endif %}" + _TURNS
_COMMANDS = {
    "attribute": ("--prompts", "fable_instructions", "--n-prompts", "2"),
    "reading": ("--data", "simulated_reading", "--no-mixed-model"),
}
COMMANDS = pytest.mark.parametrize("command", _COMMANDS)


def _run(command: str, model: Path | str, *more: str) -> Result:
    return CliRunner().invoke(app, [command, str(model), *_COMMANDS[command], "--form", "chat", *more])


def _model(path: Path, template: Any) -> Path:
    source = embedded_folder("fable-2m")
    assert source is not None
    shutil.copytree(source, path)
    config = json.loads((path / "tokenizer_config.json").read_text("utf-8"))
    (path / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": template}), "utf-8")
    return path


@COMMANDS
def test_a_list_of_named_templates_is_as_good_as_its_default(command: str, tmp_path: Path) -> None:
    listed = [{"name": "tool_use", "template": "{{ tools }}"}, {"name": "default", "template": _TURNS}]
    found = [_run(command, _model(tmp_path / str(i) / "m", t), "--json") for i, t in enumerate((listed, _TURNS))]
    assert [done.exit_code for done in found] == [0, 0]
    rows = [json.loads(done.stdout)["rows"] for done in found]
    assert rows[0] == rows[1]


@COMMANDS
@pytest.mark.parametrize(
    ("template", "said"),
    [
        (_SYSTEM, "says: 'System first.'"),
        ("{% if", "is no valid Jinja"),
        ([{"name": "rag", "template": _TURNS}], "has 1 chat templates (rag) and none is named default"),
        (None, "has no chat template; lend it one (--template"),
        ("{{ messages[0].content | upper }}", "leaves out or changes the user's message"),
    ],
)
def test_a_template_that_cannot_be_used_is_one_sentence_and_what_to_do(
    command: str, template: Any, said: str, tmp_path: Path
) -> None:
    done = _run(command, _model(tmp_path / "m", template))
    assert done.stdout == ""
    assert isinstance(done.exception, BadInput)  # which the program prints as one sentence, with exit status 2
    assert said in str(done.exception)
    assert "--template" in str(done.exception)
    assert "\n" not in str(done.exception)


@COMMANDS
def test_what_fails_alone_can_be_lent_another(command: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.jinja"
    mine.write_text("<|im_start|>Be kind.\n" + _TURNS, "utf-8")
    done = _run(command, _model(tmp_path / "m", _SYSTEM), "--template", str(mine), "--json")
    assert done.exit_code == 0
    (warning,) = [text for text in json.loads(done.stdout)["warnings"] if "no single token" in text]
    assert warning.startswith("1 of 3 marks of the chat template of ")
    assert "<|im_start|> (" in warning
