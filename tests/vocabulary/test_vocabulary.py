"""Every number that is measured is declared once, and nobody else keeps a list of what there is to measure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.study.measurements import known_kinds, measurement_class
from tuneshift.vocabulary import OUR_KINDS, QUESTIONS, Kind, Metric, Vocabulary, ours

SOURCES = Path(__file__).resolve().parents[2] / "src" / "tuneshift"
ROOMS_THAT_MAY = ("vocabulary", "brain", "reading", "inside", "ability")
KINDS = {kind.name for kind in OUR_KINDS}


def test_every_kind_of_ours_is_a_measurement_that_names_its_metrics() -> None:
    assert set(known_kinds()) >= KINDS
    for kind in OUR_KINDS:
        assert measurement_class(kind.name).metrics == kind.metrics
        assert measurement_class(kind.name).meaning() is kind
        assert kind.question in QUESTIONS
        assert len({metric.name for metric in kind.metrics}) == len(kind.metrics)


def test_what_stands_beside_a_metric_or_is_followed_by_it_is_declared_too() -> None:
    for kind in OUR_KINDS:
        for metric in kind.metrics:
            for other in (*metric.beside, *([metric.follows] if metric.follows else [])):
                assert kind.metric(other) is not None, f"{kind.name} {metric.name} names {other}"


def test_a_headline_has_plain_words_for_up_and_down() -> None:
    for kind in OUR_KINDS:
        for metric in kind.metrics:
            if metric.headline is not None:
                assert metric.what
                assert metric.up
                assert metric.down
                assert metric.family


def test_what_nobody_declared_is_a_score_under_its_own_name() -> None:
    assert ours().metric("minimal_pairs", "own_score") == Metric("own_score", "own score")
    assert ours().metric("ability", "acc_norm").role == "detail"  # the same ability again
    assert ours().kind("minimal_pairs").question == "other"


names = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=8)
metrics = st.builds(
    Metric,
    names,
    st.text(max_size=20),
    st.sampled_from(["", "bits"]),
    st.sampled_from(["score", "detail", "control"]),
    where=st.dictionaries(st.sampled_from(["layer", "mapping"]), st.tuples(names)),
    headline=st.none() | st.just({}) | st.just({"mapping": ("a", "b")}),
    chance=st.none() | st.floats(-1, 1),
    beside=st.lists(names, max_size=2).map(tuple),
    unmoved=st.sampled_from([0.0, 1.0]),
    movement=st.booleans(),
)


@given(metrics)
def test_a_declaration_comes_back_from_the_study_file_as_it_was(metric: Metric) -> None:
    declared = Vocabulary().with_kinds([Kind("own", "Own", "brains", "Is it?", (metric,))]).declared()
    found = Vocabulary.of_declared(declared)
    assert found.metric("own", metric.name) == metric
    assert found.kind("own").title == "Own"
    assert found.kind("own").question == "brains"


def test_a_study_file_cannot_change_what_our_numbers_mean() -> None:
    found = Vocabulary.of_declared({"brain": {"title": "Other", "metrics": [{"name": "r", "label": "something else"}]}})
    assert found.label("brain", "r") == "brain score r"


@pytest.mark.parametrize("wrong", [{"role": "hero"}, {"direction": "sideways"}])
def test_a_word_that_the_vocabulary_does_not_have_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"metric x: the (role|direction)"):
        Metric("x", "x", **wrong)  # type: ignore[arg-type]


def test_no_list_of_kinds_stands_outside_the_vocabulary_and_the_measurements() -> None:
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        if path.relative_to(SOURCES).parts[0] in ROOMS_THAT_MAY:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = list(node.elts) if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
            parts += [key for key in node.keys if key is not None] if isinstance(node, ast.Dict) else []
            texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
            if len(texts & KINDS) > 2:
                found.append(f"{path.relative_to(SOURCES)}, line {node.lineno}: {sorted(texts & KINDS)}")
    assert found == []
