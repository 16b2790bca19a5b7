"""A line with every reading result says whether the model reads at all; one that does not is warned of."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.models import LanguageModel
from tuneshift.reading import reading_alignment


def test_a_model_that_reads_has_a_line_and_no_warning(fable_2m: LanguageModel) -> None:
    result = reading_alignment(fable_2m, "simulated_reading", n_boot=0, mixed_model=False)
    assert result.details["sanity"].startswith("mean surprisal ")
    assert result.details["sanity"].endswith("bits a token; uniform would be 13.0")  # 8,192 tokens
    bits = float(result.details["sanity"].split()[2])
    assert 3 < bits < 9
    assert result.details["start_token"] == "<|endoftext|>"
    assert not any("no better than a guess" in warning for warning in result.warnings)


def test_a_model_that_reads_no_better_than_chance_is_warned_of(fable_2m: LanguageModel) -> None:
    result = reading_alignment(fable_2m.untrained(3), "simulated_reading", n_boot=0, mixed_model=False)
    (warning,) = [warning for warning in result.warnings if "no better than a guess" in warning]
    assert "fable-2m untrained reads this text" in warning


@pytest.mark.parametrize("machines", [False, True])
def test_the_command_prints_the_line_beside_its_numbers(machines: bool) -> None:
    command = ["reading", "fable-2m", "--data", "simulated_reading", "--no-mixed-model"]
    done = CliRunner().invoke(app, [*command, "--json"] if machines else command)
    assert done.exit_code == 0
    assert "fable-2m: mean surprisal" in done.stderr
    if machines:
        assert json.loads(done.stdout)["rows"]
