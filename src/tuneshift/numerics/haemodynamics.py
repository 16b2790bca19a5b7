"""From words at times to scans: the haemodynamic response, sampling at scan times, and the high-pass filter."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve
from scipy.stats import gamma

_STEP = 0.1  # seconds: fine against the seconds that the response takes
RESPONSE_SECONDS = 32.0
"""How long a response to a word lasts, undershoot included, as in SPM: what lies closer is not independent."""

DELAYS = (2.0, 8.0)
"""First and last delay (seconds) of a haemodynamic response that is fitted."""

_JITTER = 0.05  # by how much of the repetition time two scans of a run may lie further apart


def canonical_response(step: float = _STEP) -> np.ndarray:
    """Return the canonical haemodynamic response (n_steps,): two gammas, peak at 5 s, undershoot at 15 s; sums to 1."""
    lags = np.arange(0, RESPONSE_SECONDS, step)
    response = gamma.pdf(lags, 6) - gamma.pdf(lags, 16) / 6
    return np.asarray(response / response.sum())


def convolved(features: np.ndarray, times: np.ndarray, scan_times: np.ndarray) -> np.ndarray:
    """Place word features (n_words, d) at `times`, sum, convolve with the canonical response, sample: (n_scans, d).

    `times` and `scan_times` are seconds on one clock (methods, section 1).
    """
    start = min(float(times.min()), float(scan_times.min()))
    n_steps = int(np.ceil((float(scan_times.max()) - start) / _STEP)) + 2
    steps = np.round((np.asarray(times) - start) / _STEP).astype(int)
    inside = steps < n_steps
    train = np.zeros((n_steps, features.shape[1]))
    np.add.at(train, steps[inside], features[inside])
    response = fftconvolve(train, canonical_response()[:, None], axes=0)
    return np.asarray(response[np.round((scan_times - start) / _STEP).astype(int)])


def delay_steps(repetition_time: float, delays: tuple[float, float] = DELAYS) -> np.ndarray:
    """Return the delays (n,) from the first to the last, in seconds, in steps of the repetition time."""
    first, last = delays
    return first + repetition_time * np.arange(int(np.floor((last - first) / repetition_time + 1e-6)) + 1)


def delayed(
    features: np.ndarray,
    times: np.ndarray,
    scan_times: np.ndarray,
    repetition_time: float,
    delays: tuple[float, float] = DELAYS,
) -> np.ndarray:
    """Sum word features within each scan and give a copy for every delay: (n_scans, n_delays * d).

    The finite impulse response: the shape of the response is fitted, not assumed (methods, section 1). Delays go from
    the first to the last, in seconds, in steps of the repetition time; they are counted in time, not in rows: between
    runs there may be a pause, in which a word is answered unseen.
    """
    steps = delay_steps(repetition_time, delays)
    n_scans, n_units = len(scan_times), features.shape[1]
    out = np.zeros((n_scans, len(steps), n_units))
    for number, delay in enumerate(steps):
        late = np.asarray(times) + delay + 1e-6 * repetition_time  # rounding must not put a word a scan early
        row = np.searchsorted(scan_times, late, side="right") - 1
        inside = (row >= 0) & (late - scan_times[row] < (1 + _JITTER) * repetition_time)
        np.add.at(out[:, number], row[inside], features[inside])
    return out.reshape(n_scans, len(steps) * n_units)


def cleaned_stretch(
    signals: np.ndarray, repetition_time: float, cutoff: float | None, least: np.ndarray | float = 0.0
) -> np.ndarray:
    """Return scans without a break (n_scans, k), high-passed (where there is a `cutoff`, seconds) and z-scored.

    NaN stays NaN and counts for nothing. A column that varies no more than `least` (k,) is constant, and all 0.
    """
    signals = np.asarray(signals, dtype=np.float64)
    known = np.isfinite(signals)
    count = np.maximum(known.sum(axis=0), 1)
    if cutoff is None:
        moving = signals - np.where(known, signals, 0).sum(axis=0) / count
    else:
        moving = high_pass(signals, repetition_time, cutoff)
    mean = np.where(known, moving, 0).sum(axis=0) / count
    spread = np.sqrt(np.square(np.where(known, moving - mean, 0)).sum(axis=0) / count)
    return np.asarray((moving - mean) / np.where(spread > least, spread, np.inf))


def high_pass(signals: np.ndarray, repetition_time: float, cutoff: float) -> np.ndarray:
    """Remove the mean and all cosines slower than `cutoff` seconds from signals (n_scans, k), as SPM does.

    In a signal with missing scans (NaN) they are fitted to the scans that exist.
    """
    n_scans = len(signals)
    n_cosines = int(np.floor(2 * n_scans * repetition_time / cutoff)) + 1
    basis = np.cos(np.pi * np.outer(np.arange(n_scans) + 0.5, np.arange(n_cosines)) / n_scans)
    basis /= np.linalg.norm(basis, axis=0)  # the cosines of this grid are orthogonal
    out = np.asarray(signals - basis @ (basis.T @ signals))
    known = np.isfinite(signals)
    holes = np.flatnonzero(~known.all(axis=0) & known.any(axis=0))
    patterns, pattern_of = np.unique(known[:, holes], axis=1, return_inverse=True)
    for number, rows in enumerate(patterns.T):
        columns = holes[pattern_of.ravel() == number]
        slow = np.linalg.lstsq(basis[rows], signals[np.ix_(rows, columns)], rcond=None)[0]
        out[:, columns] = signals[:, columns] - basis @ slow
    return out
