"""The regression of Kuribayashi, Oseki & Baldwin (2024), in which many models' reading scores are published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.contributions import WordScore
from tuneshift.reading.predictors import frequencies, lengths
from tuneshift.reading.regression import fitted, log_likelihood

FORMULA = (
    "time ~ surprisal + surprisal_1 + surprisal_2 + length + log_frequency + length_1 + log_frequency_1 + length_2 + "
    "log_frequency_2, against the same without surprisal; ordinary least squares in sample"
)


@dataclass(frozen=True)
class PublishedRegression:
    """`total` is delta-LL in nats over all words scored; `gain` (n,) each word's share of it, in nats.

    `rows` (n,) are row numbers of `times.words`; `mean_gain` the mean share with what moves it.
    """

    total: float
    rows: np.ndarray
    gain: np.ndarray
    mean_gain: WordScore


def published_regression(surprisal: np.ndarray, times: ReadingTimes) -> PublishedRegression:
    """Return the total delta-LL (nats) of the word's own surprisal, as published for NS and DC.

    Both regressions hold the surprisal of the two words before, and length and log frequency of the word and the two
    before; only the first holds the word's own. Previous words count within the sentence; before its beginning stands
    the mean over all words. Sentence-initial and sentence-final words, words without a time and
    words behind one without surprisal are left out.
    `surprisal` (n_words,) in any unit: delta-LL does not change with it.

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
    full, base = _in_sample(X, time), _in_sample(X[:, 1:], time)
    gain, rows = full[0] - base[0], np.flatnonzero(kept)
    n, mean = len(rows), float(gain.mean())
    # At the best fit no coefficient moves the likelihood: a word moves it by its own share alone.
    score = WordScore(mean, rows, (gain - mean) / n, (full[1] - base[1]) / n)
    return PublishedRegression(float(gain.sum()), rows, gain, score)


def _in_sample(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of each y (n,) in nats, and what one more unit of y moves the sum of them."""
    coefficients, variance = fitted(X, y)
    mean = coefficients[0] + X @ coefficients[1:]
    return log_likelihood(y, mean, variance), (mean - y) / variance


def _previous(column: pd.Series, place: pd.Series, back: int) -> np.ndarray:
    """Return the value `back` words before, the mean where there is no such word, NaN where its value is not known."""
    there = (place.to_numpy() >= back) & (np.arange(len(column)) >= back)
    return np.where(there, column.shift(back).to_numpy(float), column.mean())
