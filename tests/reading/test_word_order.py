"""Times that stand on the wrong word give themselves away: nobody is slowed by a word to come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted import Planted, plant

from tuneshift.reading.word_order import LAGS, lag_profile, order_warning


def _moved(made: Planted, by: int) -> Planted:
    words = made.times.words.copy()
    words["time"] = words.groupby("document", sort=False)["time"].shift(by)
    return replace(made, times=replace(made.times, words=words))


def test_times_on_their_own_words_show_spillover_forwards_only() -> None:
    made = plant(slope=4, spillover=4)
    profile = dict(zip(LAGS, lag_profile(made.surprisal, made.times), strict=True))
    assert profile[0] > 0.3
    assert profile[1] > 0.3
    assert abs(profile[-1]) < 0.1
    assert order_warning(np.array(list(profile.values())), "planted") is None


def test_times_filed_one_word_early_are_warned_about() -> None:
    made = _moved(plant(slope=4, spillover=4), -1)
    warning = order_warning(lag_profile(made.surprisal, made.times), "planted")
    assert warning is not None
    assert "one word out of step" in warning


def test_a_lag_is_the_correlation_with_the_word_so_many_before(planted: Planted) -> None:
    words = planted.times.words
    first = (words["document"] == "story 1").to_numpy()
    one = replace(planted.times, words=words[first])
    s, t = planted.surprisal[first], words["time"].to_numpy()[first]
    profile = dict(zip(LAGS, lag_profile(s, one), strict=True))
    assert profile[2] == pytest.approx(np.corrcoef(s[:-2], t[2:])[0, 1])
    assert profile[-1] == pytest.approx(np.corrcoef(s[1:], t[:-1])[0, 1])
