"""Instruction data is read as it is written, or refused with the row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneshift.errors import BadInput
from tuneshift.models.instruction_data import Example, read_instruction_data


def _write(path: Path, rows: list[object], lines: bool) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows))
    return path


@pytest.mark.parametrize("lines", [True, False])
def test_alpaca_rows_and_prompt_rows_are_read(tmp_path: Path, lines: bool) -> None:
    rows: list[object] = [
        {"instruction": "Copy.", "input": "A fox.", "output": "A fox."},
        {"instruction": "Say yes.", "output": "Yes."},
        {"prompt": "A fox.\n\nCopy.", "response": "A fox."},
    ]
    assert read_instruction_data(_write(tmp_path / "data", rows, lines)) == [
        Example("Copy.\n\nA fox.", "A fox."),
        Example("Say yes.", "Yes."),
        Example("A fox.\n\nCopy.", "A fox."),
    ]


def test_a_missing_key_is_named_with_its_row_and_what_stands_in_its_place(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "data.jsonl", [{"instruction": "a", "output": "b"}, {"instruction": "a", "outputs": "b"}], True
    )
    with pytest.raises(BadInput, match=r"data\.jsonl, row 2 has no key 'output' \(it has 'outputs'"):
        read_instruction_data(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no rows"), ("[1", "line 1: no valid JSON"), ('{"a": 1}\n{oops', "line 2: no valid JSON")],
)
def test_files_that_are_no_instruction_data_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "data").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_instruction_data(tmp_path / "data")
