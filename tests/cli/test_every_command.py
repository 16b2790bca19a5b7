"""What holds for every command there is: help that comes quickly, JSON that is JSON, errors that are one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typed_commands import Command

from tuneshift.cli.app import app

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
HEAVY = ("torch", "transformers", "pandas", "xarray", "sklearn", "statsmodels", "ray", "plotly")

PROMPTS = '{"prompt": "Tell a story.", "instruction": "Tell", "response": "Once upon a time."}\n'
STUDY = "name: tiny\nmodels: [fable-2m]\nmeasurements:\n  - {kind: concepts}\n"
HARNESS = {"results": {"wikitext": {"word_perplexity,none": 12.5}}, "configs": {}, "n-shot": {}}


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def test_the_help_of_every_command_comes_without_the_heavy_packages() -> None:
    done = python(
        "import sys\n"
        "from tuneshift.cli import main\n"
        f"for words in ([], *[[name] for name in {list(COMMANDS)!r}]):\n"
        "    sys.argv = ['tuneshift', *words, '--help']\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0, words\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    assert done.stderr == ""
    assert done.stdout.count("Usage: tuneshift") == len(COMMANDS) + 1
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is(name: str) -> None:
    assert COMMANDS[name].help
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name} has no help"
    assert any("--json" in parameter.opts for parameter in COMMANDS[name].params)


def test_every_command_with_json_prints_one_object_and_nothing_else(tmp_path: Path, command: Command) -> None:
    (tmp_path / "prompts.jsonl").write_text(PROMPTS)
    (tmp_path / "examples.jsonl").write_text('{"instruction": "a", "output": "b"}\n' * 4)
    (tmp_path / "harness.json").write_text(json.dumps(HARNESS))
    (tmp_path / "study.yaml").write_text(STUDY)
    out, tuned = str(tmp_path / "out"), str(tmp_path / "tuned")
    lines = {
        "models": [["models"], ["models", "fable-8m"]],
        "data": [["data"], ["data", "simulated_brain"]],
        "doctor": [["doctor"]],
        "heads": [["heads", "fable-2m", "--layer", "2"]],
        "concepts": [
            ["concepts", "fable-2m"],
            ["concepts", "fable-2m", "--namer", "http://127.0.0.1:9/v1", "--namer-model", "m", "--estimate"],
        ],
        "attribute": [["attribute", "fable-2m", "--prompts", str(tmp_path / "prompts.jsonl")]],
        "ability": [["ability", "fable-2m", "--results-file", str(tmp_path / "harness.json")]],
        "tune": [["tune", "fable-2m", "--data", str(tmp_path / "examples.jsonl"), "--out", tuned]],
        "run": [
            ["run", str(tmp_path / "study.yaml"), "--plan"],
            ["run", str(tmp_path / "study.yaml"), "--out", out],
        ],
        "report": [["report", out]],
        "show": [["show", out], ["show", out, "--question", "inside"]],
    }  # `brain` and `reading` are in test_command_line; `demo` and `compare` end as `run` does
    assert {*lines, "brain", "reading", "demo", "compare"} == set(COMMANDS)
    for words in (words for group in lines.values() for words in group):
        done = command(*words, "--json")
        assert done.status == 0, (words, done.err)
        document = json.loads(done.out)
        assert set(document) == {"rows", "warnings"}, words
        assert document["rows"] or words[0] == "show", words  # heads alone have no headline number


def test_an_error_with_json_leaves_standard_output_empty(tmp_path: Path, command: Command) -> None:
    nowhere = str(tmp_path / "nowhere.yaml")
    lines = {
        "brain": ["fable-2m", "--data", "nosuch"],
        "reading": ["fable-2m", "--data", "nosuch"],
        "attribute": ["fable-2m", "--prompts", "nosuch"],
        "heads": ["fable-2x"],
        "concepts": ["fable-2m", "--namer", "ftp://x"],
        "ability": ["fable-2m", "--tasks", ","],
        "tune": ["fable-2m", "--data", nowhere, "--out", str(tmp_path / "out")],
        "run": [nowhere],
        "report": [str(tmp_path)],
        "show": [str(tmp_path)],
        "models": ["nosuch"],
        "data": ["nosuch"],
        "compare": ["fable-2x", "fable-2m"],
        "doctor": ["--nosuch"],
        "demo": ["--out", str(tmp_path / "file" / "below")],
    }
    (tmp_path / "file").write_text("")
    assert set(lines) == set(COMMANDS)
    for name, words in lines.items():
        done = command(name, *words, "--json")
        assert done.status == 2, (name, done)
        assert done.sentence


def test_what_libraries_print_does_not_reach_the_json() -> None:
    done = python(
        "import os\n"
        "from tuneshift.cli.output import only_json, print_json\n"
        "with only_json():\n"
        "    print('python noise')\n"
        "    os.system('echo noise of a child')\n"
        "    os.write(1, b'noise of C\\n')\n"
        "    print_json([{'value': 1.5}], ['a warning'])\n"
        "print('after')\n"
    )
    first, *rest = done.stdout.splitlines()
    assert json.loads(first) == {"rows": [{"value": 1.5}], "warnings": ["a warning"]}
    assert rest == ["after"]
    for noise in ("python noise", "noise of a child", "noise of C"):
        assert noise in done.stderr


def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tuneshift.cli.output import tell

    for variable in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    tell("note: a warning", style="yellow")
    assert capsys.readouterr().err == "note: a warning\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    tell("note: a warning", style="yellow")
    assert "\x1b[33m" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    tell("note: a warning", style="yellow")
    assert "\x1b[3" not in capsys.readouterr().err


def test_an_error_nobody_foresaw_is_one_sentence_that_says_how_to_see_more(
    command: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr("tuneshift.models.registry.model_cards", broken)
    done = command("models")
    assert done.status == 1
    assert "ZeroDivisionError: a b" in done.sentence
    assert "`tuneshift --debug ...`" in done.sentence
    monkeypatch.setattr(sys, "argv", ["tuneshift", "--debug", "models"])
    from tuneshift.cli import main

    with pytest.raises(ZeroDivisionError):
        main()


@pytest.mark.parametrize("words", [["brain"], ["nosuch"], ["--nosuch"], ["brain", "m", "--data", "x", "--seed", "-1"]])
def test_a_wrong_command_line_is_one_sentence_with_exit_status_2(command: Command, words: list[str]) -> None:
    done = command(*words)
    assert done.status == 2
    assert "--help`" in done.sentence
