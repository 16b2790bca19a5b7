"""Checkpoints of one run have one sentence a measure, and count once, by the last of them, wherever pairs are counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_findings import BRAIN, PROMPTS, READING, names, pair

from tuneshift.compare.trajectories import Run, counted_once
from tuneshift.findings import Findings, findings_of
from tuneshift.findings.cautions import cautions
from tuneshift.findings.finding import MOST_WORDS
from tuneshift.result import long_table
from tuneshift.vocabulary import ours

STEPS = (50, 100, 150, 200)
RUN = Run("with", "base", tuple((f"with-{step}", step) for step in STEPS))


def study(*pairs: dict[str, Any], runs: tuple[Run, ...] = (RUN,)) -> Findings:
    table = long_table([{"model": p["model"], "base_model": p["base_model"], "value": 0.0} for p in pairs])
    results = SimpleNamespace(
        table=table, vocabulary=ours(), pairs=lambda: pd.DataFrame(list(pairs)), layer_links=pd.DataFrame,
        correlations=pd.DataFrame, runs=runs,
    )  # fmt: skip
    return findings_of(results)  # type: ignore[arg-type]


def checkpoints(what: dict[str, str], *differences: float, **other: Any) -> list[dict[str, Any]]:
    return [pair(what, d, model=f"with-{step}", **other) for d, step in zip(differences, STEPS, strict=False)]


def test_a_run_has_one_sentence_a_measure_that_says_where_it_began_ended_and_turned() -> None:
    [finding] = study(*checkpoints(BRAIN, -0.031, -0.032, -0.024, -0.023)).all
    assert finding.sentence == (
        "Over the 4 checkpoints of run with (alice2016), brain score r fell from 0.300 (base) to 0.277 by step 200, lowest "
        "0.268 at step 100; difference −0.023 [−0.033 to −0.013], 12 participants, p = 0.001."
    )
    assert (finding.kind, finding.sign, finding.each) == ("difference", "lower", "checkpoints")
    assert finding.rows == ("pair-0", "pair-1", "pair-2", "pair-3")
    assert [(bar.label, bar.value) for bar in finding.bars] == [
        ("step 50", -0.031), ("step 100", -0.032), ("step 150", -0.024), ("step 200", -0.023),
    ]  # fmt: skip


def test_a_peak_on_the_way_makes_no_finding_of_a_run_that_ends_where_it_began() -> None:
    [finding] = study(*checkpoints(READING, 0.015, 0.007, 0.004, 0.004)).all
    assert (finding.kind, finding.sign) == ("null", "")
    assert finding.sentence == (
        "Over the 4 checkpoints of run with (natural_stories), no change is shown by step 200 in correlation of surprisal "
        "with reading time: 0.304 against 0.300 (base), highest 0.315 at step 50; difference +0.004, outside −0.006 to 0.014 "
        "excluded."
    )


def test_a_last_checkpoint_that_is_the_highest_is_not_said_twice() -> None:
    [finding] = study(*checkpoints(PROMPTS, 0.05, 0.06, 0.07, 0.08)).all
    assert "rose from 0.300 (base) to 0.380 by step 200; difference" in finding.sentence


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"n": 5, "over": "stories"}, "; 5 stories are too few."),
        ({"ci_low": None, "ci_high": None}, "no change is claimed by step 200"),
        ({"p": 0.01}, "; interval (−0.009 to 0.011) and test (p = 0.010) disagree."),
    ],
)
def test_no_more_is_said_of_a_run_than_its_last_checkpoint_carries(last: dict[str, Any], said: str) -> None:
    [finding] = study(*checkpoints(BRAIN, 0.05, 0.05, 0.05), pair(BRAIN, 0.001, model="with-200", **last)).all
    assert finding.kind in ("null", "unknown")
    assert said in finding.sentence


def test_rows_are_told_by_steps_however_the_table_lists_them() -> None:
    forwards = checkpoints(BRAIN, -0.01, -0.03, -0.02, -0.05)
    [one], [other] = study(*forwards).all, study(*reversed(forwards)).all
    assert one.sentence == other.sentence
    assert other.rows == ("pair-3", "pair-2", "pair-1", "pair-0")


def test_among_other_pairs_a_run_counts_once_and_the_sentence_says_so() -> None:
    others = [pair(BRAIN, 0.05, model=f"t{i}", base_model=f"b{i}") for i in range(3)]
    counted, run = study(*checkpoints(BRAIN, -0.05, -0.05, -0.05, 0.001), *others).all
    assert "Over the 4 checkpoints of run with" in run.sentence
    assert counted.sentence.startswith("In 3 of 4 pairs tuning made the model predict people's brain responses better")
    assert "(alice2016, runs by their last checkpoint)" in counted.sentence
    assert counted.rows == ("pair-3", "pair-4", "pair-5", "pair-6")
    assert "of 7" not in counted.sentence


def test_two_runs_on_one_base_are_two_sentences_and_no_two_pairs() -> None:
    without = Run("without", "base", (("without-50", 50), ("without-100", 100)))
    pairs = [*checkpoints(BRAIN, 0.01, 0.05), *(pair(BRAIN, 0.05, model=model) for model in without.models)]
    found = study(*pairs, runs=(RUN, without))
    assert [finding.what for finding in found.all] == [
        "brain score r (alice2016, run with)",
        "brain score r (alice2016, run without)",
    ]
    assert found.count.startswith("Of 2 comparisons of a tuned model with its base, 2 show a difference")
    assert found.count.endswith("Checkpoints of a run are one model, the last of them.")


def test_a_checkpoint_measured_alone_is_a_pair_like_any_other() -> None:
    [finding] = study(*checkpoints(BRAIN, -0.02)).all
    assert finding.sentence.startswith("Tuning made with-50 predict people's brain responses worse")


def test_a_table_without_the_last_checkpoint_keeps_the_last_that_it_has() -> None:
    rows = pd.DataFrame({"model": ["base", "with-50", "with-100", "with-100", "other"]}, index=[3, 5, 7, 8, 9])
    assert counted_once(rows, [RUN]).index.tolist() == [3, 7, 8, 9]
    assert counted_once(rows, []).index.tolist() == [3, 5, 7, 8, 9]


def test_what_was_guessed_is_said_and_what_was_declared_is_not() -> None:
    table = long_table([])
    assert list(cautions(table, {}, [RUN])) == []
    guessed = Run("with", "base", RUN.steps, "the names of folders")
    assert list(cautions(table, {}, [guessed])) == [
        "Checkpoints taken for one run by the names of folders: with. It counts once, by its last checkpoint; declare run: "
        "and step: in the study to say otherwise."
    ]


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([BRAIN, READING, PROMPTS]),
    st.lists(st.tuples(st.floats(-5000, 5000), st.floats(0, 100)), min_size=2, max_size=4),
    st.integers(0, 3),
    names,
    names,
)
def test_no_sentence_of_a_run_is_longer_than_a_reader_reads(
    what: dict[str, str], differences: list[tuple[float, float]], others: int, base: str, setting: str
) -> None:
    models = [model for model, _ in RUN.steps]
    told = {"base_model": base, "specification": f"x {setting}=1"}
    pairs = [pair(what, d, r, model=m, **told) for (d, r), m in zip(differences, models, strict=False)]
    pairs += [pair(what, 5.0, 1.0, model=f"t{i}", **told) for i in range(others)]
    pairs += [{**one, "specification": f"x {setting}=2"} for one in pairs]
    run = Run("a run (with-50 to with-200)", base, RUN.steps)
    for finding in study(*pairs, runs=(run,)).all:
        assert len(finding.sentence.split()) <= MOST_WORDS, finding.sentence
        assert finding.sentence.endswith(".")
