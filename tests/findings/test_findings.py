"""A study answers with at most seven findings: real people first, what holds before what does not, no more than it shows."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneshift.compare.over_pairs import mean_over_pairs
from tuneshift.findings import Findings, findings_of
from tuneshift.findings.finding import MOST_WORDS
from tuneshift.result import long_table
from tuneshift.vocabulary import Kind, Metric, Vocabulary, ours

BRAIN = {
    "measurement": "brain",
    "dataset": "alice2016",
    "split": "contiguous",
    "mapping": "ridge",
    "layer": "nested",
    "metric": "r",
}
READING = {"measurement": "reading", "dataset": "natural_stories", "mapping": "corrected", "metric": "pearson_r"}
PROMPTS = {
    "measurement": "attribution",
    "dataset": "fable_instructions",
    "mapping": "chat",
    "metric": "instruction_score",
}


def pair(what: dict[str, str], difference: float, /, reach: float = 0.01, **other: Any) -> dict[str, Any]:
    return {
        "model": "tuned", "base_model": "base", "target": "mean", "split": None, "layer": None, **what, "base": 0.3,
        "tuned": 0.3 + difference, "difference": difference, "ci_low": difference - reach, "ci_high": difference + reach,
        "p": 0.001 if abs(difference) > reach else 0.4, "n": 12, "n_up": 6, "over": "participants", "specification": "",
        **other,
    }  # fmt: skip


def study(
    *pairs: dict[str, Any], rows: list[dict[str, Any]] | None = None, vocabulary: Vocabulary | None = None
) -> Findings:
    table = long_table(rows or [{"model": p["model"], "base_model": p["base_model"], "value": 0.0} for p in pairs])
    results = SimpleNamespace(
        table=table, vocabulary=vocabulary or ours(), pairs=lambda: pd.DataFrame(list(pairs)),
        layer_links=pd.DataFrame, correlations=pd.DataFrame, runs=(),
    )  # fmt: skip
    return findings_of(results)  # type: ignore[arg-type]


def test_one_pair_is_told_in_plain_words_with_its_number_its_interval_and_its_sample() -> None:
    [finding] = study(pair(BRAIN, -0.02)).first
    assert finding.sentence == (
        "Tuning made tuned predict people's brain responses worse (alice2016): brain score r 0.280 against 0.300; "
        "difference −0.020 [−0.030 to −0.010], p = 0.001, 12 participants."
    )
    assert (finding.kind, finding.sign, finding.question, finding.rows) == (
        "difference",
        "lower",
        "brains",
        ("pair-0",),
    )


def test_a_null_says_what_it_excludes() -> None:
    [finding] = study(pair(READING, 0.004)).first
    assert finding.kind == "null"
    assert finding.sentence.startswith("No change is shown in how well its surprisal goes with people's reading times")
    assert "difference +0.004, outside −0.006 to 0.014 excluded (95%, 12 participants)" in finding.sentence


@pytest.mark.parametrize(
    ("other", "kind", "said"),
    [
        ({"ci_low": np.nan, "ci_high": np.nan, "p": np.nan}, "unknown", "No interval is known, so nothing is claimed"),
        ({"p": 0.2}, "null", "interval (0.010 to 0.030) and test (p = 0.200) disagree"),
        ({"difference": 0.0, "tuned": 0.3, "ci_low": 0.0, "ci_high": 0.0, "p": 1.0}, "null", "Tuning changed nothing"),
    ],
)
def test_nothing_more_is_claimed_than_interval_and_test_carry(other: dict[str, Any], kind: str, said: str) -> None:
    [finding] = study(pair(BRAIN, 0.02, **other)).first
    assert finding.kind == kind
    assert said in finding.sentence


def test_five_units_cannot_show_a_change_and_the_sentence_says_so() -> None:
    [finding] = study(pair(READING, 0.004, n=5, over="stories")).first
    assert finding.kind == "null"
    assert finding.sentence.startswith("5 stories are too few to show any change in how well its surprisal goes")
    [enough] = study(pair(READING, 0.004, n=6, over="stories")).first
    assert "excluded" in enough.sentence


def test_real_people_come_before_simulated_ones_and_differences_before_nulls() -> None:
    simulated = {**BRAIN, "dataset": "simulated_brain"}
    found = study(pair(simulated, 0.05), pair(BRAIN, 0.001), pair(READING, -0.05), pair(PROMPTS, 0.002)).first
    assert [(f.simulated, f.kind, f.question) for f in found] == [
        (False, "difference", "reading"), (False, "null", "brains"), (False, "null", "prompts"), (True, "difference", "brains"),
    ]  # fmt: skip


def test_of_many_findings_seven_are_chosen_and_every_question_has_its_first() -> None:
    many = [pair({**BRAIN, "dataset": f"d{i}"}, 0.05) for i in range(9)]
    found = study(*many, pair(READING, 0.001), pair(PROMPTS, 0.001))
    assert len(found.first) == 7
    assert {f.question for f in found.first} == {"brains", "reading", "prompts"}
    assert len(found.all) == 11


def test_many_pairs_are_counted_and_their_mean_has_an_interval_over_base_models() -> None:
    pairs = [
        pair(READING, d, model=f"t{i}", base_model=f"b{i}") for i, d in enumerate((-0.05, -0.04, -0.03, 0.001, 0.05))
    ]
    [finding] = study(*pairs).first
    assert finding.sentence.startswith(
        "In 3 of 5 pairs tuning made the model predict people's reading times worse, in 1 the opposite"
    )
    mean, low, high = mean_over_pairs(np.array([-0.05, -0.04, -0.03, 0.001, 0.05]), [f"b{i}" for i in range(5)])
    assert (
        f"change in correlation of surprisal with reading time: mean −0.014 [{low:.3f} to {high:.3f}]".replace("-", "−")
        in finding.sentence
    )
    assert (finding.sign, len(finding.bars), mean) == ("mixed", 5, pytest.approx(-0.0138))


def test_pairs_of_one_base_count_once_and_fewer_than_three_bases_give_no_interval() -> None:
    differences = np.array([0.1, 0.3, 0.0, 0.4])
    mean, low, high = mean_over_pairs(differences, ["a", "a", "b", "c"])
    assert mean == pytest.approx((0.2 + 0.0 + 0.4) / 3)
    assert (high - low) / 2 == pytest.approx(4.302653 * 0.2 / np.sqrt(3), rel=1e-6)  # t(2), spread of .2, 0, .4
    assert np.isnan(mean_over_pairs(differences, ["a", "a", "b", "b"])[1:]).all()


def test_two_settings_of_one_measurement_are_told_apart() -> None:
    pairs = [
        pair(READING, d, specification=f"reading natural_stories{s}") for d, s in ((0.05, ""), (0.04, " spillover=0"))
    ]
    found = study(*pairs).first
    assert [f.what for f in found] == [
        "correlation of surprisal with reading time (natural_stories, default settings)",
        "correlation of surprisal with reading time (natural_stories, spillover=0)",
    ]


def test_a_measurement_from_outside_gets_sentences_from_its_own_words() -> None:
    metric = Metric("preference", "preference for grammar", "bits", headline={}, what="how much it prefers grammar",
                    up="prefer grammatical sentences more", down="prefer grammatical sentences less")  # fmt: skip
    own = ours().with_kinds([Kind("minimal_pairs", "Minimal pairs", "other", metrics=(metric,))])
    row = {"measurement": "minimal_pairs", "dataset": "own sentences", "mapping": None, "metric": "preference"}
    [finding] = study(pair(row, 0.2), vocabulary=own).first
    assert finding.sentence.startswith("Tuning made tuned prefer grammatical sentences more (own sentences)")
    assert finding.question == "other"


def test_a_study_without_pairs_says_how_high_its_scores_are_and_whether_that_is_above_chance() -> None:
    row = {
        "model": "m",
        **BRAIN,
        "target": "mean",
        "participant": "mean",
        "value": 0.12,
        "ci_low": 0.05,
        "ci_high": 0.2,
        "ceiling": 0.3,
    }
    [finding] = study(rows=[row]).first
    assert finding.sentence == (
        "Brain score r of m on alice2016: 0.120 [0.050 to 0.200]; the interval lies above 0; noise ceiling 0.300."
    )


names = st.text("abcdefgh-0123456789", min_size=1, max_size=24)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from([BRAIN, READING, PROMPTS]), st.floats(-5000, 5000), st.floats(0, 100)),
        min_size=1,
        max_size=12,
    ),
    st.lists(names, min_size=12, max_size=12, unique=True),
)
def test_no_sentence_is_longer_than_a_reader_reads(
    what: list[tuple[dict[str, str], float, float]], models: list[str]
) -> None:
    found = study(*(pair(w, d, r, model=m) for (w, d, r), m in zip(what, models, strict=False)))
    assert len(found.first) <= 7
    for finding in found.all:
        assert len(finding.sentence.split()) <= MOST_WORDS
        assert finding.sentence.endswith(".")
        assert replace(finding) == finding
