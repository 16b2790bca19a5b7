"""Heat maps of prompt x response: what the page's own script needs to draw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tuneshift.findings.source import Cell
from tuneshift.report.blocks.section import Picture
from tuneshift.result import Result
from tuneshift.vocabulary.words import text

MOST_PROMPTS = 40
MOST_CHARACTERS = 3_000_000
"""Levels of all heat maps together: the page is opened from a mail."""
_DIGITS = "0123456789X"


def heat_maps(cells: Sequence[tuple[Cell, Result]]) -> Iterator[Picture]:
    """Yield the picture of all heat maps, where the results hold any.

    A result's details hold them under "pictures": one entry a prompt with `prompt` (name), `task`, `prompt_tokens` (P),
    `response_tokens` (R), `levels` (P, R; 0 to 10), `density` (P), `instruction` (P; whether the token belongs to the
    instruction), and where known `instruction_score` and `followed`.
    """
    maps: list[dict[str, Any]] = []
    size, left_out = 0, 0
    for cell, result in cells:
        for number, entry in enumerate(result.details.get("pictures") or []):
            made = _heat_map(cell, entry)
            size += sum(len(row) for row in made["levels"])
            if number >= MOST_PROMPTS or size > MOST_CHARACTERS:
                left_out += 1
                continue
            maps.append(made)
    if maps:
        more = f" {left_out} more heat maps are in the study's cells." if left_out else ""
        yield Picture(
            "heat-maps",
            "heat-maps",
            "Prompt (rows) × response (columns): how much each prompt token drives each response token, level 0 (not at all) to "
            "10. Under the words: importance density, high where many response tokens lean on a word; words of the "
            f"instruction are underlined. Point at a cell, or move with the arrow keys, to read it.{more}",
            maps,
        )


def _heat_map(cell: Cell, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": cell.model,
        "base": text(cell.base_model),
        "form": text(cell.settings.get("form")),
        "prompt": text(entry.get("prompt")),
        "task": text(entry.get("task")),
        "promptTokens": [str(token) for token in entry["prompt_tokens"]],
        "responseTokens": [str(token) for token in entry["response_tokens"]],
        "levels": ["".join(_DIGITS[max(0, min(10, int(level)))] for level in row) for row in entry["levels"]],
        "density": [round(float(value), 4) for value in entry.get("density") or []],
        "instruction": [bool(value) for value in entry.get("instruction") or []],
        "score": entry.get("instruction_score"),
        "followed": entry.get("followed"),
    }
