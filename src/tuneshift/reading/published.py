"""The regression of Kuribayashi, Oseki & Baldwin (2024), in which many models' reading scores are published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.predictors import frequencies, lengths
from tuneshift.reading.regression import fitted, log_likelihood, moments, total_log_likelihood

FORMULA = (
    "time ~ surprisal + surprisal_1 + surprisal_2 + length + log_frequency + length_1 + log_frequency_1 + length_2 + "
    "log_frequency_2, against the same without surprisal; ordinary least squares in sample"
)


@dataclass(frozen=True)
class PublishedRegression:
    """`total` is delta-LL in nats over all words scored; `draws` (n_boot,) the same with words drawn by story.

    `rows` (n,) are row numbers of `times.words`, `gain` (n,) each word's share of the total, in nats.
    """

    total: float
    rows: np.ndarray
    gain: np.ndarray
    draws: np.ndarray


def published_regression(
    surprisal: np.ndarray, times: ReadingTimes, units: np.ndarray, counts: np.ndarray
) -> PublishedRegression:
    """Return the total delta-LL (nats) of the word's own surprisal, as published for NS and DC.

    Both regressions hold the surprisal of the two words before, and length and log frequency of the word and the two
    before; only the first holds the word's own. Previous words count within the sentence; before its beginning stands
    the mean over all words. Sentence-initial and sentence-final words, words without a time and
    words behind one without surprisal are left out.
    `surprisal` (n_words,) in any unit: delta-LL does not change with it. `units` (n_words,) and `counts`
    (n_boot, n_units) are those of the bootstrap (see `resampling`).

    Stories are in the order of their numbers. The published code sorted their names as text ("1", "10", "2") for the
    previous words' surprisals only, so its printed values differ.
    Source: Kuribayashi et al. (2024), Findings of NAACL, section 3.
    """
    words = times.words
    table = pd.DataFrame({"length": lengths(words), "log_frequency": frequencies(times)[0]}, index=words.index)
    sentence = words["document"].astype(str) + "/" + words["sentence"].astype(str)
    within = words.groupby(sentence.to_numpy(), sort=False).cumcount()
    # Where the data count a sentence's tokens with its punctuation, a word behind an opening quote is the third.
    place = words.get("token_in_sentence", within)
    columns = {"surprisal": surprisal}
    for back in (1, 2):
        columns[f"surprisal_{back}"] = _previous(pd.Series(surprisal, index=words.index), within, back)
    for name in table:
        columns[str(name)] = table[name].to_numpy()
        for back in (1, 2):
            columns[f"{name}_{back}"] = _previous(table[name], place, back)
    inside = (place > 0) & ~words["sentence_initial"] & ~words["sentence_final"]
    X = np.column_stack(list(columns.values()))
    # A word behind one whose surprisal nobody knows has no surprisal before it: a mean in its place would be a guess.
    if "include" in words:
        inside &= words["include"].astype(bool)
    kept = (inside & words["time"].notna()).to_numpy(bool) & np.isfinite(X).all(axis=1)
    X = X[kept]
    time = words["time"].to_numpy(float)[kept]
    gain = _in_sample(X, time) - _in_sample(X[:, 1:], time)
    cross = moments(X - X.mean(0), time - time.mean(), units[kept], counts.shape[1])
    samples = np.einsum("bu,uij->bij", counts.astype(float), cross)
    drawn = np.array([_delta(one) for one in samples])
    return PublishedRegression(_delta(cross.sum(0)), np.flatnonzero(kept), gain, drawn)


def _in_sample(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    coefficients, variance = fitted(X, y)
    return log_likelihood(y, coefficients[0] + X @ coefficients[1:], variance)


def _previous(column: pd.Series, place: pd.Series, back: int) -> np.ndarray:
    """Return the value `back` words before, the mean where there is no such word, NaN where its value is not known."""
    there = (place.to_numpy() >= back) & (np.arange(len(column)) >= back)
    return np.where(there, column.shift(back).to_numpy(float), column.mean())


def _delta(cross: np.ndarray) -> float:
    every = list(range(cross.shape[0] - 2))
    return total_log_likelihood(cross, every) - total_log_likelihood(cross, every[1:])
