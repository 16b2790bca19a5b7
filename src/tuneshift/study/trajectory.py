"""Checkpoints of one run, in the order of their steps."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tuneshift.study.model_entry import ModelEntry

_STEP = re.compile(r"\d+$")


def in_order_of_steps(bases: Mapping[ModelEntry, ModelEntry | None]) -> dict[ModelEntry, ModelEntry | None]:
    """Return models with their bases, the checkpoints of a run by their steps, in the places that they held.

    Checkpoints of a run have one base, and names that differ in the number at their end only (`checkpoint-20`,
    `checkpoint-100`; `run-s20`; `step1000`). Every other model stays where it is.
    """
    runs: dict[tuple[str, str], list[ModelEntry]] = {}
    run_of: dict[ModelEntry, tuple[str, str]] = {}
    for entry, base in bases.items():
        if base is not None and _STEP.search(entry.label):
            run_of[entry] = (base.label, _STEP.sub("", entry.label))
            runs.setdefault(run_of[entry], []).append(entry)
    steps = {run: iter(sorted(entries, key=step_of)) for run, entries in runs.items()}
    ordered = [next(steps[run_of[entry]]) if entry in run_of else entry for entry in bases]
    return {entry: bases[entry] for entry in ordered}


def step_of(entry: ModelEntry) -> int:
    """Return the number at the end of a model's name; 0 where there is none."""
    found = _STEP.search(entry.label)
    return int(found.group()) if found else 0
