"""Instruction data in the Alpaca layout: instruction, optional input, output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput, nearest
from tuneshift.files.json_file import read_json_rows
from tuneshift.files.prompt_rows import KEYS, prompt_of, remedy, response_of, unknown_key

_NEEDED = ("instruction", "input", "output", "prompt", "response")


@dataclass(frozen=True)
class Example:
    """One instruction example: what is asked (`prompt`) and what should be answered (`response`)."""

    prompt: str
    response: str


class InstructionData(list[Example]):
    """Examples of a file; `said` are sentences about how it was read and what was left out."""

    def __init__(self, examples: Iterable[Example], said: tuple[str, ...] = ()) -> None:
        super().__init__(examples)
        self.said = said


def read_instruction_data(path: str | Path) -> InstructionData:
    """Read a JSON list or JSONL file of Alpaca rows (`instruction`, `input`, `output`) or `prompt`, `response` rows.

    `instruction` and `input` are joined by a blank line; beside a `prompt` they must be parts of it. Other columns of a
    data set are left out and said, but for those that hold a part of what is asked or answered. Raises BadInput that
    names the file and row where a key is missing or a value is no text.
    """
    read = read_json_rows(path)
    if not read.rows:
        raise BadInput(f"{path} holds no rows.")
    left_out: dict[str, int] = {}
    examples = [_example(row, f"{path}, row {number}", left_out) for number, row in read.rows]
    said = [f"{Path(path).name}: {read.said}"] if read.said else []
    said += [f"{Path(path).name}: key {key!r} of {n} rows was left out" for key, n in left_out.items()]
    silent = [number for (number, _), one in zip(read.rows, examples, strict=True) if not one.response.strip()]
    if silent:
        said.append(f"{Path(path).name}: {len(silent)} of {len(examples)} responses are empty (first: row {silent[0]})")
    return InstructionData(examples, tuple(said))


def _example(row: Any, where: str, left_out: dict[str, int]) -> Example:
    if not isinstance(row, dict):
        raise BadInput(f"{where} is no object; a row looks like {{'instruction': ..., 'input': ..., 'output': ...}}.")
    # Which layout it is, where it is another one, says more than which key it lacks.
    other = next((key for key, value in row.items() if key not in KEYS and value and remedy(key)), None)
    if other is not None:
        raise unknown_key(other, where, _NEEDED)
    prompt, response = prompt_of(row, where), response_of(row, where)
    if prompt is None:
        raise _missing(row, "instruction", where)
    if response is None:
        raise _missing(row, "output", where)
    for key in row:
        if key not in KEYS:
            if nearest(key, _NEEDED):
                raise unknown_key(key, where, _NEEDED)
            left_out[key] = left_out.get(key, 0) + 1
    return Example(prompt, response)


def _missing(row: dict[str, Any], key: str, where: str) -> BadInput:
    hint = next((f" (it has {name!r}{nearest(name, _NEEDED)})" for name in row if nearest(name, [key])), "")
    return BadInput(f"{where} has no key {key!r}{hint}.")
