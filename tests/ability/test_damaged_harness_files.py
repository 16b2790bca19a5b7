"""Results files with damage in them: refused in one sentence, or everything in them is a row or is named."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from harness_files import GENERATED, LAYOUTS, V03, measured, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.ability import read_harness_results
from tuneshift.errors import BadInput


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"acc,none": math.nan}, r"task 'piqa': acc,none is not a number \(NaN\)"),
        ({"acc_norm": math.inf, "acc": 0.5}, "task 'piqa': acc_norm is infinite"),
        ({"word_perplexity,none": -math.inf}, "task 'piqa': word_perplexity,none is infinite"),
        ({"f1,none": 10**400}, "task 'piqa': f1,none is infinite"),
        ({"acc,none": 55.3}, "acc is 55.3, and a share lies from 0 to 1; if the file is in percent, divide"),
        ({"acc_norm,none": -0.5}, "acc_norm is -0.5, and a share lies from 0 to 1"),
        ({"exact_match,strict-match": 1.5}, "exact_match under strict-match is 1.5, and a share"),
        ({"word_perplexity": 0.5}, "word_perplexity is 0.5, and no perplexity is below 1"),
        ({"acc": 0.5, "acc,none": 0.6}, "'acc' and 'acc,none' are two numbers of one name"),
    ],
)
def test_a_number_that_cannot_be_is_refused_by_task_and_metric(
    tmp_path: Path, metrics: dict[str, float], words: str
) -> None:
    document = {"results": {"wikitext": {"word_perplexity": 12.5}, "piqa": metrics}}
    with pytest.raises(BadInput, match=rf"harness\.json, {words}" if words.startswith("task") else words):
        read(tmp_path, document)
    with pytest.raises(BadInput, match=words):
        read_harness_results(tmp_path / "harness.json")


@pytest.mark.parametrize(
    ("value", "kind"),
    [("0.5", "a text"), (None, r"nothing \(null\)"), (True, "a truth value"), ([0.5], "a list"), ({"a": 1}, "a table")],
)
def test_a_metric_that_is_no_number_is_named(tmp_path: Path, value: Any, kind: str) -> None:
    result = read(tmp_path, {"results": {"piqa": {"acc,none": 0.5, "f1,none": value}}})
    assert list(result.table["metric"]) == ["accuracy"]
    (said,) = [said for said in result.warnings if "left out" in said]
    assert said == f"1 left out ({kind.replace(chr(92), '')} where a number is expected): f1,none of piqa"
    with pytest.raises(BadInput, match=rf"holds no score of any task \(1 left out \({kind}"):
        read(tmp_path, {"results": {"piqa": {"f1,none": value}}})


@pytest.mark.parametrize("error", [math.nan, math.inf, -0.1, "about 0.1", True, [0.1]])
def test_a_standard_error_that_is_none_gives_no_interval_and_says_so(tmp_path: Path, error: Any) -> None:
    result = read(tmp_path, {"results": {"piqa": {"acc,none": 0.5, "acc_stderr,none": error}}})
    assert result.table[["ci_low", "ci_high"]].isna().all(axis=None)
    assert any(said.startswith("1 without an interval (its standard error is") for said in result.warnings)
    assert any(said.endswith(": acc,none of piqa") for said in result.warnings)


def test_a_standard_error_that_was_not_estimated_is_nothing_to_say(tmp_path: Path) -> None:
    result = read(tmp_path, {"results": {"piqa": {"acc,none": 0.5, "acc_stderr,none": "N/A"}}, "model_name": "mine"})
    assert result.table[["ci_low", "ci_high"]].isna().all(axis=None)
    assert len(result.warnings) == 1


def test_a_task_that_is_no_table_a_lonely_error_and_an_unscored_task_are_named(tmp_path: Path) -> None:
    scores = {"piqa": {"acc": 0.5, "f1_stderr": 0.1}, "sciq": 0.5, "gsm8k": {"bypass,none": 999}}
    result = read(tmp_path, {"results": scores})
    assert result.details["left_out"] == {
        "f1_stderr of piqa": "a standard error without its metric",
        "sciq": "a number where a table of metrics is expected",
        "bypass,none of gsm8k": "the harness's sign that nothing was scored",
    }
    assert sum("left out" in said for said in result.warnings) == 3


@pytest.mark.parametrize("limit", [10**400, 0.1, math.nan])
def test_a_limit_of_any_size_is_a_trial(tmp_path: Path, limit: float) -> None:
    result = read(tmp_path, {"results": {"piqa": {"acc": 0.5}}, "config": {"limit": limit}})
    assert any(f"(limit {limit}): a trial, not a result" in said for said in result.warnings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"results": {"piqa": {"acc": 0.5}, "piqa": {"acc": 0.6}}}', "'piqa' stands 2 times in one place; keep"),
        ('{"results": {"piqa": {"acc": 0.5, "acc": 0.5}}}', "'acc' stands 2 times in one place"),
        ('{"results": []}', "holds no table of tasks under 'results' but a list"),
        ('{"results": {}}', "holds no score of any task"),
        ("", "cannot be read as JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"results": {"piqa": {"acc": ' + "9" * 5000 + "}}}", "cannot be read as JSON"),
        ('{"doc_id": 0, "doc": {}, "acc": 1}\n{"doc_id": 1, "doc": {}, "acc": 0}\n', "answers to single questions"),
        ('{"doc_id": 0, "doc": {}, "acc": 1}', "answers to single questions"),
        ('[{"doc_id": 0, "doc": {}, "acc": 1}]', "answers to single questions"),
        (r'{"results": {"\ud800": {"acc": 0.5}}}', "half a letter"),
    ],
)
def test_a_file_that_holds_no_results_says_what_it_is(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=words) as refusal:
        measured(path)
    assert "results.json" in str(refusal.value)
    assert "\n" not in str(refusal.value)


JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.text(max_size=4), st.floats(), st.integers(), st.just(10**400),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)  # fmt: skip
NAMES = st.sampled_from(["acc", "acc,none", "acc_stderr,none", "mmlu", "a|b|1", "all", "alias", ",", "", "bbh", "é"])
NO_METRIC = ("alias", "name", "sample_len", "sample_count", "samples", "task", "version", " ")


def damaged(document: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """A copy with something in it replaced, renamed or taken away."""
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = document
        while True:
            key = data.draw(st.sampled_from(sorted(place)))
            if isinstance(place[key], dict) and place[key] and data.draw(st.integers(0, 5)):
                place = place[key]
                continue
            break
        how = data.draw(st.sampled_from(["replace", "rename", "remove"]))
        value = place.pop(key)
        if how != "remove":
            place[data.draw(NAMES) if how == "rename" else key] = value if how == "rename" else data.draw(JUNK)
        if not document:
            break
    return document


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_damaged_every_task_and_metric_is_a_row_or_is_named(
    tmp_path: Path, layout: str, data: st.DataObject
) -> None:
    document = damaged(LAYOUTS[layout], data)
    refusal = ""
    try:
        result = read(tmp_path, document)
    except BadInput as error:
        refusal = str(error)
    assert not refusal or ("harness.json" in refusal and "\n" not in refusal)
    if refusal:
        return
    said = " ".join(result.warnings)
    rows = result.table
    assert all(math.isfinite(value) for value in rows["value"])
    for task, metrics in document["results"].items():
        if not isinstance(metrics, dict):
            assert " ".join(task.split()) in said
            continue
        if task == "all" and "unlike tasks): all" in said:
            continue
        for key, value in metrics.items():
            named = " ".join(f"{key} of {task}".split())
            if key not in NO_METRIC and not key.partition(",")[0].endswith("_stderr"):
                assert named in said or (rows["value"] == value).any(), (task, key)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), piece=st.binary(max_size=3), cut=st.integers(0, 3))
def test_bytes_that_are_damaged_are_refused_or_read(tmp_path: Path, at: int, piece: bytes, cut: int) -> None:
    raw = json.dumps(V03 | GENERATED).encode()
    path = tmp_path / "harness.json"
    path.write_bytes(raw[:at] + piece + raw[at + cut :])
    refusal = ""
    try:
        measured(path)
    except BadInput as error:
        refusal = str(error)
    assert not refusal or ("harness.json" in refusal and "\n" not in refusal)
