"""The table of architectures: every cell is what the command does with a saved model, and nothing but that."""

from __future__ import annotations

import pytest
from tools.architectures.checks import WORKS
from tools.architectures.page import PAGE, page_with, row, table
from tools.architectures.zoo import GROUPS, Species, species

from tuneshift.models.anatomy import known_architectures


@pytest.mark.parametrize("one", list(species()), ids=lambda one: one.name)
def test_every_command_works_as_plain_transformers_does_or_says_why_not(one: Species) -> None:
    for command, cell in row(one).items():
        assert cell == WORKS or (cell.endswith(".") and "\n" not in cell), (command, cell)


def test_the_page_shows_what_the_commands_do() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(table()), "write it anew: python -m tools.architectures"


def test_the_table_is_wide_enough() -> None:
    kinds = {one.model_type for one in species()}
    assert len(kinds) >= 25
    assert {name.replace("glm4", "glm") for name in known_architectures() if not name.startswith("own_")} <= kinds
    assert all(len(group) >= 3 for group in GROUPS.values())
