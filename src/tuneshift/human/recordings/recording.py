"""Recording: what people's brains did while they read or heard a text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import xarray as xr

from tuneshift.human.recordings.netcdf_file import LAYOUT, save_whole
from tuneshift.notebook import facts, notes

Space = Literal["native", "mni", "surface", "shared"]
SPACES: tuple[Space, ...] = get_args(Space)
"""Where targets lie: in each person's own brain, in MNI space, on a common surface, in another common space."""


@dataclass(frozen=True)
class WordTrack:
    """The words that were heard, when: for recordings whose rows are times (TRs), not stimuli.

    `words` are in order; `onset` and `offset` are seconds on the clock of the recording's `time` coordinate;
    `passage` names the story of each word. All of length n_words.
    """

    words: tuple[str, ...]
    onset: np.ndarray
    offset: np.ndarray
    passage: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """Brain responses, with the text they answer.

    `data`: DataArray (`stimulus`, `target`), float64, NaN where a participant did not see a stimulus.
    Coordinates along `stimulus`: `passage` (string, the unit that grouped splits hold out) and either `text` (string,
    in reading order within its passage) or, where `words` is given, `time` (seconds, one row a TR).
    Coordinates along `target`: `participant` (string), `region` (string, may be ""), `target_name` (string, unique).
    `unit` is the unit of the responses ("z", "% signal", "a.u."). `words` is set for time series.
    `dropped` says in sentences what the loader left out and why. `high_pass` is the cut-off in seconds of the filter
    that the measurement must apply to data and features alike (None: none). `space` says whether a coordinate `voxel`
    is a place that people share: in "native" space it is none, and voxels of different people are never matched.
    """

    name: str
    data: xr.DataArray
    unit: str = "a.u."
    words: WordTrack | None = None
    dropped: tuple[str, ...] = ()
    repetition_time: float | None = None
    high_pass: float | None = None
    space: Space = "native"
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def is_time_series(self) -> bool:
        """Whether rows are points in time (TRs) rather than stimuli."""
        return self.words is not None

    @property
    def participants(self) -> tuple[str, ...]:
        """Participants in order of first appearance."""
        return tuple(dict.fromkeys(self.data["participant"].values.tolist()))

    @property
    def labels(self) -> tuple[str, ...]:
        """Coordinates of the stimuli that `group_by` may name, beside the passage."""
        data = self.data
        own = ("passage", "text", "time", "stimulus")
        return tuple(str(c) for c in data.coords if data[c].dims == ("stimulus",) and c not in own)

    def _repr_html_(self) -> str:
        n_rows, n_targets = self.data.shape
        regions = tuple(dict.fromkeys(name for name in map(str, self.data["region"].values.tolist()) if name))
        rows = {
            "rows": f"{n_rows:,} {'scans' if self.is_time_series else 'stimuli'}",
            "targets": f"{n_targets:,} of {len(self.participants)} participants",
            "participants": self.participants,
            "regions": regions,
            "unit": self.unit,
            "repetition time": f"{self.repetition_time:g} s" if self.repetition_time else "",
        }
        return facts(self.name, rows) + notes(f"left out: {sentence}" for sentence in self.dropped)

    def to_netcdf(self, path: str | Path) -> Path:
        """Write this recording to a netCDF file that reads back as an equal recording (layout: `own_recording`).

        The file appears whole or not at all. Raises BadInput where the folder does not exist, or where a coordinate
        holds something other than numbers and strings.
        """
        dataset = self.data.rename("responses").transpose("stimulus", "target").to_dataset()
        dataset = dataset.reset_index(list(dataset.indexes))
        if self.words is not None:
            track = self.words
            dataset["word"] = "words", np.array(track.words, dtype=object)
            dataset["word_onset"] = "words", np.asarray(track.onset, float)
            dataset["word_offset"] = "words", np.asarray(track.offset, float)
            dataset["word_passage"] = "words", np.array(track.passage, dtype=object)
        dataset.attrs = {"layout": LAYOUT, "name": self.name, "unit": self.unit}
        for name in ("repetition_time", "high_pass"):
            if getattr(self, name) is not None:
                dataset.attrs[name] = float(getattr(self, name))
        if self.space != "native":
            dataset.attrs["space"] = self.space
        if self.dropped:
            dataset.attrs["dropped"] = json.dumps(self.dropped)
        if self.notes:
            dataset.attrs["notes"] = json.dumps(self.notes)
        return save_whole(dataset, Path(path), self.name)
