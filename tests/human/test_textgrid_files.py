"""TextGrids are read in any text format and encoding; which tier holds the words is asked, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_text_and_times import write_short, write_textgrid

from tuneshift.errors import BadInput
from tuneshift.human.text.textgrid import Interval, read_textgrid, read_tier

WORDS = [
    Interval(0.0, 0.5, "naïve"),
    Interval(0.5, 0.75, ""),
    Interval(0.75, 1.5, 'said "no"'),
    Interval(1.5, 2, "café"),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize(
    "change", [lambda text: text, lambda text: text.replace(" = ", "="), lambda text: text.replace("\n", "\r\n")]
)
def test_every_letter_of_every_spelling_is_read(tmp_path: Path, encoding: str, change: object) -> None:
    path = write_textgrid(tmp_path / "a.TextGrid", WORDS)
    path.write_bytes(change(path.read_text(encoding="utf-8")).encode(encoding))  # type: ignore[operator]
    found = read_tier(path)
    assert found.intervals == WORDS
    assert ("read as" in found.said) == (encoding not in ("utf-8", "utf-8-sig"))


def test_several_tiers_are_listed_and_one_is_asked_for(tmp_path: Path) -> None:
    path = write_short(tmp_path / "a.TextGrid", WORDS, tier="words")
    with pytest.raises(
        BadInput,
        match=r"has 2 tiers of intervals, 'phone' \(0 intervals\), 'words' \(4 intervals\): say which .* `tier: words`",
    ):
        read_textgrid(path)
    assert read_textgrid(path, "words") == WORDS
    path.write_text(path.read_text().replace('"phone"', '"words"'))
    with pytest.raises(BadInput, match="has 2 tiers called 'words'"):
        read_textgrid(path, "words")


def test_other_formats_of_praat_say_what_to_save(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(b"ooBinaryFile\x08TextGrid\0\0")
    with pytest.raises(BadInput, match="binary format: save it from Praat as a text file"):
        read_textgrid(path)
    path.write_text('"Praat chronological TextGrid text file"\n0 2 ! time domain\n')
    with pytest.raises(BadInput, match="chronological"):
        read_textgrid(path)


def test_the_textgrids_that_people_sent_us(real_data: Path) -> None:
    cases = real_data.parent / "cases" / "files"
    if not cases.is_dir():
        pytest.skip("no folder `cases` lies beside the data folder")
    found = read_tier(cases / "latin1_textgrid" / "latin1.TextGrid")
    assert [interval.text for interval in found.intervals][:2] == ["café", "naïve"]
    assert "read as Windows-1252 (Latin-1): 'café'" in found.said
    with pytest.raises(BadInput, match="has 2 tiers of intervals, 'phones'"):
        read_textgrid(cases / "phones_tier_first" / "phones_first.TextGrid")


@pytest.mark.parametrize("write", [write_textgrid, write_short])
def test_intervals_behind_those_that_a_tier_counts_are_not_lost_in_silence(tmp_path: Path, write: object) -> None:
    path = tmp_path / "a.TextGrid"
    write(path, WORDS)  # type: ignore[operator]
    whole = path.read_text(encoding="utf-8").rstrip("\n")
    assert read_textgrid(path, "word") == WORDS
    path.write_text(f'{whole}\n2.0\n2.5\n"mehr"\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"a\.TextGrid, row \d+: '2\.0' stands behind what the tiers say they hold"):
        read_textgrid(path, "word")
