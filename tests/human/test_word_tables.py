"""Tables of words with times: BIDS events, columns of any name, marks and gaps; nothing is left out without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scan_files import TR, N, signals, write_recipe

from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.human.recordings.series import import_series
from tuneshift.human.recordings.series.recipe import WordFiles
from tuneshift.human.recordings.series.word_times import read_words


def imported(folder: Path, text: str | bytes, name: str = "events.tsv", /, **words: Any) -> Recording:
    np.save(folder / "a_1.npy", signals(1, n_scans=N))
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_series(write_recipe(folder, words={"file": name, **words}))


def heard(recording: Recording) -> tuple[list[str], list[float], list[float]]:
    assert recording.words is not None
    return list(recording.words.words), recording.words.onset.tolist(), recording.words.offset.tolist()


def refused(folder: Path, sentence: str, text: str, name: str = "events.tsv", /, **words: Any) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        imported(folder, text, name, **words)
    assert "\n" not in str(caught.value)


def test_events_of_bids_are_words_and_those_without_a_word_are_counted(tmp_path: Path) -> None:
    text = "onset\tduration\ttrial_type\tword\n1.0\t0.5\tfix\tn/a\n2\t.5\tword\tOnce\n3\t0.5\tword\tnull\n4\t1\tfix\t\n"
    recording = imported(tmp_path, text)
    assert heard(recording) == (["Once", "null"], [2.0, 3.0], [2.5, 3.5])
    assert recording.dropped == ("events.tsv: 2 of 4 rows have no word and were left out",)


def test_an_event_without_a_duration_is_refused_or_ends_where_the_next_begins(tmp_path: Path) -> None:
    text = "onset\tduration\tword\n1\tn/a\tOnce\n2\t0.5\tupon\nn/a\tn/a\ta\n4\t0.5\ttime\n"
    refused(tmp_path, r"word 1 \('Once'\) has no times \(2 such\); set `untimed: interpolate`", text)
    recording = imported(tmp_path, text, untimed="interpolate")
    assert heard(recording) == (["Once", "upon", "a", "time"], [1, 2, 2.5, 4], [2, 2.5, 4, 4.5])
    assert "1 words had no times of their own" in recording.dropped[0]
    assert "1 words had no end; they end where the next one begins" in recording.dropped[1]


def test_a_column_of_another_name_is_named_and_several_that_could_be_it_are_asked_about(tmp_path: Path) -> None:
    text = "onset\tduration\ttrial_type\n1\t0.5\tOnce\n2\t0.5\tupon\n"
    refused(tmp_path, "no column `word`; it has onset, duration, trial_type. Say which it is", text)
    assert heard(imported(tmp_path, text, columns={"word": "trial_type"}))[0] == ["Once", "upon"]
    refused(tmp_path, "has no column `no`; it has", text, columns={"word": "no"})
    refused(tmp_path, "`columns` says what wrod is", text, columns={"wrod": "trial_type"})
    text = "start,end,word,text\n1,1.5,Once,ONCE\n2,2.5,upon,UPON\n"
    refused(tmp_path, "has columns `word`, `text`, each of which may be the word", text, "w.csv")
    assert heard(imported(tmp_path, text, "w.csv", columns={"word": "text"}))[0] == ["ONCE", "UPON"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("word,onset,duration\nOnce,1,0.5\nupon,1_0,0.5\n", "row 3: '1_0' is no time in seconds .column `onset`"),
        ('word,onset,duration\nOnce,1,0.5\nupon,"1,5",0.5\n', "row 3: '1,5' is no time in seconds"),
        ("word,onset,duration\nOnce,1,-0.5\n", "row 2: its duration is negative"),
        ("word,onset,offset,duration\nOnce,1,2,0.5\n", "row 2: `offset` is not `onset` and `duration` together"),
        ("word,onset,duration\nOnce upon,1,0.5\n", "'Once upon' at 1 s is more than one word"),
        ("word,onset,duration\nOnce,1\n", "row 2: has 2 cells, and there are 3"),
        ("word,onset,offset\nOnce,1,0.5\nupon,1,2\n", "word 1 .'Once', 1 s. goes back in time"),
    ],
)
def test_what_is_no_table_of_words_is_refused_with_its_row(tmp_path: Path, text: str, sentence: str) -> None:
    refused(tmp_path, sentence, text, "w.csv")


def test_semicolons_blanks_around_cells_and_other_encodings_are_read_and_said(tmp_path: Path) -> None:
    text = " word ; onset;offset \n C'était ;1;1.5\nforêt;2; 2.5\naprès;3;3.5\ndéjà;4;4.5\nété;5;5.5\n"
    recording = imported(tmp_path, text.encode("cp1252"), "w.csv")
    assert heard(recording)[0] == ["C'était", "forêt", "après", "déjà", "été"]
    told = " ".join(recording.dropped)
    assert "Windows-1252" in told
    assert "semicolons" in told


def test_marks_of_aligners_are_left_out_and_counted_and_unknown_ones_are_said(tmp_path: Path) -> None:
    rows = ["sp", "Once", "<unk>", "upon", "{LG}", "<p:>", "a", "<eps>", "[cough]", "time", "SIL", "spn"]
    text = "word,onset,duration\n" + "".join(f"{word},{n},0.5\n" for n, word in enumerate(rows))
    recording = imported(tmp_path, text, "w.csv")
    assert heard(recording)[0] == ["Once", "upon", "a", "[cough]", "time"]
    assert recording.dropped == (
        "w.csv: 3 marks are no words and were left out (<unk> 1, {lg} 1, spn 1)",
        "w.csv: kept as words, though they look like marks: [cough] 1 (`silence` leaves them out)",
    )
    assert recording.notes["pauses"] == "4 marks of silence among the words are none"
    assert heard(imported(tmp_path, text, "w.csv", silence=["sp"]))[0] == [row for row in rows if row != "sp"]


def test_leading_gaps_of_confounds_are_filled_and_said_and_others_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a_1.npy", signals(1))
    noise = np.random.default_rng(2).normal(size=(N, 2))
    rows = [[repr(x) for x in row] for row in noise.tolist()]
    rows[0][1] = "n/a"
    keys = {"confounds": "{participant}_confounds.tsv"}

    def write() -> Path:
        lines = ["\t".join(["trans_x", "framewise_displacement"]), *("\t".join(row) for row in rows)]
        (tmp_path / "a_confounds.tsv").write_text("\n".join([*lines, ""]))
        return write_recipe(tmp_path, **keys)

    assert import_series(write()).dropped == (
        "participant a, 1: a_confounds.tsv: no value in the first 1 of 40 rows of 1 confounds "
        "(framewise_displacement), which became the mean of the others",
    )
    rows[7][0] = "n/a"
    with pytest.raises(BadInput, match=r"confounds.tsv, row 9, column `trans_x`: has no value \(1 such\); only the"):
        import_series(write())
    scans = signals(1)
    scans[7] = np.nan  # a scan without numbers needs no confounds
    np.save(tmp_path / "a_1.npy", scans)
    assert import_series(write()).repetition_time == TR


def test_missing_runs_and_people_are_counted_and_order_changes_no_number(tmp_path: Path) -> None:
    for name in ("a_1", "a_2", "a_10", "b_2", "c_1", "c_2", "c_10"):
        np.save(tmp_path / f"{name}.npy", signals(sum(map(ord, name))))
    whole = import_series(write_recipe(tmp_path))
    assert whole.dropped == ("participant b has no file of 2 of 3 passages (1, 10): missing there",)
    other = write_recipe(tmp_path, participants=["c", "b", "a"], passages=["10", "1", "2"])
    assert whole.data.identical(import_series(other).data)
    with pytest.raises(BadInput, match=r"`renumber`: participant b has 1 runs \(2\), a has 3 .* cannot be known"):
        import_series(write_recipe(tmp_path, renumber=True, words="words.csv"))
    np.save(tmp_path / "a_2.npy", np.full((N, 3), np.nan))
    np.save(tmp_path / "c_2.npy", np.zeros((N, 3)))
    told = " ".join(import_series(write_recipe(tmp_path)).dropped)
    assert "participant a, 2: none of its 40 scans holds a number" in told
    assert "participant c, 2: no target varies over its scans, which count as missing" in told


@pytest.mark.parametrize("seed", range(3))
def test_runs_that_go_missing_one_by_one_in_any_order_are_counted_and_move_no_other_number(
    tmp_path: Path, seed: int
) -> None:
    runs = {f"{who}_{run}": signals(10 * number + run) for number, who in enumerate("abc") for run in (1, 2, 10)}
    for name, values in runs.items():
        np.save(tmp_path / f"{name}.npy", values)
    recipe = write_recipe(tmp_path)
    for gone in np.random.default_rng(seed).permutation(list(runs)).tolist()[:-1]:
        (tmp_path / f"{gone}.npy").unlink()
        del runs[gone]
        recording = import_series(recipe)
        passages = sorted({name.split("_")[1] for name in runs}, key=int)
        told = []
        for who in sorted({name[0] for name in runs}):
            lost = [passage for passage in passages if f"{who}_{passage}" not in runs]
            if lost:
                count = f"no file of {len(lost)} of {len(passages)} passages"
                told.append(f"participant {who} has {count} ({', '.join(lost)}): missing there")
        assert list(recording.dropped) == told
        for name, values in runs.items():
            mine = recording.data.values[recording.data["passage"].values == name[2:]]
            np.testing.assert_array_equal(mine[:, recording.data["participant"].values == name[0]], values)
        assert int(np.isfinite(recording.data.values).sum()) == len(runs) * N * 3


def test_a_last_row_without_a_line_end_may_be_cut_off_and_is_said_with_its_cell(tmp_path: Path) -> None:
    text = "word,onset,duration\nOnce,1,0.5\nupon,2,0.25"
    told = "w.csv: the last row has no line end: if the file was cut off there, its last cell {} is not whole"
    for cut, cell in ((0, "'0.25'"), (1, "'0.2'"), (2, "'0.'")):
        (sentence,) = imported(tmp_path, text[: len(text) - cut], "w.csv").dropped
        assert sentence.startswith(told.format(cell))
    assert imported(tmp_path, text + "\n", "w.csv").dropped == ()
    refused(tmp_path, "row 3: has 2 cells, and there are 3", text[:-5], "w.csv")
    (sentence,) = imported(tmp_path, text[20:], "w.csv", columns=["word", "onset", "duration"]).dropped
    assert sentence.startswith(told.format("'0.25'"))
    (tmp_path / "w.csv").unlink()
    (tmp_path / "a.csv").write_text("IFG,PTL\n" + "\n".join(f"{a},{b}" for a, b in signals(1, 2).tolist()))
    (sentence,) = import_series(write_recipe(tmp_path, series="a.csv")).dropped
    assert sentence.startswith("participant 1, 1: a.csv: the last row has no line end")


def test_a_table_of_separators_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text(",,\n")
    with pytest.raises(BadInput, match=r"words.csv holds separators and nothing between them"):
        read_words(tmp_path / "words.csv", WordFiles(file="x", columns=("word", "onset", "offset")))
