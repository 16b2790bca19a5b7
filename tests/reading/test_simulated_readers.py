"""The twelve simulated readers: what was planted in each is found, and what was not is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from tuneshift.human import ReadingTimes, load_data
from tuneshift.human.datasets.simulated_reading import load_truth
from tuneshift.models import LanguageModel
from tuneshift.reading import reading_alignment
from tuneshift.reading.predictive_power import design, predictive_power
from tuneshift.reading.predictors import kept_words
from tuneshift.result import Result


@pytest.fixture(scope="module")
def times() -> ReadingTimes:
    loaded = load_data("simulated_reading")
    assert isinstance(loaded, ReadingTimes)
    return loaded


@pytest.fixture(scope="module")
def result(times: ReadingTimes, fable_8m: LanguageModel) -> Result:
    """The model that the readers' times were made from, with its mixed model over readers."""
    return reading_alignment(fable_8m, times, n_boot=500)


@pytest.fixture(scope="module")
def surprisal(times: ReadingTimes, fable_8m: LanguageModel) -> np.ndarray:
    return fable_8m.surprisals(list(times.documents.values()))["surprisal"].to_numpy()


def _gains(times: ReadingTimes, surprisal: np.ndarray) -> np.ndarray:
    made = design(times, kept_words(times.words, "document_initial"), spillover=2, folds=10, seed=0)
    return predictive_power(surprisal, times, made, 2).gain


def test_the_planted_slopes_of_the_word_and_of_the_word_before_are_found(result: Result) -> None:
    truth = load_truth()
    assert result.value(metric="slope", mapping="corrected", target="word") == pytest.approx(
        truth["surprisal"].mean(), abs=0.6
    )
    assert result.value(metric="slope", mapping="corrected", target="previous word") == pytest.approx(
        truth["spillover"].mean(), abs=0.6
    )
    assert result.value(metric="slope", mapping="corrected", target="2 words before") == pytest.approx(0, abs=0.6)


def test_the_mixed_model_converges_and_a_score_above_the_reliability_is_said_to_be_no_miracle(result: Result) -> None:
    assert not [text for text in result.warnings if "mixed model" in text]
    row = result.table[(result.table["metric"] == "pearson_r") & result.table["participant"].isna()].iloc[0]
    said = [text for text in result.warnings if "above the ceiling" in text]
    assert bool(said) == (row["value"] > row["ceiling"])
    assert row["value"] < row["ceiling"] ** 0.5


def test_every_readers_own_slope_is_found(result: Result) -> None:
    truth = load_truth().set_index("participant")["surprisal"]
    rows = result.table[(result.table["metric"] == "slope_mixed") & result.table["participant"].notna()]
    own = rows.set_index("participant")["value"].astype(float)
    assert np.corrcoef(own[truth.index], truth)[0, 1] > 0.7
    overall = result.table[(result.table["metric"] == "slope_mixed") & result.table["participant"].isna()].iloc[0]
    assert overall["ci_low"] < truth.mean() < overall["ci_high"]


def test_a_score_stays_below_its_ceiling_and_is_normalised_by_it(result: Result, times: ReadingTimes) -> None:
    row = result.table[(result.table["metric"] == "pearson_r") & (result.table["mapping"] == "corrected")].iloc[0]
    assert times.ceiling is not None
    assert 0 < row["value"] < np.sqrt(times.ceiling)
    assert result.value(metric="pearson_r_normalised", mapping="corrected") == pytest.approx(
        row["value"] / times.ceiling
    )


def test_planted_surprisal_is_told_from_shuffled_surprisal_every_time(
    times: ReadingTimes, surprisal: np.ndarray
) -> None:
    """The area under the curve of gains by true surprisals against gains by the same values on other words is 1."""
    random = np.random.default_rng(0)
    noise = [surprisal + random.normal(0, surprisal.std(), len(surprisal)) for _ in range(15)]
    true = [_gains(times, values).mean() for values in noise]
    shuffled = [_gains(times, random.permutation(surprisal)).mean() for _ in range(15)]
    ranks = rankdata([*true, *shuffled])
    area = (ranks[:15].sum() - 15 * 16 / 2) / (15 * 15)
    assert area == 1.0
    assert np.mean(shuffled) < 1e-3  # what is nobody's surprisal gains nothing on stories it has not seen


def test_readers_who_mind_no_surprisal_are_not_predicted_by_it(times: ReadingTimes, surprisal: np.ndarray) -> None:
    """Times made anew from length and frequency alone, with the noise that reading has."""
    random = np.random.default_rng(1)
    words = times.words
    gains, slopes = [], []
    for _ in range(20):
        length, frequency = words["word"].str.len(), words["log_frequency"]
        made = (
            340 + 3 * (length - length.mean()) - 2 * (frequency - frequency.mean()) + random.normal(0, 30, len(words))
        )
        untouched = replace(times, words=words.assign(time=made))
        plan = design(untouched, kept_words(words, "document_initial"), spillover=2, folds=10, seed=0)
        power = predictive_power(surprisal, untouched, plan, 2)
        gains.append(power.gain.mean())
        slopes.append(power.coefficients[0])
    assert np.mean(gains) < 0  # held out, a useless predictor costs a little
    assert abs(np.mean(slopes)) < 2.5 * np.std(slopes) / np.sqrt(20)


def test_delta_ll_by_hand_with_scikit_learn(times: ReadingTimes, surprisal: np.ndarray) -> None:
    from scipy.stats import norm
    from sklearn.linear_model import LinearRegression
    from sklearn.preprocessing import StandardScaler

    words = times.words.reset_index(drop=True)
    table = pd.DataFrame({"length": words["word"].str.len().astype(float), "frequency": words["log_frequency"]})
    table["both"] = (table["length"] - table["length"].mean()) * (table["frequency"] - table["frequency"].mean())
    table["first"], table["last"] = words["sentence_initial"].astype(float), words["sentence_final"].astype(float)
    table["mark"] = [float(not (w[0].isalnum() or w[0] == "_") or not (w[-1].isalnum() or w[-1] == "_"))
                     for w in words["word"]]  # fmt: skip
    story = words["document"]
    controls = [table, *(table.groupby(story).shift(back).add_suffix(f"_{back}") for back in (1, 2))]
    base = pd.concat([*controls, words["position"].astype(float)], axis=1)
    s = pd.Series(surprisal)
    full = pd.concat([s, s.groupby(story).shift(1), s.groupby(story).shift(2), base], axis=1)
    usable = full.notna().all(axis=1).to_numpy()
    plan = design(times, kept_words(words, "document_initial"), spillover=2, folds=10, seed=0)
    assert plan.rows.tolist() == np.flatnonzero(usable).tolist()
    time = words["time"].to_numpy()[usable]
    held_out = []
    for columns in (full, base):
        X = StandardScaler().fit_transform(columns[usable].to_numpy())
        values = np.empty(len(time))
        for fold in np.unique(plan.folds):
            test = plan.folds == fold
            fit = LinearRegression().fit(X[~test], time[~test])
            spread = np.sqrt(np.mean((time[~test] - fit.predict(X[~test])) ** 2))
            values[test] = norm.logpdf(time[test], fit.predict(X[test]), spread)
        held_out.append(values)
    np.testing.assert_allclose(_gains(times, surprisal), held_out[0] - held_out[1], atol=1e-6)
