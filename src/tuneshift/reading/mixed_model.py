"""Surprisal in a linear mixed model: every reader with a speed and a sensitivity of their own."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm

from tuneshift.errors import MeasurementFailed


@dataclass(frozen=True)
class MixedModel:
    """A fitted pair of mixed models, with and without the fixed effect of surprisal.

    `slope` (ms per bit) with its standard error; `slope_by_participant` (ms per bit), the fixed effect plus each
    reader's own deviation; `delta_ll` in nats, in total, over `n` observations.
    """

    slope: float
    standard_error: float
    slope_by_participant: dict[str, float]
    delta_ll: float
    n: int
    notes: tuple[str, ...]


def mixed_model(
    surprisal: np.ndarray, spillover: np.ndarray, controls: np.ndarray, times: np.ndarray, participants: np.ndarray
) -> MixedModel:
    """Fit time ~ surprisal + spillover + controls + (1 + surprisal | participant) by maximum likelihood.

    `surprisal` (n,) in bits, `spillover` (n, k) the surprisals of the words before, `controls` (n, p), `times` (n,)
    in ms, `participants` (n,) names: one row an observation. The model without surprisal leaves out its fixed effects
    and keeps the readers' own slopes, so that `delta_ll` is what readers have in common.
    Raises MeasurementFailed where the fit does not come to an end.
    """
    scaled = _independent(controls)
    ones = np.ones((len(times), 1))
    centred = (surprisal - surprisal.mean())[:, None]
    spread = float(surprisal.std()) or 1.0
    random = np.column_stack([ones, centred / spread])  # variances of like size: in bits the fit may not converge
    base, base_notes = _fit(np.column_stack([ones, scaled]), random, times, participants)
    fixed = np.column_stack([ones, scaled, centred, spillover - spillover.mean(0)])
    full, full_notes = _fit(fixed, random, times, participants)
    at = 1 + scaled.shape[1]
    slope = float(full.fe_params[at])
    own = {str(name): slope + float(np.asarray(own)[1]) / spread for name, own in full.random_effects.items()}
    return MixedModel(
        slope=slope,
        standard_error=float(full.bse_fe[at]),
        slope_by_participant=own,
        delta_ll=float(full.llf - base.llf),
        n=len(times),
        notes=tuple(dict.fromkeys(base_notes + full_notes)),
    )


def _fit(fixed: np.ndarray, random: np.ndarray, times: np.ndarray, participants: np.ndarray):  # type: ignore[no-untyped-def]
    model = sm.MixedLM(times, fixed, groups=pd.Series(participants), exog_re=random)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = model.fit(reml=False, method=["bfgs", "cg", "powell"])  # the next where one does not converge
        except (np.linalg.LinAlgError, ValueError) as error:
            raise MeasurementFailed(f"the mixed model of reading times could not be fitted ({error}).") from error
    if not np.isfinite(result.llf):
        raise MeasurementFailed("the mixed model of reading times could not be fitted (its likelihood is not finite).")
    told = {str(w.message).splitlines()[0] for w in caught if "boundary" in str(w.message)}
    if not result.converged:
        told.add("the fit did not converge, so read its slopes and delta-LL with doubt")
    return result, [f"mixed model: {text}" for text in sorted(told)]


def _independent(controls: np.ndarray) -> np.ndarray:
    """Return uncorrelated columns that span the centred controls: flags that repeat each other would fail the fit."""
    centred = controls - controls.mean(0)
    spread = centred.std(0)
    left, values, _ = np.linalg.svd(centred[:, spread > 1e-12] / spread[spread > 1e-12], full_matrices=False)
    out: np.ndarray = left[:, values > 1e-8 * values[0]] * np.sqrt(len(controls))
    return out
