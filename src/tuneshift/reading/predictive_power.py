"""delta-LL: how much better surprisal lets a regression predict reading times of stories it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.contributions import WordScore
from tuneshift.reading.linearity import natural_spline, spline_knots
from tuneshift.reading.predictors import predictors, previous
from tuneshift.reading.regression import HeldOut, fitted, fold_labels, held_out


@dataclass(frozen=True)
class Design:
    """The words that a regression can use, and what it knows of them.

    `rows` (n,) are row numbers of `times.words`; `controls` (n, p); `time` (n,) in ms; `folds` (n,) and `held_out`,
    what a fold holds out whole ("story" or "sentence"); `control_names` (p,).
    """

    rows: np.ndarray
    controls: np.ndarray
    time: np.ndarray
    folds: np.ndarray
    held_out: str
    control_names: tuple[str, ...]


@dataclass(frozen=True)
class PredictivePower:
    """`gain` (n,) of surprisal over the controls by word, in nats; `mean_gain` with what moves it.

    `spline_gain` is what a spline gains over the line on average (None where surprisal has too few values for one).
    `coefficients` are of the regression with surprisal on all words: ms per bit of the word and of each word before.
    """

    gain: np.ndarray
    mean_gain: WordScore
    spline_gain: WordScore | None
    coefficients: np.ndarray


def design(times: ReadingTimes, kept: np.ndarray, *, spillover: int, folds: int, seed: int) -> Design:
    """Return the design of a set of reading times: `kept` words (n_words,) that have all `spillover` words before."""
    controls = predictors(times, spillover)
    usable = kept & controls.notna().all(axis=1).to_numpy()
    varying = [str(name) for name in controls if controls[name][usable].nunique() > 1]
    words = times.words[usable]
    labels, held_out = fold_labels(words["document"].to_numpy(str), words["sentence"].to_numpy(int), folds, seed)
    return Design(
        rows=np.flatnonzero(usable),
        controls=controls[varying].to_numpy(float)[usable],
        time=words["time"].to_numpy(float),
        folds=labels,
        held_out=held_out,
        control_names=tuple(varying),
    )


def with_words_before(surprisal: np.ndarray, times: ReadingTimes, rows: np.ndarray, spillover: int) -> np.ndarray:
    """Return surprisal of each word in `rows` and of the `spillover` words before it (n, 1 + spillover)."""
    column = pd.Series(surprisal, index=times.words.index)
    document = times.words["document"]
    earlier = [previous(column, document, back).to_numpy()[:, 0] for back in range(1, spillover + 1)]
    return np.column_stack([surprisal, *earlier])[rows]


def predictive_power(surprisal: np.ndarray, times: ReadingTimes, made: Design, spillover: int) -> PredictivePower:
    """Return what surprisal (n_words,) in bits, of the word and the words before, adds to the controls.

    Item means, ordinary least squares, cross-validated by story or sentence (methods, section 2).
    """
    X = with_words_before(surprisal, times, made.rows, spillover)
    base = held_out(made.controls, made.time, made.folds)
    line = held_out(np.column_stack([X, made.controls]), made.time, made.folds)
    knots = spline_knots(X[:, 0])
    curve = None
    if len(knots) > 2:
        basis = np.column_stack([natural_spline(X[:, 0], knots), X[:, 1:]])
        curve = _mean(held_out(np.column_stack([basis, made.controls]), made.time, made.folds), made.rows)
    coefficients = fitted(np.column_stack([X, made.controls]), made.time)[0][1 : 2 + spillover]
    straight = _mean(line, made.rows)
    return PredictivePower(
        line.log_likelihood - base.log_likelihood,
        straight - _mean(base, made.rows),
        None if curve is None else curve - straight,
        coefficients,
    )


def _mean(found: HeldOut, rows: np.ndarray) -> WordScore:
    n, mean = len(rows), float(found.log_likelihood.mean())
    return WordScore(mean, rows, (found.by_weight - mean) / n, found.by_time / n)
