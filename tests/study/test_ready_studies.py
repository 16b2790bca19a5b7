"""The studies that come with the project are what they say, and every model in them is in the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneshift.human import DATA_SETS
from tuneshift.models import embedded_names
from tuneshift.models.registry import find_card, model_cards
from tuneshift.study import load_study, plan
from tuneshift.study.demo import demo_study
from tuneshift.study.jobs import plan_jobs

FOLDER = Path(__file__).parents[2] / "studies"
READY = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def test_the_ready_studies_are_there() -> None:
    assert {"demo", "paper1", "paper2", "small_pairs", "fable_family", "reading_26_models"} <= set(READY)


@pytest.mark.parametrize("name", READY)
def test_a_ready_study_is_readable_and_can_be_planned(name: str) -> None:
    study = load_study(FOLDER / f"{name}.yaml")
    assert study.name == name
    assert study.notes
    assert plan_jobs(study)
    assert plan(study)["parameters"].notna().any()
    for entry in study.models:
        assert entry.surprisals is not None or find_card(entry.model or "") is not None, entry.label
    for measurement in study.measurements:
        data = getattr(measurement, "data", None)
        assert data is None or str(data).split(":")[0] in DATA_SETS, data


@pytest.mark.parametrize("name", ["paper1", "paper2", "small_pairs", "fable_family", "null_result", "demo"])
def test_every_tuned_model_stands_beside_its_base(name: str) -> None:
    study = load_study(FOLDER / f"{name}.yaml")
    for entry in study.models:
        card = entry.card
        assert card is not None
        if card.tuned_from:
            assert study.base_of(entry) is not None, entry.label


def test_paper_1_is_8_base_models_and_17_tuned_ones() -> None:
    study = load_study(FOLDER / "paper1.yaml")
    cards = [entry.card for entry in study.models if entry.card]
    assert len(cards) == 25
    assert all(card.paper1 for card in cards)
    assert sum(card.tuned_from is None for card in cards) == 8
    assert {card.name for card in model_cards() if card.paper1} == {card.name for card in cards}


def test_small_pairs_are_below_two_billion_parameters_and_every_base_has_its_tuned_model() -> None:
    study = load_study(FOLDER / "small_pairs.yaml")
    assert all((entry.n_parameters or 9e9) < 2e9 for entry in study.models)
    bases = [study.base_of(entry) for entry in study.models]
    tuned_from = {base.label for base in bases if base}
    assert tuned_from == {entry.label for entry, base in zip(study.models, bases, strict=True) if base is None}


def test_the_demo_study_is_the_one_that_the_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for data_set in DATA_SETS.values():
        monkeypatch.setattr(type(data_set), "is_here", lambda self: False)
    written, run = load_study(FOLDER / "demo.yaml"), demo_study()
    assert (written.models, written.measurements) == (run.models, run.measurements)


def test_the_embedded_models_are_all_in_the_family_study() -> None:
    assert {entry.label for entry in load_study(FOLDER / "fable_family.yaml").models} == set(embedded_names())
