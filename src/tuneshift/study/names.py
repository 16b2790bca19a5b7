"""Names of models whose folders are called the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tuneshift.models.revision import local_folder
from tuneshift.study.model_entry import ModelEntry

_MOST_PARENTS = 8


def told_apart(entries: Sequence[ModelEntry]) -> tuple[ModelEntry, ...]:
    """Return the entries with their parents' names where folders would be called the same ("A/checkpoint-100").

    As many parents as tell them apart; names that the study gives stay. One folder given twice stays one name twice.
    """
    counts = Counter(entry.label for entry in entries)
    found = list(entries)
    for label in (label for label, n in counts.items() if n > 1):
        called = {i: _path(entry) for i, entry in enumerate(entries) if entry.label == label}
        places = {i: path.resolve() for i, path in called.items() if path is not None}
        if len(set(places.values())) < len(places):
            continue
        for depth in range(2, _MOST_PARENTS):
            names = {i: "/".join(path.parts[-depth:]) for i, path in places.items()}
            if len(set(names.values())) == len(names):
                for i, name in names.items():
                    found[i] = entries[i].model_copy(update={"name": name})
                break
    return tuple(found)


def _path(entry: ModelEntry) -> Path | None:
    """The folder after which a model is called; None where the study names it."""
    if entry.name is not None or entry.model is None:
        return None
    last = entry.model if local_folder(entry.model) is not None else entry.model.rpartition("+")[2]
    path = Path(last)
    return path if ("/" in last.rstrip("/") and not path.is_absolute()) or local_folder(last) is not None else None
