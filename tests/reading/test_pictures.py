"""What the report draws of reading: r at each lag, mean times over bins of equal count, a point a word."""

from __future__ import annotations

import numpy as np
import pytest
from planted import Planted

from tuneshift.progress import silent
from tuneshift.reading.pictures import binned_times
from tuneshift.reading.scores import Settings, measure
from tuneshift.reading.word_order import LAGS
from tuneshift.result import Result


@pytest.fixture(scope="module")
def result(planted: Planted) -> Result:
    settings = Settings(
        exclude="document_initial", published=False, spillover=2, folds=10, ceiling=None, mixed_model=False,
        seed=0, form="plain",
    )  # fmt: skip
    return measure({"corrected": planted.surprisal}, planted.times, settings, silent)


def test_r_at_every_lag_is_a_row_and_an_array(result: Result, planted: Planted) -> None:
    lag_r = result.arrays["lag_r"]
    assert lag_r.dims == ("lag",)
    assert lag_r["lag"].values.tolist() == [-2, -1, 0, 1, 2] == list(LAGS)
    assert lag_r.attrs["unit"] == "r"
    rows = result.table[result.table["metric"] == "lag_r"]
    assert rows["target"].tolist() == ["-2", "-1", "+0", "+1", "+2"]
    np.testing.assert_allclose(rows["value"].astype(float), lag_r.values)
    time, surprisal = planted.times.words["time"].to_numpy(), planted.surprisal
    stories = np.arange(12) * 160
    for lag, value in zip(LAGS, lag_r.values, strict=True):
        pairs = [(i, i - lag) for s in stories for i in range(s, s + 160) if s <= i - lag < s + 160]
        here, there = np.array(pairs).T
        assert value == pytest.approx(np.corrcoef(time[here], surprisal[there])[0, 1]), lag


def test_binned_times_hold_every_scored_word_once(result: Result, planted: Planted) -> None:
    means = result.arrays["binned_time"]
    assert means.dims == ("bin",)
    assert set(means.coords) == {"surprisal", "standard_error", "n"}
    assert means.attrs["unit"] == "ms"
    words = planted.times.words
    kept = words["position"] > 0
    assert means["n"].sum() == kept.sum()
    assert float((means * means["n"]).sum() / means["n"].sum()) == pytest.approx(words["time"][kept].mean())
    assert (np.diff(means["surprisal"]) > 0).all()
    assert (means["standard_error"] > 0).all()


def test_a_bin_is_the_mean_of_its_words_with_the_standard_error_of_that_mean() -> None:
    surprisal, time = np.arange(40.0), np.random.default_rng(0).normal(300, 30, 40)
    made = binned_times(surprisal, time, "ms", n_bins=4)
    for i in range(4):
        mine = time[10 * i : 10 * (i + 1)]
        assert made["n"][i] == 10
        assert made[i] == pytest.approx(mine.mean())
        assert made["standard_error"][i] == pytest.approx(mine.std(ddof=1) / np.sqrt(10))
        assert made["surprisal"][i] == pytest.approx(10 * i + 4.5)


def test_words_of_one_surprisal_share_a_bin() -> None:
    surprisal = np.repeat([1.0, 2.0, 3.0], [50, 1, 9])
    made = binned_times(surprisal, np.arange(60.0), "ms")
    assert made["n"].sum() == 60
    assert np.isfinite(made).all()
    assert np.isfinite(made["standard_error"]).all()


def test_every_word_keeps_its_text_surprisal_and_time(result: Result, planted: Planted) -> None:
    words = planted.times.words
    for name, values, unit in (("surprisal", planted.surprisal, "bits"), ("time", words["time"], "ms")):
        array = result.arrays[name]
        np.testing.assert_allclose(array.values, values, rtol=1e-6)
        assert array["text"].values.tolist() == words["word"].tolist()
        assert array.attrs["unit"] == unit
    curve = result.arrays["spline_curve"]
    assert curve.dims == ("point",)
    assert (np.diff(curve["surprisal"]) > 0).all()
