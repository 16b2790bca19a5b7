"""One reader at a time: each participant's correlation, and a mixed model over all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from tuneshift.errors import MeasurementFailed
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.contributions import Groups, interval, shared_out
from tuneshift.reading.mixed_model import MixedModel, mixed_model
from tuneshift.reading.predictive_power import Design, with_words_before

LARGEST, MOST_READERS = 1_000_000, 300
"""What the mixed model fits in half a minute: observations and readers; more only on request."""


@dataclass(frozen=True)
class Readers:
    """Rows over single readers and over all of them, contributions by metric, and notes for the reader."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    contributions: dict[str, xr.DataArray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def over_readers(
    surprisal: np.ndarray, times: ReadingTimes, made: Design, spillover: int, wanted: bool | None, groups: Groups
) -> Readers:
    """Return each participant's `pearson_r`, and the mixed model: `slope_mixed` with its interval, `delta_ll_mixed`.

    Nothing where the data have no times by participant. `wanted` turns the mixed model on or off (None: on, up to
    `LARGEST` and `MOST_READERS`); one that cannot be fitted is a note.
    """
    if times.by_participant is None:
        return Readers()
    table = times.by_participant.dropna(subset=["time"])
    place = np.full(len(times.words), -1)
    place[made.rows] = np.arange(len(made.rows))
    table = table[place[table["row"].to_numpy()] >= 0]
    rows: list[dict[str, Any]] = []
    for name, part in table.groupby("participant", sort=False):
        x, y = surprisal[part["row"].to_numpy()], part["time"].to_numpy(float)
        if len(x) > 2 and x.std() > 0 and y.std() > 0:
            r = float(np.corrcoef(x, y)[0, 1])
            rows.append({"metric": "pearson_r", "participant": str(name), "value": r, "n": len(x), "unit": "r"})
    if wanted is False:
        return Readers(rows)
    n_readers = table["participant"].nunique()
    if wanted is None and (len(table) > LARGEST or n_readers > MOST_READERS):
        size = f"{len(table):,} observations of {n_readers:,} readers"
        return Readers(rows, notes=[f"{times.name}: {size}; set mixed_model: true to fit the mixed model."])
    if n_readers < 2:
        return Readers(rows, notes=[f"{times.name}: one reader only, so there is no mixed model over readers."])
    row = table["row"].to_numpy()
    at = place[row]
    X = with_words_before(surprisal, times, made.rows, spillover)[at]
    names, time = table["participant"].to_numpy(str), table["time"].to_numpy(float)
    try:
        fit = mixed_model(X[:, 0], X[:, 1:], made.controls[at], time, names, at)
    except MeasurementFailed as failed:
        return Readers(rows, notes=[f"{times.name}: {failed}; slope_mixed and delta_ll_mixed are left out."])
    group = groups.of_word[row]
    scored = np.unique(group)
    even = np.full(len(scored), fit.slope / len(scored))
    cut = shared_out(fit.influence, names, group, even, groups, scored)
    return Readers(rows + _rows(fit, cut, times.unit), {"slope_mixed": cut}, list(fit.notes))


def _rows(fit: MixedModel, cut: xr.DataArray, unit: str) -> list[dict[str, Any]]:
    low, high = interval(cut)
    overall = {"value": fit.slope, "ci_low": low, "ci_high": high, "n": fit.n}
    gain = {"value": 1000 * fit.delta_ll / fit.n, "n": fit.n, "unit": "nats x 1000"}
    slope = {"metric": "slope_mixed", "target": "word", "unit": f"{unit} per bit"}
    single = ({**slope, "participant": name, "value": value} for name, value in fit.slope_by_participant.items())
    return [{**slope, **overall}, {"metric": "delta_ll_mixed", **gain}, *single]
