"""What must be known before any number is said, and methods and citations are of what was run, and of nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tuneshift.findings.cautions import cautions
from tuneshift.report.page.contents import contents
from tuneshift.report.sections.methods import methods
from tuneshift.result import long_table
from tuneshift.study import StudyResults


def table(measurement: str, **values: Any) -> pd.DataFrame:
    return long_table(
        [{"model": "m", "measurement": measurement, "metric": "r", "participant": "mean", "value": 0.1, **values}]
    )


@pytest.mark.parametrize(
    ("values", "study", "said"),
    [
        ({"dataset": "simulated_brain", "ceiling": 0.4}, {}, "say nothing about people"),
        (
            {"dataset": "alice2016", "split": "shuffled", "ceiling": 0.4},
            {},
            "Shuffled split leaks neighbours: on alice2016",
        ),
        (
            {
                "dataset": "mine",
                "split": "contiguous",
                "ceiling": 0.4,
                "metric": "r_surrogate",
                "value": 0.055,
                "ci_low": 0.048,
                "ci_high": 0.062,
            },
            {},
            "Leak on mine (contiguous split): surrogate recordings without any relation to the text score +0.055 for m",
        ),
        ({"dataset": "mine"}, {}, "Ceiling unknown: mine gives no noise ceiling"),
        (
            {"dataset": "mine", "ceiling": 0.4},
            {"models": [{"model": "a/b", "trust_remote_code": True}]},
            "trust_remote_code was set",
        ),
    ],
)
def test_each_caution_is_given_where_it_holds(values: dict[str, Any], study: dict[str, Any], said: str) -> None:
    [sentence] = cautions(table("brain", **values), study)
    assert said in sentence


def test_no_caution_is_given_where_none_holds() -> None:
    assert list(cautions(table("brain", dataset="alice2016", split="grouped", ceiling=0.4), {"models": ["gpt2"]})) == []


def test_surrogates_around_0_are_no_leak() -> None:
    rows = table("brain", dataset="mine", metric="r_surrogate", value=0.01, ci_low=-0.002, ci_high=0.022, n=20)
    assert list(cautions(rows, {})) == []


def brain_methods(mapping: str = "ridge", facts: dict[str, Any] | None = None, **settings: Any) -> str:
    rows = table("brain", dataset="mine", split="contiguous", mapping=mapping, ceiling=0.4)
    return " ".join(methods(rows, {"brain": [{**settings, "facts": facts or {}}]}).paragraphs)


def test_penalties_are_described_where_there_are_any() -> None:
    assert "penalty of each target chosen by leaving out whole passages" in brain_methods()
    assert "which has no penalty" in brain_methods("linear")
    for mapping in ("linear", "rsa", "cka"):
        assert "penalty of each target" not in brain_methods(mapping)
    assert "from 32 language units" in brain_methods("ridge, 32 language units")


def test_the_ceiling_is_described_as_the_one_that_was_computed() -> None:
    told = brain_methods(
        facts={"ceiling": "root of the reliability, from random halves of the people (Spearman-Brown)"}
    )
    assert "random halves of the people" in told
    assert "leave-one" not in told


def test_time_series_are_described_where_there_were_any() -> None:
    assert "haemodynamic" not in brain_methods()
    facts = {"gap_seconds": 32.0, "high_pass_seconds": 128.0}
    told = brain_methods(facts=facts)
    assert "convolved with the canonical haemodynamic response" in told
    assert "high-passed at 128 s and z-scored by itself" in told
    assert "with 32 s" in told
    fitted = brain_methods(facts={**facts, "high_pass_seconds": None, "delays_seconds": [2.0, 4.0, 6.0, 8.0]})
    assert "given at 4 delays from 2 to 8 s" in fitted
    assert "high-passed" not in fitted
    assert "canonical" not in fitted


def test_only_what_was_run_is_described_and_cited() -> None:
    reading = methods(table("reading", dataset="natural_stories", mapping="corrected"), {})
    assert [text.split()[0] for text in reading.paragraphs] == ["Reading"]
    assert "wu2024language" not in reading.bibtex
    assert "aw2023instruction" in reading.bibtex
    inside = methods(table("internals"), {})
    assert "wu2024language" in inside.bibtex
    assert "aw2023instruction" not in inside.bibtex
    assert "kornblith" not in inside.bibtex  # no hidden states were compared


def test_a_whole_study_names_its_methods_versions_data_and_warnings(results: StudyResults) -> None:
    made = contents(results)
    told = " ".join(made.methods.paragraphs)
    for part in (
        "grouped split",
        "corrected",
        "Prompt attribution",
        "linear CKA",
        "neighbouring layers are alike",
        "Untrained twins",
    ):
        assert part in told
    programs = {row[0] for table in made.provenance.tables if table.caption == "Versions." for row in table.rows}
    assert {"python", "torch", "transformers", "tuneshift"} <= programs
    data_sets = {row[0] for table in made.provenance.tables if table.caption == "Data sets." for row in table.rows}
    assert data_sets == {"simulated_brain", "simulated_reading", "fable_instructions"}
    assert any("Simulated participants" in warning for warning in made.provenance.warnings)


def test_brains_are_shown_by_layer_and_by_region_with_ceiling_and_untrained_twin(results: StudyResults) -> None:
    [brain] = [section for section in contents(results).sections if section.key == "brain"]
    figures = {block.key.split("-simulated")[0]: block for block in brain.blocks if block.kind == "figure"}
    for key in ("brain-layers", "brain-regions"):
        names = {trace["name"] for trace in figures[key].data}
        assert {"fable-2m", "fable-2m-instruct", "noise ceiling", "fable-2m, untrained twin"} <= names
    regions = results.table.loc[results.table["measurement"] == "brain", "target"].dropna().unique()
    assert set(figures["brain-regions"].layout["panels"]["titles"]) <= set(regions)
