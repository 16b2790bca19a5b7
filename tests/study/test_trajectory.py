"""Checkpoints of one run stand in the order of their steps, wherever the study named them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fake_study import fake_revision, load_fake

from tuneshift.study import StudyResults, load_study, run
from tuneshift.study.jobs import plan_jobs


def order(*models: Any) -> list[str]:
    study = load_study({"name": "x", "models": list(models), "measurements": ["counted"]})
    return [job.entry.label for job in plan_jobs(study)]


def of(base: str, *names: str) -> list[dict[str, str]]:
    return [{"model": name, "base": base} for name in names]


def test_steps_are_numbers_not_letters() -> None:
    assert order("b", *of("b", "checkpoint-100", "checkpoint-1000", "checkpoint-20")) == [
        "b", "checkpoint-20", "checkpoint-100", "checkpoint-1000",
    ]  # fmt: skip
    assert order("b", *of("b", "run-s200", "run-s50")) == ["b", "run-s50", "run-s200"]
    assert order("b", *of("b", "step1000", "step64")) == ["b", "step64", "step1000"]


def test_two_runs_keep_their_own_places_and_their_own_order() -> None:
    mixed = of("b", "with-100", "without-100", "with-20", "without-20")
    assert order("b", *mixed) == ["b", "with-20", "without-20", "with-100", "without-100"]


def test_models_that_are_no_checkpoints_of_one_run_stay_where_they_are() -> None:
    assert order("m2", "m1") == ["m2", "m1"]  # no base: two models that happen to be numbered
    assert order("a", "b", *of("a", "x-9"), *of("b", "x-1")) == ["a", "b", "x-9", "x-1"]  # two bases
    assert order("b", *of("b", "chat", "base-instruct")) == ["b", "chat", "base-instruct"]


def test_tables_and_pairs_follow_the_steps(tmp_path: Path) -> None:
    models = ["b", *of("b", "checkpoint-100", "checkpoint-20")]
    study = {"name": "x", "models": models, "measurements": ["counted"]}
    run(study, out=tmp_path / "out", load_model=load_fake, revision_of=fake_revision)
    results = StudyResults.load(tmp_path / "out")
    assert results.table["model"].unique().tolist() == ["b", "checkpoint-20", "checkpoint-100"]
    assert results.pairs()["model"].unique().tolist() == ["checkpoint-20", "checkpoint-100"]
