"""Jobs: model x measurement, grouped by model, so that each model is loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tuneshift.errors import TuneshiftError
from tuneshift.measurement import PairMeasurement, Specification
from tuneshift.study.config import Study
from tuneshift.study.description import describe
from tuneshift.study.model_entry import ModelEntry
from tuneshift.study.trajectory import in_order_of_steps


@dataclass(frozen=True)
class Job:
    """One measurement of one model; `fingerprint` is "" and `problem` says why where the model cannot be found."""

    entry: ModelEntry
    base: ModelEntry | None
    measurement: Specification
    fingerprint: str = ""
    revision: str = ""
    problem: str = ""

    @property
    def needs_base(self) -> bool:
        """Whether the base model must be loaded beside the tuned one."""
        return isinstance(self.measurement, PairMeasurement)

    def __str__(self) -> str:
        return f"{self.entry.label}, {describe(self.measurement)}"


@dataclass(frozen=True)
class Batch:
    """All jobs of one model, in the order of the study."""

    entry: ModelEntry
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Finished:
    """A job that was measured: the files of its result, the seconds it took, facts of the model, and versions."""

    job: Job
    files: dict[str, bytes]
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """A job that could not be measured, and the reason in one sentence."""

    job: Job
    reason: str


Outcome = Finished | Failed


def plan_jobs(study: Study) -> list[Job]:
    """Return the jobs of a study without fingerprints: per model, each measurement with each of the study's seeds.

    A measurement of pairs is left out for models without a base in the study, and a model that is only a file of
    surprisals is measured by reading alone. Checkpoints of one run come in the order of their steps, here and so in
    every table and figure.
    """
    bases = in_order_of_steps({entry: study.base_of(entry) for entry in study.models})
    started = {entry: study.started(entry) for entry in study.models}
    return [
        Job(started[entry], started[base] if base is not None else None, measurement)
        for entry, base in bases.items()
        for measurement in seeded(study)
        if _applies(measurement, entry, base)
    ]


def fingerprinted(jobs: Iterable[Job], revision_of: Callable[[ModelEntry], str]) -> list[Job]:
    """Return the jobs with their fingerprints; a model that cannot be found becomes the `problem` of its jobs.

    Raises BadInput where a measurement's own data cannot be found: that concerns every model.
    """
    revisions: dict[ModelEntry, str] = {}
    problems: dict[ModelEntry, str] = {}

    def revision(entry: ModelEntry) -> str:
        if entry not in revisions and entry not in problems:
            try:
                revisions[entry] = revision_of(entry)
            except TuneshiftError as error:
                problems[entry] = str(error)
        return revisions.get(entry, "")

    prints: dict[tuple[int, str], str] = {}
    found = []
    for job in jobs:
        wanted = revision(job.entry)
        if job.needs_base and job.base is not None:
            wanted = f"{wanted} tuned from {revision(job.base)}"
        entries = [job.entry, job.base] if job.needs_base and job.base else [job.entry]
        problem = next((problems[entry] for entry in entries if entry in problems), "")
        key = (id(job.measurement), wanted)
        if key not in prints:
            prints[key] = job.measurement.fingerprint(wanted)
        fingerprint = "" if problem else prints[key]
        found.append(Job(job.entry, job.base, job.measurement, fingerprint, wanted, problem))
    return found


def batches(jobs: Iterable[Job]) -> list[Batch]:
    """Group jobs by model, in order of first appearance; a fingerprint that comes twice is measured once."""
    groups: dict[ModelEntry, list[Job]] = {}
    seen: set[str] = set()
    for job in jobs:
        if job.fingerprint not in seen:
            seen.add(job.fingerprint)
            groups.setdefault(job.entry, []).append(job)
    return [Batch(entry, tuple(group)) for entry, group in groups.items()]


def seeded(study: Study) -> list[Specification]:
    """Return the study's measurements, one for each seed where they have one that the study file does not set."""
    found: list[Specification] = []
    for measurement in study.measurements:
        fields = type(measurement).model_fields
        if "seed" in fields and "seed" not in measurement.model_fields_set:
            for seed in study.seeds:
                found.append(measurement.model_copy(update={"seed": seed}))
        else:
            found.append(measurement)
    return found


def _applies(measurement: Specification, entry: ModelEntry, base: ModelEntry | None) -> bool:
    if entry.surprisals is not None:
        return measurement.kind == "reading"
    if isinstance(measurement, PairMeasurement):
        return base is not None and base.surprisals is None
    return True
