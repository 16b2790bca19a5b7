"""Whatever bytes a file holds, it is read or refused in one sentence: no parser falls over."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput, MissingExtra
from tuneshift.human import check_file, import_reading_times, read_recipe
from tuneshift.human.recordings.series.numeric_table import read_numeric_table
from tuneshift.human.recordings.series.recipe import WordFiles
from tuneshift.human.recordings.series.scans import read_scans
from tuneshift.human.recordings.series.word_times import read_words
from tuneshift.human.text.textgrid import read_textgrid

pieces = [
    "word", "onset,offset", ",", "\t", "\n", '"', '""', "1.5", "-3", "nan", "1e999", "n/a", "<exists>", '"TextGrid"',
    '"IntervalTier"', "xmin = 1", 'text = "a"', "item [1]:", "intervals: size = 2", "name: x", "series: [", "&a", "*a",
    "CDF\x01", "\x89HDF\r\n\x1a\n",
    "document,index,word,time\n", "stimulus,text,participant,response\n", "\ufeff", "\0", "é", "9" * 400,
    "sent_nr\tword_pos\tword\tsubj_nr\tRT\n", "Text_ID,IA_ID,IA_LABEL,Participant_ID,IA_FIRST_FIXATION_DURATION\n",
]  # fmt: skip
contents = st.binary(max_size=200) | st.lists(st.sampled_from(pieces) | st.text(max_size=6), max_size=30).map(
    lambda parts: "".join(parts).encode()
)
HEADLESS = WordFiles(file="x", columns=("word", "onset", "end"))
READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "numbers": (".csv", read_numeric_table),
    "numbers between blanks": (".txt", read_numeric_table),
    "words in a table": (".csv", lambda path: read_words(path, WordFiles(file="x"))),
    "words without a header": (".tsv", lambda path: read_words(path, HEADLESS)),
    "words in a TextGrid": (".TextGrid", lambda path: read_words(path, WordFiles(file="x"))),
    "intervals": (".TextGrid", read_textgrid),
    "recipe": (".yaml", read_recipe),
    "corpus": (".txt", import_reading_times),
    "scans in numpy": (".npy", read_scans),
    "scans in npz": (".npz", read_scans),
    "scans in HDF5": (".h5", read_scans),
    "scans in NIfTI": (".nii", read_scans),
    "scans in compressed NIfTI": (".nii.gz", read_scans),
    "scans in GIFTI": (".gii", read_scans),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_any_file_is_read_or_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    suffix, read = READERS[name]
    path = tmp_path / f"any{suffix}"
    path.write_bytes(content)
    refusal = ""
    try:
        read(path)
    except BadInput as error:
        refusal = str(error)
    assert not refusal or ("any" in refusal and "\n" not in refusal)


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".tsv", ".parquet"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_any_file_of_ones_own_can_be_checked(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(content)
    assert all(isinstance(problem, str) and "\n" not in problem for problem in check_file(path))


def test_images_without_nibabel_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("nibabel"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"nibabel is not installed: run `pip install 'tuneshift\[surface\]'`"):
        read_scans(tmp_path / "a.nii.gz")
