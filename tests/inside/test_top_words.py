"""The words that a response leans on, on the command line and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.inside.attribution.top_words import PromptWord, prompt_words, strongest_words

PROMPT = {"prompt": "Snow fell all night. Repeat the sentence.", "instruction": "Repeat the sentence.",
          "response": "Snow fell all night long."}  # fmt: skip
OPTIONS = ["attribute", "fable-2m", "--n-prompts", "1"]


@pytest.fixture
def prompts(tmp_path: Path) -> str:
    (tmp_path / "mine.jsonl").write_text(json.dumps(PROMPT), encoding="utf-8")
    return str(tmp_path / "mine.jsonl")


def test_tokens_become_words_again_each_as_strong_as_its_strongest_token() -> None:
    tokens = ("<s>", "Sn", "ow", " fell", ".", "\n\n", "Re", "peat", " it")
    density = (0.0, 0.1, 0.4, 1.0, 0.2, 0.9, 0.3, 0.2, 0.0)
    marks = (False, False, False, False, False, False, True, True, True)
    words = prompt_words(tokens, density, marks, (False, *[True] * 8))
    assert words == [
        PromptWord("Snow", 0.4, False),  # the beginning of the sequence is no word that anybody wrote
        PromptWord("fell.", 1.0, False),
        PromptWord("Repeat", 0.3, True),
        PromptWord("it", 0.0, True),
    ]
    assert [word.word for word in strongest_words(words, 2)] == ["fell.", "Snow"]
    assert [word.word for word in strongest_words(words, 9)] == ["fell.", "Snow", "Repeat"]  # "it" has none


def test_show_prints_as_many_words_a_prompt_as_were_asked_for(prompts: str) -> None:
    done = CliRunner().invoke(app, [*OPTIONS, "--prompts", prompts, "--show", "2"])
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stdout.splitlines() if "Snow fell all night long." in line]
    words = line.split("Snow fell all night long.")[1].split(", ")
    assert len(words) == 2
    assert words[0].endswith("1.00")  # the strongest of the prompt
    assert "strongest words" in done.stdout


def test_out_writes_tokens_levels_and_densities_of_every_prompt(prompts: str, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    done = CliRunner().invoke(app, [*OPTIONS, "--prompts", prompts, "--out", str(out)])
    assert done.exit_code == 0, done.output
    document = json.loads(out.read_text(encoding="utf-8"))
    assert (document["model"], document["form"]) == ("fable-2m", "plain")
    (one,) = document["prompts"]
    assert "".join(one["response_tokens"]).strip() == PROMPT["response"]
    assert PROMPT["prompt"] in "".join(one["prompt_tokens"])
    assert len(one["levels"]) == len(one["density"]) == len(one["prompt_tokens"]) == len(one["instruction"])
    assert {len(row) for row in one["levels"]} == {len(one["response_tokens"])}


def test_a_file_that_cannot_be_written_is_refused_before_the_model_is_loaded(prompts: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["attribute", "no-model", "--prompts", prompts, "--out", str(tmp_path / "a" / "b")])
    assert done.exit_code != 0
    assert "there is no folder" in str(done.exception)
