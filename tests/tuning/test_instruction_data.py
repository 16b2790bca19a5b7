"""Instruction data is read as it is written, or refused with the row."""

from __future__ import annotations

import gzip
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("packed", [True, False])
def test_data_are_the_same_in_every_encoding_and_say_how_they_were_read(
    tmp_path: Path, encoding: str, packed: bool
) -> None:
    text = '{"instruction": "Répète.", "input": "crème brûlée", "output": "crème\u2028brûlée"}\r\n\r\n'
    text = text.replace("\u2028", "\\u2028") if encoding == "cp1252" else text
    raw = text.encode(encoding)
    (tmp_path / "data").write_bytes(gzip.compress(raw) if packed else raw)
    found = read_instruction_data(tmp_path / "data")
    assert found == [Example("Répète.\n\ncrème brûlée", "crème\u2028brûlée")]
    assert bool(found.said) == (encoding in ("utf-16", "cp1252"))
    assert all(sentence.startswith("data: read as ") for sentence in found.said)


def test_other_columns_and_empty_responses_are_counted(tmp_path: Path) -> None:
    rows: list[object] = [
        {"instruction": "Copy.", "input": "", "output": "A", "text": "Below is ...", "id": 1, "history": []},
        {"instruction": "Copy.", "input": "", "output": " ", "text": "Below is ..."},
    ]
    found = read_instruction_data(_write(tmp_path / "data", rows, True))
    assert found == [Example("Copy.", "A"), Example("Copy.", " ")]
    assert found.said == (
        "data: key 'text' of 2 rows was left out",
        "data: key 'id' of 1 rows was left out",
        "data: key 'history' of 1 rows was left out",
        "data: 1 of 2 responses are empty (first: row 2)",
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"instruction": "a", "context": "b", "response": "c"}', "row 2: key 'context' .*; call it `input`"),
        ('{"instruction": "a", "inptu": "b", "output": "c"}', r"row 2: unknown key 'inptu' .did you mean 'input'"),
        ('{"prompt": "a", "input": "b", "output": "c"}', "row 2: `prompt` is the whole text, and does not contain"),
        ('{"prompt": "a", "instruction": "b", "output": "c"}', "row 2: the prompt does not contain its instruction"),
        ('{"prompt": "a", "response": "b", "output": "c"}', "row 2: `response` and `output` are two names"),
        ('{"prompt": "a", "output": "b", "output": "c"}', "line 2: key 'output' is given twice"),
        ('{"prompt": "a", "output": NaN}', "line 2: NaN is no JSON"),
        ('{"prompt": 3, "output": "a"}', "row 2: `prompt` must be a text, not 3"),
        ('{"prompt": " ", "output": "a"}', "row 2: no `prompt`"),
        (
            '{"prompt": "a", "output": "b", "system": "Be kind."}',
            "row 2: key 'system' .*; write what the model is to read, all of it",
        ),
        ('{"messages": [{"role": "user", "content": "a"}]}', "row 2: .* it is a conversation"),
        ('{"input": "a", "output": "b"}', "row 2 has no key 'instruction'"),
    ],
)
def test_a_row_of_which_something_would_be_lost_is_refused_with_what_to_do(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "data.jsonl").write_text('{"prompt": "ok", "output": "ok"}\n' + row)
    with pytest.raises(BadInput, match=rf"data\.jsonl, {said}"):
        read_instruction_data(tmp_path / "data.jsonl")
