"""Are the times on the right words? A reader cannot be slowed by a word that is yet to come."""

from __future__ import annotations

import numpy as np

from tuneshift.human.reading_times.reading_times import ReadingTimes

LAGS = (-2, -1, 0, 1, 2)


def lag_profile(surprisal: np.ndarray, times: ReadingTimes) -> np.ndarray:
    """Return Pearson r (n_lags,) of each word's time with the surprisal of the word `LAGS` earlier (-1: the next)."""
    words = times.words
    document = words["document"].to_numpy().astype(str)
    out = np.full(len(LAGS), np.nan)
    for i, lag in enumerate(LAGS):
        here = np.arange(max(lag, 0), len(words) + min(lag, 0))
        there = here - lag
        good = (document[here] == document[there]) & words["time"].notna().to_numpy()[here]
        good &= np.isfinite(surprisal[there])
        x, y = surprisal[there[good]], words["time"].to_numpy(float)[here[good]]
        if len(x) > 2 and x.std() > 0 and y.std() > 0:
            out[i] = np.corrcoef(x, y)[0, 1]
    return out


def order_warning(profile: np.ndarray, name: str, unit: str = "ms") -> str | None:
    """Return a warning where the next word's surprisal says more of a word's time than the previous word's does.

    Spillover runs forwards: with the times on their own words, r falls off slowly after lag 0 and is near 0 before it.
    Responses that are no times (EEG amplitudes) do not spill over so, and are not judged.
    """
    if unit not in ("ms", "log ms"):
        return None
    r = dict(zip(LAGS, profile, strict=True))
    if not (np.isfinite(r[-1]) and np.isfinite(r[1])) or r[-1] < r[1] + 0.05:
        return None
    # No numbers here: studies tell a warning once for all models that share its words; `lag_r` has the numbers.
    return (
        f"{name}: reading times go with the surprisal of the next word more than with that of the previous word "
        "(metric lag_r, -1 against +1). Nobody is slowed by a word to come: the times look one word out "
        "of step with the text."
    )
