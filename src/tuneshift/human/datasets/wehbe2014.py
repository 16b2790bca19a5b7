"""Wehbe2014: fMRI of people who read a chapter of a novel, a word every half second (Wehbe et al. 2014).

Layout of the authors' files, from their description and from public code that reads them: `data` (scans, voxels),
`time` (scans, 2: seconds, run), `words` (structs: text, start, length), `meta` (struct: colToCoord, colToROInum,
ROInumToName, matrix, ...).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.recordings.recording import Recording, WordTrack

REPETITION_TIME = 2.0
HIGH_PASS = 128.0
SUBJECTS = tuple(range(1, 9))
_FIXATION = "+"
_UNLABELLED = "not labelled"
_MNI_BOX = np.array([[-100, 100], [-140, 110], [-100, 120]])  # mm: no voxel of a brain lies outside


@dataclass(frozen=True)
class Counts:
    """What each file is known to hold: words shown (with fixations), and scans of each run."""

    words: int = 5_176
    scans: tuple[int, ...] = (340, 352, 279, 380)


KNOWN = Counts()


@dataclass(frozen=True)
class _Subject:
    data: np.ndarray  # (scans, voxels)
    time: np.ndarray  # (scans,) seconds
    run: np.ndarray  # (scans,) 1..n
    text: list[str]
    start: np.ndarray
    length: np.ndarray
    voxel: np.ndarray  # (voxels, 3), counted from 1 as the authors do
    mni: np.ndarray  # (voxels, 3) mm
    region: np.ndarray


def read(file: Callable[[str], Path], counts: Counts = KNOWN, subjects: tuple[int, ...] = SUBJECTS) -> Recording:
    """Return the scans (2 s) of four runs x all voxels of eight participants, with the words they read.

    A passage is a run. Scans of rest (before a run's first word, after its last) are left out. Voxels are in MNI
    space, not smoothed, detrended or masked (beyond cerebrospinal fluid); the measurement high-passes them (128 s).
    Raises BadInput where a file does not hold what it is known to, or two participants read different words.
    """
    first = _subject(file(_path(subjects[0])), counts)
    kept = _while_reading(first)
    n_kept = int(kept.sum())
    widths = [_n_voxels(file(_path(number))) for number in subjects]
    values = np.empty((n_kept, sum(widths)))  # filled in place: two copies of all voxels would be several GB
    along = []
    for number, right in zip(subjects, np.cumsum(widths).tolist(), strict=True):
        path = file(_path(number))
        subject = first if number == subjects[0] else _subject(path, counts)
        _same_text(first, subject, path)
        values[:, right - len(subject.voxel) : right] = subject.data[kept]
        along.append((f"subject_{number}", subject.voxel, subject.mni, subject.region))
    participant = np.concatenate([np.full(len(voxel), name) for name, voxel, _, _ in along])
    voxel = np.concatenate([v for _, v, _, _ in along])
    mni = np.concatenate([m for _, _, m, _ in along])
    named = np.array([f"{p} {x},{y},{z}" for p, (x, y, z) in zip(participant, voxel, strict=True)])
    passage = np.array([f"run {run}" for run in first.run[kept]])
    words, fixations = _words(first)
    return Recording(
        name="wehbe2014",
        data=xr.DataArray(
            values,
            dims=("stimulus", "target"),
            coords={
                "time": ("stimulus", first.time[kept]),
                "passage": ("stimulus", passage),
                "participant": ("target", participant),
                "region": ("target", np.concatenate([region for *_, region in along])),
                "target_name": ("target", named),
                **{f"mni_{axis}": ("target", mni[:, i]) for i, axis in enumerate("xyz")},
            },
        ),
        unit="a.u.",
        words=words,
        dropped=(
            f"{len(kept) - n_kept} scans of rest before the first and after the last word of each run were left out",
            f"{fixations} fixation crosses between the words were left out",
        ),
        repetition_time=REPETITION_TIME,
        high_pass=HIGH_PASS,
        notes={
            "rest": "the response still rises in the first seconds of a run; word-rate nuisance features take it up",
            "space": "MNI coordinates are the authors' matrix times voxel numbers counted from 1, as SPM counts",
        },
    )


def _path(number: int) -> str:
    return f"wehbe2014/subject_{number}.mat"


def _subject(path: Path, counts: Counts) -> _Subject:
    from scipy.io import loadmat

    try:
        held = loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=("data", "time", "words", "meta"))
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise BadInput(f"{path} is no MATLAB file, or a damaged one ({error}).") from error
    try:
        subject = _from_matlab(held)
    except (KeyError, AttributeError, ValueError, TypeError, IndexError) as error:
        raise BadInput(
            f"{path} is not laid out as the authors describe (`data`, `time`, `words`, `meta`): {error!r}; please "
            "report it."
        ) from error
    runs, scans = np.unique(subject.run, return_counts=True)
    back = np.flatnonzero(np.diff(subject.time) <= 0)
    for what, there, wanted in (
        ("words", len(subject.text), counts.words),
        ("scans a run", tuple(scans.tolist()), counts.scans),
        ("rows of data", len(subject.data), sum(counts.scans)),
        ("runs", tuple(runs.tolist()), tuple(range(1, len(counts.scans) + 1))),
        ("voxels with coordinates", len(subject.voxel), subject.data.shape[1]),
        ("voxels with a region", len(subject.region), subject.data.shape[1]),
        ("scans that go back in time", len(back), 0),
    ):
        if there != wanted:
            raise BadInput(
                f"data set wehbe2014: {path} has {there} {what}, where {wanted} are known; it is another release, or "
                "the loader reads it wrongly: please report it."
            )
    low, high = subject.mni.min(axis=0), subject.mni.max(axis=0)
    if (low < _MNI_BOX[:, 0]).any() or (high > _MNI_BOX[:, 1]).any():
        raise BadInput(
            f"data set wehbe2014: voxels of {path} lie from {low} to {high} mm, outside any brain in MNI space; the "
            "loader reads `meta.matrix` wrongly: please report it."
        )
    return subject


def _n_voxels(path: Path) -> int:
    """Return the number of columns of `data` without reading it."""
    from scipy.io import whosmat

    try:
        shapes = {name: shape for name, shape, _ in whosmat(path)}
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise BadInput(f"{path} is no MATLAB file, or a damaged one ({error}).") from error
    if len(shapes.get("data", ())) != 2:
        raise BadInput(f"{path} holds no `data` (scans, voxels).")
    return int(shapes["data"][1])


def _from_matlab(held: dict[str, Any]) -> _Subject:
    meta, time = held["meta"], np.asarray(held["time"], dtype=float)
    words = np.atleast_1d(held["words"])
    voxel = np.asarray(meta.colToCoord, dtype=int).reshape(-1, 3)
    matrix = np.asarray(meta.matrix, dtype=float).reshape(4, 4)
    return _Subject(
        data=np.asarray(held["data"], dtype=np.float64),
        time=time[:, 0],
        run=time[:, 1].astype(int),
        text=[_shown(word.text) for word in words],
        start=np.array([float(word.start) for word in words]),
        length=np.array([float(word.length) for word in words]),
        voxel=voxel,
        mni=(np.column_stack([voxel, np.ones(len(voxel))]) @ matrix.T)[:, :3],
        region=_regions(meta),
    )


def _regions(meta: Any) -> np.ndarray:
    """Return the AAL region of each voxel; 0 says that the atlas names none."""
    names = [str(name) for name in np.atleast_1d(meta.ROInumToName)]
    numbers = np.atleast_1d(np.asarray(meta.colToROInum, dtype=int))
    if numbers.min() < 0 or numbers.max() > len(names):
        raise ValueError(f"region number {numbers.max()} of {len(names)} names")
    return np.array([_UNLABELLED, *names])[numbers]


def _shown(text: Any) -> str:
    """Return a word as it was shown: a cell may hold it, and `@` marks the letters in italics."""
    while isinstance(text, np.ndarray):
        text = text.item() if text.size else ""
    return str(text).replace("@", "").strip()


def _while_reading(subject: _Subject) -> np.ndarray:
    kept = np.zeros(len(subject.time), dtype=bool)
    for run in np.unique(subject.run):
        scans = subject.run == run
        first, last = subject.time[scans][[0, -1]]
        shown = (subject.start >= first) & (subject.start <= last)
        if not shown.any():
            raise BadInput(f"data set wehbe2014: no word was shown during run {run}; its times are not read rightly.")
        begin, end = subject.start[shown].min(), (subject.start + subject.length)[shown].max()
        kept |= scans & (subject.time >= begin) & (subject.time <= end)
    return kept


def _same_text(first: _Subject, other: _Subject, path: Path) -> None:
    for number, (mine, theirs) in enumerate(zip(first.text, other.text, strict=True), start=1):
        if mine != theirs:
            raise BadInput(f"data set wehbe2014: word {number} of {path} is {theirs!r}, of the first file {mine!r}.")
    for what, mine_at, theirs_at in (("word", first.start, other.start), ("scan", first.time, other.time)):
        apart = np.flatnonzero(np.abs(mine_at - theirs_at) > 0.05)
        if len(apart):
            row = apart[0]
            raise BadInput(
                f"data set wehbe2014: {what} {row + 1} of {path} is at {theirs_at[row]:g} s, of the first file at "
                f"{mine_at[row]:g} s."
            )


def _words(subject: _Subject) -> tuple[WordTrack, int]:
    real = np.array([bool(text) and text != _FIXATION for text in subject.text])
    begins = np.array([subject.time[subject.run == run][0] for run in np.unique(subject.run)])
    run = np.searchsorted(begins, subject.start, side="right")
    track = WordTrack(
        words=tuple(text for text, word in zip(subject.text, real, strict=True) if word),
        onset=subject.start[real],
        offset=(subject.start + subject.length)[real],
        passage=tuple(f"run {number}" for number in run[real]),
    )
    return track, int((~real).sum())


DATA_SET = DataSet(
    name="wehbe2014",
    kind="brain",
    citation=(
        "Wehbe, Murphy, Talukdar, Fyshe, Ramdas & Mitchell (2014). Simultaneously uncovering the patterns of brain "
        "regions involved in different story reading subprocesses. PLoS ONE 9, e112575."
    ),
    licence="not stated with the files; public for research, cite the paper; the text of the novel is copyrighted",
    sources=tuple(
        Source(_path(number), f"https://www.cs.cmu.edu/~fmri/plosone/files/subject_{number}.mat", "", 2 << 30)
        for number in SUBJECTS
    ),
    reader=read,
    bibtex="""@article{wehbe2014simultaneously,
  title = {Simultaneously uncovering the patterns of brain regions involved in different story reading subprocesses},
  author = {Wehbe, Leila and Murphy, Brian and Talukdar, Partha and Fyshe, Alona and Ramdas, Aaditya and
            Mitchell, Tom},
  journal = {PLoS ONE}, volume = {9}, number = {11}, pages = {e112575}, year = {2014}
}""",
    notes=(
        "8 participants x 1,351 scans (2 s) in 4 runs x some 25,000-38,000 voxels each: needs about 4 GB of memory. "
        "The authors publish no checksum: counts, words and coordinates are checked instead."
    ),
)
