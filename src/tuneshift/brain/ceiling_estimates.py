"""Two more ceilings: split halves with Spearman-Brown, and Brain-Score's extrapolation to ever more participants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tuneshift.brain.ceilings import (
    CeilingEstimate,
    folded_r,
    leave_one_out,
    mean_response,
    places,
    predicted_by_others,
    refuse_one_participant,
    without_constant,
)
from tuneshift.brain.mappings import Mapping
from tuneshift.errors import BadInput
from tuneshift.numerics.resampling import mean_over_folds
from tuneshift.numerics.splits import Fold

_RATES = np.logspace(-2, 2, 200)  # participants after which 1 - 1/e of the ceiling is reached
_FEW = 3  # participants of whom even one predicts the others


def noise_ceiling(
    estimate: CeilingEstimate,
    data: xr.DataArray,
    folds: Sequence[Fold],
    name: str,
    mapping: Mapping = "ridge",
    seed: int = 0,
    device: str = "cpu",
) -> np.ndarray:
    """Return the ceiling (v,) of each target by one of the three estimates; NaN where it cannot be known.

    A target that never varies says nothing about others and has no ceiling.

    Raises BadInput for one participant, for split halves of targets that do not correspond between participants, and
    for RSA or CKA with anything but leave-one-out.
    """
    refuse_one_participant(data, name)
    data = without_constant(data)
    if estimate == "leave_one_out":
        return leave_one_out(data, folds, mapping, device)
    if mapping in ("rsa", "cka"):
        raise BadInput(f"the ceiling of {mapping} is the leave-one-out one; {estimate} is for ridge and linear.")
    if estimate == "split_half":
        return split_half(data, folds, name, seed=seed)
    return extrapolated(data, folds, seed=seed, device=device)


def split_half(data: xr.DataArray, folds: Sequence[Fold], name: str, n_splits: int = 50, seed: int = 0) -> np.ndarray:
    """Return sqrt(s) (v,), s the share of variance that participants have in common (methods 1, (b)).

    Participants are split in halves at random, the halves' mean responses correlated (within folds, averaged over
    folds and splits). By Spearman-Brown r_half = h s / (1 + (h - 1) s) for halves of h participants, solved for s. All
    participants of a region get the same ceiling. Negative reliability gives 0.

    Raises BadInput where targets of different participants do not correspond (see `places`).
    """
    where = places(data)
    if where is None:
        raise BadInput(
            f"{name}: split halves need targets that correspond between participants, and these are voxels without "
            "a `voxel` number; use the leave-one-out or extrapolated ceiling."
        )
    rng = np.random.default_rng(seed)
    values = data.values
    out = np.full(values.shape[1], np.nan)
    for place in np.unique(where):
        columns = np.flatnonzero((where == place) & np.isfinite(values).any(axis=0))
        half = len(columns) // 2
        if not half:
            continue
        scores = []
        for _ in range(n_splits):
            shuffled = rng.permutation(columns)
            first, second = (mean_response(values[:, part]) for part in (shuffled[:half], shuffled[half : 2 * half]))
            scores.append(folded_r(first, second, folds))
        r = float(np.nanmean(scores)) if np.isfinite(scores).any() else np.nan
        share = r / (half - r * (half - 1))
        out[columns] = np.sqrt(max(share, 0.0)) if np.isfinite(r) else np.nan
    return out


def extrapolated(
    data: xr.DataArray, folds: Sequence[Fold], n_draws: int = 5, seed: int = 0, device: str = "cpu"
) -> np.ndarray:
    """Return v0 (v,), Brain-Score's ceiling (Schrimpf et al. 2021; methods 1, (c)).

    Each participant is predicted from k = 2 .. S - 1 others (from 1, where up to three have the place), drawn `n_draws`
    times among those who have it: by their mean where targets correspond, else by ridge regression from all their
    targets. For each target v0 (1 - exp(-k / tau)) is fitted to the scores by least squares, with v0 between 0 and 1.
    That curve levels off sooner than the truth does, s / sqrt(s + (1 - s) / k) for a share s of common variance, so v0
    is below sqrt(s): by .04 for s = .5 and 12 participants, by .09 for s = .1, even a little below the leave-one-out
    ceiling.
    """
    rng = np.random.default_rng(seed)
    names = list(dict.fromkeys(data["participant"].values[np.isfinite(data.values).any(axis=0)].tolist()))
    where = places(data)
    owners = _owners(data, where, len(names))
    counts, scores = [], []
    for k in range(1, len(names)):
        asked = (owners > k) & ((k > 1) | (owners <= _FEW))
        if not asked.any():
            continue
        draws = []
        for _ in range(n_draws if k < len(names) - 1 else 1):
            r = np.full(data.shape[1], np.nan)
            for name in names:
                others = [other for other in names if other != name]
                if where is None:
                    drawn = rng.choice(others, size=k, replace=False).tolist()
                    predicted = predicted_by_others(data, folds, drawn, [name], device)
                    r = np.where(np.isfinite(predicted), predicted, r)
                else:
                    _same_place(data, where, folds, rng.permutation(others).tolist(), k, name, r)
            draws.append(np.where(asked, r, np.nan))
        counts.append(k)
        scores.append(mean_over_folds(np.stack(draws)))
    if not counts:
        return np.full(data.shape[1], np.nan)
    return saturation(np.array(counts, dtype=float), np.stack(scores))


def _owners(data: xr.DataArray, where: np.ndarray | None, n_participants: int) -> np.ndarray:
    """Return how many participants have the place of each target (v,); all, where places do not correspond."""
    if where is None:
        return np.full(data.shape[1], n_participants)
    recorded = np.isfinite(data.values).any(axis=0)
    _, place, counts = np.unique(where[recorded], return_inverse=True, return_counts=True)
    out = np.zeros(data.shape[1], dtype=int)
    out[recorded] = counts[place.ravel()]
    return out


def _same_place(
    data: xr.DataArray, where: np.ndarray, folds: Sequence[Fold], others: list[str], k: int, name: str, r: np.ndarray
) -> None:
    """Score each target of a participant by the mean of the first k others that have that place at all."""
    participants, values = data["participant"].values, data.values
    recorded = np.isfinite(values).any(axis=0)
    for column in np.flatnonzero(participants == name):
        same = {str(participants[i]): int(i) for i in np.flatnonzero((where == where[column]) & recorded)}
        giving = [same[other] for other in others if other in same][:k]
        if len(giving) == k:
            r[column] = folded_r(mean_response(values[:, giving]), values[:, column], folds)


def saturation(counts: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return v0 (v,) of the least-squares fit of v0 (1 - exp(-k / tau)) to scores (n_counts, v), 0 <= v0 <= 1.

    For every tau of a fine grid the best v0 is known. Of a score at a single count v0 is that score; of none, NaN.
    """
    known = np.isfinite(scores)
    filled = np.where(known, scores, 0.0)
    best = np.full(scores.shape[1], np.inf)
    out = np.full(scores.shape[1], np.nan)
    for tau in _RATES:
        curve = known * (1 - np.exp(-counts / tau))[:, None]
        v0 = np.clip((curve * filled).sum(axis=0) / np.maximum((curve**2).sum(axis=0), 1e-12), 0, 1)
        error = ((filled - v0 * curve) ** 2).sum(axis=0)
        better = error < best - 1e-15
        out[better], best[better] = v0[better], error[better]
    out[~known.any(axis=0)] = np.nan
    return out
