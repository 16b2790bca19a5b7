"""Reading where the truth is known: how often the intervals hold it, and how often an effect is found where none is.

Made-up studies through `tuneshift.reading_alignment`: readers differ in speed and in sensitivity, words have effects
that all their readers share and that last for a few words, stories have a level and a sensitivity of their own. Readers
and stories are drawn anew for every study.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import lfilter

import tuneshift as ts
from tuneshift.human.reading_times.reading_ceiling import split_half
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading import SurprisalFile

STORIES, READERS = (3, 5, 10), (5, 15, 60)
EFFECTS = {"null": (0.0, 0.0), "varied": (0.0, 2.0), "planted": (3.0, 2.0)}
"""Milliseconds a bit on average, and their standard deviation over readers (a quarter of it over stories).

Varied: one reader speeds up where another slows down, and on average nobody does either.
"""
NUMBERS = ("pearson_r", "pearson_r_normalised", "delta_ll", "delta_ll_spline", "slope_mixed")
_WORDS = 60
_SIGNED = ("pearson_r", "pearson_r_normalised", "slope_mixed")
"""Numbers that are 0 on average wherever readers' slopes are."""


@dataclass(frozen=True)
class MadeUp:
    """Reading times and the surprisals (n_words,) that drive them, or do not."""

    times: ReadingTimes
    surprisal: np.ndarray


def made_up(n_stories: int, n_readers: int, effect: str, random: np.random.Generator, n_words: int = _WORDS) -> MadeUp:
    """Draw stories of about `n_words` words and readers who all read them."""
    slope, spread = EFFECTS[effect]
    sizes = random.integers(int(0.8 * n_words), int(1.2 * n_words) + 1, n_stories)
    story = np.repeat(np.arange(n_stories), sizes)
    position = np.concatenate([np.arange(size) for size in sizes])
    n = len(story)
    surprisal = random.gamma(3.0, 2.0, n)
    length, frequency = random.integers(1, 10, n), random.normal(4.0, 2.0, n)
    word = lfilter([1.0], [1.0, -0.3], random.normal(0, 25, n))
    own, own_of_story = random.normal(0, spread, n_readers), random.normal(0, spread / 4, n_stories)[story]
    shared = 300 + 4 * length - 3 * frequency + word + random.normal(0, 10, n_stories)[story]
    slowed = (surprisal - 6)[:, None] * (slope + own_of_story[:, None] + own)
    seen = shared[:, None] + slowed + random.normal(0, 50, n_readers) + random.normal(0, 70, (n, n_readers))
    words = pd.DataFrame(
        {
            "document": [f"story {number + 1}" for number in story], "position": position,
            "word": ["a" * size for size in length], "sentence": position // 10,
            "sentence_initial": position % 10 == 0, "sentence_final": position % 10 == 9,
            "time": seen.mean(1), "n": n_readers, "log_frequency": frequency,
        }
    )  # fmt: skip
    alone = pd.DataFrame(
        {
            "row": np.repeat(np.arange(n), n_readers),
            "participant": np.tile([f"reader {i + 1}" for i in range(n_readers)], n),
            "time": seen.ravel(),
        }
    )
    ceiling, source = split_half(seen, n_splits=20)
    return MadeUp(ReadingTimes("made up", words, "made up", alone, ceiling, source), surprisal)


def measured(made: MadeUp, folder: Path, **options: Any) -> ts.Result:
    """Measure made-up times as a user would, from a file of surprisals."""
    file = folder / "surprisals.csv"
    made.times.words[["document", "position", "word"]].assign(surprisal=made.surprisal).to_csv(file, index=False)
    return ts.reading_alignment(SurprisalFile("a model", file), made.times, **options)


def cells(
    studies: int,
    seed: int,
    stories: tuple[int, ...] = STORIES,
    readers: tuple[int, ...] = READERS,
    effects: tuple[str, ...] = tuple(EFFECTS),
) -> list[dict[str, Any]]:
    """Return one row a number and cell (stories, readers, and which of `EFFECTS`).

    `studies` that gave the number, how many intervals `covered` the truth, and how many found an effect:
    `found_under_null` where none was planted, else `found` (the other is None). Correlations and slopes count on both
    sides of 0, delta-LL above it only: below, surprisal costs more than it brings, which nobody takes for an effect;
    and where readers vary around 0, the readers at hand do have a delta-LL.
    """
    return list(_cells(studies, seed, stories, readers, effects))


def _cells(
    studies: int, seed: int, stories: tuple[int, ...], readers: tuple[int, ...], effects: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        for n_stories, n_readers, effect in itertools.product(stories, readers, effects):
            found = []
            for study in range(studies):
                random = np.random.default_rng([seed, n_stories, n_readers, list(EFFECTS).index(effect), study])
                made = made_up(n_stories, n_readers, effect, random)
                table = measured(made, Path(folder)).table
                found.append(table[table["participant"].isna()].set_index("metric"))
            for number in NUMBERS:
                cell = f"{n_stories} stories, {n_readers} readers, {effect}"
                yield _row(number, cell, effect, [one.loc[number] for one in found if number in one.index])


def _row(number: str, cell: str, effect: str, rows: list[pd.Series]) -> dict[str, Any]:
    value, low, high = (np.array([row[name] for row in rows], dtype=float) for name in ("value", "ci_low", "ci_high"))
    slope = EFFECTS[effect][0]
    # Where it is not known, the truth is what studies of this size give on average.
    truth = slope if number == "slope_mixed" or (number in _SIGNED and slope == 0) else float(value.mean())
    away = (low > 0) | (high < 0) if number in _SIGNED else low > 0
    nothing = effect == "null" or (effect == "varied" and number in _SIGNED)
    return {
        "number": number,
        "cell": cell,
        "studies": len(rows),
        "covered": int(((low <= truth) & (truth <= high)).sum()),
        "found_under_null": int(away.sum()) if nothing else None,
        "found": int(away.sum()) if not nothing else None,
        "truth": truth,
        "mean": float(value.mean()),
        "mean_width": float((high - low).mean()),
    }
