"""Ceilings where targets of different people do not correspond: regression from all of the others', or geometry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tuneshift.brain.ceilings.same_place import saturation
from tuneshift.brain.encoding import pattern_labels
from tuneshift.brain.mappings import Mapping, mapped
from tuneshift.brain.partition import FEWEST, Partition
from tuneshift.numerics.resampling import mean_of_known

_DRAWS = 5
_FEW = 3  # participants of whom even one predicts the others


def predicted_by_others(
    data: xr.DataArray,
    cut: Partition,
    givers: Sequence[str] | None = None,
    takers: Sequence[str] | None = None,
    device: str = "cpu",
) -> np.ndarray:
    """Return r (v,) of ridge regressions from all targets of other participants, held out like the model's score.

    `givers` restricts whose targets predict, `takers` whose are predicted; by default everybody's. It is no root of a
    reliability, but at most that: what others' noise and few stimuli hide is not corrected for.
    """
    values, participants = data.values, data["participant"].values
    present = np.isfinite(values)
    there = present.any(axis=0)
    giving = there if givers is None else there & np.isin(participants, list(givers))
    out = np.full(values.shape[1], np.nan)
    for name in dict.fromkeys(participants.tolist()) if takers is None else takers:
        mine = np.flatnonzero((participants == name) & there)
        for rows, columns in _same_stimuli(present, mine):
            others = np.flatnonzero((participants != name) & giving & present[rows].all(axis=0))
            if len(others):
                out[columns] = _scores("ridge", values, others, columns, rows, cut, participants[columns], device)
    return out


def extrapolated_by_others(
    data: xr.DataArray, cut: Partition, seed: int = 0, device: str = "cpu", n_draws: int = _DRAWS
) -> np.ndarray:
    """Return v0 (v,) of `saturation`, each participant predicted from the targets of k = 2 .. S - 1 others."""
    rng = np.random.default_rng(seed)
    names = list(dict.fromkeys(data["participant"].values[np.isfinite(data.values).any(axis=0)].tolist()))
    counts, scores = [], []
    for k in range(1 if len(names) <= _FEW else 2, len(names)):
        draws = []
        for _ in range(n_draws if k < len(names) - 1 else 1):
            r = np.full(data.shape[1], np.nan)
            for name in names:
                drawn = rng.choice([other for other in names if other != name], size=k, replace=False).tolist()
                predicted = predicted_by_others(data, cut, drawn, [name], device)
                r = np.where(np.isfinite(predicted), predicted, r)
            draws.append(r)
        counts.append(k)
        scores.append(mean_of_known(np.stack(draws)))
    if not counts:
        return np.full(data.shape[1], np.nan)
    return saturation(np.array(counts, dtype=float), np.stack(scores))


def shared_geometry(data: xr.DataArray, cut: Partition, mapping: Mapping) -> np.ndarray:
    """Return how alike (v,) the geometry of a participant's pattern is to that of all others' targets (RSA, CKA)."""
    values, participants, regions = data.values, data["participant"].values, data["region"].values
    labels = pattern_labels(data)
    present = np.isfinite(values)
    out = np.full(values.shape[1], np.nan)
    by_region = not np.array_equal(labels, participants.astype(str))
    for label in np.unique(labels):
        mine = np.flatnonzero((labels == label) & present.any(axis=0))
        for rows, columns in _same_stimuli(present, mine):
            others = (participants != participants[columns[0]]) & present[rows].all(axis=0)
            if by_region:
                others &= regions == regions[columns[0]]
            if others.any():
                places = np.flatnonzero(others)
                out[columns] = _scores(mapping, values, places, columns, rows, cut, labels[columns], "cpu")
    return out


def _scores(
    mapping: Mapping,
    values: np.ndarray,
    others: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    cut: Partition,
    labels: np.ndarray,
    device: str,
) -> np.ndarray:
    """Scores (k,) of columns, from other columns as the features, averaged over splits."""
    found = []
    for split in cut.splits:
        train, test, inner = split.within(rows)
        if min(len(train), len(test)) < FEWEST or not inner:
            continue
        seen, held_out = (
            (cut.cleaned(values[:, others], part)[some], cut.cleaned(values[:, columns], part)[some])
            for part, some in ((split.train, train), (split.test, test))
        )
        fit = mapped(mapping, seen[0], held_out[0], inner, device)
        found.append(fit.scores(seen[1], held_out[1], labels)[0])
    return mean_of_known(np.stack(found)) if found else np.full(len(columns), np.nan)


def _same_stimuli(present: np.ndarray, columns: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split columns by the rows they have: (rows, columns) pairs."""
    found: dict[bytes, list[int]] = {}
    for column in columns:
        found.setdefault(present[:, column].tobytes(), []).append(int(column))
    return [(np.flatnonzero(present[:, group[0]]), np.asarray(group)) for group in found.values() if group]
