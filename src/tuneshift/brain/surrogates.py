"""Surrogate recordings: everything of a recording but its relation to the text, so that the true score is 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tuneshift.brain.partition import Partition

DEFAULT_SURROGATES = 20
BLOCK_STIMULI = 5
"""Neighbouring stimuli that change places together where a recording has no passages."""

FEWEST_EXCHANGED = 6
"""Passages that can change places in so many ways (265, with none left where it was) that surrogates differ."""

_TRIES = 100

Variant = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Responses (m, k) and the row numbers (m,) they stand at -> other responses at the same rows."""


def as_recorded(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the responses as they are."""
    return values


@dataclass(frozen=True)
class PhaseRandomised:
    """Time series with the phases of each run drawn anew (Theiler et al. 1992), opposite for neighbouring frequencies.

    Spectra are kept, and so are correlations between targets and between people: all get the same phases. Drawn freely,
    phases would leave a little of the answer to each word in its place, the same in all of a run, which a model learns
    and confirms; opposite ones for every two neighbours leave none there.
    """

    runs: np.ndarray
    seed: int

    def __call__(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return a surrogate of (m, k) responses."""
        out = np.empty(values.shape)
        for number, run in enumerate(dict.fromkeys(self.runs.tolist())):
            mine = np.flatnonzero(self.runs[rows] == run)
            if len(mine):
                out[mine] = _phases_drawn(values[mine], np.random.default_rng([self.seed, number]))
        return out


@dataclass(frozen=True)
class Exchanged:
    """Responses to whole passages, laid end to end in random order, none in its own place.

    Neighbours stay neighbours, so that what leaks between them still does.
    """

    labels: np.ndarray
    seed: int

    def __call__(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return a surrogate of (m, k) responses."""
        labels = self.labels[rows]
        members = [np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())]
        if len(members) < 2:
            return values
        rng = np.random.default_rng(self.seed)
        best, fewest = np.arange(len(rows)), np.inf
        for _ in range(_TRIES):
            order = np.concatenate([members[place] for place in rng.permutation(len(members))])
            at_home = (labels[order] == labels).mean()  # passages of unequal length may meet their own place in part
            if at_home < fewest:
                best, fewest = order, at_home
            if not at_home:
                break
        return values[best]


def surrogates(cut: Partition, count: int, seed: int = 0) -> list[Variant]:
    """Return so many ways of making a surrogate: phase-randomised time series, or exchanged passages."""
    draws = [int(each.generate_state(1)[0]) for each in np.random.SeedSequence(seed).spawn(count)]
    if cut.timed:
        return [PhaseRandomised(np.asarray(cut.runs), draw) for draw in draws]
    labels = exchangeable(cut)
    return [Exchanged(labels, draw) for draw in draws]


def too_few_to_exchange(cut: Partition) -> int | None:
    """Return how many passages there are where they are too few for surrogates, None where they suffice."""
    n = 0 if cut.timed else len(np.unique(exchangeable(cut)))
    return n if 0 < n < FEWEST_EXCHANGED else None


def exchangeable(cut: Partition) -> np.ndarray:
    """Return which stimuli (n_rows,) change places together: what is held out whole, else passages, else blocks.

    Where a label that is held out cuts passages it is passages: their parts are what could tell of each other.
    """
    data = cut.recording.data
    whole = cut.left_out_within
    if whole is not None:
        return whole
    if "passage" in data.coords and len(np.unique(data["passage"].values)) > 1:
        return np.asarray(data["passage"].values).astype(str)
    return np.arange(data.shape[0]) // BLOCK_STIMULI


def _phases_drawn(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(values)
    mean = values.mean(axis=0)
    spectrum = np.fft.rfft(values - mean, axis=0)
    turn = np.ones(len(spectrum), dtype=complex)
    pairs = np.exp(2j * np.pi * rng.random(len(spectrum) // 2))
    turn[1::2] = pairs[: len(turn[1::2])]
    turn[2::2] = -pairs[: len(turn[2::2])]
    if n % 2 == 0:  # the fastest frequency of an even number of scans has no phase, only a sign
        turn[-1] = rng.choice([-1.0, 1.0])
    return np.asarray(np.fft.irfft(spectrum * turn[:, None], n=n, axis=0) + mean)
