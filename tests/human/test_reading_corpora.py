"""Public corpora of reading times are read from files laid out as their authors publish them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, import_reading_times, load_data, write_reading_times

PROVO = ["There", "are", "“now”", "rumblings", "there.", "NA", "null", "moved."]


def provo(path: Path) -> Path:
    """Two readers of two texts; words in cp1252 quotation marks, a skipped word is 0 (dwell) or empty (others)."""
    rows = []
    for reader in ("Sub01", "Sub02"):
        for number, word in enumerate(PROVO):
            skipped = reader == "Sub02" and number == 1
            rows.append(
                {
                    "RECORDING_SESSION_LABEL": reader, "Participant_ID": reader, "Text_ID": 1 + number // 5,
                    "Word_Number": "NA" if number % 5 == 0 else number % 5 + 1, "Word": word.upper(),
                    "IA_ID": number % 5 + 1, "IA_LABEL": f"{word} ", "TRIAL_INDEX": 3,
                    "IA_FIRST_FIXATION_DURATION": "NA" if skipped else 200 + number,
                    "IA_FIRST_RUN_DWELL_TIME": "" if skipped else 220 + number,
                    "IA_DWELL_TIME": 0 if skipped else 300 + number, "IA_REGRESSION_PATH_DURATION": 400 + number,
                }
            )  # fmt: skip
    pd.DataFrame(rows).to_csv(path, index=False, encoding="cp1252")
    return path


def ucl(path: Path, **measures: int) -> Path:
    rows = [
        {"subj_nr": reader, "sent_nr": sentence, "sent_pos": 9, "correct": "c", "answer_time": 900,
         "word_pos": place, "word": word} | {name: base + 10 * place for name, base in measures.items()}
        for reader in (4, 7) for sentence in (2, 5) for place, word in enumerate(['"Yes,"', "he", "said."], start=1)
    ]  # fmt: skip
    with path.open("w", encoding="utf-8") as stream:  # quotation marks stand bare in the authors' files
        stream.write("\t".join(rows[0]) + "\n")
        stream.writelines("\t".join(map(str, row.values())) + "\n" for row in rows)
    return path


def test_provo_keeps_shown_words_readers_and_skips(tmp_path: Path) -> None:
    times = import_reading_times(provo(tmp_path / "Provo_Corpus-Eyetracking_Data.csv"))
    assert times.name == "provo_gaze"
    assert times.words["word"].tolist() == PROVO
    assert times.words["document"].tolist() == ["1"] * 5 + ["2"] * 3
    assert times.words["position"].tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert times.words["n"].tolist() == [2, 1, 2, 2, 2, 2, 2, 2]
    assert times.words["time"].tolist() == [220.0 + n for n in range(8)]
    assert times.by_participant is not None
    skipped = times.by_participant[times.by_participant["participant"] == "Sub02"]["time"].to_numpy()
    assert np.isnan(skipped[1])
    assert import_reading_times(tmp_path / "Provo_Corpus-Eyetracking_Data.csv", "total").words["time"][7] == 307


def test_both_files_of_ucl_are_known_by_their_columns(tmp_path: Path) -> None:
    paced = import_reading_times(ucl(tmp_path / "selfpacedreading.RT.txt", RT=300))
    assert paced.name == "ucl_self_paced"
    assert paced.words["word"].tolist() == ['"Yes,"', "he", "said."] * 2
    assert paced.words["time"].tolist() == [310.0, 320.0, 330.0] * 2
    eyes = ucl(tmp_path / "eyetracking.RT.txt", RTfirstfix=100, RTfirstpass=200, RTrightbound=300, RTgopast=0)
    assert import_reading_times(eyes).words["time"].tolist() == [210.0, 220.0, 230.0] * 2
    assert import_reading_times(eyes, "go_past").words["time"].tolist() == [10.0, 20.0, 30.0] * 2
    with pytest.raises(BadInput, match="has no measure 'total'; it has first_fixation, gaze, go_past"):
        import_reading_times(eyes, "total")


def test_the_readers_of_natural_stories_are_kept_apart(tmp_path: Path) -> None:
    rows = [
        {"WorkerId": worker, "WorkTimeInSeconds": 900, "correct": 6, "item": story, "zone": zone, "RT": 300 + 10 * zone,
         "word": word, "nItem": 2, "meanItemRT": 1.5}
        for story in (2, 10) for zone, word in enumerate(["'Admiral", 'said "no"', "'"], start=1)
        for worker in ("A1", "A2") if word != 'said "no"' or worker == "A1"
    ]  # fmt: skip
    rows = [row | {"word": row["word"].replace('said "no"', '"no"')} for row in rows]
    pd.DataFrame(rows).to_csv(tmp_path / "processed_RTs.tsv", sep="\t", index=False)
    times = import_reading_times(tmp_path / "processed_RTs.tsv")
    assert times.name == "natural_stories_readers"
    assert times.words["word"].tolist() == ["'Admiral", '"no"', "'"] * 2
    assert times.words["n"].tolist() == [2, 1, 2] * 2


def test_words_of_geco_are_counted_through_the_trials_of_a_part(tmp_path: Path) -> None:
    words = {(1, 9): ["The", "intense"], (1, 10): ["interest", "aroused."], (2, 1): ["It", ""]}
    rows = [
        {"PP_NR": reader, "PART": part, "TRIAL": trial, "WORD_ID_WITHIN_TRIAL": n, "WORD": word,
         "WORD_FIRST_FIXATION_DURATION": 180, "WORD_GAZE_DURATION": "." if word == "It" else 200 + trial + n,
         "WORD_GO_PAST_TIME": 300, "WORD_TOTAL_READING_TIME": 400}
        for reader in ("pp21", "pp22") for (part, trial), text in words.items() for n, word in enumerate(text, start=1)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "geco.csv", index=False)
    times = import_reading_times(tmp_path / "geco.csv")
    assert times.words["word"].tolist() == ["The", "intense", "interest", "aroused.", "It"]
    assert times.words["time"].tolist()[:4] == [210.0, 211.0, 211.0, 212.0]
    assert times.words["n"].tolist() == [2, 2, 2, 2, 0]
    rows[0]["TRIAL"] = "nine"
    pd.DataFrame(rows).to_csv(tmp_path / "geco.csv", index=False)
    with pytest.raises(BadInput, match="row 2: the number of the trial is no number"):
        import_reading_times(tmp_path / "geco.csv")


def test_words_that_readers_do_not_share_are_refused_with_the_row(tmp_path: Path) -> None:
    path = ucl(tmp_path / "selfpacedreading.RT.txt", RT=300)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1].replace("said.", "lied.")]))
    with pytest.raises(BadInput, match=r"row 13, column `word`: word 3 of document '5' is 'lied.' here and another"):
        import_reading_times(path)


def test_another_file_is_refused_with_its_first_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(BadInput, match=r"is none of provo, ucl_eye_tracking, .*\(its first row is 'x,y'\)"):
        import_reading_times(tmp_path / "a.csv")
    with pytest.raises(BadInput, match="cannot be read"):
        import_reading_times(tmp_path / "none.csv")


def test_the_command_line_writes_them_as_a_table_of_ones_own(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from tuneshift.cli.app import app

    path, out = provo(tmp_path / "provo.csv"), tmp_path / "mine.csv"
    done = CliRunner().invoke(
        app, ["data", "import", str(path), "--measure", "total", "--out", str(out), "--json"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"][0] == {
        "file": str(out), "documents": 2, "words": 8, "participants": 2, "measure": "provo_total",
    }  # fmt: skip
    mine, direct = load_data(out), import_reading_times(path, "total")
    assert isinstance(mine, ReadingTimes)
    pd.testing.assert_frame_equal(mine.words, direct.words)
    assert write_reading_times(direct, tmp_path / "again.tsv").is_file()
