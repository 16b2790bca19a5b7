"""Every data set by name: our own files under `datasets/`, and those that other packages register."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path

from tuneshift.errors import BadInput, nearest
from tuneshift.human import datasets
from tuneshift.human.dataset import DataSet
from tuneshift.human.own_files import file_checksum, is_own_file, load_own_file
from tuneshift.human.prompts.prompts import PromptSet
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.recordings.recording import Recording

ENTRY_POINT_GROUP = "tuneshift.data_sets"


def _known() -> dict[str, DataSet]:
    found: list[DataSet] = []
    for module in sorted(m.name for m in pkgutil.iter_modules(datasets.__path__)):
        found.append(importlib.import_module(f"{datasets.__name__}.{module}").DATA_SET)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            found.append(_data_set(entry.load()))
        except Exception as error:  # somebody else's package must not take every command down with it
            warnings.warn(f"data set {entry.name} of {entry.value} cannot be used: {error}", stacklevel=2)
    return {data_set.name: data_set for data_set in found}


def _data_set(loaded: object) -> DataSet:
    if not isinstance(loaded, DataSet):
        raise BadInput(f"it holds no DataSet, but {type(loaded).__name__}.")
    return loaded


class _DataSets(Mapping[str, DataSet]):
    """Name -> data set, found when first asked for: a package that registers one may import this one at its top."""

    @cached_property
    def _found(self) -> dict[str, DataSet]:
        return _known()

    def __getitem__(self, name: str) -> DataSet:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


DATA_SETS: Mapping[str, DataSet] = _DataSets()
"""Name -> data set. A package adds its own through the entry point group `tuneshift.data_sets`."""


def load_data(name: str | Path, release: str | None = None) -> Recording | ReadingTimes | PromptSet:
    """Load a data set by name, or a recording or table of reading times of your own by its path.

    `natural_stories:realigned` names a release; paths end in .nc, .csv, .tsv or .parquet (layouts: docs/data_sets.md).
    Raises BadInput for an unknown name or release, for files that are nowhere, wrong checksums, and files that depart
    from their layout.
    """
    if is_own_file(name):
        return load_own_file(name)
    plain, _, named = str(name).partition(":")
    if plain not in DATA_SETS:
        raise BadInput(f"no data set is called {name!r}{nearest(str(name), DATA_SETS)}; `tuneshift data` lists them.")
    return DATA_SETS[plain].load(release or named or None)


def data_checksum(name: str | Path) -> str:
    """Return what identifies the data behind a name: its sources' checksums, or the sha256 of a file of one's own.

    "" for a name that is neither.
    """
    if is_own_file(name):
        return file_checksum(name) if Path(name).is_file() else ""
    plain = str(name).partition(":")[0]
    return DATA_SETS[plain].checksum() if plain in DATA_SETS else ""
