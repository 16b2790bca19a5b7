"""From words at times to scans: the haemodynamic response, sampling at scan times, and the high-pass filter."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve
from scipy.stats import gamma

_STEP = 0.1  # seconds: fine against the seconds that the response takes
_LENGTH = 32.0  # seconds, as in SPM


def canonical_response(step: float = _STEP) -> np.ndarray:
    """Return the canonical haemodynamic response (n_steps,): two gammas, peak at 5 s, undershoot at 15 s; sums to 1."""
    lags = np.arange(0, _LENGTH, step)
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


def delayed(
    features: np.ndarray, times: np.ndarray, scan_times: np.ndarray, repetition_time: float, n_delays: int = 4
) -> np.ndarray:
    """Sum word features within each scan and give `n_delays` copies, 1..n scans late: (n_scans, n_delays * d).

    The finite impulse response: the shape of the response is fitted, not assumed (methods, section 1).
    """
    n_scans, n_units = len(scan_times), features.shape[1]
    scans = np.floor((np.asarray(times) - scan_times[0]) / repetition_time).astype(int)
    out = np.zeros((n_scans, n_delays, n_units))
    for delay in range(1, n_delays + 1):
        late = scans + delay
        inside = (late >= 0) & (late < n_scans)
        np.add.at(out[:, delay - 1], late[inside], features[inside])
    return out.reshape(n_scans, n_delays * n_units)


def high_pass(signals: np.ndarray, repetition_time: float, cutoff: float) -> np.ndarray:
    """Remove the mean and all cosines slower than `cutoff` seconds from signals (n_scans, k), as SPM does."""
    n_scans = len(signals)
    n_cosines = int(np.floor(2 * n_scans * repetition_time / cutoff)) + 1
    basis = np.cos(np.pi * np.outer(np.arange(n_scans) + 0.5, np.arange(n_cosines)) / n_scans)
    basis /= np.linalg.norm(basis, axis=0)  # the cosines of this grid are orthogonal
    return np.asarray(signals - basis @ (basis.T @ signals))
