"""Targets that can be predicted: constant and incomplete ones are set apart and counted, never lost silently."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.text.problems import some
from tuneshift.numerics.quartiles import quartiles

_WILD = 100


@dataclass(frozen=True)
class TargetBlock:
    """Targets recorded on the same stimuli: column numbers `columns` (k,), row numbers `rows` (m,)."""

    columns: np.ndarray
    rows: np.ndarray


def never_varies(values: np.ndarray) -> np.ndarray:
    """Return which targets (v,) have one and the same value wherever they have any; those without any do not count."""
    present = np.isfinite(values)
    highest = np.where(present, values, -np.inf).max(axis=0)
    lowest = np.where(present, values, np.inf).min(axis=0)
    return np.asarray(highest == lowest)


def _wild(values: np.ndarray) -> np.ndarray:
    """Return which targets (v,) hold a value so far from their median that it is no measurement of the same kind."""
    low, middle, high = quartiles(values)
    furthest = np.where(np.isfinite(values), np.abs(values - middle), 0).max(axis=0)
    return np.asarray((high > low) & (furthest > _WILD * (high - low)))


def target_blocks(data: xr.DataArray, name: str) -> tuple[list[TargetBlock], tuple[str, ...]]:
    """Group targets (columns of `data`: stimulus x target) by the stimuli they were recorded on.

    Returns the groups and sentences about what was left out: targets that never vary, targets without any response.
    Raises BadInput where nothing is left.
    """
    values = data.values
    present = np.isfinite(values)
    notes: list[str] = []
    empty = ~present.any(axis=0)
    constant = never_varies(values)
    for what, which in (("hold no response at all", empty), ("never vary", constant)):
        if which.any():
            shown = some(data["target_name"].values[which])
            notes.append(f"{name}: {which.sum()} of {len(which)} targets {what} and were left out ({shown})")
    usable = np.flatnonzero(~empty & ~constant)
    if not len(usable):
        raise BadInput(f"{name}: no target varies, so nothing can be predicted; check the file.")
    patterns, membership = np.unique(present[:, usable], axis=1, return_inverse=True)
    blocks = [
        TargetBlock(usable[membership == index], np.flatnonzero(patterns[:, index]))
        for index in range(patterns.shape[1])
    ]
    wild = _wild(values[:, usable])
    if wild.any():
        shown = some(data["target_name"].values[usable[wild]])
        notes.append(
            f"{name}: {wild.sum()} of {len(usable)} targets hold values more than {_WILD} times as far out as their "
            f"quartiles ({shown}); if a number stands for what is missing, make it NaN"
        )
    missing = int((~present[:, usable]).sum())
    if missing:
        share = missing / present[:, usable].size
        notes.append(f"{name}: {missing} responses ({share:.1%}) are missing; each target is scored on those it has")
    return blocks, tuple(notes)
