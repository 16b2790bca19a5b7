"""A key of a recipe that is misspelt is answered with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneshift.errors import BadInput
from tuneshift.human import read_recipe

GOOD = {"name": "mine", "series": "'{participant}.npy'", "words": "{file: words.csv}"}


def refusal(folder: Path, **lines: str) -> str:
    path = folder / "recipe.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_recipe(path)
    return str(refused.value)


def test_a_key_of_the_recipe(tmp_path: Path) -> None:
    said = refusal(tmp_path, **GOOD, region="[left, right]")
    assert "`region`: unknown key (did you mean 'regions'?); known are name, series, words" in said
    assert "folder" not in said.partition("known are")[2]  # nobody writes it


def test_a_key_inside_its_words(tmp_path: Path) -> None:
    said = refusal(tmp_path, **{**GOOD, "words": "{file: words.csv, colums: [word, onset, offset]}"})
    assert "`words.colums`: unknown key (did you mean 'columns'?); known are file, tier, columns" in said


def test_a_needed_key_that_is_misspelt_is_the_slip_and_not_the_want(tmp_path: Path) -> None:
    said = refusal(tmp_path, name="mine", serie="x.npy", words="{file: words.csv}")
    assert "`serie`: unknown key (did you mean 'series'?)" in said
