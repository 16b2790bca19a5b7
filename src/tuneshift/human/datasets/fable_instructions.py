"""fable_instructions: 1,000 held-out instructions whose right answer a program can check."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.human.embedded_data import EmbeddedDataSet
from tuneshift.human.prompts.prompts import Prompt, PromptSet

_FILE = "fable_instructions.json"
_OPEN_TASKS = ("continue", "blank")
"""Tasks with more than one right answer: no program can say whether they were followed."""


def read(file: Callable[[str], Path]) -> PromptSet:
    """Return the prompts with the place of their instruction, reference responses, and a check of answers."""
    path = file(_FILE)
    rows = json.loads(path.read_text(encoding="utf-8"))
    prompts = tuple(_prompt(number, row) for number, row in enumerate(rows))
    return PromptSet("fable_instructions", prompts, sha256(path.read_bytes()).hexdigest(), followed)


def followed(prompt: Prompt, response: str) -> bool | None:
    """Whether a response is exactly what the instruction asks for; None for tasks with many right answers."""
    if prompt.task in _OPEN_TASKS or prompt.response is None:
        return None
    return response.strip() == prompt.response.strip()


def _prompt(number: int, row: dict[str, str]) -> Prompt:
    text, instruction = row["prompt"], row["instruction"]
    # The instruction stands before or behind its text; the text itself might repeat a short instruction.
    start = 0 if text.startswith(instruction) else text.rfind(instruction)
    if start < 0:
        raise BadInput(f"{_FILE}, row {number + 1}: the prompt does not contain its instruction {instruction!r}.")
    span = (start, start + len(instruction))
    return Prompt(f"{row['task']}_{number:04d}", text, (span,), row["output"], row["task"])


DATA_SET = EmbeddedDataSet(
    name="fable_instructions",
    kind="prompts",
    citation="Made for this project: instructions over sentences of public-domain books, held out from all tuning.",
    licence="CC0-1.0",
    sources=(),
    reader=read,
    notes="1,000 prompts, 16 tasks; which were followed is decided by a program (two open tasks left undecided).",
    files=(_FILE,),
)
