"""Public corpora of reading times in their authors' files, brought into the layout of one's own reading times.

Provo (Luke & Christianson 2018): `Provo_Corpus-Eyetracking_Data.csv`, Windows-1252, one row a reader and word; the
words are `IA_LABEL` (what was shown), numbered by `IA_ID`. UCL (Frank et al. 2013): `selfpacedreading.RT.txt` and
`eyetracking.RT.txt`, tab-separated, one row a reader and word of 361 lone sentences. Natural Stories (Futrell et al.
2021): `processed_RTs.tsv`, one row a reader and word, of which the data set `natural_stories` has the means. GECO (Cop
et al. 2017): `MonolingualReadingData.xlsx`, saved as CSV; a document is one of four parts of a novel. MECO (Siegelman
et al. 2022): `joint_data_trimmed.rda`, written from R as CSV, one language; words are `ia` (release 1) or `word` (2).

What was taken, left out and why stands in the `notes` of what is returned, in numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.human.reading_times.own_reading_times import reading_times_from_table
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.text.delimited import first_names, read_delimited
from tuneshift.human.text.number_cells import NumberColumn, read_numbers
from tuneshift.human.text.own_table import first_row
from tuneshift.human.text.problems import Problem, refuse, some

MEASURES = ("first_fixation", "gaze", "go_past", "total", "self_paced")
_MECO = {"first_fixation": "firstfix.dur", "gaze": "firstrun.dur", "go_past": "firstrun.gopast", "total": "dur"}


@dataclass(frozen=True)
class _Corpus:
    """Columns of the authors' file for document, index, word, participant, and each measure in milliseconds."""

    name: str
    document: str
    index: str
    word: str
    participant: str
    measures: Mapping[str, str]
    default: str
    trial: str | None = None  # where words are counted anew in every trial of a document
    encoding: str | None = None  # where the authors' own file is not in UTF-8
    language: str | None = None  # where a file may hold the same texts in several languages


CORPORA = (
    _Corpus(
        "provo", "Text_ID", "IA_ID", "IA_LABEL", "Participant_ID",
        {"first_fixation": "IA_FIRST_FIXATION_DURATION", "gaze": "IA_FIRST_RUN_DWELL_TIME",
         "go_past": "IA_REGRESSION_PATH_DURATION", "total": "IA_DWELL_TIME"}, "gaze", encoding="cp1252",
    ),
    _Corpus(
        "ucl_eye_tracking", "sent_nr", "word_pos", "word", "subj_nr",
        {"first_fixation": "RTfirstfix", "gaze": "RTfirstpass", "go_past": "RTgopast"}, "gaze",
    ),
    _Corpus("ucl_self_paced", "sent_nr", "word_pos", "word", "subj_nr", {"self_paced": "RT"}, "self_paced"),
    _Corpus("natural_stories_readers", "item", "zone", "word", "WorkerId", {"self_paced": "RT"}, "self_paced"),
    _Corpus(
        "geco", "PART", "WORD_ID_WITHIN_TRIAL", "WORD", "PP_NR",
        {"first_fixation": "WORD_FIRST_FIXATION_DURATION", "gaze": "WORD_GAZE_DURATION",
         "go_past": "WORD_GO_PAST_TIME", "total": "WORD_TOTAL_READING_TIME"}, "gaze", trial="TRIAL",
    ),
    _Corpus("meco", "trialid", "ianum", "ia", "uniform_id", _MECO, "gaze", language="lang"),
    _Corpus("meco", "trialid", "wordnum", "word", "uniform_id", _MECO, "gaze", language="lang"),
)  # fmt: skip


def import_reading_times(path: str | Path, measure: str | None = None) -> ReadingTimes:
    """Read a corpus of `CORPORA` by the columns of its file; words that a reader skipped have no time.

    `measure` is one of `MEASURES` that the corpus has (default: gaze duration, or the self-paced time). Raises
    BadInput for another file, a measure that it lacks, or the first problem of what it holds, with row and cell.
    """
    path = Path(path)
    times, problems = read_corpus(path, measure)
    refuse(path, problems)
    assert times is not None
    return times


def read_corpus(path: Path, measure: str | None = None) -> tuple[ReadingTimes | None, list[Problem]]:
    """Return what `import_reading_times` returns, None where that is refused, and every problem of the file.

    Raises BadInput where the file cannot be read as a table of a corpus at all.
    """
    corpus, there = _recognised(path)
    measure = measure or corpus.default
    if measure not in corpus.measures:
        raise BadInput(f"{path} ({corpus.name}) has no measure {measure!r}; it has {', '.join(corpus.measures)}.")
    timed = corpus.measures[measure]
    needed = [corpus.document, corpus.index, corpus.word, corpus.participant, timed]
    needed += [corpus.trial] if corpus.trial else []
    missing = [name for name in needed if name not in there]
    if missing:
        raise BadInput(f"{path} ({corpus.name}) has no column {some(missing)}; it is another release.")
    language = [corpus.language] if corpus.language in there else []
    read = read_delimited(path, only=[*needed, *filter(None, language)], declared=corpus.encoding)
    table = read.table
    if not len(table):
        raise BadInput(f"{path} ({corpus.name}) has no row below the names of its columns.")
    if corpus.language in table and table[corpus.language].nunique() > 1:
        raise BadInput(
            f"{path} ({corpus.name}) holds {table[corpus.language].nunique()} languages "
            f"({some(table[corpus.language].unique())}); keep the rows of one (column `{corpus.language}`)."
        )
    time = read_numbers(table[timed], timed, "ms")
    wrong = [*time.wrong, *_below_zero(table, time, timed)]
    if wrong:
        return None, wrong
    own = pd.DataFrame(
        {
            "document": table[corpus.document],
            "index": table[corpus.index],
            "word": table[corpus.word],
            "participant": table[corpus.participant],
            "time": ["" if not t > 0 else repr(float(t)) for t in time.values],
        },
        index=table.index,
    )
    kept = (own["document"] != "") & (own["word"] != "")
    if corpus.trial:
        own["index"] = _counted_through(own["document"], table[corpus.trial], own["index"], kept, path)
    name = f"{corpus.name}_{measure}" if len(corpus.measures) > 1 else corpus.name
    times, problems = reading_times_from_table(own[kept], name, path)
    if times is None:
        return None, problems
    said = [f"{path.name}: {sentence}" for sentence in (*read.said, *time.said)]
    warned = [f"{path.name}: {p.sentence}" for p in problems if not p.fatal and "times are empty" not in p.sentence]
    count = _count(path, own, kept, time, f"{measure} (column `{timed}`)")  # of the empty times, too
    return replace(times, notes=(count, *said, *warned)), problems


def _below_zero(table: pd.DataFrame, time: NumberColumn, column: str) -> list[Problem]:
    row = first_row(table, time.values < 0)
    if row is None:
        return []
    cell = table[column].loc[row]
    return [Problem(f"row {row}, column `{column}`: {cell!r} is a time below 0; are the row's cells in their columns?")]


def _count(path: Path, own: pd.DataFrame, kept: pd.Series, time: NumberColumn, what: str) -> str:
    """Say how many times were taken, how many rows have none and why, and how many rows were left out."""
    inside = kept.to_numpy()
    taken, zero = int((time.values[inside] > 0).sum()), int((time.values[inside] == 0).sum())
    empty = int(time.missing[inside].sum())
    readers = own["participant"][kept].nunique()
    said = f"{path.name}: took {taken:,} times of {len(own):,} rows, {what}, by {readers} readers"
    why = [f"{zero:,} are 0"] * bool(zero) + [f"{empty:,} are empty or NA"] * bool(empty)
    said += f"; {' and '.join(why)}: words without a time of that reader" if why else ""
    left_out = int((~inside).sum())
    if left_out:
        lost = int((time.values[~inside] > 0).sum())
        first = first_row(own, ~inside)
        said += f"; {left_out:,} rows without a word or document were left out (first: row {first}; {lost:,} had times)"
    return said


def _counted_through(
    document: pd.Series, trial: pd.Series, within: pd.Series, kept: pd.Series, path: Path
) -> pd.Series:
    """Return each word's number within its document, where the file counts within the document's trials."""
    place = pd.DataFrame({"document": document, "trial": trial, "within": within})
    for name in ("trial", "within"):
        found = read_numbers(place[name], name)
        row = first_row(place, kept & np.isnan(found.values))
        if row is not None:
            raise BadInput(f"{path}, row {row}: the number of the {name} is no number ({place[name].loc[row]!r}).")
        place[name] = found.values
    words = place[kept].drop_duplicates().sort_values(["document", "trial", "within"])
    words["index"] = words.groupby("document").cumcount() + 1
    numbered = place.merge(words, how="left", on=["document", "trial", "within"])["index"]
    return pd.Series(["" if np.isnan(n) else str(int(n)) for n in numbered.to_numpy(float)], index=document.index)


def corpus_name(path: Path) -> str | None:
    """Return which corpus of `CORPORA` a file is, by the names of its columns; None where it is none."""
    try:
        return _recognised(path)[0].name
    except BadInput:
        return None


def _recognised(path: Path) -> tuple[_Corpus, list[str]]:
    """Return the corpus that a file's columns are of, and their names."""
    names = first_names(path, declared="cp1252")
    for corpus in CORPORA:
        if {corpus.document, corpus.index, corpus.participant, *list(corpus.measures.values())[:1]} <= set(names):
            return corpus, names
    known = ", ".join(dict.fromkeys(corpus.name for corpus in CORPORA))
    raise BadInput(
        f"{path} is none of {known} (its first row is {','.join(names)[:80]!r}); bring other corpora into the layout "
        "of docs/data_sets.md yourself."
    )
