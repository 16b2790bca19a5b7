"""run: a study from its jobs to its results, resuming where an earlier run stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from tuneshift.errors import BadInput
from tuneshift.measurement import Specification
from tuneshift.progress import Progress, silent
from tuneshift.study.cell import SCHEMA
from tuneshift.study.config import Study, load_study
from tuneshift.study.description import describe
from tuneshift.study.executors.local import run_locally
from tuneshift.study.executors.work import LoadModel, RevisionOf, versions
from tuneshift.study.index import PARQUET, JobRecord, StudyIndex, cell_rows, cell_warnings, stored_rows, write_jobs
from tuneshift.study.jobs import Batch, Failed, Finished, Job, Outcome, batches, fingerprinted, plan_jobs
from tuneshift.study.model_entry import ModelEntry, entry_revision, load_entry
from tuneshift.study.results import StudyResults
from tuneshift.study.secrets import without_secrets
from tuneshift.study.store import DamagedCell, Store, clear_words, write_atomically
from tuneshift.study.storing import Storing
from tuneshift.vocabulary import ours


def run(
    study: str | Path | Mapping[str, Any] | Study,
    out: str | Path | None = None,
    executor: str | None = None,
    fresh: bool = False,
    progress: Progress = silent,
    *,
    log: Callable[[str], None] = lambda line: None,
    load_model: LoadModel = load_entry,
    revision_of: RevisionOf = entry_revision,
) -> StudyResults:
    """Run a study and return its results; what an earlier run into the same folder finished is not run again.

    `out` is the folder (default: the study's name, here), `executor` goes before what the study says, `fresh` measures
    everything again. A job that fails is recorded with its reason (`results.failures`) and the others go on. Ctrl-C
    once finishes and saves the running measurement, twice stops at once; both raise KeyboardInterrupt. Raises BadInput
    for a study or data that cannot be used and for a folder that another run holds, MeasurementFailed for a full disk.
    `log` is called with a line for every job that ends. `load_model` and `revision_of` are how models are loaded and
    named (tests put in others).
    """
    study = load_study(study)
    jobs = fingerprinted(plan_jobs(study), revision_of)
    if not jobs:
        raise BadInput(f"study {study.name!r} has no job: none of its measurements applies to any of its models.")
    store = Store(Path(out) if out is not None else Path(study.name))
    with store.locked():
        record = _Record(study, jobs, store, fresh)
        try:
            with _interruptible() as stopped:
                record.tell(progress)
                todo = _Todo(record.waiting(), load_model, revision_of, progress, stopped)
                with (
                    Storing(record.take, lambda: record.tell(progress, log)) as storing,
                    closing(_outcomes(study, executor, todo)) as outcomes,
                ):
                    for outcome in outcomes:
                        storing.take(outcome)
                if stopped():
                    raise KeyboardInterrupt
        finally:
            record.write()
    return StudyResults(store.folder, record.as_run, record.index())


class _Todo(NamedTuple):
    """What an executor is given."""

    batches: list[Batch]
    load_model: LoadModel
    revision_of: RevisionOf
    progress: Progress
    stopped: Callable[[], bool]


def _outcomes(study: Study, executor: str | None, todo: _Todo) -> Generator[Outcome]:
    options = study.executor if executor is None else study.executor.model_copy(update={"kind": executor})
    if options.kind not in ("local", "ray"):
        raise BadInput(f"executor {options.kind!r} is unknown; use local or ray.")
    if options.kind == "local" or not todo.batches:
        yield from run_locally(todo.batches, todo.load_model, todo.progress, todo.stopped)
        return
    from tuneshift.study.executors.ray import run_on_ray

    yield from run_on_ray(*todo, options)


class _Record:
    """What a run knows: the state of every job, and the rows of every finished cell."""

    def __init__(self, study: Study, jobs: list[Job], store: Store, fresh: bool) -> None:
        self.store = store
        self.jobs = jobs
        self.as_run = _as_run(study)
        self._tables: dict[str, pa.Table] = {}
        self._records = {id(job): _job_record(job) for job in jobs}
        self._by_fingerprint: dict[str, list[Job]] = {}
        for job in jobs:
            self._by_fingerprint.setdefault(job.fingerprint, []).append(job)
        self._set_aside: list[str] = []
        self._ended: list[str] = []
        self._data = _DataChecksums()
        if fresh:
            self._forget_table()
        else:
            self._resume()
        self._n_waiting = sum(record.state == "waiting" for record in self._records.values())
        text = yaml.safe_dump(self.as_run, sort_keys=False, allow_unicode=True)
        write_atomically(store.folder / "study.yaml", text.encode())
        write_jobs(store.folder, self._records.values())

    def waiting(self) -> list[Batch]:
        """Return the jobs that must be run; those whose model cannot be found have failed already."""
        return batches(job for job in self.jobs if self._records[id(job)].state == "waiting")

    def take(self, outcome: Outcome) -> None:
        """Store what a job gave, at once."""
        if isinstance(outcome, Failed):
            self._set(outcome.job, state="failed", reason=outcome.reason)
        else:
            fingerprint = outcome.job.fingerprint
            self.store.write(fingerprint, outcome.files, _manifest(outcome, self._data.of(outcome.job.measurement)))
            self._finish(fingerprint)
        self._n_waiting -= len(self._by_fingerprint[outcome.job.fingerprint])
        self._ended.append(f"{len(self.jobs) - self._n_waiting} of {len(self.jobs)}: {_how_it_ended(outcome)}")

    def tell(self, progress: Progress, log: Callable[[str], None] | None = None) -> None:
        """Report how many jobs of the study are done, and which have ended since."""
        progress("study", len(self.jobs) - self._n_waiting, len(self.jobs))
        while log is not None and self._ended:
            log(self._ended.pop(0))

    def index(self) -> StudyIndex:
        """Return the index of the folder as it is now."""
        rows = pa.concat_tables([SCHEMA.empty_table(), *self._tables.values()])
        return StudyIndex(tuple(self._records[id(job)] for job in self.jobs), rows)

    def write(self) -> None:
        """Write jobs.parquet, results.parquet and results.csv."""
        self.index().write(self.store.folder)

    def _resume(self) -> None:
        """Take over every finished cell whose bytes are whole; move damaged ones aside, to be measured again."""
        rows = stored_rows(self.store.folder)
        covered = set(rows.column("fingerprint").unique().to_pylist())
        kept = []
        for fingerprint in self.store.fingerprints() & self._by_fingerprint.keys():
            try:
                cell = self.store.read(fingerprint)
            except DamagedCell as error:
                self._forget_table()
                place = self.store.set_aside(fingerprint)
                self._set_aside.append(
                    f"a stored cell was damaged ({error}); it was moved to {place} and measured again"
                )
                for job in self._by_fingerprint[fingerprint]:
                    self._records[id(job)] = replace(self._records[id(job)], warnings=self._set_aside[-1])
                continue
            if fingerprint in covered:
                kept.append(fingerprint)
            else:
                self._tables[fingerprint] = cell_rows(fingerprint, cell)
            self._set_done(fingerprint, cell_warnings(cell), cell.manifest.get("facts") or {})
        if kept:
            chosen = pc.is_in(rows.column("fingerprint"), value_set=pa.array(kept, pa.string()))
            self._tables["earlier runs"] = rows.filter(chosen)

    def _forget_table(self) -> None:
        """Remove results.parquet before a cell it covers is measured again, lest its old rows outlive a kill."""
        with clear_words(self.store.folder):
            (self.store.folder / PARQUET).unlink(missing_ok=True)

    def _finish(self, fingerprint: str) -> None:
        cell = self.store.read(fingerprint)  # read back: what counts as finished is what the disk holds
        self._tables[fingerprint] = cell_rows(fingerprint, cell)
        self._set_done(fingerprint, cell_warnings(cell), cell.manifest.get("facts") or {})

    def _set_done(self, fingerprint: str, warnings: str, facts: Mapping[str, Any]) -> None:
        for job in self._by_fingerprint[fingerprint]:
            record = self._records[id(job)]
            self._records[id(job)] = replace(
                record,
                state="done",
                reason="",
                warnings="\n".join(filter(None, [record.warnings, warnings])),
                n_parameters=record.n_parameters or facts.get("n_parameters"),
                tokenizer=facts.get("tokenizer"),
            )

    def _set(self, job: Job, **changes: Any) -> None:
        for same in self._by_fingerprint[job.fingerprint]:
            self._records[id(same)] = replace(self._records[id(same)], **changes)


def _how_it_ended(outcome: Outcome) -> str:
    if isinstance(outcome, Failed):
        return f"{outcome.job} failed: {outcome.reason}"
    return f"{outcome.job}, {outcome.seconds:.0f} s"


class _DataChecksums:
    """The data checksum of each measurement, read once however many models are measured."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, measurement: Specification) -> str:
        """Return the checksum of the data that a measurement reads."""
        if id(measurement) not in self._known:
            self._known[id(measurement)] = measurement.data_checksum()
        return self._known[id(measurement)]


def _job_record(job: Job) -> JobRecord:
    settings = job.measurement.settings()
    return JobRecord(
        fingerprint=job.fingerprint,
        model=job.entry.label,
        base_model=job.base.label if job.base else None,
        tuned=is_tuned(job),
        kind=job.measurement.kind,
        description=describe(job.measurement),
        settings=json.dumps(settings, sort_keys=True),
        n_parameters=job.entry.n_parameters,
        family=job.entry.family_name,
        tokenizer=None,
        state="failed" if job.problem else "waiting",
        reason=job.problem,
        warnings="\n".join(
            _foreign_code(entry) for entry in (job.entry, job.base) if entry and entry.trust_remote_code
        ),
    )


def _foreign_code(entry: ModelEntry) -> str:
    return (
        f"{entry.label}: code that came with the model was run (trust_remote_code: true), and could have changed any "
        "number of this study."
    )


def is_tuned(job: Job) -> bool:
    """Whether the job's model was tuned from another: as the study or the registry says."""
    card = job.entry.card
    return job.base is not None or bool(card and (card.tuned_from or card.instruction_tuned))


def _manifest(outcome: Finished, data: str) -> dict[str, Any]:
    job = outcome.job
    return {
        "model": job.entry.label,
        "reference": job.entry.reference,
        "revision": job.revision,
        "base_model": job.base.label if job.base else None,
        "measurement": job.measurement.kind,
        "settings": job.measurement.settings(),
        "code_version": job.measurement.code_version,
        "data": data,
        "seconds": round(outcome.seconds, 3),
        "finished": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "facts": outcome.facts,
        "versions": outcome.versions,
    }


def _as_run(study: Study) -> dict[str, Any]:
    """Return the study as it is run, every default written out, with versions: it can be run again as it stands.

    Only the workers' environment loses its secrets (`NOT_WRITTEN` stands in their place, and is refused as a value).
    """
    document = study.model_dump(mode="json", exclude={"models"})
    for measurement, dumped in zip(study.measurements, document["measurements"], strict=True):
        if "seed" in dumped and "seed" not in measurement.model_fields_set:
            del dumped["seed"]  # it comes from `seeds`
    document["executor"]["environment"] = without_secrets(document["executor"]["environment"])
    document["models"] = [entry.model_dump(mode="json", exclude_defaults=True) for entry in study.models]
    order = ("name", "notes", "models", "measurements", "seeds", "executor")
    meanings = [type(measurement).meaning() for measurement in study.measurements]
    foreign = ours().with_kinds(meanings).declared()
    runs = [run.as_dict() for run in study.runs()]
    extra = {**({"vocabulary": foreign} if foreign else {}), **({"trajectories": runs} if runs else {})}
    return {**{key: document[key] for key in order}, "versions": dict(versions()), **extra}


_INTERRUPTED = (
    "\ntuneshift: finishing and saving the running measurement (what is finished is kept); "
    "press Ctrl-C again to stop at once.\n"
)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C finish and save the running job, and the second stop at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    def on_interrupt(number: int, frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _INTERRUPTED.encode())

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
