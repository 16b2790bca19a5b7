"""Drawing stories: sums over stories give what drawing their words gives."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.resampling import draws, interval, mean_draws, pearson_draws, resampling_units


def test_a_draw_of_stories_is_a_draw_of_all_their_words() -> None:
    random = np.random.default_rng(0)
    units = np.repeat([0, 1, 2, 3], [30, 50, 20, 40])
    x = random.normal(size=140) + units
    y = 0.5 * x + random.normal(size=140)
    counts = draws(units, 50, seed=3)
    assert (counts.sum(1) == 4).all()
    r, mean = pearson_draws(x, y, units, counts), mean_draws(y, units, counts)
    for b, drawn in enumerate(counts):
        rows = np.concatenate([np.tile(np.flatnonzero(units == u), times) for u, times in enumerate(drawn)])
        np.testing.assert_allclose(r[b], np.corrcoef(x[rows], y[rows])[0, 1], atol=1e-9)
        np.testing.assert_allclose(mean[b], y[rows].mean(), atol=1e-9)


def test_an_interval_covers_the_mean_of_the_population_about_19_times_in_20() -> None:
    random = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        units = np.repeat(np.arange(25), 8)
        values = random.normal(size=25)[units] + random.normal(size=200)
        low, high = interval(mean_draws(values, units, draws(units, 400, seed=trial)))
        hits += low < 0 < high
    assert 0.87 < hits / 200 < 0.99


def test_a_lone_story_is_drawn_by_sentence_and_too_few_draws_give_no_interval() -> None:
    words = pd.DataFrame({"document": ["a"] * 6, "sentence": [0, 0, 1, 1, 2, 2]})
    units, name = resampling_units(ReadingTimes("one", words, release="test"))
    assert (units.tolist(), name) == ([0, 0, 1, 1, 2, 2], "sentence")
    assert np.isnan(interval(np.zeros(0))).all()
