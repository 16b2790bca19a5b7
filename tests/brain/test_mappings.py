"""Every mapping finds the planted layer, and its numbers are those of scikit-learn and scipy on the same folds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from tuneshift.brain import BrainAlignment
from tuneshift.brain.mappings import Encoding, Mapping
from tuneshift.brain.targets import target_blocks
from tuneshift.human import Recording
from tuneshift.models import LanguageModel
from tuneshift.numerics.ridge import ALPHAS
from tuneshift.numerics.similarity import linear_cka, rsa
from tuneshift.numerics.splits import grouped


@pytest.fixture(scope="module")
def two_people(simulated: Recording) -> Recording:
    people = simulated.data["participant"].values
    return Recording(simulated.name, simulated.data[:, np.isin(people, ["p01", "p02"])])


@pytest.fixture(scope="module")
def states(fable_8m: LanguageModel, simulated: Recording) -> np.ndarray:
    passages: dict[str, list[str]] = {}
    for text, passage in zip(simulated.data["text"].values, simulated.data["passage"].values, strict=True):
        passages.setdefault(str(passage), []).append(str(text))
    return fable_8m.hidden_states(list(passages.values()))  # passages lie one after the other in this recording


@pytest.mark.parametrize("mapping", ["ridge", "linear", "rsa", "cka"])
def test_every_mapping_scores_the_planted_layer_above_the_embedding(
    mapping: Mapping, fable_8m: LanguageModel, two_people: Recording
) -> None:
    result = BrainAlignment(data="simulated_brain", mapping=mapping).measure(fable_8m, two_people)
    where = {"target": "mean", "participant": "mean", "metric": "r"}
    assert set(result.table["mapping"]) == {mapping}
    assert result.value(layer="6", **where) > result.value(layer="0", **where) + 0.05
    assert result.value(layer="nested", **where) > 0.02
    temporal = result.table.query("layer == '6' and target == 'temporal' and participant == 'mean' and metric == 'r'")
    midline = result.table.query("layer == '6' and target == 'midline' and participant == 'mean' and metric == 'r'")
    assert temporal["value"].iloc[0] > midline["value"].iloc[0]
    assert np.isfinite(result.arrays["ceiling"].values).all()


def encoded(recording: Recording, mapping: Mapping) -> Encoding:
    folds = grouped(recording.data["passage"].values)
    return Encoding(recording.data, target_blocks(recording.data, recording.name)[0], folds, mapping)


def test_least_squares_is_scikit_learns(two_people: Recording, states: np.ndarray) -> None:
    encoding = encoded(two_people, "linear")
    X, Y = states[:, 6].astype(np.float64), two_people.data.values
    found = encoding.scores(states[:, 6], encoding.folds)
    for scores, (train, test) in zip(found, encoding.folds, strict=True):
        guess = LinearRegression().fit(X[train], Y[train]).predict(X[test])
        r = [stats.pearsonr(guess[:, i], Y[test, i])[0] for i in range(Y.shape[1])]
        assert np.abs(scores - r).max() < 1e-4


def test_ridge_is_scikit_learns(two_people: Recording, states: np.ndarray) -> None:
    encoding = encoded(two_people, "ridge")
    X, Y = states[:, 6].astype(np.float64), two_people.data.values
    found = encoding.scores(states[:, 6], encoding.folds)
    for scores, (train, test) in list(zip(found, encoding.folds, strict=True))[:2]:
        scaler = StandardScaler().fit(X[train])
        model = RidgeCV(ALPHAS, alpha_per_target=True).fit(scaler.transform(X[train]), Y[train])
        guess = model.predict(scaler.transform(X[test]))
        r = [stats.pearsonr(guess[:, i], Y[test, i])[0] for i in range(Y.shape[1])]
        assert np.abs(scores - r).max() < 1e-3  # 1e-4 but where two penalties are equally good to seven digits
        assert np.median(np.abs(scores - r)) < 1e-4


@pytest.mark.parametrize(("mapping", "compare"), [("rsa", rsa), ("cka", linear_cka)])
def test_geometry_is_compared_within_the_test_stimuli_of_each_fold(
    mapping: Mapping, compare: Callable[[np.ndarray, np.ndarray], float], two_people: Recording, states: np.ndarray
) -> None:
    encoding = encoded(two_people, mapping)
    data = two_people.data
    one = np.flatnonzero((data["participant"].values == "p02") & (data["region"].values == "frontal"))
    for scores, (_, test) in zip(encoding.scores(states[:, 3], encoding.folds), encoding.folds, strict=True):
        assert np.allclose(scores[one], compare(states[test, 3], data.values[np.ix_(test, one)]), atol=1e-6)


def test_a_prediction_is_for_the_stimuli_and_targets_that_were_recorded(two_people: Recording) -> None:
    data = two_people.data.copy()
    data[:200, 5] = np.nan
    encoding = encoded(Recording("holes", data), "ridge")
    features = np.random.default_rng(0).standard_normal((len(data), 6))
    fold = encoding.folds[0]
    predicted = encoding.predictions(features, fold)
    assert np.isnan(predicted[fold[1] < 200, 5]).all()
    assert np.isfinite(predicted[fold[1] >= 200, 5]).all()
    assert np.isfinite(np.delete(predicted, 5, axis=1)).all()
