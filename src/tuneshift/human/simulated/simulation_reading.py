"""Simulated readers: reading times of every word, made from known effects of surprisal, length and frequency.

The expected time of reader p at a word is, in ms,

    base_p + surprisal_p s + length_p l + log_frequency_p f + spillover_p s',

where s is the word's surprisal (bits), l its length (letters), f its log frequency, and s' the surprisal of the word
before it in the same story; each is taken from its mean over all words, so that base_p is the reader's mean time.
The observed time is the expected time multiplied by log-normal noise of mean 1.
Surprisals come in as an array, so that this module needs no language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.simulated.simulation_brain import log_frequency
from tuneshift.human.stories import Story

EFFECTS = ("surprisal", "length", "log_frequency", "spillover")


@dataclass(frozen=True)
class ReadingPlan:
    """What to plant: for each coefficient the mean over readers and the standard deviation between them.

    `base` is in ms, `surprisal` and `spillover` in ms a bit, `length` in ms a letter, `log_frequency` in ms a natural
    log unit. `noise` is the standard deviation of the log of the multiplicative noise; every time is at least `floor`.
    """

    n_participants: int = 12
    base: tuple[float, float] = (340.0, 40.0)
    effects: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "surprisal": (3.5, 0.8),
            "length": (3.0, 0.8),
            "log_frequency": (-2.0, 0.5),
            "spillover": (1.5, 0.5),
        }
    )
    noise: float = 0.25
    floor: float = 100.0


def simulate_reading(
    words: pd.DataFrame, surprisal: np.ndarray, plan: ReadingPlan | None = None, seed: int = 0
) -> xr.Dataset:
    """Return reading times (`row`, `participant`) in ms and the coefficients that made them.

    `words` is the table of `story_words`; `surprisal` (n_words,) in bits. The dataset also holds every reader's
    `base` and `coefficient` (`participant`, `effect`), and the `predictor` (`row`, `effect`) they multiply.
    Raises BadInput where `surprisal` does not have one finite value a word.
    """
    plan = plan or ReadingPlan()
    surprisal = np.asarray(surprisal, dtype=np.float64)
    if surprisal.shape != (len(words),) or not np.isfinite(surprisal).all():
        raise BadInput(f"surprisal must hold one finite value for each of the {len(words)} words.")
    rng = np.random.default_rng(seed)
    predictor = reading_predictors(words, surprisal).to_numpy()
    n = plan.n_participants
    base = rng.normal(*plan.base, n)
    coefficient = np.column_stack([rng.normal(*plan.effects[name], n) for name in EFFECTS])
    expected = base + predictor @ coefficient.T
    noise = np.exp(plan.noise * rng.standard_normal(expected.shape) - plan.noise**2 / 2)
    times = np.maximum(expected * noise, plan.floor)
    return xr.Dataset(
        {
            "time": (("row", "participant"), times.astype(np.float32)),
            "base": ("participant", base),
            "coefficient": (("participant", "effect"), coefficient),
            "predictor": (("row", "effect"), predictor.astype(np.float32)),
            "log_frequency": ("row", words["log_frequency"].to_numpy()),
        },
        coords={"participant": [f"r{i + 1:02d}" for i in range(n)], "effect": list(EFFECTS)},
    )


def reading_predictors(words: pd.DataFrame, surprisal: np.ndarray) -> pd.DataFrame:
    """Return the four predictors, each less its mean; a story's first word has nothing spilling over (0)."""
    before = pd.Series(surprisal).groupby(words["document"].to_numpy()).shift(1).to_numpy()
    table = pd.DataFrame(
        {
            "surprisal": surprisal,
            "length": words["word"].str.len().to_numpy(),
            "log_frequency": words["log_frequency"].to_numpy(),
            "spillover": before,
        }
    )
    return (table - table.mean()).fillna(0.0)


def story_words(texts: Sequence[Story], log_frequencies: np.ndarray | None = None) -> pd.DataFrame:
    """Return one row a word with the columns of ReadingTimes, but for the times."""
    rows = []
    for story in texts:
        position = 0
        for number, sentence in enumerate(story.sentences):
            printed = sentence.split()
            for i, word in enumerate(printed):
                rows.append((story.name, position, word, number, i == 0, i == len(printed) - 1))
                position += 1
    columns = ["document", "position", "word", "sentence", "sentence_initial", "sentence_final"]
    table = pd.DataFrame(rows, columns=columns)
    if log_frequencies is None:
        log_frequencies = np.array([log_frequency(word) for word in table["word"]])
    return table.assign(log_frequency=log_frequencies)


def split_half_ceiling(times: np.ndarray, n_splits: int = 100, seed: int = 0) -> float:
    """Return the split-half reliability of mean times (n_words, n_participants), by Spearman-Brown.

    The mean over random splits of 2 r / (1 + r), r the correlation of the two halves' means; it is the square of the
    best correlation that a predictor of the means could reach.
    """
    rng = np.random.default_rng(seed)
    n = times.shape[1]
    values = []
    for _ in range(n_splits):
        order = rng.permutation(n)
        halves = times[:, order[: n // 2]].mean(axis=1), times[:, order[n // 2 :]].mean(axis=1)
        r = float(np.corrcoef(*halves)[0, 1])
        values.append(2 * r / (1 + r))
    return float(np.mean(values))
