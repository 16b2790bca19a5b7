"""One reader at a time: each participant's correlation, and a mixed model over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.mixed_model import mixed_model
from tuneshift.reading.predictive_power import Design, with_words_before

LARGEST = 200_000  # observations that the mixed model fits in minutes; more only on request


def participant_rows(
    surprisal: np.ndarray, times: ReadingTimes, made: Design, spillover: int, wanted: bool | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return rows of each participant's `pearson_r` and of the mixed model, and notes for the reader.

    Nothing where the data have no times by participant. `wanted` turns the mixed model on or off (None: on, up to
    200,000 observations).
    """
    if times.by_participant is None:
        return [], []
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
        return rows, []
    if wanted is None and len(table) > LARGEST:
        return rows, [f"{times.name}: {len(table):,} observations; set mixed_model: true to fit the mixed model."]
    at = place[table["row"].to_numpy()]
    X = with_words_before(surprisal, times, made.rows, spillover)[at]
    fit = mixed_model(
        X[:, 0], X[:, 1:], made.controls[at], table["time"].to_numpy(float), table["participant"].to_numpy(str)
    )
    unit = f"{times.unit} per bit"
    margin = 1.96 * fit.standard_error
    rows.append(
        {"metric": "slope_mixed", "target": "word", "value": fit.slope, "ci_low": fit.slope - margin,
         "ci_high": fit.slope + margin, "n": fit.n, "unit": unit}
    )  # fmt: skip
    value = 1000 * fit.delta_ll / fit.n
    rows.append({"metric": "delta_ll_mixed", "value": value, "n": fit.n, "unit": "nats x 1000"})
    for name, slope in fit.slope_by_participant.items():
        rows.append({"metric": "slope_mixed", "target": "word", "participant": name, "value": slope, "unit": unit})
    return rows, list(fit.notes)
