"""A text file is read in the encoding it has, which is said, or refused with the row: no letter is ever lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.files.text_file import decode_text, plain_stem, plain_suffix, read_text

WESTERN = {
    "a French clause": "Le café naïf où Zoé a été déçue par les œufs",
    "English with a printer's quotation marks": "There are “now” rumblings — it’s said…",
    "German": "Die Straße führt über schöne Brücken",
    "Spanish": "¿Qué pasó? El niño comió piña",
    "Finnish": "Hän näki että äiti söi leipää",
    "Icelandic": "Það er gott að búa á Íslandi",
    "one word": "café",
    "a unit": "µV",
}


@pytest.mark.parametrize("text", WESTERN.values(), ids=WESTERN)
def test_western_letters_of_windows_are_recognised_and_said(text: str) -> None:
    rows = "document,word\n" + "\n".join(f"s1,{word}" for word in text.split())
    found = decode_text(rows.encode("cp1252"), "a.csv")
    assert found.text == rows
    first = next(word for word in text.split() if not word.isascii())
    assert "read as Windows-1252 (Latin-1)" in found.said
    assert repr(first) in found.said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_with_and_without_a_mark_is_read(encoding: str) -> None:
    text = "document,word\ns1,naïve\ns1,日本\n"
    found = decode_text(text.replace("\n", "\r\n").encode(encoding), "a.csv")
    assert found.text == text
    assert found.said == "" if encoding == "utf-8-sig" else "read as UTF-" in found.said


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Солнце взошло над рекой и дети пошли", "cp1251"),
        ("Солнце взошло над рекой и дети пошли", "koi8_r"),
        ("Źdźbło trawy rosło na łące gdzie żółty gąsior", "cp1250"),
        ("Güneş ışığı ağaçların arasından süzülüyordu çocuklar", "cp1254"),
        ("Le café naïf où Zoé a été déçue", "mac_roman"),
        ("Le café naïf où Zoé a été déçue", "cp850"),
        ("太陽が川の上に昇り", "shift_jis"),
        ("太阳从河上升起", "gb18030"),
    ],
)
def test_other_encodings_are_refused_with_the_row_and_never_read_as_something_else(text: str, encoding: str) -> None:
    rows = "\n".join(["document,word", *(f"s1,{word}" for word in text.split())])
    at = next(n for n, row in enumerate(rows.split("\n"), 1) if not row.isascii())
    with pytest.raises(BadInput, match=rf"a\.csv, row {at}: byte \d+ is no UTF-8 .* save it as UTF-8"):
        decode_text(rows.encode(encoding), "a.csv")


def test_a_file_of_two_encodings_is_refused_where_the_second_begins() -> None:
    with pytest.raises(BadInput, match=r"row 3: byte \d+ is no UTF-8"):
        decode_text("word\ncafé\n".encode() + "naïve\n".encode("cp1252"), "a.csv")
    with pytest.raises(
        BadInput, match=r"row 2: byte 10 is no UTF-8 .*, which 2 letters of the file are; mend that row"
    ):
        decode_text(b"word\nna\xc3\xafv\xc3e\ncaf\xc3\xa9", "a.csv")


def test_a_letter_that_was_lost_before_is_refused_with_its_row() -> None:
    with pytest.raises(BadInput, match=r"a\.csv, row 2: holds U\+FFFD"):
        decode_text("word\ncaf\ufffd\n".encode(), "a.csv")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadInput, match="row 1: byte 2 is zero, so this is no text file"):
        decode_text(b"ab\0cd\0\0\0e", "a.csv")
    with pytest.raises(BadInput, match="is no UTF-16"):
        decode_text(b"\xff\xfea\0b", "a.csv")


def test_compressed_files_are_unpacked_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "a.CSV.GZ", "a.csv"):
        (tmp_path / name).write_bytes(gzip.compress(b"word\nfox\n"))
        assert read_text(tmp_path / name).text == "word\nfox\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"word\nfox\n" * 9)[:-9])
    with pytest.raises(BadInput, match=r"a\.csv\.gz is compressed \(gzip\) and damaged"):
        read_text(tmp_path / "a.csv.gz")
    (tmp_path / "a.csv.gz").write_bytes(b"word\nfox\n")
    with pytest.raises(BadInput, match=r"ends in \.gz and is not compressed"):
        read_text(tmp_path / "a.csv.gz")
    with pytest.raises(BadInput, match="cannot be read"):
        read_text(tmp_path / "none.csv")


def test_the_suffix_that_counts_is_the_one_of_the_contents() -> None:
    assert [plain_suffix(name) for name in ("a.CSV", "a.csv.gz", "a.tsv.GZ", "a")] == [".csv", ".csv", ".tsv", ""]
    assert [plain_stem(name) for name in ("a.CSV", "a.b.csv.gz", "a")] == ["a", "a.b", "a"]


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=80))
def test_any_bytes_are_text_or_refused_in_one_sentence(raw: bytes) -> None:
    said = ""
    try:
        text = decode_text(raw, "any.txt").text
    except BadInput as error:
        text, said = "", str(error)
    assert "\ufffd" not in text
    assert not said or ("any.txt" in said and "\n" not in said)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0\ufffd\ufeff")))
def test_whatever_is_written_in_utf_8_is_read_back(text: str) -> None:
    assert decode_text(text.encode(), "a.txt").text == text


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 60), n=st.integers(1, 3), encoding=st.sampled_from(["utf-8", "cp1252"]))
def test_zero_bytes_that_strayed_into_a_text_never_make_it_chinese(at: int, n: int, encoding: str) -> None:
    text = "word,document,time\ncaf\xe9,1,300\ncr\xe8me,1,280\nna\xefve,1,310\n" * 4
    raw = text.encode(encoding)
    with pytest.raises(BadInput, match=r"a\.csv, row \d+: byte \d+ is zero, so this is no text file"):
        decode_text(raw[:at] + b"\0" * n + raw[at:], "a.csv")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("word", ["\u0441\u043b\u043e\u0432\u043e", "\u8bfb\u4e66", "\u03bb\u03cc\u03b3\u03bf\u03c2"])
def test_a_table_of_another_script_in_utf_16_without_a_mark_is_read(encoding: str, word: str) -> None:
    text = "".join(f"{document},{word}{word},{300 + document}\n" for document in range(20))
    assert decode_text(text.encode(encoding), "a.csv").text == text
