"""How a recording is cut: what is held out, what is left out within, and what is cleaned together; for every number.

Nothing that belongs to a held-out part ever touches another: filtering, z-scoring and gaps stop at the cuts. Scores,
ceilings, controls, unique variance, permutations and surrogates all ask this file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.numerics.haemodynamics import RESPONSE_SECONDS, cleaned_stretch
from tuneshift.numerics.quartiles import quartiles
from tuneshift.numerics.splits import Fold, contiguous, grouped, inner_folds, shuffled, with_gap

SplitName = Literal["grouped", "contiguous", "shuffled"]

FEWEST = 3
"""Stimuli of which a correlation says anything at all."""
_SHORTEST_SCANS = 8  # of a stretch that is filtered and z-scored by itself
_TIME_FOLDS, _FOLDS, _SHUFFLES = 6, 5, 10
_NO_LABEL = ("", "nan", "NaN", "None", "<NA>", "NaT")


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

    `groups` (n_rows,) are held out whole, None where blocks of rows are. `kin` (n_rows,) are the passages of sentences:
    of one that is held out in part nothing is learned, None where that is no question. `place` (n_rows,) is where rows
    lie, in the unit of `gap`: seconds for time series. `notes` say what was left out.
    """

    recording: Recording
    groups: np.ndarray | None
    kin: np.ndarray | None
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
        if self.kin is not None:
            train = train[~np.isin(self.kin[train], self.kin[test])]
        parts = [self._part(train), self._part(test)]
        labels = self.left_out_within
        for part, what in zip(parts, ("learn from", "predict"), strict=True):
            if len(part.rows) < FEWEST:
                raise BadInput(f"{self.recording.name}: {self._too_little(len(part.rows), what)}")
        rows = parts[0].rows
        inner = inner_folds(len(rows), None if labels is None else labels[rows], self.gap, self.place[rows])
        return Split(parts[0], parts[1], tuple(inner))

    @property
    def left_out_within(self) -> np.ndarray | None:
        """What is left out whole (n_rows,) to choose penalties: as outside, but passages where a label cuts them."""
        if self.kin is None or self.groups is None:
            return self.groups if self.kin is None else self.kin
        pairs = set(zip(self.kin.tolist(), self.groups.tolist(), strict=True))
        return self.groups if len(pairs) == len(set(self.kin.tolist())) else self.kin

    def _too_little(self, left: int, what: str) -> str:
        if self.timed:
            return (
                f"with {self.gap:g} s between what is held out and what is learned from, and stretches of at least "
                f"{self._shortest} scans, too little is left to {what}; use fewer folds, or hold out longer passages."
            )
        cut = " (of a passage that is held out in part nothing is learned)" if self.kin is not None else ""
        return (
            f"one of the folds leaves {left} stimuli to {what}{cut}, too few for a correlation (at least {FEWEST}); "
            "hold out what keeps passages together, or use fewer folds or more stimuli."
        )

    def cleaned(self, values: np.ndarray, part: Part) -> np.ndarray:
        """Return values (n_rows, k) at the rows of a part, each stretch filtered and z-scored by itself.

        The same for features and responses. A column that varies within a stretch by less than a millionth of what it
        varies by elsewhere, or by no more than its numbers are exact, is taken as constant there, and 0.
        """
        if not part.stretches:
            return values[part.rows]
        recording = self.recording
        least = _next_to_nothing(values)
        whole = np.empty((len(values), values.shape[1]))
        for stretch in part.stretches:
            whole[stretch] = cleaned_stretch(
                values[stretch], recording.repetition_time or 1.0, recording.high_pass, least
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


def _next_to_nothing(values: np.ndarray) -> np.ndarray:
    """Return the spread (k,) at which each column (n_rows, k) is as good as constant.

    A millionth of its quartiles' distance, so that a single wild value does not flatten all others, or what rounding
    leaves of numbers as large as these.
    """
    low, middle, high = quartiles(values)
    exact = np.finfo(values.dtype).eps if np.issubdtype(values.dtype, np.floating) else 0.0
    return np.nan_to_num(np.maximum(1e-6 * (high - low), 4 * exact * np.abs(middle)))


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
    if group_by is not None and not group_by.strip():
        raise BadInput("group_by: give the name of a label of the stimuli, such as topic.")
    split = split or ("grouped" if group_by else default_split(recording))
    if group_by is not None and split != "grouped":
        raise BadInput(f"group_by: {group_by} goes with the grouped split, not with {split}; leave one of them out.")
    n_rows = recording.data.shape[0]
    n_blocks = folds or (_TIME_FOLDS if is_timed(recording) else _FOLDS)
    frame = _frame(recording, split, group_by, n_rows // n_blocks)
    if split == "shuffled":
        cuts = shuffled(n_rows, folds or _SHUFFLES, seed=seed)
    elif frame.groups is not None:
        cuts = grouped(frame.groups, _n_groups_apart(frame.groups, folds, split, group_by or "passage", recording.name))
    else:
        cuts = contiguous(n_rows, n_blocks)
    _refuse_tiny(cuts, recording.name)
    splits = tuple(frame.split(train, test) for train, test in cuts)
    lost = sum(len(cut[1]) - len(made.test.rows) for cut, made in zip(cuts, splits, strict=True))
    notes: tuple[str, ...] = ()
    if lost:
        notes = (
            f"{recording.name}: {lost} scans stand in stretches shorter than the haemodynamic response "
            f"({RESPONSE_SECONDS:g} s) and are not predicted",
        )
    return replace(frame, splits=splits, notes=notes)


def _frame(recording: Recording, split: str, group_by: str | None, block: int) -> Partition:
    """A partition without splits: what is held out whole, how far apart, and which sentences are kin."""
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
    kin = None
    if not timed and split != "shuffled" and "passage" in data.coords:
        passages = labels("passage")
        # Passages longer than a block are cut by every block: then neighbouring blocks are all there is to learn from.
        if split == "grouped" or np.unique(passages, return_counts=True)[1].max() <= block:
            kin = passages
    gap = RESPONSE_SECONDS if timed and split != "shuffled" else 0.0
    return Partition(recording, groups, kin, runs, place, gap, whole_runs=split == "shuffled")


def _n_groups_apart(groups: np.ndarray, folds: int | None, split: str, label: str, name: str) -> int:
    """In how many folds groups are held out: as many as asked for, else five, or as many as there are groups."""
    there = len(np.unique(groups))
    if there < 2:
        raise BadInput(
            f"{name}: all stimuli share one `{label}`, so that none can be held out; use another label, or the "
            "contiguous split."
        )
    return folds if folds is not None and split == "grouped" else min(folds or _FOLDS, there)


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
    labels = np.char.strip(np.asarray(data[name].values).astype(str))
    empty = np.flatnonzero(np.isin(labels, _NO_LABEL))
    if len(empty):
        raise BadInput(f"{recording.name}: `{name}` of stimulus {empty[0] + 1} is empty ({len(empty)} such); label it.")
    return labels


def _refuse_tiny(cuts: list[Fold], name: str) -> None:
    smallest = min(len(test) for _, test in cuts)
    if smallest < FEWEST:
        raise BadInput(
            f"{name}: one of {len(cuts)} folds holds out {smallest} stimuli, too few for a correlation (at least "
            f"{FEWEST}); use fewer folds or more stimuli."
        )
