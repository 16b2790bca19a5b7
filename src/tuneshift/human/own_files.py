"""Files of the user's own: which they are, what is wrong with them, and what they hold."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.files.text_file import plain_stem, plain_suffix
from tuneshift.human.reading_times.own_reading_times import reading_times_from_table
from tuneshift.human.reading_times.reading_corpora import corpus_name, read_corpus
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.recordings.brain_score import assembly_of, is_assembly, recording_of_assembly
from tuneshift.human.recordings.own_recording import layout_problems, open_netcdf, recording_of
from tuneshift.human.recordings.own_recording_table import recording_from_table
from tuneshift.human.recordings.recording import Recording
from tuneshift.human.recordings.recording_checks import recording_problems
from tuneshift.human.text.own_table import read_table
from tuneshift.human.text.problems import Problem, refuse

SUFFIXES = (".nc", ".csv", ".tsv", ".parquet")


def is_own_file(name: str | Path) -> bool:
    """Whether a name is that of a file (.nc, .csv, .tsv, .parquet, or one of these and .gz) and not of a data set."""
    return isinstance(name, Path) or plain_suffix(name) in SUFFIXES


def load_own_file(path: str | Path) -> Recording | ReadingTimes:
    """Read a recording (.nc or table) or a table of reading times; warnings of `check_file` go with what is returned.

    Raises BadInput where there is no such file, or with its first fatal problem.
    """
    path = Path(path)
    holds, problems = _read(path)
    refuse(path, problems)
    assert holds is not None
    warnings = tuple(f"{path.name}: {problem.sentence}" for problem in problems)
    if isinstance(holds, ReadingTimes):
        return replace(holds, warnings=(*holds.warnings, *warnings, *holds.notes))
    return holds  # the measurement counts and names constant and missing targets itself


def check_file(path: str | Path) -> list[str]:
    """Return every problem of a file of one's own, one sentence each; those that only weaken it begin "warning:".

    Raises BadInput where there is no such file; a file that cannot be opened at all is a problem like any other.
    """
    return inspect_file(path)[0]


def inspect_file(path: str | Path) -> tuple[list[str], tuple[str, ...]]:
    """Return the problems of a file (as `check_file`), and the labels of its stimuli that `group_by` may name."""
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"there is no file {path}.")
    try:
        if _may_be_corpus(path) and (plain_suffix(path) not in SUFFIXES or corpus_name(path)):
            times, problems = read_corpus(path)
            told = [Problem(note, fatal=False) for note in times.notes] if times else []
            return [str(problem) for problem in [*problems, *told]], ()
        holds, problems = _read(path)
    except BadInput as error:
        return [str(error)], ()
    return [str(problem) for problem in problems], holds.labels if isinstance(holds, Recording) else ()


def file_checksum(path: str | Path) -> str:
    """Return the sha256 of a file's contents."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read(path: Path) -> tuple[Recording | ReadingTimes | None, list[Problem]]:
    if plain_suffix(path) not in SUFFIXES:
        raise BadInput(
            f"{path}: a file of your own must end in {', '.join(SUFFIXES)}, or in one of these and .gz "
            "(docs/data_sets.md)."
        )
    if not path.is_file():
        raise BadInput(f"there is no file {path}; a data set of the package is given by its name, without a suffix.")
    recording: Recording | None
    if plain_suffix(path) == ".nc":
        dataset = open_netcdf(path)
        if is_assembly(dataset):
            recording = recording_of_assembly(assembly_of(dataset, str(path)), plain_stem(path), where=str(path))
            return recording, recording_problems(recording)
        problems = layout_problems(dataset)
        if problems:
            return None, problems
        recording = recording_of(dataset, plain_stem(path))
        return recording, recording_problems(recording)
    corpus = corpus_name(path) if _may_be_corpus(path) else None
    if corpus is not None:
        raise BadInput(
            f"{path} is {corpus} as its authors give it; bring it into a table of your own first: "
            f"`tuneshift data import {path}`."
        )
    read = read_table(path)
    table, said = read.table, read.said
    told = [Problem(sentence, fatal=False) for sentence in said]
    if _holds_reading_times(list(map(str, table.columns))):
        times, problems = reading_times_from_table(table, plain_stem(path), path)
        return times, [*told, *problems]
    recording, problems = recording_from_table(table, plain_stem(path))
    if recording is None:
        return None, [*told, *problems]
    recording = replace(recording, dropped=(*said, *recording.dropped))
    return recording, [*told, *problems, *recording_problems(recording)]


def _may_be_corpus(path: Path) -> bool:
    return plain_suffix(path) in (".csv", ".tsv", ".txt")


def _holds_reading_times(columns: list[str]) -> bool:
    """A table of responses names its `response` (or a stimulus); any other is taken for reading times."""
    return "response" not in columns and not ("stimulus" in columns and "time" not in columns)
