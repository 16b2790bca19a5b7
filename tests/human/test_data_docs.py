"""What the pages on data show is accepted by what they show it for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import xarray as xr

from tuneshift.human import DATA_SETS, Recording, check_file, import_series, load_data, read_recipe
from tuneshift.human.recordings.series.recipe import SeriesRecipe

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = (DOCS / "data_sets.md", DOCS / "how_to" / "bring_your_own_recording.md")
RECIPES = [block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
TABLES = [block for page in PAGES for block in re.findall(r"```csv\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]


@pytest.mark.parametrize("text", RECIPES, ids=lambda text: text.splitlines()[0])
def test_every_recipe_on_the_pages_is_a_recipe(tmp_path: Path, text: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert read_recipe(tmp_path / "recipe.yaml").name in text


@pytest.mark.parametrize("text", TABLES, ids=lambda text: text.splitlines()[0])
def test_every_table_on_the_pages_has_no_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    assert not [problem for problem in check_file(tmp_path / "mine.csv") if not problem.startswith("warning: ")]


def test_the_pages_name_every_data_set_and_every_key() -> None:
    sets, recipe = (page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in DATA_SETS if f"`{name}`" not in sets] == []
    assert [key for key in SeriesRecipe.model_fields if key != "folder" and f"`{key}`" not in recipe] == []


def test_the_recipe_of_alice_on_the_page_gives_the_data_set(real_data: Path) -> None:
    text = next(text for text in RECIPES if text.startswith("name: alice2016"))
    folder = real_data / "alice2016"
    fields = read_recipe_text(text).model_copy(update={"folder": folder})
    known = load_data("alice2016")
    assert isinstance(known, Recording)
    xr.testing.assert_identical(import_series(fields).data, known.data)


def read_recipe_text(text: str) -> SeriesRecipe:
    import yaml

    return SeriesRecipe(**yaml.safe_load(text))
