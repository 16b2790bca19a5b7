"""TextGrids, transcripts and sentence ends are read as a person would read them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.human.text.sentences import ends_sentence, mark_sentences
from tuneshift.human.text.textgrid import Interval, read_textgrid
from tuneshift.human.text.transcript import SpokenWord, as_printed


def write_textgrid(path: Path, intervals: list[Interval], tier: str = "word") -> Path:
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", "xmax = 9", "tiers? <exists>"]
    lines += ["size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"', f'        name = "{tier}"']
    lines += ["        xmin = 0", "        xmax = 9", f"        intervals: size = {len(intervals)}"]
    for number, interval in enumerate(intervals, start=1):
        text = interval.text.replace('"', '""')
        lines += [f"        intervals [{number}]:", f"            xmin = {interval.start!r}"]
        lines += [f"            xmax = {interval.end!r}", f'            text = "{text}"']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_short(path: Path, intervals: list[Interval], tier: str = "word") -> Path:
    """Praat's short text format, with a tier of points and an empty tier of phones before the words."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "9", "<exists>", "3"]
    lines += ['"TextTier"', '"clicks"', "0", "9", "2", "1.5", '"one ""click"""', "2.5", '"3"']
    lines += ['"IntervalTier"', '"phone"', "0", "9", "0", '"IntervalTier"', f'"{tier}"', "0", "9", str(len(intervals))]
    for interval in intervals:
        lines += [repr(interval.start), repr(interval.end), '"' + interval.text.replace('"', '""') + '"']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)


@given(words=st.lists(texts, max_size=12), lengths=st.lists(st.floats(0.01, 3), min_size=12, max_size=12))
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], lengths: list[float]
) -> None:
    start, intervals = 0.0, []
    for word, length in zip(words, lengths, strict=False):
        intervals.append(Interval(start, start + length, word))
        start += length
    path = write_textgrid(tmp_path_factory.mktemp("grid") / "a.TextGrid", intervals)
    assert read_textgrid(path, "word") == intervals
    assert read_textgrid(write_short(path, intervals), "word") == intervals


def test_a_cut_off_textgrid_is_refused_with_both_counts(tmp_path: Path) -> None:
    path = write_textgrid(tmp_path / "a.TextGrid", [Interval(0, 1, "a"), Interval(1, 2, "b")])
    path.write_text(path.read_text().rsplit("text", 1)[0])
    with pytest.raises(BadInput, match="says it has 2 intervals, but 1 can be read"):
        read_textgrid(path)


def test_a_cut_off_short_textgrid_is_refused_with_both_counts(tmp_path: Path) -> None:
    path = write_short(tmp_path / "a.TextGrid", [Interval(0, 1, "a"), Interval(1, 2, "b")])
    path.write_text(path.read_text().rsplit('"b"', 1)[0])
    with pytest.raises(BadInput, match="says it has 2 intervals, but 1 can be read"):
        read_textgrid(path, "word")
    path.write_text("no grid at all")
    with pytest.raises(BadInput, match="holds no interval tier"):
        read_textgrid(path)


def test_a_missing_tier_is_answered_with_those_there_are(tmp_path: Path) -> None:
    path = write_textgrid(tmp_path / "a.TextGrid", [Interval(0, 1, "a")], tier="words")
    with pytest.raises(BadInput, match="no tier 'word'; its tiers are 'words'"):
        read_textgrid(path, "word")


def test_time_that_runs_backwards_is_refused(tmp_path: Path) -> None:
    path = write_textgrid(tmp_path / "a.TextGrid", [Interval(0, 2, "a"), Interval(1, 3, "b")])
    with pytest.raises(BadInput, match=r"interval 2 \('b'\) goes back in time"):
        read_textgrid(path)


def spoken(*words: str) -> list[SpokenWord]:
    return [SpokenWord(word, float(i), i + 0.9) for i, word in enumerate(words)]


def test_spoken_words_take_the_printed_form_and_the_speaker_has_the_last_word() -> None:
    said = spoken("no", "said", "the", "old", "fox", "I", "did", "nt", "do", "it")
    printed = as_printed(said, '"No," said the fox. "I didn\'t do it!" He smiled.', "tape", least_share=0.5)
    assert [w.text for w in printed] == ['"No,"', "said", "the", "old", "fox.", '"I', "didn't", "do", 'it!"']
    assert (printed[6].onset, printed[6].offset) == (6.0, 7.9)  # the two pieces are one word again


def test_a_transcript_of_another_text_is_refused_at_the_first_difference() -> None:
    with pytest.raises(BadInput, match="tape: only 0 of 3 spoken words stand in the printed text; they part at word 1"):
        as_printed(spoken("a", "fine", "day"), "Nobody came here.", "tape")


@pytest.mark.parametrize(
    ("word", "following", "ends"),
    [("ran.", "He", True), ("ran", "He", False), ("Mr.", "Fox", False), ("no?'", "she", False), ("no?'", "She", True),
     ("end.", None, True), ("(now).", "'Tis", True)],
)  # fmt: skip
def test_a_sentence_ends_where_a_reader_says_so(word: str, following: str | None, ends: bool) -> None:
    assert ends_sentence(word, following) is ends


def test_sentences_are_numbered_within_their_document() -> None:
    words = pd.DataFrame({"document": list("aaaab"), "word": ["He", "ran.", "She", "sat", "End."]})
    marked = mark_sentences(words)
    assert marked["sentence"].tolist() == [0, 0, 1, 1, 0]
    assert marked["sentence_initial"].tolist() == [True, False, True, False, True]
    assert marked["sentence_final"].tolist() == [False, True, False, True, True]
