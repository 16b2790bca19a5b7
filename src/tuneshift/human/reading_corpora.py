"""Public corpora of reading times in their authors' files, brought into the layout of one's own reading times.

Provo (Luke & Christianson 2018): `Provo_Corpus-Eyetracking_Data.csv`, Windows-1252, one row a reader and word; the
words are `IA_LABEL` (what was shown), numbered by `IA_ID`. UCL (Frank et al. 2013): `selfpacedreading.RT.txt` and
`eyetracking.RT.txt`, tab-separated, one row a reader and word of 361 lone sentences. Natural Stories (Futrell et al.
2021): `processed_RTs.tsv`, one row a reader and word, of which the data set `natural_stories` has the means. GECO (Cop
et al. 2017): `MonolingualReadingData.xlsx`, saved as CSV; a document is one of four parts of a novel.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput, first_line
from tuneshift.human.own_reading_times import reading_times_from_table
from tuneshift.human.problems import refuse, some
from tuneshift.human.reading_times import ReadingTimes

MEASURES = ("first_fixation", "gaze", "go_past", "total", "self_paced")


@dataclass(frozen=True)
class _Corpus:
    """Columns of the authors' file for document, index, word, participant, and each measure in milliseconds."""

    name: str
    separator: str
    encoding: str
    document: str
    index: str
    word: str
    participant: str
    measures: Mapping[str, str]
    default: str
    trial: str | None = None  # where words are counted anew in every trial of a document
    quoted: bool = True  # whether cells that hold quotation marks stand in quotation marks themselves


CORPORA = (
    _Corpus(
        "provo", ",", "cp1252", "Text_ID", "IA_ID", "IA_LABEL", "Participant_ID",
        {"first_fixation": "IA_FIRST_FIXATION_DURATION", "gaze": "IA_FIRST_RUN_DWELL_TIME",
         "go_past": "IA_REGRESSION_PATH_DURATION", "total": "IA_DWELL_TIME"}, "gaze",
    ),
    _Corpus(
        "ucl_eye_tracking", "\t", "utf-8", "sent_nr", "word_pos", "word", "subj_nr",
        {"first_fixation": "RTfirstfix", "gaze": "RTfirstpass", "go_past": "RTgopast"}, "gaze", quoted=False,
    ),
    _Corpus(
        "ucl_self_paced", "\t", "utf-8", "sent_nr", "word_pos", "word", "subj_nr",
        {"self_paced": "RT"}, "self_paced", quoted=False,
    ),
    _Corpus(
        "natural_stories_readers", "\t", "utf-8", "item", "zone", "word", "WorkerId",
        {"self_paced": "RT"}, "self_paced",
    ),
    _Corpus(
        "geco", ",", "utf-8-sig", "PART", "WORD_ID_WITHIN_TRIAL", "WORD", "PP_NR",
        {"first_fixation": "WORD_FIRST_FIXATION_DURATION", "gaze": "WORD_GAZE_DURATION",
         "go_past": "WORD_GO_PAST_TIME", "total": "WORD_TOTAL_READING_TIME"}, "gaze", trial="TRIAL",
    ),
)  # fmt: skip


def import_reading_times(path: str | Path, measure: str | None = None) -> ReadingTimes:
    """Read a corpus of `CORPORA` by the columns of its file; words that a reader skipped have no time.

    `measure` is one of `MEASURES` that the corpus has (default: gaze duration, or the self-paced time). Raises
    BadInput for another file, a measure that it lacks, or the first problem of what it holds.
    """
    path = Path(path)
    corpus = _recognised(path)
    measure = measure or corpus.default
    if measure not in corpus.measures:
        raise BadInput(f"{path} ({corpus.name}) has no measure {measure!r}; it has {', '.join(corpus.measures)}.")
    table = _read(path, corpus)
    needed = [corpus.document, corpus.index, corpus.word, corpus.participant, corpus.measures[measure]]
    needed += [corpus.trial] if corpus.trial else []
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise BadInput(f"{path} ({corpus.name}) has no column {some(missing)}; it is another release.")
    milliseconds = pd.to_numeric(table[corpus.measures[measure]], errors="coerce").to_numpy(float)
    own = pd.DataFrame(
        {
            "document": table[corpus.document].str.strip(),
            "index": table[corpus.index].str.strip(),
            "word": table[corpus.word].str.strip(),
            "participant": table[corpus.participant].str.strip(),
            "time": ["" if not np.isfinite(t) or t <= 0 else repr(float(t)) for t in milliseconds],
        }
    )
    kept = (own["document"] != "") & (own["word"] != "")
    if corpus.trial:
        own["index"] = _counted_through(own["document"], table[corpus.trial], own["index"], kept, path)
    own = own[kept].reset_index(drop=True)
    name = f"{corpus.name}_{measure}" if len(corpus.measures) > 1 else corpus.name
    times, problems = reading_times_from_table(own, name, path)
    refuse(path, problems)
    assert times is not None
    return times


def _counted_through(
    document: pd.Series, trial: pd.Series, within: pd.Series, kept: pd.Series, path: Path
) -> pd.Series:
    """Return each word's number within its document, where the file counts within the document's trials."""
    place = pd.DataFrame({"document": document, "trial": trial, "within": within})
    for name in ("trial", "within"):
        place[name] = pd.to_numeric(place[name], errors="coerce")
        wrong = np.flatnonzero(kept & place[name].isna())
        if len(wrong):
            raise BadInput(f"{path}, row {wrong[0] + 2}: the number of the {name} is no number.")
    words = place[kept].drop_duplicates().sort_values(["document", "trial", "within"])
    words["index"] = words.groupby("document").cumcount() + 1
    numbered = place.merge(words, how="left", on=["document", "trial", "within"])["index"]
    return pd.Series(["" if np.isnan(n) else str(int(n)) for n in numbered.to_numpy(float)], index=document.index)


def _recognised(path: Path) -> _Corpus:
    try:
        with path.open(encoding="latin-1") as stream:
            header = stream.readline().lstrip("\ufeff\xef\xbb\xbf").strip()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).") from error
    for corpus in CORPORA:
        names = {name.strip().strip('"') for name in header.split(corpus.separator)}
        if {corpus.document, corpus.participant, *list(corpus.measures.values())[:1]} <= names:
            return corpus
    raise BadInput(
        f"{path} is none of {', '.join(corpus.name for corpus in CORPORA)} (its first row is {header[:80]!r}); bring "
        "other corpora into the layout of docs/data_sets.md yourself."
    )


def _read(path: Path, corpus: _Corpus) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path, sep=corpus.separator, dtype=str, keep_default_na=False, na_filter=False, encoding=corpus.encoding,
            encoding_errors="replace", quoting=csv.QUOTE_MINIMAL if corpus.quoted else csv.QUOTE_NONE,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as {corpus.name} ({first_line(error)}).") from error
