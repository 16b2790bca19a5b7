"""Every data set by name: our own files under `datasets/`, and those that other packages register."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points

from tuneshift.errors import BadInput, nearest
from tuneshift.human import datasets
from tuneshift.human.dataset import DataSet
from tuneshift.human.prompts import PromptSet
from tuneshift.human.reading_times import ReadingTimes
from tuneshift.human.recording import Recording

ENTRY_POINT_GROUP = "tuneshift.data_sets"


def _known() -> dict[str, DataSet]:
    found: list[DataSet] = []
    for module in sorted(m.name for m in pkgutil.iter_modules(datasets.__path__)):
        found.append(importlib.import_module(f"{datasets.__name__}.{module}").DATA_SET)
    found += [entry.load() for entry in entry_points(group=ENTRY_POINT_GROUP)]
    return {data_set.name: data_set for data_set in found}


DATA_SETS = _known()
"""Name -> data set. A package adds its own through the entry point group `tuneshift.data_sets`."""


def load_data(name: str, release: str | None = None) -> Recording | ReadingTimes | PromptSet:
    """Load a data set by name; `natural_stories:realigned` names a release.

    Raises BadInput for an unknown name or release, for files that are nowhere, and for wrong checksums.
    """
    plain, _, named = name.partition(":")
    if plain not in DATA_SETS:
        raise BadInput(f"no data set is called {name!r}{nearest(name, DATA_SETS)}; `tuneshift data` lists them.")
    return DATA_SETS[plain].load(release or named or None)
