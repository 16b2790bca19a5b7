"""What Python prints of a result is a few lines, and says which model it is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from fake_study import fake_revision, load_fake

import tuneshift as ts
from tuneshift.inside import PromptAttribution
from tuneshift.inside.attribution.attribution import Attribution
from tuneshift.models.known_base import known_base
from tuneshift.result import Result
from tuneshift.study import run
from tuneshift.study.store import Store

ROW = {"model": "m", "measurement": "reading", "dataset": "d", "metric": "pearson_r", "value": 0.1}


def attribution() -> Attribution:
    raw = np.array([[0.0, 0.1], [2.0, 1.0], [0.1, 0.0], [2.0, 3.0]], dtype=np.float32)
    none = np.zeros(4, dtype=bool)
    return Attribution(raw, np.ones(2), ("<s>", " say", " it", " say"), (" a", " b"), ~none, none)


def test_a_result_prints_what_was_measured_of_whom_and_how_much() -> None:
    rows = [ROW, {**ROW, "metric": "delta_ll"}, ROW]
    printed = str(Result.from_rows(rows, warnings=("look out",), details={"text": "x" * 9_000}))
    assert printed.splitlines() == [
        "Result of reading: m",
        "  3 rows in .table: pearson_r, delta_ll",
        "  1 to read in .warnings",
    ]
    assert repr(Result.from_rows([])).splitlines()[0] == "Result of -: -"


def test_a_result_with_many_metrics_names_the_first_of_them() -> None:
    printed = str(Result.from_rows([{**ROW, "metric": f"m{k}"} for k in range(11)]))
    assert "m0, m1, m2, m3, m4, m5, m6, m7 and 3 more" in printed


def test_a_study_prints_how_far_it_came(tmp_path: Path) -> None:
    study = {"name": "x", "models": ["m0"], "measurements": ["counted"]}
    results = run(study, out=tmp_path / "out", load_model=load_fake, revision_of=fake_revision)
    assert repr(results).splitlines() == [
        f"Study 'x' in {tmp_path / 'out'}: 1 measurements finished, 0 failed, 0 waiting",
        "  models: m0",
        "  10 rows in .table; more in .findings(), .pairs() and .correlations()",
        "  1 to read in .warnings",
    ]


def test_an_attribution_prints_its_strongest_tokens_and_gives_densities_under_them() -> None:
    densities = attribution().densities()
    assert list(densities.index) == ["<s>", " say", " it", " say"]  # a token that stands there twice stays twice
    np.testing.assert_array_equal(densities.to_numpy(), attribution().density)
    assert str(attribution()).splitlines()[0] == "Attribution of 2 response tokens to 4 prompt tokens"
    assert str(attribution()).splitlines()[1].startswith("  strongest by importance density: ' say' ")


def test_a_result_from_python_names_its_model_and_the_base_that_is_known() -> None:
    model = ts.load_model("fable-2m-instruct")
    scores = ts.reading_alignment(model, "simulated_reading", n_boot=0).table
    assert set(scores["model"]) == {"fable-2m-instruct"}
    assert set(scores["base_model"]) == {"fable-2m"}
    assert scores["tuned"].all()
    attributed = PromptAttribution(n_prompts=1, followed=False).run(ts.load_model("fable-2m")).table
    assert set(attributed["model"]) == {"fable-2m"}
    assert attributed["base_model"].isna().all()  # a base model has none


def test_a_folder_is_no_registered_model_for_being_called_like_one(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    assert known_base("fable-8m-instruct") == "fable-8m"
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr("tuneshift.models.known_base.find_card", lambda ref: find_fails(ref))
    assert known_base(str(tmp_path / "mine")) is None


def find_fails(ref: str) -> None:
    raise AssertionError(f"a folder was looked up by its name: {ref}")


def test_a_stored_cell_holds_no_name_since_models_of_the_same_weights_share_it(tmp_path: Path) -> None:
    models = ["fable-2m", {"model": "fable-2m", "name": "again"}]
    study = {"name": "x", "models": models, "measurements": [{"reading": {"data": "simulated_reading", "n_boot": 0}}]}
    results = run(study, out=tmp_path / "out")
    (fingerprint,) = {cell.fingerprint for cell in results.cells}
    stored = Store(tmp_path / "out").read(fingerprint).result.table
    assert stored[["model", "base_model", "tuned"]].isna().all(axis=None)
    assert [cell.result.table["model"].iloc[0] for cell in results.cells] == ["fable-2m", "again"]
