"""Checkpoints of one run: which models of a study they are, at which steps, and in which order they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuneshift.compare.trajectories import Run
from tuneshift.models.revision import local_folder
from tuneshift.study.model_entry import ModelEntry

_NUMBER = re.compile(r"\d+$")
_WORD = r"(?P<word>checkpoint|ckpt|global[-_ ]?step|step|iteration|iter)"
_NAMED = re.compile(rf"(?P<stem>^|^.*?[-_./ ]){_WORD}[-_ ]?(?P<step>\d+)$", re.IGNORECASE)
"""Names that say "step" themselves. A number alone says nothing: `twin-1`, `seed-2` and `v3` are no steps."""
_ADAPTER = re.compile(r"adapter-(?P<step>\d+)$")
_TRAINER, _TUNING = "trainer_state.json", "tuning.json"
_BY_TRAINER = f"`global_step` of {_TRAINER}"
_BY_FOLDERS, _BY_REVISIONS, _BY_NAMES = "the names of folders", "the names of revisions", "the names of models"

Bases = Mapping[ModelEntry, ModelEntry | None]


@dataclass(frozen=True)
class _Seen:
    """What one entry says of its place in a run: where the run lies, a name for it, the step, and what told it."""

    origin: tuple[str, ...]
    called: str
    step: int
    told_by: str


def runs_of(bases: Bases) -> tuple[Run, ...]:
    """Return the runs among models with their bases: two or more checkpoints of one base.

    A study's own `run:` and `step:` go first; else the step is that of a trainer's state (`trainer_state.json`), or
    the number behind "checkpoint", "step" or "iter" in the name of a folder, of a revision or of the model.
    """
    runs: dict[tuple[str, ...], list[tuple[ModelEntry, _Seen]]] = {}
    for entry, base in bases.items():
        seen = _seen(entry) if base is not None else None
        if base is not None and seen is not None:
            runs.setdefault((base.label, *seen.origin), []).append((entry, seen))
    labels = {entry.label: entry for entry in bases}
    found = [_run(key[0], labels[key[0]], members) for key, members in runs.items() if len(members) > 1]
    return tuple(_told_apart(found))


def in_order_of_steps(bases: Bases) -> dict[ModelEntry, ModelEntry | None]:
    """Return models with their bases, the checkpoints of a run by their steps, in the places that they held.

    Checkpoints of a run are those of `runs_of`, and beside them, for the order alone, models with one base and names
    that differ in the number at their end only (`run-s20`, `run-s100`). Every other model stays where it is.
    """
    by_label = {entry.label: entry for entry in bases}
    ordered = [[by_label[model] for model in run.models] for run in runs_of(bases)]
    placed = {entry for entries in ordered for entry in entries}
    numbered: dict[tuple[str, str], list[ModelEntry]] = {}
    for entry, base in bases.items():
        if base is not None and entry not in placed and _NUMBER.search(entry.label):
            numbered.setdefault((base.label, _NUMBER.sub("", entry.label)), []).append(entry)
    ordered += [sorted(entries, key=_number_of) for entries in numbered.values()]
    next_of = {entry: steps for steps in map(_Steps, ordered) for entry in steps.entries}
    order = [next_of[entry].take() if entry in next_of else entry for entry in bases]
    return {entry: bases[entry] for entry in order}


class _Steps:
    """The checkpoints of a run, handed out in order."""

    def __init__(self, entries: list[ModelEntry]) -> None:
        self.entries = tuple(entries)
        self._left = iter(entries)

    def take(self) -> ModelEntry:
        return next(self._left)


def _number_of(entry: ModelEntry) -> int:
    found = _NUMBER.search(entry.label)
    return int(found.group()) if found else 0


def _seen(entry: ModelEntry) -> _Seen | None:
    if entry.run is not None and entry.step is not None:
        return _Seen(("declared", entry.run), entry.run, entry.step, "")
    folder = _folder(entry)
    if folder is not None and (seen := _of_folder(folder)) is not None:
        return seen
    if entry.revision is not None and entry.model is not None and (found := _NAMED.match(entry.revision)):
        origin = ("revisions", entry.model, found["stem"], found["word"].lower())
        return _Seen(origin, entry.model.rpartition("/")[2], int(found["step"]), _BY_REVISIONS)
    if found := _NAMED.match(entry.label):
        return _Seen(("names", found["stem"], found["word"].lower()), found["stem"], int(found["step"]), _BY_NAMES)
    return None


def _folder(entry: ModelEntry) -> Path | None:
    """The folder of a model's own weights: of BASE+ADAPTER the adapter's; None for what is no folder here."""
    if entry.model is None:
        return None
    whole = local_folder(entry.model)
    return whole if whole is not None else local_folder(entry.model.rpartition("+")[2])


def _of_folder(folder: Path) -> _Seen | None:
    place = folder.resolve()
    adapter = _ADAPTER.match(place.name) if (place.parent / _TUNING).is_file() else None
    named = _NAMED.match(place.name) or adapter
    step = _trainer_step(place)
    if named is None and step is None:
        return None
    # A trainer leaves its last model beside its checkpoints, in the run's own folder.
    run = place.parent if named is not None else place
    kind = "adapters" if adapter else named["stem"] if named is not None else ""
    if step is None and named is not None:
        return _Seen(("folder", str(run), kind), run.name, int(named["step"]), _BY_FOLDERS)
    return _Seen(("folder", str(run), kind), run.name, step or 0, _BY_TRAINER)


def _trainer_step(folder: Path) -> int | None:
    """The step that a trainer wrote beside a model; None where it wrote none that can be read."""
    try:
        step = json.loads((folder / _TRAINER).read_text(encoding="utf-8"))["global_step"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return step if isinstance(step, int) and step >= 0 else None


def _run(base: str, base_entry: ModelEntry, members: list[tuple[ModelEntry, _Seen]]) -> Run:
    ordered = sorted(members, key=lambda member: member[1].step)  # a stable sort: equals keep the study's order
    first = ordered[0][1]
    told = list(dict.fromkeys(seen.told_by for _, seen in ordered if seen.told_by))
    before = _seen(base_entry)
    base_step = before.step if before is not None and before.origin == first.origin else 0
    name = first.called if not told else _common_name([entry.label for entry, _ in ordered]) or first.called
    return Run(
        name.strip(" -_./") or base,
        base,
        tuple((entry.label, seen.step) for entry, seen in ordered),
        " and ".join(told),
        base_step,
    )


def _common_name(labels: list[str]) -> str:
    """What names of checkpoints share before their numbers and the word for a step; "" where they share nothing."""
    stems = {_NUMBER.sub("", label) for label in labels}
    stem = stems.pop().rpartition("+")[2] if len(stems) == 1 else ""  # of BASE+ADAPTER the adapter's
    return re.sub(rf"(^|[-_./ ])({_WORD}|adapter)?[-_./ ]*$", "", stem, flags=re.IGNORECASE)


def _told_apart(runs: list[Run]) -> list[Run]:
    """Return the runs; those of one name are called after their first checkpoint besides."""
    names = [run.name for run in runs]
    return [
        Run(f"{run.name} ({run.models[0]} to {run.last})", run.base, run.steps, run.told_by, run.base_step)
        if names.count(run.name) > 1
        else run
        for run in runs
    ]
