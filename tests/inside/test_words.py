"""The words that weights are asked about, from vocabularies, lists, files with counts, and files of vectors."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.inside.heads.verbs import CONTROL_VERBS, INSTRUCTION_VERBS
from tuneshift.inside.word_vectors import read_vectors
from tuneshift.inside.words import files_checksum, read_words, word_list
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights

TEN = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def test_own_words_are_whole_words_most_frequent_first(fable_2m: LanguageModel) -> None:
    found = word_list(fable_2m.tokenizer)
    assert found.words[:5] == ("the", "to", "and", "of", "in")
    assert len(found) > 3000
    assert "The" not in found.words  # its lower-case form is there
    assert "Alice" in found.words or "London" in found.words  # names have none
    for word, tokens in zip(found.words[:200], found.tokens[:200], strict=True):
        assert fable_2m.tokenizer.decode(list(tokens)) == f" {word}"


def test_a_word_of_several_tokens_has_their_mean(fable_2m: LanguageModel) -> None:
    found = word_list(fable_2m.tokenizer, [*TEN, "summarize", "unquestionable"])
    assert fable_2m.tokenizer.decode(list(found.tokens[-1])).strip() == "unquestionable"
    assert len(found.tokens[-1]) > 1
    weights = Weights.of(fable_2m)
    matrix = fable_2m.torch_model.get_input_embeddings().weight
    for embeddings in (found.input_embeddings(weights), found.output_embeddings(weights)):  # tied in this model
        for tokens, embedding in zip(found.tokens, embeddings, strict=True):
            torch.testing.assert_close(embedding, matrix[list(tokens)].mean(dim=0))


def test_verbs_of_the_two_groups_differ() -> None:
    assert not set(INSTRUCTION_VERBS) & set(CONTROL_VERBS)
    assert len(set(INSTRUCTION_VERBS)) == 38


def test_a_file_of_words_may_have_counts_and_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("word,count\nrare,3\ncommon,1000\nmiddling,20\n")
    assert read_words(path) == ["common", "middling", "rare"]
    path.write_text("first\nsecond\n\nthird\n")
    assert read_words(path) == ["first", "second", "third"]


@given(st.dictionaries(st.from_regex(r"[a-z]{2,8}", fullmatch=True), st.integers(0, 10**9), min_size=1))
def test_any_separator_gives_the_same_words(tmp_path_factory: pytest.TempPathFactory, counts: dict[str, int]) -> None:
    path = tmp_path_factory.mktemp("words") / "words.txt"
    orders = []
    for separator in ("\t", ",", " ", ", "):
        path.write_text("".join(f"{word}{separator}{count}\n" for word, count in counts.items()))
        orders.append(read_words(path))
    assert orders.count(orders[0]) == 4
    assert [counts[word] for word in orders[0]] == sorted(counts.values(), reverse=True)


def test_what_is_wrong_with_a_file_of_words_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("good 3\nthis is no word\n")
    with pytest.raises(BadInput, match=r"words.txt, line 2: 'this is no word' is no word, or word and count"):
        read_words(path)
    with pytest.raises(BadInput, match=r"absent\.txt cannot be read"):
        read_words(tmp_path / "absent.txt")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"words\.txt, row 1: byte 2 is no UTF-16"):
        read_words(path)
    for text, said in (
        ("one 3\ntwo\n", r"line 2: 'two' has no count"),
        ("one 3\ntwo nan\n", r"line 2: 'two nan' is no word"),
        ("one 3\ntwo 1_000\n", r"line 2: 'two 1_000' is no word"),
        ("of the\nin the\n", r"line 1: 'of the' is no word, or word and count"),
    ):
        path.write_text(text)
        with pytest.raises(BadInput, match=said):
            read_words(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_of_words_in_any_encoding_has_the_same_words_and_says_so(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "words.txt"
    words = ["the", "caf\xe9", "cr\xe8me", "na\xefve", "of"]
    path.write_bytes("\r\n".join(words).encode(encoding))
    said: list[str] = []
    assert read_words(path, said) == words
    assert bool(said) == (encoding in ("utf-16", "cp1252"))
    assert all("words.txt: read as" in sentence for sentence in said)


def test_a_word_that_stands_twice_is_taken_once_and_said(tmp_path: Path, fable_2m: LanguageModel) -> None:
    path = tmp_path / "words.csv"
    path.write_text('"word";"count"\n"the";9\n"set";5\n"set";3\n')
    said: list[str] = []
    assert read_words(path, said) == ["the", "set"]
    assert said == ["words.csv: 1 words stand there before and were taken once, as they stood first"]
    path.write_text("\n".join([*TEN, TEN[0]]))
    assert word_list(fable_2m.tokenizer, path).said == tuple(said)


def test_an_empty_file_of_words_is_refused(tmp_path: Path, fable_2m: LanguageModel) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\n\n")
    with pytest.raises(BadInput, match="the word list has 0 words, at least 10 are needed"):
        word_list(fable_2m.tokenizer, path)


def test_vectors_are_read_for_the_words_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    lines = ["11 3", *(f"{word} {i} {i}.5 -{i}" for i, word in enumerate(TEN)), "Ten 7 7 7"]
    path.write_text("\n".join(lines))
    found = read_vectors(path, [*TEN, "Ten", "absent"])
    np.testing.assert_array_equal(found[3], [3, 3.5, -3])
    np.testing.assert_array_equal(found[9], [9, 9.5, -9])  # the exact spelling goes before another one
    np.testing.assert_array_equal(found[10], [7, 7, 7])
    assert np.isnan(found[11]).all()


def test_vectors_with_a_mark_tabs_compression_and_broken_lines_are_the_same_and_what_is_left_out_is_said(
    tmp_path: Path,
) -> None:
    path = tmp_path / "glove.txt.gz"
    text = "\ufeff" + "".join(f"{word}\t{i}\t{i}.5\r\n" for i, word in enumerate(TEN))
    path.write_bytes(gzip.compress(text.encode() + b"caf\xe9\t1\t2\r\n"))
    said: list[str] = []
    found = read_vectors(path, [*TEN, "caf\xe9"], said)
    np.testing.assert_array_equal(found[:10], [[i, i + 0.5] for i in range(10)])
    assert said == [
        "glove.txt.gz has no vector for 1 of 11 words; they have no pairs",
        "glove.txt.gz: 1 lines are no UTF-8 and were left out (first: line 11)",
    ]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BadInput, match="cannot be read"):
        read_vectors(path, TEN)


def test_what_is_wrong_with_a_file_of_vectors_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    good = "".join(f"{word} 1 2 3\n" for word in TEN)
    for bad, message in (
        ("one 1 2\n", r"line 11: 2 numbers where 3 stand above"),
        ("two 1 nan 3\n", r"line 11: '1 nan 3' holds NaN or an infinity"),
        ("two 1 x 3\n", r"line 11: '1 x 3' are no numbers"),
    ):
        path.write_text(good + bad)
        with pytest.raises(BadInput, match=message):
            read_vectors(path, TEN)
    path.write_text("eins 1 2 3\n")
    with pytest.raises(BadInput, match="has vectors for 0 of the 10 words; is it the language"):
        read_vectors(path, TEN)
    path.write_bytes(good.encode("utf-16"))
    with pytest.raises(BadInput, match="is UTF-16 or UTF-32; save it as UTF-8"):
        read_vectors(path, TEN)
    with pytest.raises(BadInput, match="cannot be read"):
        read_vectors(tmp_path / "absent.txt", TEN)


def test_a_checksum_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("one")
    first = files_checksum(path, None)
    path.write_text("two")
    assert first != files_checksum(path, None)
    assert files_checksum(None) == ""
    with pytest.raises(BadInput, match=r"absent\.txt cannot be read"):
        files_checksum(tmp_path / "absent.txt")
