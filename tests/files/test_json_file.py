"""JSON is read with nothing lost: what Python's json would drop or make up in silence is refused with its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.files.json_file import read_json, read_json_rows, strict_json


def lines(folder: Path, text: str) -> Path:
    (folder / "a.jsonl").write_bytes(text.encode())
    return folder / "a.jsonl"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', r"a\.json, the object that begins in line 1: key 'a' is given twice"),
        ('{"x": "a",\n "y": [{"b": 1},\n {"a": 1,\n "a": 1}]}', "the object that begins in line 3: key 'a'"),
        ('{"x": "NaN",\n "y": NaN}', r"a\.json, line 2: NaN is no JSON"),
        ("[1,\n2,\n-Infinity]", "line 3: -Infinity is no JSON"),
        ('{"x": "\\ud83d"}', r"'\\ud83d' holds half of a letter"),
        ('{"\\ufffd": 1}', r"holds U\+FFFD"),
        ('{"x":\n1,}', "line 2: no valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "no valid JSON"),
    ],
)
def test_what_would_be_lost_or_made_up_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        strict_json(text, "a.json")


def test_letters_in_two_halves_and_escaped_backslashes_are_whole() -> None:
    assert strict_json('"\\ud83d\\ude00 \\\\ud83d \\\\ufffd"', "a.json") == "\U0001f600 \\ud83d \\ufffd"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_blank_lines_count_as_lines_whatever_ends_them(tmp_path: Path, ends: str) -> None:
    path = lines(tmp_path, ends.join(["", '{"a": 1}', "", " ", '{"a": 2}', ""]))
    assert read_json_rows(path).rows == [(2, {"a": 1}), (5, {"a": 2})]
    with pytest.raises(BadInput, match=r"a\.jsonl, line 4: key 'b' is given twice"):
        read_json_rows(lines(tmp_path, ends.join(["", '{"a": 1}', "", '{"b": 1, "b": 1}'])))


def test_letters_that_end_lines_elsewhere_end_none_within_a_text(tmp_path: Path) -> None:
    text = "a\u2028b\u0085c\u000bd"
    assert read_json_rows(lines(tmp_path, json.dumps([text], ensure_ascii=False)[1:-1])).rows == [(1, text)]


def test_an_object_over_several_lines_is_one_row_and_several_such_are_refused(tmp_path: Path) -> None:
    row = {"prompt": "a { b", "n": [1, 2]}
    assert read_json_rows(lines(tmp_path, "\n" + json.dumps(row, indent=2) + "\n\n")).rows == [(2, row)]
    with pytest.raises(BadInput, match="line 1: an object goes on in the next line; write each row on one line"):
        read_json_rows(lines(tmp_path, json.dumps(row, indent=2) + "\n" + json.dumps(row, indent=2)))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_characters="\ufffd")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    rows=st.lists(st.dictionaries(st.text("abc"), values, max_size=3), min_size=1, max_size=4),
    ascii_only=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    packed=st.booleans(),
)
def test_a_list_and_lines_give_the_same_rows_in_every_encoding(
    tmp_path: Path, rows: list[dict[str, Any]], ascii_only: bool, encoding: str, packed: bool
) -> None:
    written = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    for name, text in (("a.jsonl", "\r\n".join(written)), ("a.json", f"[{', '.join(written)}]")):
        raw = text.encode(encoding)
        (tmp_path / name).write_bytes(gzip.compress(raw) if packed else raw)
        read = read_json_rows(tmp_path / name)
        assert read.rows == list(enumerate(rows, start=1))
        assert bool(read.said) == encoding.startswith(("utf-16", "utf-32"))
    assert read_json(tmp_path / "a.json").value == rows


@given(st.dictionaries(st.text("ab", max_size=3), st.integers(), min_size=1, max_size=4), st.integers(0, 3))
def test_a_key_given_twice_is_found_wherever_it_stands(row: dict[str, int], at: int) -> None:
    pairs = list(row.items())
    pairs.append(pairs[at % len(pairs)])
    text = "{" + ",\n".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"
    with pytest.raises(BadInput, match=f"key {pairs[-1][0]!r} is given twice"):
        strict_json(f'[\n{{"ok": 1}},\n{text}]', "a.json")
