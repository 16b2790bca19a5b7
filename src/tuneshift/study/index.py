"""The index of a study's folder: which job is which cell, and the long table over all finished cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tuneshift.errors import BadInput
from tuneshift.study.cell import SCHEMA, TABLE, TEXTS, read_table, to_pandas
from tuneshift.study.store import DamagedCell, Store, StoredCell, write_atomically

JOBS, PARQUET, CSV = "jobs.parquet", "results.parquet", "results.csv"
NAMES = ("model", "base_model", "tuned", "measurement", "fingerprint")
"""Columns of the long table that come from the job, not from the cell."""
SPECIFICATION = "specification"
"""The last column of a study's table: the measurement in a few words, which tells two ways of measuring apart."""


@dataclass(frozen=True)
class JobRecord:
    """A job as the folder remembers it; `state` is "done", "failed" or "waiting". Texts only, and one flag."""

    fingerprint: str
    model: str
    base_model: str | None
    tuned: bool
    kind: str
    description: str
    settings: str
    n_parameters: float | None
    family: str | None
    tokenizer: str | None
    state: str
    reason: str
    warnings: str


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model of the study."""

    base_model: str | None
    tuned: bool
    n_parameters: float | None
    family: str | None
    tokenizer: str | None


_JOB_TYPES = {"bool": pa.bool_(), "float | None": pa.float64()}
_JOB_SCHEMA = pa.schema([(field.name, _JOB_TYPES.get(str(field.type), pa.string())) for field in fields(JobRecord)])


@dataclass(frozen=True)
class StudyIndex:
    """Jobs in the order of the study, and the rows of the finished cells without names (`rows`, by fingerprint)."""

    jobs: tuple[JobRecord, ...]
    rows: pa.Table

    @property
    def done(self) -> list[JobRecord]:
        """Jobs that are finished."""
        return [job for job in self.jobs if job.state == "done"]

    @property
    def failed(self) -> list[JobRecord]:
        """Jobs that failed, with their reasons."""
        return [job for job in self.jobs if job.state == "failed"]

    @property
    def waiting(self) -> list[JobRecord]:
        """Jobs that have not been run."""
        return [job for job in self.jobs if job.state == "waiting"]

    @cached_property
    def arrow(self) -> pa.Table:
        """The long table in the order of jobs, and what was measured in a few words (`SPECIFICATION`), as arrow."""
        return _named(self.rows, self.done)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The long table in the order of jobs."""
        return to_pandas(self.arrow)

    @property
    def models(self) -> dict[str, ModelInfo]:
        """Model name -> what is known of it."""
        found: dict[str, ModelInfo] = {}
        for job in self.jobs:
            old = found.get(job.model)
            found[job.model] = ModelInfo(
                job.base_model,
                job.tuned,
                job.n_parameters or (old.n_parameters if old else None),
                job.family,
                job.tokenizer or (old.tokenizer if old else None),
            )
        return found

    @property
    def warnings(self) -> list[str]:
        """The warnings of all results, each with the models it concerns."""
        concerned: dict[str, list[str]] = {}
        for job in self.done:
            for warning in filter(None, job.warnings.split("\n")):
                concerned.setdefault(f"{job.kind}: {warning}", []).append(job.model)
        return [f"{text} [{_listed(names)}]" for text, names in concerned.items()]

    def write(self, folder: Path) -> None:
        """Write jobs.parquet, results.parquet and results.csv, each at once or not at all."""
        write_jobs(folder, self.jobs)
        write_atomically(folder / PARQUET, _parquet(self.arrow))
        write_atomically(folder / CSV, _csv(self.arrow))


def cell_rows(fingerprint: str, cell: StoredCell) -> pa.Table:
    """Return the rows of a stored cell with its fingerprint."""
    table = read_table(cell.files[TABLE])
    column = table.schema.get_field_index("fingerprint")
    return table.set_column(column, "fingerprint", pa.array([fingerprint] * len(table), pa.string()))


def cell_warnings(cell: StoredCell) -> str:
    """Return the warnings of a stored cell, one a line."""
    import json

    return "\n".join(" ".join(text.split()) for text in json.loads(cell.files[TEXTS])["warnings"])


def stored_rows(folder: Path) -> pa.Table:
    """Return the rows that results.parquet holds, each cell's once; an empty table where it is absent or damaged."""
    path = folder / PARQUET
    try:
        table = read_table(path) if path.is_file() else SCHEMA.empty_table()
    except (OSError, pa.ArrowException, KeyError):
        return SCHEMA.empty_table()
    return _once_each(table)


def write_jobs(folder: Path, jobs: Iterable[JobRecord]) -> None:
    """Write jobs.parquet."""
    write_atomically(folder / JOBS, _parquet(pa.Table.from_pylist([asdict(job) for job in jobs], schema=_JOB_SCHEMA)))


def read_jobs(folder: Path) -> tuple[JobRecord, ...]:
    """Read jobs.parquet; BadInput where it is absent or damaged."""
    try:
        table = pq.ParquetFile(folder / JOBS, page_checksum_verification=True).read()
        columns = [table.column(field.name).to_pylist() for field in fields(JobRecord)]
    except (OSError, pa.ArrowException, KeyError) as error:
        raise BadInput(
            f"{folder / JOBS} cannot be read; run the study into {folder} again (what is finished is not run twice)."
        ) from error
    return tuple(JobRecord(*values) for values in zip(*columns, strict=True))


def read_index(folder: Path) -> StudyIndex:
    """Read the index of a folder, with the cells that were finished after it was last written.

    Cells that are damaged are left out and counted as waiting.
    """
    from dataclasses import replace

    store = Store(folder)
    jobs = read_jobs(folder)
    present = store.fingerprints()
    rows = stored_rows(folder)
    covered = set(pc.unique(rows.column("fingerprint")).to_pylist())
    known = {job.fingerprint for job in jobs if job.state == "done"}
    fresh: dict[str, StoredCell] = {}
    for fingerprint in {job.fingerprint for job in jobs} & present:
        if fingerprint not in known or fingerprint not in covered:
            try:
                fresh[fingerprint] = store.read(fingerprint)
            except DamagedCell:
                present.discard(fingerprint)
    found = []
    for job in jobs:
        if job.fingerprint in fresh:
            cell = fresh[job.fingerprint]
            facts: Mapping[str, Any] = cell.manifest.get("facts") or {}
            job = replace(
                job,
                state="done",
                reason="",
                warnings=cell_warnings(cell),
                n_parameters=job.n_parameters or facts.get("n_parameters"),
                tokenizer=job.tokenizer or facts.get("tokenizer"),
            )
        elif job.state == "done" and job.fingerprint not in present:
            job = replace(job, state="waiting")
        found.append(job)
    parts = [rows, *(cell_rows(name, cell) for name, cell in fresh.items() if name not in covered)]
    return StudyIndex(tuple(found), pa.concat_tables(parts))


def _named(rows: pa.Table, jobs: list[JobRecord]) -> pa.Table:
    """Join rows with their jobs: rows in the order of jobs, then as the cell gave them."""
    positions: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        positions.setdefault(job.fingerprint, []).append(number)
    if len(positions) != len(jobs):  # one cell under several names: its rows come once for each
        return _named_slowly(rows, jobs)
    prints = rows.column("fingerprint").combine_chunks()
    order = pc.index_in(prints, value_set=pa.array(list(positions), pa.string()))
    rows, order = rows.filter(pc.is_valid(order)), order.drop_null()
    sorting = pc.sort_indices(
        pa.table({"job": order, "row": pa.array(range(len(order)), pa.int64())}),
        sort_keys=[("job", "ascending"), ("row", "ascending")],
    )
    rows, order = rows.take(sorting), order.take(sorting)
    values: dict[str, list[object]] = {
        "model": [job.model for job in jobs],
        "base_model": [job.base_model for job in jobs],
        "tuned": [job.tuned for job in jobs],
        "measurement": [job.kind for job in jobs],
    }
    for name, found in values.items():
        field = SCHEMA.field(name)
        column = pa.array(found, field.type).take(order)
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    described = pa.array([job.description for job in jobs], pa.string()).take(order)
    return rows.append_column(SPECIFICATION, described)


def _named_slowly(rows: pa.Table, jobs: list[JobRecord]) -> pa.Table:
    parts: list[list[JobRecord]] = []  # the second job of a fingerprint goes to the second part, and so on
    times: dict[str, int] = {}
    for job in jobs:
        number = times.get(job.fingerprint, 0)
        times[job.fingerprint] = number + 1
        if number == len(parts):
            parts.append([])
        parts[number].append(job)
    return pa.concat_tables([_named(rows, part) for part in parts])


def _once_each(table: pa.Table) -> pa.Table:
    """Keep each fingerprint's rows under one model name only (the first)."""
    if not len(table):
        return table
    prints = table.column("fingerprint").combine_chunks().dictionary_encode()
    pairs = pa.table({"fingerprint": prints.indices, "model": table.column("model")})
    first = pairs.group_by("fingerprint", use_threads=False).aggregate(
        [("model", "first"), ("model", "count_distinct")]
    )
    if pc.max(first.column("model_count_distinct")).as_py() in (None, 0, 1):
        return table
    names = dict(zip(first.column("fingerprint").to_pylist(), first.column("model_first").to_pylist(), strict=True))
    kept = [names[p] == m for p, m in zip(prints.indices.to_pylist(), table.column("model").to_pylist(), strict=True)]
    return table.filter(pa.array(kept))


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def _csv(table: pa.Table) -> bytes:
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return bytes(sink.getvalue())


def _listed(names: list[str]) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"
