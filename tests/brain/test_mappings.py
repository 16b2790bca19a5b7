"""Every mapping finds the planted layer, and its numbers are those of scikit-learn and scipy on the same folds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.preprocessing import StandardScaler

from tuneshift.brain import BrainAlignment
from tuneshift.brain.encoding import Encoding
from tuneshift.brain.mappings import Mapping
from tuneshift.brain.partition import partition
from tuneshift.brain.targets import target_blocks
from tuneshift.human import Recording
from tuneshift.models import LanguageModel
from tuneshift.numerics.ridge import ALPHAS
from tuneshift.numerics.similarity import linear_cka, rsa
from tuneshift.numerics.splits import Fold, grouped


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
    cut = partition(recording, "grouped")
    return Encoding(recording.data, target_blocks(recording.data, recording.name)[0], cut, mapping)


def folds_of(encoding: Encoding) -> list[Fold]:
    return [(split.train.rows, split.test.rows) for split in encoding.splits]


def test_least_squares_is_scikit_learns(two_people: Recording, states: np.ndarray) -> None:
    encoding = encoded(two_people, "linear")
    X, Y = states[:, 6].astype(np.float64), two_people.data.values
    found = encoding.scores(states[:, 6])
    for scores, (train, test) in zip(found, folds_of(encoding), strict=True):
        guess = LinearRegression().fit(X[train], Y[train]).predict(X[test])
        r = [stats.pearsonr(guess[:, i], Y[test, i])[0] for i in range(Y.shape[1])]
        assert np.abs(scores - r).max() < 1e-4


def test_ridge_is_scikit_learns(two_people: Recording, states: np.ndarray) -> None:
    encoding = encoded(two_people, "ridge")
    X, Y = states[:, 6].astype(np.float64), two_people.data.values
    found = encoding.scores(states[:, 6])
    for scores, (train, test) in list(zip(found, folds_of(encoding), strict=True))[:2]:
        scaler = StandardScaler().fit(X[train])
        seen, held_out = scaler.transform(X[train]), scaler.transform(X[test])
        errors = np.zeros((len(ALPHAS), Y.shape[1]))
        for kept, part in grouped(two_people.data["passage"].values[train]):  # whole passages, five times
            for index, alpha in enumerate(ALPHAS):
                guess = Ridge(alpha).fit(seen[kept], Y[train][kept]).predict(seen[part])
                errors[index] += ((Y[train][part] - guess) ** 2).sum(axis=0)
        guess = Ridge(ALPHAS[errors.argmin(axis=0)]).fit(seen, Y[train]).predict(held_out)
        r = [stats.pearsonr(guess[:, i], Y[test, i])[0] for i in range(Y.shape[1])]
        assert np.abs(scores - r).max() < 1e-4


@pytest.mark.parametrize(("mapping", "compare"), [("rsa", rsa), ("cka", linear_cka)])
def test_geometry_is_compared_within_the_test_stimuli_of_each_fold(
    mapping: Mapping, compare: Callable[[np.ndarray, np.ndarray], float], two_people: Recording, states: np.ndarray
) -> None:
    encoding = encoded(two_people, mapping)
    data = two_people.data
    one = np.flatnonzero((data["participant"].values == "p02") & (data["region"].values == "frontal"))
    for scores, (_, test) in zip(encoding.scores(states[:, 3]), folds_of(encoding), strict=True):
        assert np.allclose(scores[one], compare(states[test, 3], data.values[np.ix_(test, one)]), atol=1e-6)


def test_a_prediction_is_for_the_stimuli_and_targets_that_were_recorded(two_people: Recording) -> None:
    data = two_people.data.copy()
    data[:200, 5] = np.nan
    encoding = encoded(Recording("holes", data), "ridge")
    features = np.random.default_rng(0).standard_normal((len(data), 6))
    test = encoding.splits[0].test.rows
    predicted, observed = encoding.predictions(features, encoding.splits[0])
    for made in (predicted, observed):
        assert np.isnan(made[test < 200, 5]).all()
        assert np.isfinite(made[test >= 200, 5]).all()
        assert np.isfinite(np.delete(made, 5, axis=1)).all()
    assert np.array_equal(observed, data.values[test], equal_nan=True)
