"""The table of docs/architectures.md, from what the commands do with one tiny model of each architecture."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from tools.architectures.checks import WORKS, Differs, cells
from tools.architectures.zoo import GROUPS, Species

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architectures.md"
BEGIN, END = "<!-- the table: python -m tools.architectures -->\n", "<!-- end of the table -->\n"
_COLUMNS = {
    "states": "hidden states (`brain`)",
    "surprisal": "surprisal (`reading`)",
    "attribution": "`attribute`",
    "heads": "`heads`",
    "concepts": "`concepts`",
}
_TIES = {(True, False): "either", (True,): "tied", (False,): "own"}


@cache
def row(species: Species) -> dict[str, str]:
    """What every command does with a saved model of this architecture, its output embeddings tied and its own.

    Raises Differs where the two do not behave alike, or numbers are not those of plain transformers.
    """
    found = []
    for tied in species.ties:
        with tempfile.TemporaryDirectory() as folder:
            found.append(cells(species, species.save(Path(folder) / "NAME", tied=tied)))
    if found[0] != found[-1]:
        raise Differs(f"{species.name}: tied {found[0]}, untied {found[-1]}")
    return found[0]


def table() -> str:
    """The table of every group, and the sentences that its numbers stand for."""
    sentences: dict[str, int] = {}
    parts = []
    for title, group in GROUPS.items():
        lines = [
            f"## {title}\n",
            "| architecture | `model_type` | output embeddings | " + " | ".join(_COLUMNS.values()) + " |",
            "|" + "---|" * (3 + len(_COLUMNS)),
        ]
        for species in group:
            told = [_told(row(species)[column], species, sentences) for column in _COLUMNS]
            first = [species.name, f"`{species.model_type}`", _TIES[species.ties]]
            lines.append("| " + " | ".join([*first, *told]) + " |")
        parts.append("\n".join(lines))
    said = "\n".join(f"{number}. {sentence.replace('<', '&lt;')}" for sentence, number in sentences.items())
    return "\n\n".join([*parts, f"## What is said where a command does not work\n\n{said}\n"])


def page_with(text: str) -> str:
    """The page with this table in it, all other text as it is."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


def _told(cell: str, species: Species, sentences: dict[str, int]) -> str:
    if cell == WORKS:
        return WORKS
    sentence = cell.replace(repr(species.model_type), "'TYPE'")
    return f"no ({sentences.setdefault(sentence, len(sentences) + 1)})"
