"""Prompts of one's own: what may stand in the file, and what is said about what may not."""

from __future__ import annotations

import gzip
import hashlib
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


def test_a_file_of_another_suffix_is_told_what_files_of_prompts_end_in(tmp_path):
    for name in ("mine.txt", "mine.csv", "mine.ndjson"):
        path = write(tmp_path / name, [{"prompt": "a"}])
        with pytest.raises(BadInput, match=rf"{name}: a file of prompts ends in \.jsonl or \.json"):
            load_prompts(str(path))
        assert len(prompts_checksum(str(path))) == 64  # as responses it may be read


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


ROW = {"prompt": "Crème brûlée, s'il vous plaît. Say it.", "instruction": "Say it.", "response": "Crème brûlée"}


@pytest.mark.parametrize("name", ["p.jsonl", "P.JSONL", "p.json", "p.jsonl.gz", "p.JSON.GZ"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_prompts_are_the_same_in_every_encoding_and_wrapping_and_say_how_they_were_read(tmp_path, name, encoding):
    text = json.dumps(ROW, ensure_ascii=False)
    text = f"[\r\n{text}\r\n]" if ".json" in name.lower().replace(".jsonl", "") else f"\r\n{text}\r\n"
    raw = text.encode(encoding)
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.lower().endswith(".gz") else raw)
    found = load_prompts(str(path))
    assert [(p.text, p.response, p.instruction_spans) for p in found.prompts] == [
        (ROW["prompt"], ROW["response"], ((31, 38),))
    ]
    assert found.name.lower() == "p"
    assert found.checksum == prompts_checksum(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()
    told = {"utf-16": "read as UTF-16", "utf-16-le": "read as UTF-16", "cp1252": "read as Windows-1252"}
    assert [note.startswith(f"{name}: {told.get(encoding)}") for note in found.notes] == [True] * (encoding in told)
    warnings: list[str] = []
    assert read_responses(path, found, warnings) == {"prompt_0001": ROW["response"]}
    assert tuple(warnings) == found.notes


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"prompt": "a", "prompt": "b"}', "line 2: key 'prompt' is given twice"),
        ('{"prompt": "a", "name": NaN}', "line 2: NaN is no JSON"),
        ('{"prompt": "a\ufffdb"}', r"row 2: holds U\+FFFD"),
        ('{"prompt": "a\\ufffdb"}', r"line 2: .* holds U\+FFFD"),
        ('{"prompt": "Go on. Go on.", "instruction": "Go on."}', r"2 times .*`instruction_spans`.*\[0, 6\], \[7, 13\]"),
        ('{"prompt": "aaa", "instruction": "aa"}', "stands 2 times"),
        ('{"prompt": "Say it.", "input": "river"}', "does not contain the `input` beside it, 'river'"),
        ('{"prompt": "", "instruction": "Say it."}', "row 2: no `prompt` .* not empty"),
        ('{"prompt": " "}', "row 2: no `prompt`"),
        ('{"input": "river"}', "row 2: no `prompt` .or `instruction`."),
        ('{"instruction": " ", "input": "river"}', "row 2: `instruction` is blank"),
        ('{"prompt": "a", "response": "b", "output": "c"}', "two names of one thing and differ, 'b' and 'c'"),
        ('{"prompt": "a", "response": "", "output": "c"}', "two names of one thing and differ"),
        ('{"prompt": "a", "name": 7}', "`name` must be a text, not 7"),
        ('{"prompt": "a", "name": " "}', "`name` is empty"),
        ('{"prompt": "abc", "instruction_spans": 5}', "must be a list of pairs"),
        ('{"prompt": "abc", "instruction_spans": {"a": 1}}', "must be a list of pairs"),
        ('{"prompt": "abc", "instruction_spans": [0, 2]}', "instruction span 0 is no pair"),
        ('{"prompt": "a  b", "instruction_spans": [[1, 3]]}', "marks nothing but blanks"),
        ('{"prompt": "ab c", "instruction": "c", "instruction_spans": [[0, 2]]}', "mark 'ab' and `instruction` is 'c'"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "it is a conversation: write the user's message under"),
        ('{"conversations": [{"from": "human", "value": "a"}]}', "it is a conversation"),
        ('{"prompt": "a", "chosen": "b", "rejected": "c"}', "it is a pair of answers"),
        ('{"question": "a", "answer": "b"}', "'question' is one of another layout; call it `prompt`"),
        ('{"instruction": "a", "context": "b"}', "call it `input`"),
    ],
)
def test_a_row_that_contradicts_itself_or_is_of_another_layout_is_refused_with_what_to_do(tmp_path, row, said):
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "ok"}\n' + row, encoding="utf-8")
    with pytest.raises(BadInput, match=said) as refused:
        read_prompts(path)
    assert "p.jsonl" in str(refused.value)
    assert "2" in str(refused.value)


@pytest.mark.parametrize(
    ("row", "text", "spans"),
    [
        ({"instruction": "Say", "input": "Say Say"}, "Say\n\nSay Say", ((0, 3),)),
        ({"prompt": "Say it: a river", "instruction": "Say it", "input": "a river"}, "Say it: a river", ((0, 6),)),
        ({"prompt": "Go. Go.", "instruction": "Go.", "instruction_spans": [[0, 3], [4, 7]]}, None, ((0, 3), (4, 7))),
        ({"prompt": "Go. Go.", "instruction": "Go.", "instruction_spans": [[4, 7]]}, None, ((4, 7),)),
        ({"prompt": "Say (now) it", "instruction": "Say it", "instruction_spans": [[0, 3], [10, 12]]}, None, None),
        ({"prompt": "a", "response": "b", "output": "b", "instruction": "", "task": ""}, "a", ()),
        ({"prompt": "a", "response": None, "name": None, "input": ""}, "a", ()),
    ],
)
def test_rows_whose_parts_agree_are_read(tmp_path, row, text, spans):
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", [row])).prompts
    assert prompt.text == (text or row["prompt"])
    assert prompt.instruction_spans == (spans if spans is not None else ((0, 3), (10, 12)))


def test_rows_are_lines_and_names_count_prompts_whatever_blank_lines_stand_between(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('\n{"prompt": "a"}\n\n\n{"prompt": "b"}\n')
    assert [prompt.name for prompt in read_prompts(path).prompts] == ["prompt_0001", "prompt_0002"]
    path.write_text('\n{"prompt": "a", "name": "x"}\n\n{"prompt": "b", "name": "x"}\n')
    with pytest.raises(BadInput, match="row 4: the name 'x' is taken by row 2"):
        read_prompts(path)


def test_a_list_within_an_object_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"data": [ROW]}, indent=1))
    with pytest.raises(BadInput, match="key 'data' is one of another layout; it holds the rows: give that list alone"):
        read_prompts(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"response": "one", "nmae": "y"}, {"response": "two"}], r"row 1: unknown key 'nmae' .did you mean 'name'"),
        ([{"response": "one", "name": 1}, {"response": "two", "name": 2}], "row 1: `name` must be a text, not 1"),
        ([{"response": "one", "output": "two"}, "three"], "row 1: `response` and `output` are two names"),
        (
            [{"prompt": "b", "response": "two"}, {"prompt": "a", "response": "one"}],
            "row 1: its prompt is not that of 'x'",
        ),
        ([{"messages": []}, "b"], "it is a conversation"),
    ],
)
def test_responses_that_may_belong_to_other_prompts_are_refused(tmp_path, rows, said):
    prompts = read_prompts(write(tmp_path / "p.jsonl", [{"prompt": "a", "name": "x"}, {"prompt": "b", "name": "y"}]))
    with pytest.raises(BadInput, match=said):
        read_responses(write(tmp_path / "r.jsonl", rows), prompts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.text("ab .", max_size=8), st.sampled_from(["a", "ab", "a.", "ba b"]), st.text("ab .", max_size=8))
def test_an_instruction_is_marked_where_it_stands_once_and_nowhere_else(tmp_path, before, instruction, behind):
    text = before + instruction + behind
    path = write(tmp_path / "p.jsonl", [{"prompt": text, "instruction": instruction}])
    places = [at for at in range(len(text)) if text.startswith(instruction, at)]
    if len(places) == 1:
        (prompt,) = read_prompts(path).prompts
        assert prompt.instruction_spans == ((places[0], places[0] + len(instruction)),)
    else:
        with pytest.raises(BadInput, match=f"stands {len(places)} times in the prompt"):
            read_prompts(path)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1).filter(lambda text: text.strip())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"prompt": texts, "response": st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"))}
        ),
        min_size=1,
        max_size=5,
    )
)
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
