"""How a recording is cut: nothing of a held-out part touches another, in filters, z-scores, gaps and choices alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from time_series import heard, sentences

from tuneshift.brain import brain_alignment
from tuneshift.brain.partition import Partition, SplitName, partition
from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.models import LanguageModel
from tuneshift.numerics.haemodynamics import RESPONSE_SECONDS, high_pass


def apart(cut: Partition) -> float:
    """The smallest distance, in seconds, of a training scan from a test scan of the same split."""
    time = cut.recording.data["time"].values
    return min(float(np.abs(time[s.train.rows][:, None] - time[s.test.rows]).min()) for s in cut.splits)


@settings(deadline=None, max_examples=30)
@given(repetition_time=st.sampled_from([0.72, 1.5, 2.0, 3.0]), n_folds=st.integers(2, 6), seed=st.integers(0, 50))
def test_between_what_is_held_out_and_what_is_learned_from_lies_a_whole_response(
    repetition_time: float, n_folds: int, seed: int
) -> None:
    n_scans = int(900 / repetition_time)
    recording = heard(n_scans, (n_scans,), repetition_time, n_participants=1, n_regions=1, seed=seed)
    cut = partition(recording, "contiguous", n_folds)
    assert apart(cut) > RESPONSE_SECONDS
    for split in cut.splits:
        place = cut.place[split.train.rows]
        for kept, part in split.inner:
            assert np.abs(place[kept][:, None] - place[part]).min() > RESPONSE_SECONDS
    tested = np.concatenate([split.test.rows for split in cut.splits])
    assert sorted(tested) == list(range(n_scans))


def test_whole_runs_are_held_out_where_there_are_several_and_cleaned_each_by_itself() -> None:
    recording = heard(600, (200, 150, 250))
    cut = partition(recording, "contiguous")
    runs = recording.data["passage"].values
    assert len(cut.splits) == 3
    for split in cut.splits:
        assert len(set(runs[split.test.rows])) == 1
        assert not set(runs[split.test.rows]) & set(runs[split.train.rows])
        assert [len(stretch) for stretch in split.train.stretches] == [
            int((runs == run).sum()) for run in dict.fromkeys(runs[split.train.rows])
        ]
        for _, part in split.inner:
            assert len(set(runs[split.train.rows][part])) == 1


def test_runs_that_follow_each_other_without_a_pause_keep_the_gap_between_them() -> None:
    recording = heard(600, (100,) * 6, pause=0.0)
    for split in ("grouped", "contiguous"):
        assert apart(partition(recording, split)) > RESPONSE_SECONDS  # type: ignore[arg-type]


def test_nothing_within_a_held_out_block_changes_what_is_learned_from() -> None:
    """The filter once ran over the whole recording and tied both parts by their slow waves."""
    recording = heard()
    cut = partition(recording, "contiguous")
    for split in cut.splits:
        other = recording.data.values.copy()
        outside = np.setdiff1d(np.arange(len(other)), split.train.rows)
        other[outside] = np.random.default_rng(0).standard_normal((len(outside), other.shape[1])) * 100
        before, after = (cut.cleaned(values, split.train) for values in (recording.data.values, other))
        assert np.array_equal(before, after)
        other = recording.data.values.copy()
        other[split.train.rows] *= 17.0
        before, after = (cut.cleaned(values, split.test) for values in (recording.data.values, other))
        assert np.array_equal(before, after)


def test_every_stretch_is_filtered_and_z_scored_by_itself() -> None:
    recording = heard()
    cut = partition(recording, "contiguous")
    split = cut.splits[2]
    assert len(split.train.stretches) == 2  # before and after what is held out
    clean = cut.cleaned(recording.data.values, split.train)
    for stretch in split.train.stretches:
        mine = clean[np.isin(split.train.rows, stretch)]
        expected = high_pass(recording.data.values[stretch], 2.0, 128.0)
        assert np.allclose(mine, expected / expected.std(axis=0))


def test_a_missing_scan_ends_a_stretch() -> None:
    recording = heard()
    lost = replace(recording, data=recording.data[np.delete(np.arange(360), 100)])
    assert [len(s) for s in partition(lost, "contiguous", 2).splits[1].train.stretches] == [100, 80 - 16]


def test_stretches_shorter_than_a_response_are_not_learned_from() -> None:
    recording = heard(360, (120, 20, 120, 100), pause=0.0)
    for split in partition(recording, "contiguous", 4).splits:
        assert min(len(stretch) for stretch in split.train.stretches) >= 16


def test_held_out_passages_shorter_than_a_response_are_refused_with_words() -> None:
    recording = heard(360, (12,) * 30, pause=0.0)
    with pytest.raises(BadInput, match=r"heard: with 32 s between .* too little is left to (learn from|predict)"):
        partition(recording, "grouped")


def test_a_recording_too_short_for_its_gaps_is_refused_with_words(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="too little is left to predict; use fewer folds"):
        brain_alignment(fable_2m, heard(40, (40,)), split="contiguous")


def test_any_label_of_the_stimuli_may_be_held_out_whole(fable_2m: LanguageModel) -> None:
    recording = sentences()
    cut = partition(recording, group_by="topic")
    topics = recording.data["topic"].values
    for split in cut.splits:
        assert not set(topics[split.test.rows]) & set(topics[split.train.rows])
        for kept, part in split.inner:
            mine = topics[split.train.rows]
            assert not set(mine[kept]) & set(mine[part])
    result = brain_alignment(fable_2m, recording, group_by="topic")
    assert set(result.table["split"]) == {"grouped by topic"}


def test_features_that_know_only_the_topic_score_where_passages_are_held_out_and_not_where_topics_are() -> None:
    from tuneshift.brain.encoding import Encoding
    from tuneshift.brain.targets import target_blocks

    recording = sentences(n_passages=60)
    rng = np.random.default_rng(1)
    topics = np.array([int(topic.split()[1]) for topic in recording.data["topic"].values])
    values = rng.standard_normal((6, 4))[topics] + rng.standard_normal((240, 4))
    data = recording.data.copy(data=values)
    features = rng.standard_normal((6, 12))[topics] + 0.01 * rng.standard_normal((240, 12))
    scores = {}
    for label in ("passage", "topic"):
        cut = partition(replace(recording, data=data), "grouped", group_by=label)
        scores[label] = float(np.nanmean(Encoding(data, target_blocks(data, "read")[0], cut).scores(features)))
    assert scores["passage"] > 0.3
    assert scores["topic"] < 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group_by": "colour"}, r"no `colour` along its stimuli to group by; it has passage, topic"),
        ({"group_by": "region"}, r"no `region` along its stimuli"),
        ({"group_by": " "}, "give the name of a label"),
        (
            {"group_by": "topic", "split": "contiguous"},
            "group_by: topic goes with the grouped split, not with contiguous",
        ),
        (
            {"group_by": "topic", "folds": 9},
            "grouped splits into 9 folds need at least 9 groups to hold out, and there are 6",
        ),
    ],
)
def test_labels_that_cannot_be_held_out_are_refused_with_words(
    options: dict[str, object], said: str, fable_2m: LanguageModel
) -> None:
    with pytest.raises(BadInput, match=said):
        brain_alignment(fable_2m, sentences(), **options)


def crossed(n_passages: int = 24, length: int = 8) -> Recording:
    """Every second passage of one condition alone, the others of both."""
    recording = sentences(n_passages, length)
    number = np.arange(n_passages * length)
    condition = np.where((number // length) % 4 == 0, "ab"[0], np.where((number // length) % 4 == 1, "b", "c"))
    condition = np.where(((number // length) % 4 == 3) & (number % 2 == 0), "a", condition)
    return replace(recording, data=recording.data.assign_coords(condition=("stimulus", condition)))


def test_a_label_that_cuts_every_passage_cannot_be_held_out() -> None:
    recording = sentences()
    place = recording.data.assign_coords(place=("stimulus", [str(i % 4) for i in range(80)]))
    said = r"leaves 0 stimuli to learn from \(of a passage that is held out in part nothing is learned\)"
    with pytest.raises(BadInput, match=said):
        partition(replace(recording, data=place), group_by="place")


def test_of_a_passage_that_a_label_cuts_nothing_is_learned_while_its_rest_is_predicted() -> None:
    """Held out by a label that cuts passages, features that know only the passage once scored .67."""
    cut = partition(crossed(), group_by="condition")
    passages = cut.recording.data["passage"].values
    assert len(cut.splits) == 3  # there are three conditions, and nobody asked for five folds
    for split in cut.splits:
        learned, predicted = passages[split.train.rows], passages[split.test.rows]
        assert not set(learned) & set(predicted)
        for kept, part in split.inner:
            assert not set(learned[kept]) & set(learned[part])


@pytest.mark.parametrize(("n_passages", "length"), [(6, 16), (12, 8), (24, 6), (21, 4)])
def test_blocks_of_sentences_are_chosen_for_by_whole_passages_too(n_passages: int, length: int) -> None:
    """Cut within, passages made the penalties and layers that know a passage again look best."""
    cut = partition(sentences(n_passages, length), "contiguous")
    for split in cut.splits:
        passages = cut.recording.data["passage"].values[split.train.rows]
        for kept, part in split.inner:
            assert not set(passages[kept]) & set(passages[part])


def test_passages_longer_than_a_block_are_cut_outside_and_within_alike() -> None:
    cut = partition(sentences(2, 30), "contiguous")
    assert cut.kin is None
    assert all(len(split.train.rows) == 48 for split in cut.splits)


def test_a_random_split_has_as_many_folds_as_are_asked_for() -> None:
    assert len(partition(sentences(), "shuffled").splits) == 10
    assert len(partition(sentences(), "shuffled", 3).splits) == 3


def test_one_wild_value_flattens_no_other_stretch() -> None:
    """A sentinel of 1e9 once made every other stretch of its target constant."""
    recording = heard()
    cut = partition(recording, "contiguous")
    wild = recording.data.values.copy()
    wild[5] = 1e9
    late = cut.splits[-1].test
    assert np.array_equal(cut.cleaned(wild, late), cut.cleaned(recording.data.values, late))
    assert cut.cleaned(wild, late).std() == pytest.approx(1.0)


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_large_numbers_that_vary_are_no_constants_and_rounding_is(offset: float) -> None:
    recording = heard()
    cut = partition(recording, "contiguous")
    part = cut.splits[0].test
    varies = recording.data.values + offset
    assert np.allclose(cut.cleaned(varies, part), cut.cleaned(recording.data.values, part), atol=1e-5)
    rounding = offset * (1 + np.random.default_rng(0).integers(-1, 2, recording.data.shape) * np.finfo(float).eps)
    assert not cut.cleaned(rounding, part).any()


def test_a_stimulus_without_its_label_is_refused_with_its_number(fable_2m: LanguageModel) -> None:
    recording = sentences()
    topics = recording.data["topic"].values.copy()
    topics[[6, 9]] = ""
    data = recording.data.assign_coords(topic=("stimulus", topics))
    with pytest.raises(BadInput, match=r"`topic` of stimulus 7 is empty \(2 such\)"):
        brain_alignment(fable_2m, replace(recording, data=data), group_by="topic")


def test_a_block_of_sentences_takes_the_rest_of_the_passages_it_cuts_with_it() -> None:
    cut = partition(sentences(n_passages=21), "contiguous")
    passages = cut.recording.data["passage"].values
    for split in cut.splits:
        assert not set(passages[split.test.rows]) & set(passages[split.train.rows])


@pytest.mark.parametrize("split", ["grouped", "contiguous", "shuffled"])
def test_sentences_are_neither_filtered_nor_z_scored(split: SplitName) -> None:
    cut = partition(sentences(), split)
    values = cut.recording.data.values
    for each in cut.splits:
        assert np.array_equal(cut.cleaned(values, each.train), values[each.train.rows])


def test_random_scans_have_no_stretches_so_that_their_runs_are_cleaned_whole_which_leaks() -> None:
    cut = partition(heard(), "shuffled")
    whole = high_pass(cut.recording.data.values, 2.0, 128.0)
    whole /= whole.std(axis=0)
    assert np.allclose(cut.cleaned(cut.recording.data.values, cut.splits[0].test), whole[cut.splits[0].test.rows])
