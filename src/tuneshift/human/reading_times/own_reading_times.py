"""Reading times in a table: one row a word, or a word and participant.

    document       name of the text
    index          the word's number within its document, counted without gaps (from 0 or from 1)
    word           the word as shown, with its punctuation
    time           milliseconds; empty where the word was skipped or its time was not kept
    participant    optional: then `time` is this reader's, and means, counts and the ceiling are computed
    n              optional, without `participant`: how many readers are behind the mean
    frequency      optional: occurrences per million words (or `log_frequency`, its natural logarithm)
    length         optional: the word's length, where it is not its number of characters
    include        optional: 1 or true where the word is scored, 0 or false where it is only read
    sentence       optional: the sentence's number within the document; else judged by the punctuation
    unit           optional: "ms" (default) or "s", the same in every row
    notes          optional: what an import took and left out, in the first row; goes with every result

What the brain answers to each word (EEG, such as the N400) is the same table with a column `amplitude` in place of
`time`: any number, of either sign, in `unit` (by default "µV").

Every word of the text needs a row, read or not, since a model reads them all.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.human.reading_times.reading_ceiling import split_half
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.text.own_table import called_otherwise, first_row, missing_columns, numbers, write_table
from tuneshift.human.text.problems import Problem
from tuneshift.human.text.sentences import mark_sentences

NEEDED = ("document", "index", "word", "time")
OPTIONAL = ("n", "frequency", "log_frequency", "length", "sentence")
_OF_WORDS = ("log_frequency", "frequency", "length", "include", "sentence")  # the same for every reader of a word
_YES_OR_NO = {"1": True, "1.0": True, "true": True, "yes": True, "0": False, "0.0": False, "false": False, "no": False}
_MILLISECONDS = {"ms": 1.0, "s": 1000.0}
_AMPLITUDE = "µV"
_BETWEEN_NOTES = " | "
_SHORTEST = 20.0  # ms: a median below it can only be seconds
_KNOWN_AS = {"position": "index", "word_index": "index", "word_number": "index", "zone": "index", "text": "document",
             "text_id": "document", "doc": "document", "story": "document", "item": "document", "token": "word",
             "wordnum": "index", "word_num": "index", "word_no": "index", "word_id": "index", "wordid": "index",
             "word_position": "index", "text_name": "document", "story_id": "document", "doc_id": "document",
             "item_id": "document", "passage": "document", "ia_label": "word", "word_text": "word",
             "rt": "time", "reading_time": "time", "time_ms": "time", "duration": "time", "readingtime": "time",
             "meanrt": "time", "mean_rt": "time", "subject": "participant", "subj": "participant",
             "sub": "participant", "subject_id": "participant", "subj_id": "participant", "ppt": "participant",
             "participant_id": "participant", "reader": "participant", "workerid": "participant"}  # fmt: skip


def write_reading_times(times: ReadingTimes, path: str | Path) -> Path:
    """Write reading times to .csv, .tsv or .parquet, a row a word, or a word and participant where they are known."""
    words = times.words
    kept = [
        name
        for name in ("document", "position", "word", "time", "n", "log_frequency", "length", "include", "sentence")
        if name in words
    ]
    table = words[kept].rename(columns={"position": "index"})
    if times.by_participant is not None:
        text = table.drop(columns=["time", "n"])
        table = times.by_participant.merge(text, left_on="row", right_index=True, how="right", sort=False)
        table = table.sort_values(["participant", "index"], kind="stable")
        table = table[["participant", *text.columns, "time"]]
    if times.unit not in _MILLISECONDS:
        table = table.rename(columns={"time": "amplitude"})
    table = table.assign(unit=times.unit)
    if times.notes:
        table["notes"] = [_BETWEEN_NOTES.join(times.notes), *[""] * (len(table) - 1)]
    return write_table(table, Path(path))


def reading_times_from_table(
    table: pd.DataFrame, name: str, path: Path | None = None
) -> tuple[ReadingTimes | None, list[Problem]]:
    """Return the reading times of a table of text cells, None where its layout allows none, and what is wrong."""
    measured = "amplitude" if "amplitude" in table and "time" not in table else "time"
    found = missing_columns(table, [measured if name == "time" else name for name in NEEDED], _KNOWN_AS)
    if "amplitude" in table and "time" in table:
        found.append(Problem("has both `time` and `amplitude`; leave only the one to be measured"))
    if found:
        return None, found
    if not len(table):
        return None, [Problem("has no row below the names of its columns")]
    unit = table["unit"].iloc[0] if "unit" in table else _AMPLITUDE if measured == "amplitude" else "ms"
    columns: dict[str, np.ndarray] = {}
    for column in ("index", measured, *OPTIONAL):
        if column in table:
            timed = column == "time" and unit in _MILLISECONDS
            columns[column], wrong = numbers(table, column, unit if timed else None)
            found += wrong
    if any(problem.fatal for problem in found):
        return None, found
    columns["time"] = columns.pop(measured)
    found += _word_problems(table, columns)
    found += _time_problems(table, columns) if measured == "time" else []
    found += _measured_problems(table, columns, measured)
    if any(problem.fatal for problem in found):
        return None, found
    rows = table[["document", "word"]].assign(**columns)
    if "include" in table:
        rows["include"], said = _included(table, columns["index"])
        found += said
        if any(problem.fatal for problem in found):
            return None, found
    if measured == "time":
        rows["time"] *= _MILLISECONDS[unit]
        unit = "ms"
    if "participant" in table:
        rows["participant"] = table["participant"].str.strip()
    kept = [note for cell in table["notes"].unique() for note in cell.split(_BETWEEN_NOTES)] if "notes" in table else []
    return replace(_reading_times(rows, name, path), unit=unit, notes=tuple(filter(None, kept))), found


def _included(table: pd.DataFrame, index: np.ndarray) -> tuple[np.ndarray, list[Problem]]:
    """Return whether each row's word is scored (n_rows,), and what is wrong or must be said of it."""
    answers = table["include"].str.strip().str.lower().map(_YES_OR_NO)
    row = first_row(table, answers.isna())
    if row is not None:
        shown = table["include"].loc[row]
        return np.ones(len(table), dtype=bool), [
            Problem(f"row {row}, column `include`: {shown!r} is neither 1 (true) nor 0 (false) "
                    f"({int(answers.isna().sum())} such rows)")
        ]  # fmt: skip
    included = answers.to_numpy(bool)
    each = table[["document"]].assign(index=index, include=included).drop_duplicates(["document", "index"])["include"]
    if not each.any():
        return included, [Problem("column `include` is 0 throughout: no word is left to score")]
    if each.all():
        return included, []
    said = f"{int((~each).sum())} of {len(each)} words are marked as not to be scored (`include`); they are read"
    return included, [Problem(said, fatal=False)]


def _word_problems(table: pd.DataFrame, columns: dict[str, np.ndarray]) -> list[Problem]:
    found = []
    index = columns["index"]
    for wrong, what in (
        (table["document"].str.strip() == "", "column `document` is empty"),
        (table["word"].str.strip() == "", "column `word` is empty: leave no word out, and no row without one"),
        (table["word"].str.strip().str.contains(r"\s"), "column `word` holds several words: give each a row"),
        (np.isnan(index), "column `index` is empty"),
        (index != np.round(index), "column `index` must be a whole number"),
    ):
        row = first_row(table, wrong)
        if row is not None:
            found.append(Problem(f"row {row}: {what} ({int(np.sum(wrong))} such rows)"))
    if found:
        return found
    key = table[["document"]].assign(index=index)
    if "participant" in table:
        row = first_row(table, table["participant"].str.strip() == "")
        if row is not None:
            return [Problem(f"row {row}: column `participant` is empty")]
        key["participant"] = table["participant"].str.strip()
    row = first_row(table, key.duplicated())
    if row is not None:
        again = table.loc[row]
        whose = f" of participant {again['participant']!r}" if "participant" in table else ""
        found.append(
            Problem(f"row {row}: word {again['index']} ({again['word']!r}) of document {again['document']!r}{whose} "
                    f"is there already ({int(key.duplicated().sum())} such rows){_whose_rows(table)}")
        )  # fmt: skip
    place = [table["document"], pd.Series(index, index=table.index)]
    for column in ("word", *(name for name in _OF_WORDS if name in table)):
        row = first_row(table, table[column] != table.groupby(place, sort=False)[column].transform("first"))
        if row is not None:
            again = table.loc[row]
            found.append(
                Problem(f"row {row}, column `{column}`: word {again['index']} of document {again['document']!r} is "
                        f"{again[column]!r} here and another one above")
            )  # fmt: skip
    for document, numbered in key.groupby("document", sort=False)["index"]:
        there = np.unique(numbered)
        jump = np.flatnonzero(np.diff(there) != 1)
        if len(jump):
            before, after = there[jump[0]], there[jump[0] + 1]
            found.append(
                Problem(f"document {document!r} jumps from word {before:g} to word {after:g}: give every word of the "
                        "text a row, with an empty time where nobody's was kept")
            )  # fmt: skip
        elif there[0] not in (0, 1):
            found.append(Problem(f"document {document!r} begins with word {there[0]:g}, not 0 or 1"))
    return found


def _whose_rows(table: pd.DataFrame) -> str:
    """Return a hint where a word stands several times because its readers stand under another name."""
    other = None if "participant" in table else called_otherwise(table, "participant", _KNOWN_AS)
    return f"; is column `{other}` the `participant`? rename it" if other else ""


def _time_problems(table: pd.DataFrame, columns: dict[str, np.ndarray]) -> list[Problem]:
    found = []
    time = columns["time"]
    row = first_row(table, time <= 0)
    if row is not None:
        shown = table["time"].loc[row]
        found.append(
            Problem(f"row {row}: time {shown} is not positive; leave it empty where the word was skipped "
                    f"({int((time <= 0).sum())} such rows)")
        )  # fmt: skip
    if np.isnan(time).all():
        return found
    unit = table["unit"].iloc[0] if "unit" in table else "ms"
    if unit not in _MILLISECONDS:
        found.append(Problem(f"row 2, column `unit`: {unit!r} is neither 'ms' nor 's'"))
    elif np.nanmedian(time) * _MILLISECONDS[unit] < _SHORTEST:
        found.append(
            Problem(f"the median time is {np.nanmedian(time):g} {unit}: if these are seconds, say so in a column "
                    "`unit`", fatal=False)
        )  # fmt: skip
    return found


def _measured_problems(table: pd.DataFrame, columns: dict[str, np.ndarray], measured: str) -> list[Problem]:
    """Return what is wrong with the numbers measured, be they times or amplitudes, and with those beside them."""
    found = []
    values = columns["time"]
    if np.isnan(values).all():
        return [Problem(f"column `{measured}` is empty throughout")]
    units = table["unit"].unique().tolist() if "unit" in table else []
    if len(units) > 1:
        row = first_row(table, table["unit"] != units[0])
        found.append(Problem(f"row {row}, column `unit`: {units[1]!r}, but {units[0]!r} above; use one unit"))
    if units and not units[0].strip():
        found.append(Problem("row 2, column `unit` is empty"))
    if np.isnan(values).any():
        first = f"(first: row {first_row(table, np.isnan(values))})"
        empty = f"{int(np.isnan(values).sum())} of {len(values)} {measured}s are empty {first}"
        found.append(Problem(f"{empty}; those words are read but not scored", fatal=False))
    kept = values[np.isfinite(values)]
    if len(kept) > 2 and kept.min() == kept.max():
        found.append(Problem(f"every {measured} is {kept[0]:g}: nothing can be predicted"))
    if "frequency" in columns:
        row = first_row(table, ~(columns["frequency"] > 0))
        if row is not None:
            found.append(Problem(f"row {row}, column `frequency`: must be occurrences per million, above 0"))
    elif "log_frequency" in columns:
        row = first_row(table, np.isnan(columns["log_frequency"]))
        if row is not None:
            found.append(Problem(f"row {row}, column `log_frequency` is empty: give every word's, or leave the column"))
    if "length" in columns:
        row = first_row(table, ~(columns["length"] > 0))
        if row is not None:
            found.append(Problem(f"row {row}, column `length`: must be above 0 for every word, or leave the column"))
    alone = table.groupby("participant")["word"].size() if "participant" in table else pd.Series(dtype=int)
    if len(alone) == 1:
        found.append(Problem(f"holds one participant ({alone.index[0]}): no ceiling can be computed", fatal=False))
    return found


def _reading_times(rows: pd.DataFrame, name: str, path: Path | None) -> ReadingTimes:
    documents = pd.Index(rows["document"].drop_duplicates())
    rows = rows.assign(place=documents.get_indexer(rows["document"]), index=rows["index"].astype(int))
    words = rows.drop_duplicates(["document", "index"]).sort_values(["place", "index"], ignore_index=True)
    numbered = pd.MultiIndex.from_frame(words[["document", "index"]])
    by_participant, ceiling, source = None, None, "unknown: the file has means only"
    if "participant" in rows:
        by_participant = pd.DataFrame(
            {
                "row": numbered.get_indexer(pd.MultiIndex.from_frame(rows[["document", "index"]])),
                "participant": rows["participant"].to_numpy(),
                "time": rows["time"].to_numpy(),
            }
        ).sort_values(["row", "participant"], ignore_index=True)
        by_word = by_participant.groupby("row")["time"]
        words["time"], words["n"] = by_word.mean().to_numpy(), by_word.count().to_numpy()
        wide = by_participant.pivot(index="row", columns="participant", values="time").to_numpy()
        ceiling, source = split_half(wide)
    elif "n" not in words:
        words["n"] = words["time"].notna().astype(int)
    if "frequency" in words and "log_frequency" not in words:
        words["log_frequency"] = np.log(words["frequency"])
    words["position"] = words.groupby("document", sort=False).cumcount()
    words["n"] = words["n"].fillna(0).astype(int)
    kept = ["document", "position", "word", "time", "n"] + [
        c for c in ("log_frequency", "length", "include", "sentence") if c in words
    ]
    words = words[kept]
    if "sentence" in words and words["sentence"].notna().all():
        words["sentence"] = words["sentence"].astype(int)
        words = _marked(words)
    else:
        words = mark_sentences(words)
    marks = ["sentence", "sentence_initial", "sentence_final"]
    words = words[[*(c for c in words if c not in marks), *marks]]
    digest = f", sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" if path else ""
    return ReadingTimes(
        name=name,
        words=words,
        release=f"own file{f' {path.name}' if path else ''}{digest}",
        by_participant=by_participant,
        ceiling=ceiling,
        ceiling_source=source,
    )


def _marked(words: pd.DataFrame) -> pd.DataFrame:
    """Mark the first and last word of each sentence that the file numbers."""
    same = words["document"].eq(words["document"].shift()) & words["sentence"].eq(words["sentence"].shift())
    return words.assign(sentence_initial=~same, sentence_final=~same.shift(-1, fill_value=False))
