"""What is missing of scans: scans without any number, targets with gaps; kept where enough is left, and counted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

LEAST_SHARE = 0.5
"""In how many of the scans that hold any number a voxel must hold one: with fewer it is left out."""


def varies(values: np.ndarray) -> np.ndarray:
    """Return which targets (v,) of scans (n, v) hold two different numbers, or none at all; NaN counts for nothing."""
    return np.asarray(~(np.fmax.reduce(values, axis=0) == np.fmin.reduce(values, axis=0)))


def without_infinite(name: str, passages: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the scans of each passage with NaN for infinite values, and how many those were."""
    infinite = {passage: np.isinf(values) for passage, values in passages.items()}
    n_infinite = sum(int(found.sum()) for found in infinite.values())
    if not n_infinite:
        return dict(passages), []
    cleared = {passage: np.where(infinite[passage], np.nan, values) for passage, values in passages.items()}
    return cleared, [f"{n_infinite} responses of participant {name} are infinite and count as missing"]


def without_flat_runs(name: str, passages: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the scans of each passage, NaN where no target of the passage varies, and which those are.

    Where nothing varies in any passage the scans stay as they are: that is said of the whole participant.
    """
    flat = [p for p, values in passages.items() if np.isfinite(values).any() and not _moves(values).any()]
    empty = [passage for passage, values in passages.items() if not np.isfinite(values).any()]
    if len(flat) + len(empty) == len(passages):
        return dict(passages), []
    cleared = {p: np.full_like(values, np.nan) if p in flat else values for p, values in passages.items()}
    told = [f"participant {name}, {p}: no target varies over its scans, which count as missing" for p in flat]
    return cleared, told + [
        f"participant {name}, {p}: none of its {len(passages[p])} scans holds a number" for p in empty
    ]


def _moves(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.fmin.reduce(values, axis=0) < np.fmax.reduce(values, axis=0))


def usable_targets(name: str, passages: Mapping[str, np.ndarray]) -> tuple[np.ndarray, list[str]] | str:
    """Return which targets (v,) to keep of scans (n, v) in each passage, and why the others were left out.

    Kept is what varies and holds a number in at least half of the scans that hold any, over all passages. Where nothing
    is kept, the reason is returned.
    """
    n_targets = next(iter(passages.values())).shape[1]
    count = np.zeros(n_targets, dtype=int)
    low, high = np.full(n_targets, np.inf), np.full(n_targets, -np.inf)
    for values in passages.values():
        count += np.isfinite(values).sum(axis=0)
        low, high = np.fmin(low, np.fmin.reduce(values, axis=0)), np.fmax(high, np.fmax.reduce(values, axis=0))
    empty = count == 0
    moving = ~empty & (low < high)
    n_recorded = sum(int((np.isfinite(values) & moving).any(axis=1).sum()) for values in passages.values())
    few = moving & (count < LEAST_SHARE * n_recorded)
    reasons = {
        "hold no number": int(empty.sum()),
        "never vary": int((~empty & ~moving).sum()),
        "hold numbers in fewer than half of the scans": int(few.sum()),
    }
    kept = moving & ~few
    if kept.any():
        return kept, [
            f"{lost} of {n_targets} targets of participant {name} were left out: they {why}"
            for why, lost in reasons.items()
            if lost
        ]
    if reasons["never vary"] == n_targets:
        return f"participant {name} was left out: none of {n_targets} targets varies"
    if reasons["hold no number"] == n_targets:
        return f"participant {name} was left out: none of {n_targets} targets holds a number"
    told = ", ".join(f"{lost} {why}" for why, lost in reasons.items() if lost)
    return f"participant {name} was left out: of {n_targets} targets {told}"


def missing_counts(name: str, passages: Mapping[str, np.ndarray]) -> list[str]:
    """Return in sentences how many scans of a participant hold no number, and how many responses of the others."""
    n_scans = sum(len(values) for values in passages.values())
    n_missing, n_holes = 0, 0
    with_holes = np.zeros(next(iter(passages.values())).shape[1], dtype=bool)
    for values in passages.values():
        known = np.isfinite(values)
        recorded = known.any(axis=1)
        holes = (~known & recorded[:, None]).sum(axis=0)
        n_missing += int((~recorded).sum())
        n_holes += int(holes.sum())
        with_holes |= holes > 0
    told = []
    if n_missing:
        told.append(f"{n_missing} of {n_scans} scans of participant {name} hold no numbers and are missing")
    if n_holes:
        told.append(
            f"{n_holes} responses of participant {name} are missing in {int(with_holes.sum())} of {len(with_holes)} "
            "targets, which were kept: they hold numbers in at least half of the scans"
        )
    return told


def region_mean(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the mean (n,) over the voxels (n, v) that are `known` in each scan; NaN where none is.

    Voxels are averaged around their own means, so that one that is missing in a scan does not move the region by how
    bright it is.
    """
    if known.all():
        return np.asarray(values.mean(axis=1, dtype=np.float64))
    filled = np.where(known, values, 0).astype(np.float64)
    own = filled.sum(axis=0) / known.sum(axis=0)
    number = known.sum(axis=1)
    moved = np.where(known, filled - own, 0).sum(axis=1) / np.maximum(number, 1)
    return np.where(number > 0, own.mean() + moved, np.nan)
