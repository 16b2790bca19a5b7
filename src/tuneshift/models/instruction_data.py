"""Instruction data in the Alpaca layout: instruction, optional input, output."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput, nearest

_KEYS = ("instruction", "input", "output", "prompt", "response")


@dataclass(frozen=True)
class Example:
    """One instruction example: what is asked (`prompt`) and what should be answered (`response`)."""

    prompt: str
    response: str


def read_instruction_data(path: str | Path) -> list[Example]:
    """Read a JSON list or JSONL file of Alpaca rows (`instruction`, `input`, `output`) or `prompt`, `response` rows.

    A row's `prompt` wins over `instruction` and `input`, which are otherwise joined by a blank line. Raises BadInput
    that names the file and row where a key is missing or a value is no text.
    """
    rows = _rows(Path(path))
    if not rows:
        raise BadInput(f"{path} holds no rows.")
    return [_example(row, f"{path}, row {number}") for number, row in enumerate(rows, start=1)]


def _rows(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text (byte {error.start}).") from error
    if text.lstrip().startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path} is no JSON list ({error}).") from error
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path}, line {number} is no JSON ({error}).") from error
    return rows


def _example(row: Any, where: str) -> Example:
    if not isinstance(row, dict):
        raise BadInput(f"{where} is no object; a row looks like {{'instruction': ..., 'input': ..., 'output': ...}}.")
    prompt = row.get("prompt")
    if prompt is None:
        parts = [_text(row, "instruction", where), _text(row, "input", where, default="")]
        prompt = "\n\n".join(part for part in parts if part)
    key = "response" if "response" in row else "output"
    return Example(prompt=str(prompt), response=_text(row, key, where))


def _text(row: dict[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if value is None:
        hint = next((f" (it has {name!r}{nearest(name, _KEYS)})" for name in row if nearest(name, [key])), "")
        raise BadInput(f"{where} has no key {key!r}{hint}.")
    if not isinstance(value, str):
        raise BadInput(f"{where}: {key!r} is {value!r}, not text.")
    return value
