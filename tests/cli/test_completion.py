"""<Tab> completes the names of models and data sets, and is quick because nothing heavy is loaded for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tuneshift.cli.completion import complete_card, complete_data, complete_model
from tuneshift.human import DATA_SETS
from tuneshift.models import embedded_names
from tuneshift.models.registry import model_cards


def test_the_names_are_those_that_commands_take() -> None:
    assert complete_model("") == sorted(embedded_names())
    assert set(complete_data("")) == set(DATA_SETS)
    assert set(complete_card("")) == {card.name for card in model_cards()}
    assert complete_data("simulated_b") == ["simulated_brain"]
    hub_ids = {card.hub_id for card in model_cards() if card.hub_id and card.hub_id.startswith("google/")}
    assert set(complete_model("google/")) == hub_ids


def completed(line: str) -> list[str]:
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tuneshift"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "_TUNESHIFT_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
    )
    for heavy in ("torch", "transformers", "pandas", "xarray"):
        assert f"| {heavy}\n" not in done.stderr
        assert f" {heavy}\n" not in done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tuneshift brain fable-2m-i", ["fable-2m-instruct"]),
        ("tuneshift brain fable-2m --data simulated_", ["simulated_brain", "simulated_reading"]),
        ("tuneshift heads fable-2m --tuned fable-8m-n", ["fable-8m-no-instructions"]),
        ("tuneshift data alice", ["alice2016"]),
        ("tuneshift doc", ["doctor"]),
    ],
)
def test_a_shell_that_asks_is_answered(line: str, words: list[str]) -> None:
    assert completed(line) == words


def test_the_shells_script_can_be_shown() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m tuneshift --show-completion; exit $?"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "_TUNESHIFT_COMPLETE=complete_bash" in done.stdout
