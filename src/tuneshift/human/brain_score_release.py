"""Data sets in Brain-Score's public storage: their files, checksums, and the counts that they are known to have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.dataset import Source
from tuneshift.human.recordings.brain_score import PARTICIPANT, assembly_of, recording_of_assembly
from tuneshift.human.recordings.own_recording import open_netcdf
from tuneshift.human.recordings.recording import Recording

LICENCE = "not stated with the file; for research, cite the paper and ask its authors before passing the data on"
_STORAGE = "https://brainscore-storage.s3.amazonaws.com/brainscore-language/"


@dataclass(frozen=True)
class Counts:
    """What a release is known to hold; `selected` counts the presentations of the part that is read."""

    presentations: int
    neuroids: int
    participants: int
    selected: int | None = None


def source(identifier: str, sha1: str) -> Source:
    """Return the file of an assembly in the public storage, with its SHA-1 as Brain-Score publishes it."""
    name = f"assy_{identifier}.nc"
    return Source(path=f"brain_score/{name}", url=_STORAGE + name, known_hash=f"sha1:{sha1}")


def read_release(
    file: Callable[[str], Path],
    where: Source,
    name: str,
    counts: Counts,
    unit: str = "a.u.",
    select: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Recording:
    """Read an assembly of the storage as a recording; raises BadInput where it does not hold what it is known to."""
    path = file(where.path)
    assembly = assembly_of(open_netcdf(path), str(path))
    who = next((str(c) for c in PARTICIPANT if c in assembly.coords), None)
    found = {
        "presentations": (assembly.sizes["presentation"], counts.presentations),
        "neuroids": (_distinct(assembly), counts.neuroids),
        "participants": (len(np.unique(assembly[who].values.astype(str))) if who else 0, counts.participants),
    }
    recording = recording_of_assembly(assembly, name, select, str(path))
    if counts.selected is not None:
        found["presentations of this experiment"] = (recording.data.sizes["stimulus"], counts.selected)
    for what, (there, wanted) in found.items():
        if there != wanted:
            raise BadInput(
                f"data set {name}: {path} has {there} {what}, where {wanted} are known; it is another release, or "
                "the loader reads it wrongly: please report it."
            )
    return replace(recording, name=name, unit=unit, notes={**recording.notes, **(notes or {})})


def _distinct(assembly: xr.DataArray) -> int:
    if "neuroid_id" not in assembly.coords:
        return int(assembly.sizes["neuroid"])
    return len(np.unique(assembly["neuroid_id"].values.astype(str)))
