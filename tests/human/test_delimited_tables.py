"""Tables are read however their cells are parted, and every problem stands in the row that a spreadsheet shows."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, check_file, load_data, write_reading_times

WORDS = ["The", "old", "ferry", "left", '"now,"', "he", "said", "naïvely;", "to", "nobody."]
ROWS = [("s1", str(n), word, str(240 + 7 * n)) for n, word in enumerate(WORDS, start=1)]
NAMES = ("document", "index", "word", "time")


def times_of(path: Path) -> ReadingTimes:
    found = load_data(path)
    assert isinstance(found, ReadingTimes)
    return found


def written(path: Path, separator: str = ",", quoted: bool = True, blanks: str = "", encoding: str = "utf-8") -> Path:
    def cell(text: str) -> str:
        needs = quoted and (separator in text or '"' in text)
        return f"{blanks if not needs else ''}" + ('"' + text.replace('"', '""') + '"' if needs else text + blanks)

    lines = [separator.join(map(cell, row)) for row in (NAMES, *ROWS)]
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.Tsv", "a.csv.gz", "A.TSV.GZ"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_suffix_and_separator_need_not_agree(tmp_path: Path, name: str, separator: str) -> None:
    path = written(tmp_path / name, separator, blanks=" ")
    if name.lower().endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    found = times_of(path)
    assert found.words["word"].tolist() == WORDS
    assert found.words["time"].tolist() == [float(row[3]) for row in ROWS]
    assert found.name == name.split(".")[0]
    usual = "\t" if "tsv" in name.lower() else ","
    assert ("between cells" in " ".join(found.warnings)) == (separator != usual)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_every_letter_arrives_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    found = times_of(written(tmp_path / "a.csv", encoding=encoding))
    assert found.words["word"].tolist() == WORDS
    assert encoding == "utf-8-sig" or "read as" in found.warnings[0]


def test_quotation_marks_of_words_are_kept_where_nobody_wrote_quotes(tmp_path: Path) -> None:
    assert times_of(written(tmp_path / "a.tsv", "\t", quoted=False)).words["word"].tolist() == WORDS
    assert times_of(written(tmp_path / "b.tsv", "\t", quoted=True)).words["word"].tolist() == WORDS


@pytest.mark.parametrize("names_of_rows", ['"",', ""])
def test_names_of_rows_from_r_are_left_out_and_said(tmp_path: Path, names_of_rows: str) -> None:
    lines = [names_of_rows + ",".join(f'"{name}"' for name in NAMES)]
    lines += [f'"{n}","{d}",{i},"{w.replace(chr(34), chr(34) * 2)}",{t}' for n, (d, i, w, t) in enumerate(ROWS, 1)]
    (tmp_path / "r.csv").write_text("\n".join(lines))
    found = times_of(tmp_path / "r.csv")
    assert found.words["word"].tolist() == WORDS
    assert any("a first column without a name (names of rows) was left out" in said for said in found.warnings)


def test_excels_own_first_line_names_the_separator(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ";")
    path.write_bytes(b"sep=;\r\n" + path.read_bytes())
    assert times_of(path).words["word"].tolist() == WORDS


def test_parquet_with_nullable_types_and_an_index_is_read(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "document": pd.array(["s1"] * 3, dtype="string"),
            "index": pd.array([1, 2, 3], dtype="Int64"),
            "word": pd.Categorical(["A ", "fox", "ran."]),
            "time": pd.array([250.5, pd.NA, 260], dtype="Float64"),
            "n": pd.array([2, 0, 2], dtype="UInt8"),
        }
    )
    for place, frame in enumerate((table, table.set_index(["document", "index"]), table.set_axis(list("xyz")))):
        path = tmp_path / f"a{place}.PARQUET"
        frame.to_parquet(path)
        words = times_of(path).words
        assert words["word"].tolist() == ["A", "fox", "ran."]
        assert words["time"].tolist()[::2] == [250.5, 260]
        assert words["n"].tolist() == [2, 0, 2]
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a0.PARQUET").read_bytes()[:-20])
    with pytest.raises(BadInput, match="cannot be read as a parquet table"):
        load_data(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("document,index,word,time\ns1,1,The\n", "row 2: has 3 cells, and there are 4 names of columns"),
        ("document,index,word,time\ns1,1,The,250\ns1,2,fox,250,5\n", "row 3: has 5 cells.*as a decimal comma"),
        ('document,index,word,time\ns1,1,"The,250\ns1,2,fox,260\n', "row 2: is no row of a table .a quotation mark is"),
        ("document,index,word,word,time\ns1,1,The,a,250\n", "two columns called `word`"),
        ("Document,index,word,time\ns1,1,The,250\n", "has no column `document` .is it `Document`. rename it"),
        ("document,index,word,time\n\ns1,1,The,250\n\n\ns1,2,fox,slow\n", "row 6, column `time`: 'slow' is no number"),
        ("document,index,word,time\ns1,1,The,250\ns1,2,fox,inf\n", "row 3, column `time`: 'inf' is infinite"),
        ("document,index,word,time\ns1,1,The,250\ns1,2,fox\u00a0ran,260\n", "row 3: column `word` holds several words"),
        ("\n \n", "is empty"),
    ],
)  # fmt: skip
def test_reader_and_check_refuse_the_same_with_the_row(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=sentence):
        load_data(path)
    assert any(pd.Series(problem).str.contains(sentence).item() for problem in check_file(path))


def test_a_table_is_written_as_its_suffix_says_in_any_case(tmp_path: Path) -> None:
    times = times_of(written(tmp_path / "a.csv"))
    for name in ("b.CSV", "b.tsv.gz", "b.Parquet"):
        assert times_of(write_reading_times(times, tmp_path / name)).words["word"].tolist() == WORDS
    with pytest.raises(BadInput, match=r"must end in \.csv, \.tsv"):
        write_reading_times(times, tmp_path / "b.txt")


def test_the_files_that_people_sent_us_are_read(real_data: Path) -> None:
    cases = real_data.parent / "cases" / "files"
    if not cases.is_dir():
        pytest.skip("no folder `cases` lies beside the data folder")
    upper, blank = times_of(cases / "READ.CSV"), times_of(cases / "blank_after_a_word.csv")
    assert upper.words["word"].tolist() == blank.words["word"].tolist()
    assert check_file(cases / "READ.CSV") == []
