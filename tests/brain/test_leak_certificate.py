"""Recordings without any relation to the text score 0, whatever their spectra; where they do not, a reader is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from time_series import driven, heard, sentences

from tuneshift.brain import BrainAlignment, brain_alignment
from tuneshift.brain.ceilings import noise_ceiling
from tuneshift.brain.encoding import Encoding
from tuneshift.brain.layer_scores import SurrogateScores
from tuneshift.brain.mappings import Mapping
from tuneshift.brain.partition import partition
from tuneshift.brain.surrogates import Exchanged, PhaseRandomised, surrogates
from tuneshift.brain.targets import target_blocks
from tuneshift.human import Recording, load_data
from tuneshift.models import LanguageModel
from tuneshift.numerics.haemodynamics import convolved
from tuneshift.result import Result

OVERALL = {"target": "mean", "participant": "mean"}
NESTED = {**OVERALL, "layer": "nested"}


@settings(deadline=None, max_examples=30)
@given(n=st.integers(40, 101), v=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_phases_drawn_anew_keep_every_spectrum_and_every_correlation_between_targets(n: int, v: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.standard_normal((n, v)), axis=0)
    made = PhaseRandomised(np.zeros(n), seed)(values, np.arange(n))
    power = [np.abs(np.fft.rfft(x - x.mean(axis=0), axis=0)) for x in (values, made)]
    assert np.allclose(power[0], power[1], atol=1e-8 * power[0].max())
    assert np.allclose(np.cov(values.T), np.cov(made.T))
    assert np.allclose(values.mean(axis=0), made.mean(axis=0))
    assert not np.allclose(values, made)


def test_every_run_and_every_surrogate_is_drawn_by_itself_and_again_the_same() -> None:
    cut = partition(heard(400, (200, 200)), "contiguous")
    values, rows = cut.recording.data.values, np.arange(400)
    first, second = surrogates(cut, 2, seed=5)
    assert np.array_equal(first(values, rows), surrogates(cut, 2, seed=5)[0](values, rows))
    assert not np.allclose(first(values, rows), second(values, rows))
    same = np.tile(values[:200], (2, 1))
    halves = np.split(first(same, rows), 2)
    assert not np.allclose(halves[0], halves[1])
    alone = first(values[200:], rows[200:])  # a participant who missed the first run
    assert np.allclose(alone, first(values, rows)[200:])


@settings(deadline=None, max_examples=20)
@given(n=st.integers(60, 401), seed=st.integers(0, 10**6))
def test_phases_leave_nothing_of_an_answer_near_its_word(n: int, seed: int) -> None:
    """An answer to one word, made a surrogate: free phases left up to a fifth of it in place, for all alike."""
    values = np.zeros((n, 1))
    values[n // 2] = 1.0
    made = PhaseRandomised(np.zeros(n), seed)(values, np.arange(n))[:, 0]
    assert np.linalg.norm(made) == pytest.approx(1.0, abs=0.05)
    # Left are the mean, the fastest frequency, which has no phase, and its neighbour: 1, 1 and 2 of n.
    assert abs(made[n // 2]) < 4.01 / n
    assert np.abs(made[n // 2 - 2 : n // 2 + 3]).max() < 4 / n + 60 / n**1.5  # free phases: 1 / sqrt(n), and more


def test_surrogates_of_a_strong_answer_in_one_run_score_nothing() -> None:
    """What phases leave in place is the same in training and test of one run: one unit scored .03 where 0 is true."""
    found = []
    for seed in range(10):
        recording = heard(drift=0.0, n_participants=2, seed=seed)
        rng = np.random.default_rng(300 + seed)
        assert recording.words is not None
        said = rng.standard_normal((len(recording.words.words), 1))
        answering = driven(recording, said, strength=5.0, seed=seed)
        heard_words = convolved(said, recording.words.offset, recording.data["time"].values)
        cut = partition(answering, "contiguous")
        assert (
            np.nanmean(Encoding(answering.data, target_blocks(answering.data, "h")[0], cut).scores(heard_words)) > 0.8
        )
        found += [scrambled_score(heard_words, answering, 20 * seed + draw) for draw in range(4)]
    assert abs(np.mean(found)) < 2.5 * np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 0.02


@settings(deadline=None, max_examples=30)
@given(lengths=st.lists(st.integers(3, 9), min_size=6, max_size=20), seed=st.integers(0, 10**6))
def test_no_passage_stays_where_it_was(lengths: list[int], seed: int) -> None:
    labels = np.repeat(np.arange(len(lengths)), lengths).astype(str)
    n = len(labels)
    made = Exchanged(labels, seed)(np.arange(float(n))[:, None], np.arange(n))[:, 0].astype(int)
    assert sorted(made) == list(range(n))
    assert (labels[made] == labels).mean() <= 0.1


@pytest.mark.parametrize("n_passages", [2, 3, 5])
def test_passages_too_few_to_change_places_give_no_certificate_and_a_reader_is_told(
    n_passages: int, fable_2m: LanguageModel
) -> None:
    """Among the surrogates of two passages was the recording itself, every second time, and a leak was announced."""
    result = brain_alignment(fable_2m, sentences(n_passages, 20), surrogates=20)
    assert not result.table["metric"].str.contains("surrogate").any()
    assert any(f"no surrogates were drawn: {n_passages} passages" in warning for warning in result.warnings)
    assert not any("leaks" in warning for warning in result.warnings)


def test_a_recording_without_a_score_has_no_p() -> None:
    assert np.isnan(SurrogateScores(np.zeros(20), np.zeros((20, 3)), float("nan")).p)


@pytest.mark.parametrize("mapping", ["rsa", "cka"])
def test_geometries_of_time_series_come_with_a_warning_and_without_a_share(
    mapping: Mapping, fable_2m: LanguageModel
) -> None:
    """People and text with nothing in common but their slowness reached half of a "ceiling"."""
    result = brain_alignment(fable_2m, heard(), mapping=mapping, surrogates=6)
    assert "r_normalised" not in set(result.table["metric"])
    assert any("compares geometries and fits nothing" in warning for warning in result.warnings)
    assert not any("training to test" in warning for warning in result.warnings)
    assert any("no share of the ceiling" in warning for warning in result.warnings)


def test_passages_change_places_whole_and_nobody_is_lost() -> None:
    labels = np.repeat(["a", "b", "c", "d", "e"], [3, 5, 2, 4, 6])
    values = np.arange(20.0)[:, None]
    made = Exchanged(labels, 1)(values, np.arange(20))[:, 0]
    assert sorted(made) == list(range(20))
    assert (np.diff(made) == 1).sum() >= 15  # neighbours stayed neighbours
    assert not np.array_equal(made, values[:, 0])


def scrambled_score(features: np.ndarray, recording: Recording, seed: int) -> float:
    cut = partition(recording, "contiguous")
    (variant,) = surrogates(cut, 1, seed)
    data = recording.data.copy(data=variant(recording.data.values, np.arange(recording.data.shape[0])))
    return float(np.nanmean(Encoding(data, target_blocks(data, "heard")[0], cut).scores(features)))


def test_slow_features_predict_nothing_of_a_slow_recording_without_a_relation_to_them() -> None:
    """Filtered over the whole recording, with 10 s of gap, such a recording scored .04 to .07."""
    found = []
    for seed in range(12):
        recording = heard(drift=5.0, n_participants=12, seed=seed)
        rng = np.random.default_rng(100 + seed)
        features = np.cumsum(rng.standard_normal((360, 40)), axis=0) + 3 * rng.standard_normal((360, 40))
        found.append(scrambled_score(features, recording, seed))
    assert abs(np.mean(found)) < 2.5 * np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 0.02


@pytest.fixture(scope="module")
def planted(fable_2m: LanguageModel) -> tuple[Result, Recording]:
    recording = heard(n_participants=3)
    assert recording.words is not None
    states = fable_2m.hidden_states([list(recording.words.words)])[:, 3]
    u, s, _ = np.linalg.svd(states - states.mean(axis=0), full_matrices=False)
    answering = driven(recording, u[:, :3] * s[:3], strength=2.0)
    return brain_alignment(fable_2m, answering, surrogates=9), answering


def test_beside_a_score_stand_mean_spread_and_p_of_its_surrogates(planted: tuple[Result, Recording]) -> None:
    result, _ = planted
    table = result.table.set_index("metric")
    assert result.value(**NESTED, metric="r") > 0.3
    assert abs(table.loc["r_surrogate", "value"]) < 0.1
    assert table.loc["r_surrogate", "n"] == 9
    assert table.loc["p_surrogate", "value"] == pytest.approx(0.1)  # the highest of ten
    made = result.arrays["r_surrogate"].values
    assert table.loc["sd_surrogate", "value"] == pytest.approx(made.std(ddof=1))
    reach = stats.t.ppf(0.975, 8) * made.std(ddof=1) / 3  # of 20 and more: two standard errors
    assert table.loc["r_surrogate", "ci_low"] == pytest.approx(made.mean() - reach)
    assert result.arrays["r_surrogate_by_layer"].shape == (9, 5)


def test_a_surrogate_goes_the_way_of_a_recording_that_was_given(
    planted: tuple[Result, Recording], fable_2m: LanguageModel
) -> None:
    """Layers and penalties are chosen for it anew; what only the text needs is shared."""
    result, recording = planted
    cut = partition(recording)
    variant = surrogates(cut, 9)[4]
    data = recording.data.copy(data=variant(recording.data.values, np.arange(360)))
    alone = brain_alignment(fable_2m, replace(recording, data=data))
    assert alone.value(**NESTED, metric="r") == pytest.approx(float(result.arrays["r_surrogate"][4]), abs=1e-6)


def test_controls_bring_the_certificate_and_a_number_may_be_given_without_them() -> None:
    assert BrainAlignment(data="x", controls=True)._n_surrogates() == 20
    assert BrainAlignment(data="x", controls=True, surrogates=0)._n_surrogates() == 0
    assert BrainAlignment(data="x")._n_surrogates() == 0
    assert BrainAlignment(data="x", surrogates=7)._n_surrogates() == 7


def test_where_something_leaks_a_reader_is_warned(fable_2m: LanguageModel) -> None:
    """Random scans held out of a drifting recording: neighbours give everything away."""
    leaking = brain_alignment(fable_2m, heard(n_participants=2), split="shuffled", surrogates=8)
    assert leaking.value(**NESTED, metric="r_surrogate") > 0.1
    assert any("something leaks from training to test" in warning for warning in leaking.warnings)
    sound = brain_alignment(fable_2m, heard(n_participants=2), split="contiguous", surrogates=8)
    assert not any("leaks" in warning for warning in sound.warnings)


def test_exchanged_passages_of_sentences_score_nothing(fable_8m: LanguageModel, simulated: Recording) -> None:
    few = simulated.data[:, np.isin(simulated.data["participant"].values, ["p01", "p02", "p03"])]
    result = brain_alignment(fable_8m, replace(simulated, data=few), surrogates=10)
    assert result.value(**NESTED, metric="r") > 0.3
    assert abs(result.value(**NESTED, metric="r_surrogate")) < 0.03
    assert result.value(**NESTED, metric="p_surrogate") == pytest.approx(1 / 11)


@pytest.fixture(scope="module")
def alice() -> Recording:
    recording = load_data("alice2016")
    assert isinstance(recording, Recording)
    return recording


@pytest.mark.usefixtures("real_data")
def test_scrambled_alice_scores_nothing_and_alice_does(fable_8m: LanguageModel, alice: Recording) -> None:
    result = brain_alignment(fable_8m, alice, split="contiguous", surrogates=20)
    made = result.arrays["r_surrogate"].values
    assert abs(made.mean()) < 2 * made.std(ddof=1) / np.sqrt(20)
    assert abs(made.mean()) < 0.01
    assert result.value(**NESTED, metric="r") >= 0.10
    assert result.value(**NESTED, metric="p_surrogate") == pytest.approx(1 / 21)
    assert not any("leaks" in warning for warning in result.warnings)


@pytest.mark.usefixtures("real_data")
def test_the_ceiling_of_scrambled_unrelated_people_is_0_within_noise(alice: Recording) -> None:
    """Each person's phases are drawn anew, so that nobody has anything in common with anybody."""
    cut = partition(alice, "contiguous")
    people = alice.data["participant"].values
    means = []
    for seed in range(12):
        values = alice.data.values.copy()
        for number, name in enumerate(alice.participants):
            variant = PhaseRandomised(np.asarray(cut.runs), 1000 * seed + number)
            values[:, people == name] = variant(values[:, people == name], np.arange(len(values)))
        ceiling = noise_ceiling("leave_one_out", alice.data.copy(data=values), cut)
        means.append(float(np.nanmean(ceiling.values)))
    assert abs(np.mean(means)) < 2.5 * np.std(means, ddof=1) / np.sqrt(len(means))


@pytest.mark.usefixtures("real_data")
def test_scores_do_not_fall_with_the_number_of_units(fable_8m: LanguageModel, alice: Recording) -> None:
    """2,048 and 4,096 tanh projections of the same states hold the same: they once scored half."""
    from tuneshift.brain.layer_features import LayerFeatures, model_states
    from tuneshift.brain.layer_scores import score_layers

    states = model_states(fable_8m, alice)[-1].astype(np.float64)
    standard = (states - states.mean(axis=0)) / states.std(axis=0)
    cut = partition(alice, "contiguous")
    encoding = Encoding(alice.data, target_blocks(alice.data, alice.name)[0], cut)

    def score(features: np.ndarray) -> float:
        made = LayerFeatures(features[None].astype(np.float32), alice)
        return float(np.nanmean(score_layers(made, encoding)[0].layers))

    narrow = score(states)
    for width in (2048, 4096):
        rng = np.random.default_rng(width)
        projections = np.tanh(standard @ rng.standard_normal((states.shape[1], width)) / np.sqrt(states.shape[1]))
        assert score(projections) >= 0.9 * narrow


def test_a_whole_recording_of_xarray_is_left_as_it_was(planted: tuple[Result, Recording]) -> None:
    _, recording = planted
    before = recording.data.copy(deep=True)
    cut = partition(recording)
    for variant in surrogates(cut, 2):
        variant(recording.data.values, np.arange(360))
    cut.cleaned(recording.data.values, cut.splits[0].train)
    xr.testing.assert_identical(recording.data, before)
