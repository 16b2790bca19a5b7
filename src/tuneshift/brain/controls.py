"""Controls that make a score believable: what the text's surface predicts, and what a model adds to it."""

from __future__ import annotations

import re

import numpy as np
from himalaya.ridge import BandedRidgeCV
from wordfreq import zipf_frequency

from tuneshift.brain.stimulus_features import at_scans, documents
from tuneshift.human import Recording
from tuneshift.numerics.splits import Fold

BAND_PENALTIES = np.logspace(-3, 6, 10)


def nuisance_features(recording: Recording) -> np.ndarray:
    """Return features of the text's surface (n_rows, k), which no model is needed for (methods, section 1).

    Sentences: length in words and characters, mean word length, mean log frequency, position within the passage.
    Time series: word rate, word length, duration and log frequency of words, placed and convolved like a model's.
    """
    if recording.words is not None:
        track = recording.words
        columns = [
            [1.0, len(w), off - on, _zipf(w)] for w, on, off in zip(track.words, track.onset, track.offset, strict=True)
        ]
        return at_scans(np.array(columns), recording)
    texts, back = documents(recording)
    rows = []
    for passage in texts:
        for place, text in enumerate(passage):
            words = text.split()
            position = place / max(len(passage) - 1, 1)
            frequency = float(np.mean([_zipf(word) for word in words]))
            rows.append([len(words), len(text), np.mean([len(w) for w in words]), frequency, position])
    return np.array(rows, dtype=float)[back]


def oasm(recording: Recording, width: float = 2.0) -> np.ndarray:
    """Return orthogonal autocorrelated sequences (n_rows, n_rows): a smoothed one-hot position within each passage.

    They know nothing but which stimuli are neighbours; a split that lets them score high leaks (Hadidi et al. 2025).
    `width` is the standard deviation of the Gaussian in stimuli.
    """
    n_rows = recording.data.shape[0]
    passages = recording.data["passage"].values
    place = np.arange(n_rows)
    smoothed = np.exp(-0.5 * ((place[:, None] - place[None, :]) / width) ** 2)
    return np.where(passages[:, None] == passages[None, :], smoothed, 0.0)


def unique_variance(
    features: np.ndarray, nuisance: np.ndarray, responses: np.ndarray, folds: list[Fold], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return held-out R2 of [nuisance] and what the model adds to it, each (v,), averaged over folds.

    Both regressions are banded ridge (himalaya): each band of features has its own penalty, chosen for each target
    within the training stimuli, so that many model units cannot be shrunk together with few nuisance features.
    features (n, d), nuisance (n, k), responses (n, v).
    """
    alone, added = [], []
    for train, test in folds:
        both = [_standardised(band, train) for band in (features, nuisance)]
        centre = responses[train].mean(axis=0)
        r2_both = _banded_r2(both, responses - centre, train, test, seed)
        r2_nuisance = _banded_r2(both[1:], responses - centre, train, test, seed)
        alone.append(r2_nuisance)
        added.append(r2_both - r2_nuisance)
    return np.mean(alone, axis=0), np.mean(added, axis=0)


def _banded_r2(
    bands: list[np.ndarray], responses: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    model = BandedRidgeCV(
        groups="input",
        solver="random_search",
        solver_params={"n_iter": 20, "alphas": BAND_PENALTIES, "progress_bar": False},
        cv=4,
        random_state=seed,
    )
    model.fit([band[train] for band in bands], responses[train])
    predicted = np.asarray(model.predict([band[test] for band in bands]))
    left = ((responses[test] - predicted) ** 2).sum(axis=0)
    total = ((responses[test] - responses[train].mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(1 - left / np.where(total > 0, total, np.nan))


def _standardised(band: np.ndarray, train: np.ndarray) -> np.ndarray:
    spread = band[train].std(axis=0)
    return np.asarray((band - band[train].mean(axis=0)) / np.where(spread > 0, spread, 1))


def _zipf(word: str) -> float:
    return float(zipf_frequency(re.sub(r"^\W+|\W+$", "", word), "en"))
