"""The engine of studies: what it costs beside the work itself, and how a folder of 100,000 cells can still be used.

1. Overhead: 1,000 jobs of 1 s each (the work is a sleep), one after the other, through `tuneshift.study.run`: wall time
   beyond the sleeps, as a share of them. It takes 17 minutes; `--quick` runs 100 jobs of 0.1 s and says the overhead a
   job, which does not depend on how long the work is.
2. Scale: a store of 100,000 cells (10 rows each), made as a run makes it, but for the flushes to the disk; seconds to
   list its cells and to load its table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal
from unittest.mock import patch

import pyarrow as pa

from tuneshift.measurement import Measurement
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.study import StudyResults, register, run
from tuneshift.study.cell import SCHEMA, encode_result, to_arrow
from tuneshift.study.index import JobRecord, StudyIndex
from tuneshift.study.store import Store

LIMIT_SHARE, LIMIT_SECONDS = 0.05, 5.0


@register
class Sleep(Measurement):
    """Work of a known length."""

    code_version: ClassVar[int] = 1
    kind: Literal["sleep"] = "sleep"
    number: int = 0
    seconds: float = 1.0

    def run(self, model: Any, progress: Progress = silent) -> Result:
        """Sleep, and give ten rows."""
        time.sleep(self.seconds)
        return ten_rows(self.number)


class Nothing:
    """A model that needs no loading."""

    def __init__(self, name: str) -> None:
        self.name = name


def ten_rows(number: float) -> Result:
    """Return a result as small as results are."""
    row = {"dataset": "none", "metric": "r", "unit": "r"}
    return Result.from_rows([{**row, "participant": f"p{i}", "value": number + i} for i in range(10)])


def overhead(n_jobs: int, seconds: float) -> tuple[float, float]:
    """Return the seconds of `n_jobs` jobs through the engine beyond their work, and as a share of the work."""
    models = [f"m{i}" for i in range(10)]
    measurements = [{"kind": "sleep", "number": k, "seconds": seconds} for k in range(n_jobs // 10)]
    study = {"name": "x", "models": models, "measurements": measurements}
    with tempfile.TemporaryDirectory() as folder:
        slept = _asleep(seconds, n_jobs)
        start = time.perf_counter()
        results = run(
            study,
            out=Path(folder) / "out",
            load_model=lambda entry: Nothing(entry.label),
            revision_of=lambda entry: entry.label,
        )
        wall = time.perf_counter() - start
    assert len(results.cells) == n_jobs
    return wall - slept, (wall - slept) / slept


def _asleep(seconds: float, n_jobs: int) -> float:
    """Return how long the sleeps themselves take: a busy machine wakes sleepers late."""
    tries = 5
    start = time.perf_counter()
    for _ in range(tries):
        time.sleep(seconds)
    return (time.perf_counter() - start) / tries * n_jobs


def make_store(folder: Path, n_cells: int) -> None:
    """Write `n_cells` cells, and the index that a run leaves: 100 models x 1,000 measurements."""
    store = Store(folder)
    jobs, tables = [], []
    files = encode_result(ten_rows(1))
    rows = to_arrow(ten_rows(1).table)
    column = SCHEMA.get_field_index("fingerprint")
    with store.locked(), patch("os.fsync"):  # a run waits for the disk after each cell; here that would take an hour
        for number in range(n_cells):
            fingerprint = f"{number:016x}"
            store.write(fingerprint, files, {"model": f"m{number % 100}", "facts": {}, "seconds": 1.0})
            jobs.append(_job(fingerprint, number))
            tables.append(rows.set_column(column, "fingerprint", pa.array([fingerprint] * 10, pa.string())))
        (folder / "study.yaml").write_text("name: x\n")
        StudyIndex(tuple(jobs), pa.concat_tables(tables)).write(folder)


def _job(fingerprint: str, number: int) -> JobRecord:
    return JobRecord(
        fingerprint=fingerprint,
        model=f"m{number % 100}",
        base_model="m0" if number % 100 else None,
        tuned=bool(number % 100),
        kind="sleep",
        description=f"sleep number={number // 100}",
        settings=f'{{"kind": "sleep", "number": {number // 100}}}',
        n_parameters=1e6 * (1 + number % 100),
        family="f",
        tokenizer=None,
        state="done",
        reason="",
        warnings="",
    )


def timed_store(n_cells: int) -> Iterable[tuple[str, float]]:
    """Yield what was done with a store of that many cells, and its seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "out"
        start = time.perf_counter()
        make_store(folder, n_cells)
        yield f"writing {n_cells:,} cells, not flushed", time.perf_counter() - start
        start = time.perf_counter()
        found = Store(folder).fingerprints()
        yield "listing the cells", time.perf_counter() - start
        assert len(found) == n_cells
        start = time.perf_counter()
        results = StudyResults.load(folder)
        n_rows = len(results.table)
        yield f"loading the table of {n_rows:,} rows", time.perf_counter() - start
        assert (len(results.cells), n_rows) == (n_cells, 10 * n_cells)
        start = time.perf_counter()
        value = results.cells[n_cells // 2].result.value(participant="p3")
        yield "reading one cell, every byte checked", time.perf_counter() - start
        assert value == 4


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks studies", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 jobs of 0.1 s, 2,000 cells")
    parser.add_argument("--part", choices=("engine", "store"), help="only this half")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    n_jobs, seconds, n_cells = (100, 0.1, 2_000) if options.quick else (1_000, 1.0, 100_000)

    if options.part != "store":
        report_overhead(n_jobs, seconds)
    if options.part != "engine":
        report_store(n_cells)


def report_overhead(n_jobs: int, seconds: float) -> None:
    """Print what the engine costs beside the work."""
    beyond, share = overhead(n_jobs, seconds)
    a_job = beyond / n_jobs
    print(f"engine: {n_jobs:,} jobs of {seconds:g} s: {1000 * a_job:.1f} ms a job beside the work")
    print(f"  {100 * share:.2f}% of the work, {100 * a_job:.2f}% of jobs of 1 s ({_verdict(a_job < LIMIT_SHARE)}: 5%)")


def report_store(n_cells: int) -> None:
    """Print how long a store of that many cells takes to be listed and loaded."""
    taken = dict(timed_store(n_cells))
    print(f"store of {n_cells:,} cells")
    for what, spent in taken.items():
        print(f"  {what:<64} {spent:9.3f} s")
    used = sum(spent for what, spent in taken.items() if what.startswith(("listing", "loading")))
    print(f"  listing and loading {used:.2f} s ({_verdict(used < LIMIT_SECONDS)}: {LIMIT_SECONDS:g} s)")


def _verdict(good: bool) -> str:
    return "within the limit" if good else "above the limit"


if __name__ == "__main__":
    main()
