"""Corpora in the layouts that their authors describe, as another country's spreadsheet saves them, lose no time."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks._corpus_layouts import LAYOUTS, WORDS, written
from typer.testing import CliRunner

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, check_file, import_reading_times, load_data

TIMES = [100.5 * place + 40 for place in range(1, len(WORDS) + 1)]  # means of three readers
POINT, COMMA = repr, lambda time: repr(time).replace(".", ",")


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize(
    ("number", "separator", "encoding", "said"),
    [
        (POINT, None, "utf-8", ""),
        (POINT, None, "utf-8-sig", ""),
        (COMMA, ";", "utf-8-sig", "commas were read as decimal commas"),
        (COMMA, "\t", "cp1252", "commas were read as decimal commas"),
        (COMMA, ",", "utf-16", "commas were read as decimal commas"),
        (lambda time: f"{time:,.1f}", None, "utf-16-le", "commas were read as thousands separators"),
        (lambda time: f"{time} ms", None, "utf-8", "cells with a unit were read as ms"),
    ],
)
def test_every_layout_keeps_every_time_and_every_letter(
    tmp_path: Path, name: str, number: Callable[[float], str], separator: str | None, encoding: str, said: str
) -> None:
    path = written(tmp_path / "corpus.txt", name, number, separator, encoding)
    times = import_reading_times(path)
    assert times.name == name
    assert times.words["word"].tolist() == WORDS
    np.testing.assert_allclose(times.words["time"], TIMES)
    assert times.words["n"].tolist() == [3] * len(WORDS)
    assert times.notes[0].startswith("corpus.txt: took 30 times of 30 rows, ")
    assert said in " ".join(times.notes)
    assert "\ufffd" not in "".join(times.words["word"])


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("cell", ["fast", "Inf", "-12.5", "#VALUE!", "312 apples"])
def test_a_cell_that_is_no_time_is_refused_with_its_row(tmp_path: Path, name: str, cell: str) -> None:
    path = written(tmp_path / "corpus.csv", name, lambda time: cell if time == 100.5 * 3 + 40 else repr(time))
    with pytest.raises(BadInput, match=rf"row 14, column `[\w.]+`: '{cell}' is "):
        import_reading_times(path)
    assert any("row 14" in problem and cell in problem for problem in check_file(path))


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_left_out_is_counted_and_why(tmp_path: Path, name: str) -> None:
    def number(time: float) -> str:
        return {341.5: "NA", 442.0: "0", 542.5: "n/a"}.get(time, repr(time))

    times = import_reading_times(written(tmp_path / "corpus.txt", name, number))
    counted = times.notes[0]
    assert "took 27 times of 30 rows" in counted
    assert "1 are 0 and 2 are empty or NA: words without a time of that reader" in counted
    assert times.words["n"].sum() == 27


def test_rows_without_a_word_are_counted_with_the_times_that_go_with_them(tmp_path: Path) -> None:
    path = written(tmp_path / "corpus.txt", "ucl_self_paced", POINT)
    path.write_bytes(path.read_bytes().replace(b"nobody.", b" "))
    counted = import_reading_times(path).notes[0]
    assert "took 27 times of 30 rows" in counted
    assert "3 rows without a word or document were left out (first: row 11; 3 had times)" in counted


def test_the_table_that_an_import_writes_keeps_the_counts(tmp_path: Path) -> None:
    from tuneshift.cli.app import app

    path = gzip.compress(written(tmp_path / "ucl.txt", "ucl_self_paced", lambda time: f"{time:,.1f}").read_bytes())
    (tmp_path / "ucl.TXT.gz").write_bytes(path)
    done = CliRunner().invoke(
        app, ["data", "import", str(tmp_path / "ucl.TXT.gz"), "--out", str(tmp_path / "mine.csv")]
    )
    assert done.exit_code == 0, done.output
    assert "ucl.TXT.gz: took 30 times of 30 rows, self_paced (column `RT`), by 3 readers" in done.output
    assert "commas were read as thousands separators" in done.output
    mine = load_data(tmp_path / "mine.csv")
    assert isinstance(mine, ReadingTimes)
    assert mine.notes[0].startswith("ucl.TXT.gz: took 30 times of 30 rows")
    assert set(mine.notes) <= set(mine.warnings)


def test_several_languages_in_one_file_are_not_mixed(tmp_path: Path) -> None:
    path = written(tmp_path / "meco.csv", "meco_gaze", POINT)
    path.write_bytes(path.read_bytes().replace(b"en_s03,en,", b"nl_s03,nl,"))
    with pytest.raises(BadInput, match=r"holds 2 languages \(en, nl\); keep the rows of one \(column `lang`\)"):
        import_reading_times(path)


def test_a_corpus_is_imported_before_it_is_measured(tmp_path: Path) -> None:
    path = written(tmp_path / "Provo.CSV", "provo_gaze", POINT, encoding="cp1252")
    with pytest.raises(BadInput, match=r"is provo as its authors give it; .*`tuneshift data import .*Provo.CSV`"):
        load_data(path)
    assert [problem for problem in check_file(path) if not problem.startswith("warning")] == []


def test_the_files_of_a_public_corpus_that_people_sent_us_lose_no_time(real_data: Path) -> None:
    cases = real_data.parent / "cases" / "files"
    if not cases.is_dir():
        pytest.skip("no folder `cases` lies beside the data folder")
    good = import_reading_times(cases / "ucl_ok.txt")
    for name, said in (("ucl_thousands.txt", "thousands"), ("ucl_deccomma.txt", "decimal commas")):
        found = import_reading_times(cases / name)
        assert found.words["n"].tolist() == good.words["n"].tolist()
        np.testing.assert_allclose(found.words["time"], good.words["time"], atol=0.5)
        assert said in " ".join(found.notes)
