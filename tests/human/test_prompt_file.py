"""Prompts of one's own: what may stand in the file, and what is said about what may not."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.human.prompt_file import load_prompts, prompts_checksum, read_prompts, read_responses


def write(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_alpaca_rows_are_joined_and_their_instruction_is_marked(tmp_path):
    path = write(tmp_path / "p.jsonl", [{"instruction": "Say it.", "input": "river", "output": "river"}])
    (prompt,) = read_prompts(path).prompts
    assert prompt.text == "Say it.\n\nriver"
    assert prompt.instruction_spans == ((0, 7),)
    assert prompt.response == "river"


def test_a_json_list_reads_like_lines(tmp_path):
    rows = [{"prompt": "a b", "instruction": "b", "name": "x", "task": "t"}]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(rows, indent=2))
    assert read_prompts(path).prompts == read_prompts(write(tmp_path / "p.jsonl", rows)).prompts
    assert load_prompts(str(path)).name == "p"
    assert len(prompts_checksum(str(path))) == 64


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"promt": "x"}', r"row 1: unknown key 'promt' \(did you mean 'prompt'\?\)"),
        ('{"prompt": "x"}\n{"prompt": ""}', "row 2: no `prompt`"),
        ('{"prompt": "x", "instruction": "y"}', "row 1: the prompt does not contain its instruction 'y'"),
        ('{"prompt": "x", "instruction_spans": [[0, 5]]}', "within a prompt of 1 characters"),
        ('{"prompt": 3}', "`prompt` must be a text"),
        ('{"prompt": "x"', "line 1: no valid JSON"),
        ("[1]", "row 1: a row must be a JSON object, not int"),
        ("", "holds no prompts"),
        ('{"prompt": "x", "name": "a"}\n{"prompt": "y", "name": "a"}', "row 2: the name 'a' is taken by row 1"),
    ],
)
def test_a_file_that_departs_from_the_layout_is_refused_with_its_row(tmp_path, content, said):
    path = tmp_path / "p.jsonl"
    path.write_text(content)
    with pytest.raises(BadInput, match=said):
        read_prompts(path)


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.jsonl does not exist"):
        load_prompts(str(tmp_path / "gone.jsonl"))
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"b\.jsonl, row 1: byte 2 is no UTF-16"):
        read_prompts(tmp_path / "b.jsonl")


def test_responses_come_in_order_or_by_name(tmp_path):
    prompts = read_prompts(write(tmp_path / "p.jsonl", [{"prompt": "a", "name": "x"}, {"prompt": "b", "name": "y"}]))
    in_order = write(tmp_path / "r.jsonl", ["one", {"response": "two"}])
    assert read_responses(in_order, prompts) == {"x": "one", "y": "two"}
    named = write(tmp_path / "n.jsonl", [{"name": "y", "response": "two"}])
    assert read_responses(named, prompts) == {"y": "two"}
    for rows, said in (
        (["one"], "1 responses without names for 2 prompts"),
        ([{"name": "z", "response": ""}], "no prompt is called 'z'"),
        ([{"name": "x", "response": ""}, {"name": "x", "response": ""}], "a second response to prompt 'x'"),
        ([{"name": "x", "response": ""}, "b"], "some rows have a `name`"),
        ([{"name": "x", "response": 1}], "`response` must be a text, not 1"),
        ([{"name": "x"}], "no text under `response`"),
    ):
        with pytest.raises(BadInput, match=said):
            read_responses(write(tmp_path / "bad.jsonl", rows), prompts)


texts = st.text(min_size=1).filter(lambda text: text.strip())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.fixed_dictionaries({"prompt": texts, "response": st.text()}), min_size=1, max_size=5))
def test_whatever_is_written_is_read_back(tmp_path, rows):
    path = write(tmp_path / "p.jsonl", rows)
    found = read_prompts(path).prompts
    assert [(prompt.text, prompt.response) for prompt in found] == [(row["prompt"], row["response"]) for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.binary(max_size=60))
def test_no_content_breaks_the_reader_but_with_words(tmp_path, content):
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    said = ""
    try:
        said = read_prompts(path).name
    except BadInput as error:
        said = str(error)
    assert "p.jsonl" in said or said == "p"
