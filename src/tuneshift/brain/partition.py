"""How a recording is cut: what is held out, what is left out within, and what is cleaned together; for every number.

Nothing that belongs to a held-out part ever touches another: filtering, z-scoring and gaps stop at the cuts. Scores,
ceilings, controls, unique variance, permutations and surrogates all ask this file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.numerics.haemodynamics import RESPONSE_SECONDS, cleaned_stretch
from tuneshift.numerics.splits import Fold, contiguous, grouped, inner_folds, shuffled, with_gap

SplitName = Literal["grouped", "contiguous", "shuffled"]

FEWEST = 3
"""Stimuli of which a correlation says anything at all."""
_SHORTEST_SCANS = 8  # of a stretch that is filtered and z-scored by itself
_TIME_FOLDS, _FOLDS = 6, 5


@dataclass(frozen=True)
class Part:
    """`rows` of a recording; `stretches` are the rows that are filtered and z-scored together, () where none are."""

    rows: np.ndarray
    stretches: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Split:
    """What is learned from and what is predicted; `inner` parts of the training rows (their places: kept, left out)."""

    train: Part
    test: Part
    inner: tuple[Fold, ...]

    def within(self, present: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Fold]]:
        """Return places within train and test rows that are `present` rows, and inner parts among them."""
        train = np.isin(self.train.rows, present)
        number = np.cumsum(train) - 1
        inner = [tuple(number[side[train[side]]] for side in fold) for fold in self.inner]
        kept = [(a, b) for a, b in inner if len(a) >= 2 and len(b)]
        return np.flatnonzero(train), np.flatnonzero(np.isin(self.test.rows, present)), kept


@dataclass(frozen=True)
class Partition:
    """A recording's splits, and how any other training and test rows of it would be treated alike.

    `groups` (n_rows,) are held out whole, None where blocks of rows are; `place` (n_rows,) is where rows lie, in the
    unit of `gap`: seconds for time series. `notes` say what was left out.
    """

    recording: Recording
    groups: np.ndarray | None
    runs: np.ndarray
    place: np.ndarray
    gap: float
    whole_runs: bool
    splits: tuple[Split, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether rows are scans, which are filtered and z-scored."""
        return is_timed(self.recording)

    def split(self, train: np.ndarray, test: np.ndarray) -> Split:
        """Return the split of these rows: gap, stretches and inner parts as the recording needs them.

        Raises BadInput where too little is left to learn from or to predict.
        """
        train, test = with_gap((np.sort(train), np.sort(test)), self.place, self.gap)
        parts = [self._part(train), self._part(test)]
        labels = None if self.groups is None else self.groups[parts[0].rows]
        for part, what in zip(parts, ("learn from", "predict"), strict=True):
            if len(part.rows) < FEWEST:
                raise BadInput(f"{self.recording.name}: {self._too_little(len(part.rows), what)}")
        inner = inner_folds(len(parts[0].rows), labels, self.gap, self.place[parts[0].rows])
        return Split(parts[0], parts[1], tuple(inner))

    def _too_little(self, left: int, what: str) -> str:
        if self.timed:
            return (
                f"with {self.gap:g} s between what is held out and what is learned from, and stretches of at least "
                f"{self._shortest} scans, too little is left to {what}; use fewer folds, or hold out longer passages."
            )
        return (
            f"one of the folds leaves {left} stimuli to {what}, too few for a correlation (at least {FEWEST}); "
            "use fewer folds or more stimuli."
        )

    def cleaned(self, values: np.ndarray, part: Part) -> np.ndarray:
        """Return values (n_rows, k) at the rows of a part, each stretch filtered and z-scored by itself.

        The same for features and responses. A column that varies within a stretch by less than a millionth of what it
        varies by over all rows is taken as constant there, and 0.
        """
        if not part.stretches:
            return values[part.rows]
        recording = self.recording
        size = np.nanmax(np.abs(values), axis=0, initial=0.0, where=np.isfinite(values))
        whole = np.empty((len(values), values.shape[1]))
        for stretch in part.stretches:
            whole[stretch] = cleaned_stretch(
                values[stretch], recording.repetition_time or 1.0, recording.high_pass, 1e-6 * size
            )
        return whole[part.rows]

    @property
    def _shortest(self) -> int:
        return max(_SHORTEST_SCANS, int(np.ceil(RESPONSE_SECONDS / (self.recording.repetition_time or 1.0))))

    def _part(self, rows: np.ndarray) -> Part:
        if not self.timed:
            return Part(rows)
        if self.whole_runs:  # random scans have no stretches: their runs are cleaned whole, which leaks
            return Part(rows, tuple(np.flatnonzero(self.runs == run) for run in dict.fromkeys(self.runs[rows])))
        long = [stretch for stretch in self._stretches(rows) if len(stretch) >= self._shortest]
        return Part(np.concatenate(long) if long else rows[:0], tuple(long))

    def _stretches(self, rows: np.ndarray) -> list[np.ndarray]:
        """Rows without a break: neighbours in one run, no scan missing between them."""
        if not len(rows):
            return []
        breaks = (np.diff(rows) > 1) | (self.runs[rows][1:] != self.runs[rows][:-1])
        if self.recording.repetition_time is not None:
            breaks |= np.diff(self.place[rows]) > 1.5 * self.recording.repetition_time
        return np.split(rows, np.flatnonzero(breaks) + 1)


def is_timed(recording: Recording) -> bool:
    """Whether the rows of a recording are scans in time, whose neighbours share their slow part."""
    return recording.words is not None or recording.high_pass is not None


def default_split(recording: Recording) -> SplitName:
    """Return "grouped" for a recording of five passages and more, else "contiguous"."""
    if "passage" in recording.data.coords and len(np.unique(recording.data["passage"].values)) >= _FOLDS:
        return "grouped"
    return "contiguous"


def partition(
    recording: Recording,
    split: SplitName | None = None,
    folds: int | None = None,
    group_by: str | None = None,
    seed: int = 0,
) -> Partition:
    """Cut a recording (methods, section 1): `grouped` holds out whole passages, or what shares a value of `group_by`.

    `contiguous` holds out blocks of rows; of a time series with several runs whole runs; `shuffled` a random tenth.
    Beside what is held out of a time series 32 s, the length of a haemodynamic response, are in neither part; beside a
    block of sentences the rest of the passages that it cuts.

    Raises BadInput for labels that are missing, and where a fold would be too small.
    """
    split = split or ("grouped" if group_by else default_split(recording))
    if group_by is not None and split != "grouped":
        raise BadInput(f"group_by: {group_by} goes with the grouped split, not with {split}; leave one of them out.")
    frame = _frame(recording, split, group_by)
    n_rows = recording.data.shape[0]
    if split == "shuffled":
        cuts = shuffled(n_rows, seed=seed)
    elif frame.groups is not None:
        most = folds or _FOLDS
        cuts = grouped(frame.groups, most if split == "grouped" else min(most, len(np.unique(frame.groups))))
    else:
        cuts = contiguous(n_rows, folds or (_TIME_FOLDS if frame.timed else _FOLDS))
        if not frame.timed:
            cuts = _without_cut_passages(cuts, recording)
    _refuse_tiny(cuts, recording.name)
    splits = tuple(frame.split(train, test) for train, test in cuts)
    lost = sum(len(cut[1]) - len(made.test.rows) for cut, made in zip(cuts, splits, strict=True))
    notes: tuple[str, ...] = ()
    if lost:
        notes = (
            f"{recording.name}: {lost} scans stand in stretches shorter than the haemodynamic response "
            f"({RESPONSE_SECONDS:g} s) and are not predicted",
        )
    return Partition(recording, frame.groups, frame.runs, frame.place, frame.gap, frame.whole_runs, splits, notes)


def _frame(recording: Recording, split: str, group_by: str | None) -> Partition:
    """A partition without splits: what is held out whole, and how far apart."""
    data, timed = recording.data, is_timed(recording)
    n_rows = data.shape[0]
    labels: Callable[[str], np.ndarray] = lambda name: np.asarray(data[name].values).astype(str)  # noqa: E731
    runs = (
        labels("run") if "run" in data.coords else labels("passage") if "passage" in data.coords else np.zeros(n_rows)
    )
    step = recording.repetition_time or 1.0
    place = np.asarray(data["time"].values, float) if "time" in data.coords else step * np.arange(n_rows)
    groups = None
    if split == "grouped":
        groups = _labels(recording, group_by or "passage")
    elif split == "contiguous" and timed and len(np.unique(runs)) >= 2:
        groups = np.asarray(runs).astype(str)
    elif split == "shuffled" and not timed and "passage" in data.coords:
        groups = labels("passage")  # for what is left out within: never single sentences of a passage
    gap = RESPONSE_SECONDS if timed and split != "shuffled" else 0.0
    return Partition(recording, groups, runs, place, gap, whole_runs=split == "shuffled")


def _labels(recording: Recording, name: str) -> np.ndarray:
    data = recording.data
    if name not in data.coords or data[name].dims != ("stimulus",):
        if name == "passage":
            raise BadInput(
                f"{recording.name} has no `passage` labels, which grouped splits need; add them, or use "
                "--split contiguous."
            )
        there = sorted(str(c) for c in data.coords if data[c].dims == ("stimulus",) and c not in ("text", "time"))
        raise BadInput(f"{recording.name} has no `{name}` along its stimuli to group by; it has {', '.join(there)}.")
    labels = np.asarray(data[name].values).astype(str)
    empty = np.flatnonzero((labels == "") | (labels == "nan"))
    if len(empty):
        raise BadInput(f"{recording.name}: `{name}` of stimulus {empty[0] + 1} is empty ({len(empty)} such); label it.")
    return labels


def _without_cut_passages(cuts: list[Fold], recording: Recording) -> list[Fold]:
    """Leave out of training the rest of passages that a held-out block cuts, unless they are longer than a block."""
    if "passage" not in recording.data.coords:
        return cuts
    passages = np.asarray(recording.data["passage"].values).astype(str)
    if np.unique(passages, return_counts=True)[1].max() > min(len(test) for _, test in cuts):
        return cuts
    return [(train[~np.isin(passages[train], passages[test])], test) for train, test in cuts]


def _refuse_tiny(cuts: list[Fold], name: str) -> None:
    smallest = min(len(test) for _, test in cuts)
    if smallest < FEWEST:
        raise BadInput(
            f"{name}: one of {len(cuts)} folds holds out {smallest} stimuli, too few for a correlation (at least "
            f"{FEWEST}); use fewer folds or more stimuli."
        )
