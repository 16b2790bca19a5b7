"""Surprisals from a file stand beside the right words, or are refused with the first place where they do not."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import Planted

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes
from tuneshift.reading import SurprisalFile, reading_alignment
from tuneshift.reading.surprisal_formats import load_surprisals, read_surprisals

STORIES = {"10": ["Once", "there", "was", "a", "mill."], "2": ["It", "had", "no", "wheel.", "It", "stood", "still."]}
LENGTHS = {"10": (5,), "2": (4, 3)}
VALUES = np.arange(1.0, 13.0)


@pytest.fixture
def times() -> ReadingTimes:
    rows = [
        {"document": name, "position": i, "word": word, "sentence": int(i >= LENGTHS[name][0]), "time": 300.0, "n": 5}
        for name, words in STORIES.items()
        for i, word in enumerate(words)
    ]
    table = pd.DataFrame(rows).assign(sentence_initial=False, sentence_final=False)
    return ReadingTimes("two stories", table, release="test")


@pytest.fixture
def table(times: ReadingTimes) -> pd.DataFrame:
    return times.words[["document", "position", "word"]].assign(surprisal=VALUES)


def _csv(folder: Path, table: pd.DataFrame) -> Path:
    table.to_csv(folder / "surprisals.csv", index=False)
    return folder / "surprisals.csv"


def _json(folder: Path, content: Any) -> Path:
    (folder / "surprisals.json").write_text(json.dumps(content))
    return folder / "surprisals.json"


def test_every_layout_gives_the_same_values(tmp_path: Path, times: ReadingTimes, table: pd.DataFrame) -> None:
    by_sentence = {"2": [[6.0, 7, 8, 9], [10, 11, 12]], "10": [[1, 2, 3, 4, 5.0]]}
    flat = {"10": [1, 2, 3, 4, 5], "2": [6, 7, 8, 9, 10, 11, 12]}
    tsv = tmp_path / "surprisals.tsv"
    table.to_csv(tsv, sep="\t", index=False)
    paths = [_csv(tmp_path, table), tsv]
    for content in (table.to_dict("records"), by_sentence, flat):
        np.testing.assert_allclose(load_surprisals(_json(tmp_path, content), times), VALUES)
    for path in paths:
        np.testing.assert_allclose(load_surprisals(path, times), VALUES)


def test_documents_are_matched_by_name_whatever_their_order(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    other_way_round = pd.concat([table[table["document"] == "2"], table[table["document"] == "10"]])
    np.testing.assert_allclose(load_surprisals(_csv(tmp_path, other_way_round), times), VALUES)


def test_positions_may_count_from_one_and_words_may_be_left_out(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    np.testing.assert_allclose(
        load_surprisals(_csv(tmp_path, table.assign(position=table["position"] + 1)), times), VALUES
    )
    np.testing.assert_allclose(load_surprisals(_csv(tmp_path, table[["document", "surprisal"]]), times), VALUES)


def test_nats_become_bits(tmp_path: Path, times: ReadingTimes, table: pd.DataFrame) -> None:
    np.testing.assert_allclose(load_surprisals(_csv(tmp_path, table), times, "nats"), VALUES / math.log(2))


def test_words_that_look_like_missing_values_stay_words(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    times.words.loc[[1, 6], "word"] = ["NA", "null"]
    table.loc[[1, 6], "word"] = ["NA", "null"]
    np.testing.assert_allclose(load_surprisals(_csv(tmp_path, table), times), VALUES)


def test_a_file_one_word_too_short_is_refused_where_it_parts(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    with pytest.raises(BadInput, match=r"hold 6 words of document 2, two stories has 7: word 7 \('still.'\) has no"):
        load_surprisals(_csv(tmp_path, table.iloc[:-1]), times)
    with pytest.raises(BadInput, match=r"part at document 2, word 2: 'no' and 'had'"):
        load_surprisals(_csv(tmp_path, table.drop(index=6).drop(columns="position")), times)
    by_sentence = {"10": [[1, 2, 3, 4, 5]], "2": [[6, 7, 8], [10, 11, 12]]}
    with pytest.raises(BadInput, match=r"they part in sentence 1 \(it begins with 'It'\): 3 words against 4"):
        load_surprisals(_json(tmp_path, by_sentence), times)


def test_a_file_one_word_too_long_is_refused(tmp_path: Path, times: ReadingTimes) -> None:
    with pytest.raises(BadInput, match="hold 6 words of document 10, two stories has 5: word 6 has no partner"):
        load_surprisals(_json(tmp_path, {"10": [1] * 6, "2": [1] * 7}), times)


def test_a_reordered_story_is_refused_with_its_first_place(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    swapped = table.iloc[[0, 2, 1, *range(3, 12)]]
    with pytest.raises(BadInput, match="document 10 is not in reading order: position 1 should come next, and 2 does"):
        load_surprisals(_csv(tmp_path, swapped), times)
    with pytest.raises(BadInput, match="part at document 10, word 2: 'was' and 'there'"):
        load_surprisals(_csv(tmp_path, swapped.drop(columns="position")), times)


def test_documents_that_one_side_lacks_are_named(tmp_path: Path, times: ReadingTimes) -> None:
    with pytest.raises(BadInput, match="lack document '2' of two stories; they have 10"):
        load_surprisals(_json(tmp_path, {"10": [1] * 5}), times)
    with pytest.raises(BadInput, match="hold document '3', which two stories has not"):
        load_surprisals(_json(tmp_path, {"10": [1] * 5, "2": [1] * 7, "3": [1]}), times)


@pytest.mark.parametrize(
    ("value", "said"),
    [(float("nan"), "has nan .1 such words.; every word"), (float("inf"), "has inf"), (-3.0, "have the other sign")],
)
def test_values_that_are_no_surprisals_are_refused_with_their_place(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame, value: float, said: str
) -> None:
    table.loc[7, "surprisal"] = value
    with pytest.raises(BadInput, match=rf"document 2, word 3 \('no'\) {said}" if value > 0 or value != value else said):
        load_surprisals(_csv(tmp_path, table), times)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "no valid JSON"),
        ("[1, 2]", "neither a list of rows"),
        ('{"10": 5}', "document 10 is no list"),
        ('{"10": [1, "two"]}', "document 10, word 2: 'two' is no number"),
        ('[{"document": "10", "suprisal": 2}]', r"no column 'surprisal' \(did you mean 'suprisal'\?\)"),
    ],
)
def test_files_of_another_shape_are_refused(tmp_path: Path, times: ReadingTimes, content: str, said: str) -> None:
    path = tmp_path / "surprisals.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=said):
        load_surprisals(path, times)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, times: ReadingTimes) -> None:
    for name in ("gone.csv", "gone.json"):
        with pytest.raises(BadInput, match="cannot be read"):
            load_surprisals(tmp_path / name, times)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    table = pd.DataFrame({"document": ["a"], "position": 0, "word": "a", "sentence": 0, "time": 1.0, "n": 1})
    for suffix in ("json", "csv"):
        path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
        path.write_text(text, encoding="utf-8", newline="")
        with pytest.raises(BadInput):
            load_surprisals(path, ReadingTimes("one word", table, release="test"))


def test_a_file_is_measured_like_the_model_that_wrote_it(tmp_path: Path, planted: Planted) -> None:
    words = planted.times.words
    path = _csv(tmp_path, words[["document", "position", "word"]].assign(surprisal=planted.surprisal))
    source = SurprisalFile("somebody's model", path)
    result = reading_alignment(source, planted.times, n_boot=0, mixed_model=False)
    assert result.table["mapping"].unique().tolist() == ["given"]
    kept = words["position"] > 0
    expected = np.corrcoef(planted.surprisal[kept], words["time"][kept])[0, 1]
    assert result.table["value"].iloc[0] == pytest.approx(expected)
    with pytest.raises(BadInput, match="needs a model; a file of surprisals has only its own form"):
        reading_alignment(source, planted.times, form="chat")
    assert source.revision.endswith("in bits")


def test_sentences_in_another_order_are_refused_and_sentences_cut_elsewhere_are_not(
    tmp_path: Path, times: ReadingTimes
) -> None:
    swapped = {"10": [[1, 2, 3, 4, 5]], "2": [[10, 11, 12], [6, 7, 8, 9]]}
    said = r"sentences of document 2 in another order than two stories: they part in sentence 1 \(it begins with 'It'\)"
    with pytest.raises(BadInput, match=said):
        load_surprisals(_json(tmp_path, swapped), times)
    cut_elsewhere = {"10": [[1, 2], [3, 4, 5]], "2": [[6, 7], [8, 9], [10, 11, 12]]}
    np.testing.assert_allclose(load_surprisals(_json(tmp_path, cut_elsewhere), times), VALUES)


@pytest.mark.parametrize("missing", ["", "NaN", "null", "NA"])
def test_the_first_word_of_a_document_may_have_no_value(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame, missing: str
) -> None:
    cells = table.astype({"surprisal": object})
    cells.loc[table["position"] == 0, "surprisal"] = missing
    expected = np.where(table["position"] == 0, np.nan, VALUES)
    np.testing.assert_allclose(load_surprisals(_csv(tmp_path, cells), times), expected)
    nothing = None if missing == "null" else float("nan") if missing == "NaN" else missing
    lists = {"10": [nothing, 2, 3, 4, 5], "2": [[nothing, 7, 8, 9], [10, 11, 12]]}
    np.testing.assert_allclose(load_surprisals(_json(tmp_path, lists), times), expected)
    cells.loc[7, "surprisal"] = missing
    with pytest.raises(BadInput, match=r"document 2, word 3 \('no'\) has nan"):
        load_surprisals(_csv(tmp_path, cells), times)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("base10", math.log2(10)), ("logprob", -1 / math.log(2)), ("log2prob", -1), ("log10prob", -math.log2(10))],
)
def test_units_are_declared_and_the_other_sign_is_refused(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame, unit: Any, factor: float
) -> None:
    given_values = VALUES * np.sign(factor)
    path = _csv(tmp_path, table.assign(surprisal=given_values))
    np.testing.assert_allclose(load_surprisals(path, times, unit), given_values * factor)
    with pytest.raises(BadInput, match="log probabilities have the other sign"):
        load_surprisals(path, times, "logprob" if factor > 0 else "nats")


def test_tables_of_other_spreadsheets_are_read_or_refused_with_the_row(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    path = tmp_path / "S.CSV"
    table.to_csv(path, index=False, sep=";", encoding="utf-16")
    np.testing.assert_allclose(load_surprisals(path, times), VALUES)
    table.assign(surprisal=VALUES + 0.5).to_csv(path, index=False, sep=";", decimal=",")
    read = read_surprisals(path, times)
    np.testing.assert_allclose(read.values, VALUES + 0.5)
    assert read.said == (
        "S.CSV: read with semicolons between cells",
        "S.CSV: column `surprisal`: commas were read as decimal commas, as in row 2 ('1,5')",
    )
    table.assign(surprisal=[f"{value:.0f},{value:03.0f}" for value in VALUES]).to_csv(path, index=False, sep=";")
    with pytest.raises(BadInput, match=r"row 2, column `surprisal`: '1,001' may be thousands or decimals"):
        load_surprisals(path, times)


@pytest.mark.parametrize("suffix", ["csv", "TSV", "json", "jsonl", "csv.gz", "JSON.GZ"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_kind_of_file_in_every_encoding_has_the_same_values_and_says_how_it_was_read(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame, suffix: str, encoding: str
) -> None:
    times.words.loc[4, "word"] = "cr\xe8me."
    table.loc[4, "word"] = "cr\xe8me."
    kind = suffix.lower().removesuffix(".gz")
    rows = [json.dumps(row, ensure_ascii=False) for row in table.to_dict("records")]
    text = {
        "csv": table.to_csv(index=False), "tsv": table.to_csv(index=False, sep="\t"),
        "json": f"[{', '.join(rows)}]", "jsonl": "\n\n".join(rows),
    }[kind]  # fmt: skip
    raw = text.replace("\n", "\r\n").encode(encoding)
    path = tmp_path / f"s.{suffix}"
    path.write_bytes(gzip.compress(raw) if suffix.lower().endswith(".gz") else raw)
    read = read_surprisals(path, times)
    np.testing.assert_allclose(read.values, VALUES)
    assert [sentence.split(", ")[0].split(":")[1].strip() for sentence in read.said if "read as" in sentence] == {
        "utf-16": ["read as UTF-16"], "cp1252": ["read as Windows-1252 (Latin-1)"],
    }.get(encoding, [])  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"10": [1, 2], "10": [1, 2]}', "begins in line 1: key '10' is given twice"),
        ('[{"document": "10", "surprisal": 1, "surprisal": 2}]', "key 'surprisal' is given twice"),
        ('{"10": [1, Infinity, 3, 4, 5], "2": [1, 2, 3, 4, 5, 6, 7]}', r"document 10, word 2 \('there'\) has inf"),
        ('{"10": [1, 1e999, 3, 4, 5], "2": [1, 2, 3, 4, 5, 6, 7]}', r"document 10, word 2 \('there'\) has inf"),
        ('{"10": [1, true, 3, 4, 5], "2": [1]}', "document 10, word 2: True is no number"),
    ],
)
def test_json_that_says_two_things_or_no_number_is_refused(
    tmp_path: Path, times: ReadingTimes, content: str, said: str
) -> None:
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(BadInput, match=said):
        load_surprisals(tmp_path / "s.json", times)


@pytest.mark.parametrize("value", ["inf", "-Infinity", "NaN", "", "-3.5"])
def test_a_value_that_is_none_is_refused_with_its_row_in_the_file(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame, value: str
) -> None:
    cells = table.astype({"surprisal": object})
    cells.loc[7, "surprisal"] = value
    path = _csv(tmp_path, cells)
    path.write_text("\n" + path.read_text())  # rows are those of the file, blank ones counted
    with pytest.raises(BadInput, match=r"surprisals\.csv, row 10: document 2, word 3 \('no'\) has"):
        load_surprisals(path, times)


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        ("mill", "quotation marks or punctuation"),
        ("\u201cmill.\u201d", "quotation marks"),
        ("MILL.", "small and large letters"),
    ],
)
def test_words_that_differ_in_signs_or_case_are_refused_with_what_to_do(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame, theirs: str, what: str
) -> None:
    table.loc[4, "word"] = theirs
    with pytest.raises(
        BadInput, match=f"document 10, word 5: .* and 'mill.', which differ only in {what}.*without the"
    ):
        load_surprisals(_csv(tmp_path, table), times)


def test_the_same_letters_composed_otherwise_are_the_same_word_and_said(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    times.words.loc[4, "word"] = "cr\xe8me."
    table.loc[4, "word"] = "cre\u0300me."
    read = read_surprisals(_csv(tmp_path, table), times)
    np.testing.assert_allclose(read.values, VALUES)
    assert read.said == (
        "surprisals.csv: the letters of 1 words are composed otherwise than in two stories (Unicode NFC, NFD)",
    )


def test_values_that_rounding_put_below_zero_are_kept_and_said(
    tmp_path: Path, times: ReadingTimes, table: pd.DataFrame
) -> None:
    table.loc[[3, 8], "surprisal"] = -0.001
    read = read_surprisals(_csv(tmp_path, table), times)
    np.testing.assert_allclose(read.values, table["surprisal"])
    assert read.said == ("surprisals.csv: 2 surprisals lie less than 0.01 bits below zero and were kept so",)


def test_how_a_file_was_read_stands_in_the_warnings_of_the_result(tmp_path: Path, planted: Planted) -> None:
    words = planted.times.words
    path = tmp_path / "s.csv"
    cells = words[["document", "position", "word"]].assign(surprisal=planted.surprisal)
    cells.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-16")
    result = reading_alignment(SurprisalFile("x", path), planted.times, n_boot=0, mixed_model=False)
    said = [warning for warning in result.warnings if warning.startswith("s.csv: ")]
    assert [sentence.split(": ")[1].split(",")[0] for sentence in said] == [
        "read as UTF-16", "read with semicolons between cells", "column `surprisal`",
    ]  # fmt: skip
