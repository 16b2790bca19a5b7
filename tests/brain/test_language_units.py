"""Language units: planted ones are found, on stimuli of the localiser's own, and random ones stand beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner
from wordfreq import zipf_frequency

from tuneshift.brain import BrainAlignment
from tuneshift.brain.language_units import (
    LanguageUnits,
    localise,
    localiser_stimuli,
    preference,
    random_units,
    top_units,
)
from tuneshift.cli.app import app
from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.models import LanguageModel
from tuneshift.result import Result

PLANTED = {0: [], 1: [3, 17], 2: [5, 8]}


class ReaderOfSentences:
    """A stand-in for a model: noise, but for planted units, whose states are larger at the end of a sentence."""

    name = "reader"
    n_units = 20

    def __init__(self) -> None:
        self.read: list[list[str]] = []

    def hidden_states(self, documents: Sequence[Sequence[str]], **_: object) -> np.ndarray:
        self.read += [list(document) for document in documents]
        rng = np.random.default_rng(0)
        states = rng.standard_normal((len(documents), len(PLANTED), self.n_units)).astype(np.float32)
        sentences = set(localiser_stimuli()[0])
        for row, (text,) in enumerate(documents):
            for layer, units in PLANTED.items():
                # one planted unit is driven upwards, the other downwards: a sign of the residual stream means nothing
                states[row, layer, units] += [6.0, -6.0][: len(units)] if text in sentences else 0.0
        return states


@pytest.fixture(scope="module")
def few(simulated: Recording) -> Recording:
    return Recording(simulated.name, simulated.data[:, :20])


@pytest.fixture(scope="module")
def localised(fable_2m: LanguageModel, few: Recording) -> Result:
    return BrainAlignment(data="simulated_brain", folds=3, units=12, untrained=1).measure(fable_2m, few)


def test_planted_units_that_answer_sentences_are_found() -> None:
    reader = ReaderOfSentences()
    found = localise(reader, 2)  # type: ignore[arg-type]
    assert found.units[1].tolist() == PLANTED[1]
    assert found.units[2].tolist() == PLANTED[2]
    assert (found.t_of_units[1:] > 10).all()
    assert np.abs(np.delete(found.t[1], PLANTED[1])).max() < 4.5
    assert found.network_by_layer(share=0.1) == [0, 2, 2]


def test_the_localiser_reads_its_own_stimuli_and_nothing_of_a_recording(simulated: Recording) -> None:
    reader = ReaderOfSentences()
    localise(reader, 1)  # type: ignore[arg-type]
    assert [text for (text,) in reader.read] == [text for part in localiser_stimuli() for text in part]
    words = {str(text).lower().rstrip(".") for text in simulated.data["text"].values}
    assert not words & {text for (text,) in reader.read}


def test_the_preference_is_scipys_welch_t_of_sizes_and_a_silent_unit_has_none() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((60, 3, 5)), 2 * rng.standard_normal((60, 3, 5)) + 0.5
    first[:, 0, 0] = second[:, 0, 0] = 0.7
    t = preference(first, second)
    assert t[0, 0] == 0
    sizes = [np.abs(states).reshape(60, -1)[:, 1:] for states in (first, second)]
    assert np.allclose(t.ravel()[1:], stats.ttest_ind(*sizes, axis=0, equal_var=False).statistic)


def test_non_words_match_their_sentence_in_words_and_letters_and_are_no_words() -> None:
    sentences, non_words = localiser_stimuli()
    assert len(sentences) == len(non_words) == len(set(sentences)) >= 48
    for sentence, string in zip(sentences, non_words, strict=True):
        assert len(sentence.split()) == len(string.split()) == 12
        assert len(sentence) == len(string)
        assert set(string) <= set("abcdefghijklmnopqrstuvwxyz ")
    invented = [word for string in non_words for word in string.split()]
    assert len(set(invented)) == len(invented)
    assert all(set(word) & set("aeiou") for word in invented)
    rarest = min(zipf_frequency(word, "en") for sentence in sentences for word in sentence.split())
    assert max(zipf_frequency(word, "en") for word in invented) <= 2.3 < rarest  # initials, somewhere
    assert all(zipf_frequency(word, "en") == 0 for word in invented if len(word) > 4)


def test_all_units_are_no_localisation(fable_2m: LanguageModel, few: Recording) -> None:
    measurement = BrainAlignment(data="simulated_brain", folds=3)
    plain = measurement.measure(fable_2m, few)
    every = measurement.model_copy(update={"units": fable_2m.n_units}).measure(fable_2m, few)
    assert np.array_equal(plain.arrays["r"].values, every.arrays["r"].values)
    assert np.array_equal(every.arrays["r_random_units"].values, every.arrays["r"].values)


def test_the_result_says_which_units_were_chosen(localised: Result, fable_2m: LanguageModel) -> None:
    chosen = localised.arrays["language_units"]
    assert chosen.dims == ("layer", "unit")
    assert chosen.shape == (fable_2m.n_layers + 1, 12)
    found = localise(fable_2m, 12)
    assert np.array_equal(chosen.values, found.units)
    assert np.allclose(localised.arrays["language_units_t"].values, found.t_of_units)
    network = localised.details["language_network_by_layer"]
    assert sum(network) == round(0.01 * fable_2m.n_layers * fable_2m.n_units)


def test_as_many_random_units_stand_beside_them(localised: Result, fable_2m: LanguageModel, few: Recording) -> None:
    where = {"target": "mean", "participant": "mean", "layer": "4"}
    assert 0 < localised.value(**where, metric="r_random_units") < 1
    again = BrainAlignment(data="simulated_brain", folds=3, units=12).measure(fable_2m, few)
    assert np.array_equal(localised.arrays["r_random_units"], again.arrays["r_random_units"])
    other = BrainAlignment(data="simulated_brain", folds=3, units=12, seed=7).measure(fable_2m, few)
    assert not np.array_equal(localised.arrays["r_random_units"], other.arrays["r_random_units"])
    assert np.array_equal(localised.arrays["r"], other.arrays["r"])  # the seed draws random units, nothing else
    drawn = random_units(5, 30, 6, seed=3)
    assert np.array_equal(drawn, random_units(5, 30, 6, seed=3))
    assert all(len(set(layer)) == 6 for layer in drawn.tolist())


def test_an_untrained_twin_is_localised_in_itself(localised: Result, fable_2m: LanguageModel, few: Recording) -> None:
    twin = fable_2m.untrained(0)
    own = BrainAlignment(data="simulated_brain", folds=3, units=12).measure(twin, few)
    assert not np.array_equal(own.arrays["language_units"], localised.arrays["language_units"])
    assert np.allclose(own.arrays["r"], localised.arrays["r_untrained"], atol=1e-6)


def test_more_units_than_a_layer_has_are_refused(fable_2m: LanguageModel, few: Recording) -> None:
    with pytest.raises(BadInput, match=r"5000 language units .* layers of fable-2m have \d+ units; ask for at most"):
        BrainAlignment(data="simulated_brain", units=5000).measure(fable_2m, few)


def test_ties_are_broken_by_number_and_the_published_network_leaves_the_embedding_out() -> None:
    t = np.array([[9.0, 9.0, 9.0], [1.0, 2.0, 2.0], [3.0, 0.0, 2.5]])
    assert top_units(t, 2).tolist() == [[0, 1], [1, 2], [0, 2]]
    assert LanguageUnits(t, top_units(t, 1)).network_by_layer(share=0.5) == [0, 1, 2]


def test_the_option_of_the_command() -> None:
    done = CliRunner().invoke(app, ["brain", "fable-2m", "--data", "simulated_brain", "--units", "100000"])
    assert isinstance(done.exception, BadInput)
    done = CliRunner().invoke(app, ["brain", "fable-2m", "--data", "simulated_brain", "--units", "8", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    assert {"r", "r_random_units"} <= {row["metric"] for row in rows}
    assert {row["mapping"] for row in rows} == {"ridge, 8 language units"}
