"""Files of reading times in the layouts that the authors of public corpora describe, written without their data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

WORDS = ["The", "old", "ferry", "left", "“now,”", "he", "said", "naïvely", "to", "nobody."]
READERS = ("s01", "s02", "s03")
Row = dict[str, object]


def provo(reader: str, place: int, word: str, time: float) -> Row:
    """Word by word of 55 texts, as the codebook of Luke & Christianson (2018) lists the columns that matter here."""
    return {
        "RECORDING_SESSION_LABEL": reader, "Participant_ID": reader, "Word_Unique_ID": f"QID{place}", "Text_ID": 1,
        "Text": "The old ferry.", "Word_Number": place, "Sentence_Number": 1, "Word": word.upper(), "IA_ID": place,
        "IA_LABEL": f"{word} ", "TRIAL_INDEX": 3, "IA_FIRST_FIXATION_DURATION": time, "IA_FIRST_RUN_DWELL_TIME": time,
        "IA_DWELL_TIME": time, "IA_REGRESSION_PATH_DURATION": time, "IA_SKIP": 0,
    }  # fmt: skip


def ucl_paced(reader: str, place: int, word: str, time: float) -> Row:
    return {"subj_nr": reader, "sent_nr": 2, "sent_pos": 9, "correct": "c", "answer_time": 900, "word_pos": place,
            "word": word, "RT": time}  # fmt: skip


def ucl_eyes(reader: str, place: int, word: str, time: float) -> Row:
    return {"subj_nr": reader, "sent_nr": 2, "sent_pos": 9, "correct": "c", "answer_time": 900, "word_pos": place,
            "word": word, "RTfirstfix": time, "RTfirstpass": time, "RTrightbound": time, "RTgopast": time}  # fmt: skip


def natural_stories(reader: str, place: int, word: str, time: float) -> Row:
    """`processed_RTs.tsv`: one row a reader and word, with the means over readers that come with it."""
    return {"WorkerId": reader, "WorkTimeInSeconds": 900, "correct": 6, "item": 3, "zone": place, "RT": time,
            "word": word, "nItem": 3, "meanItemRT": 300.5, "sdItemRT": 90.5, "gmeanItemRT": 290.5}  # fmt: skip


def geco(reader: str, place: int, word: str, time: float) -> Row:
    return {
        "PP_NR": reader, "GROUP": "monolingual", "PART": 1, "TRIAL": 5 + (place > 5), "TRIAL_FIXATION_COUNT": 90,
        "WORD_ID_WITHIN_TRIAL": place - 5 * (place > 5), "WORD_ID": f"1-{place}", "WORD": word,
        "WORD_FIXATION_COUNT": 1, "WORD_FIRST_FIXATION_DURATION": time, "WORD_GAZE_DURATION": time,
        "WORD_GO_PAST_TIME": time, "WORD_TOTAL_READING_TIME": time, "WORD_SKIP": 0,
    }  # fmt: skip


def meco(reader: str, place: int, word: str, time: float) -> Row:
    return {"": place, "uniform_id": f"en_{reader}", "lang": "en", "trialid": 1, "ianum": place, "ia": word, "skip": 0,
            "nrun": 1, "dur": time, "firstrun.dur": time, "firstrun.gopast": time, "firstfix.dur": time}  # fmt: skip


def meco_2(reader: str, place: int, word: str, time: float) -> Row:
    """Release 2 calls words and their numbers otherwise."""
    row = meco(reader, place, word, time)
    return {{"ianum": "wordnum", "ia": "word"}.get(key, key): value for key, value in row.items()}


LAYOUTS: dict[str, tuple[Callable[[str, int, str, float], Row], str]] = {
    "provo_gaze": (provo, ","), "ucl_self_paced": (ucl_paced, "\t"), "ucl_eye_tracking_gaze": (ucl_eyes, "\t"),
    "natural_stories_readers": (natural_stories, "\t"), "geco_gaze": (geco, ","), "meco_gaze": (meco, ","),
}  # fmt: skip


def written(
    path: Path, name: str, number: Callable[[float], str], separator: str | None = None, encoding: str = "utf-8"
) -> Path:
    """Write a corpus; tabs stand between cells without quotation marks, as in the authors' files."""
    layout, usual = LAYOUTS[name]
    separator = separator or usual
    rows = [
        layout(reader, place, word, 100.5 * place + 40 * at)
        for at, reader in enumerate(READERS) for place, word in enumerate(WORDS, start=1)
    ]  # fmt: skip

    def cell(value: object) -> str:
        text = number(value) if isinstance(value, float) else str(value)
        return f'"{text}"' if separator != "\t" and separator in text else text

    lines = [separator.join(rows[0]), *(separator.join(map(cell, row.values())) for row in rows)]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path
