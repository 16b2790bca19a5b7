"""The registry: every row has the shape of a model, every pair fits, and the hub is asked for the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import COMMIT, fake_hub

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel, embedded_names
from tuneshift.models.registry import REGISTRY_FILE, ModelCard, find_card, model_cards, read_cards
from tuneshift.models.registry_check import CardCheck, check_cards

CARDS = read_cards(REGISTRY_FILE)
BY_NAME = {card.name: card for card in CARDS}
MODERN_FAMILIES = {"llama-3", "qwen2.5", "qwen3", "mistral", "gemma-2", "gemma-3", "smollm2", "olmo-2", "pythia", "phi"}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_row_has_the_shape_of_a_model(card: ModelCard) -> None:
    embedded = card.name in embedded_names()
    assert card.verified is embedded, "only what was loaded here may be called verified"
    assert (card.hub_id is None) == (embedded or card.family == "gpt-3")
    if card.hub_id is not None:
        owner, _, name = card.hub_id.partition("/")
        assert owner
        assert name
        assert "/" not in name
        assert " " not in card.hub_id
        assert 1e7 < (card.parameters or 0) < 1e11
    if card.tuned_from is not None:
        base = BY_NAME[card.tuned_from]
        assert base.family == card.family
        assert card.parameters == pytest.approx(base.parameters, rel=0.02), "tuning does not change the size"
        assert card.name != base.name
    assert not (card.paper1 and card.hub_id is None)


def test_no_model_stands_in_the_registry_twice() -> None:
    ids = [card.hub_id for card in CARDS if card.hub_id]
    assert len(ids) == len(set(ids))


def test_the_registry_has_the_25_models_of_paper_1_and_the_modern_families() -> None:
    assert sum(card.paper1 for card in CARDS) == 25
    families = {card.family for card in CARDS if card.tuned_from}
    assert families >= MODERN_FAMILIES
    assert any(family.startswith("falcon") for family in families)


@pytest.mark.parametrize("name", embedded_names())
def test_the_embedded_models_have_the_size_that_is_written(name: str) -> None:
    model = LanguageModel.load(name)
    assert model.n_parameters == BY_NAME[name].parameters


def test_a_model_is_found_by_its_name_and_by_its_hub_id() -> None:
    assert find_card("flan-t5-xl") is find_card("google/flan-t5-xl")
    assert find_card("nobody/knows-it") is None


def test_a_users_own_rows_are_added_and_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "models:\n  - {name: my-model, hub_id: me/my-model, family: mine, tuned_from: gpt2}\n"
        "  - {name: gpt2, hub_id: me/gpt2, family: gpt2}\n"
    )
    monkeypatch.setenv("TUNESHIFT_MODELS", str(mine))
    assert find_card("my-model") == ModelCard(name="my-model", hub_id="me/my-model", family="mine", tuned_from="gpt2")
    assert len(model_cards()) == len(CARDS) + 1
    assert find_card("gpt2") == ModelCard(name="gpt2", hub_id="me/gpt2", family="gpt2")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("- {name: x, family: y, sise: 3}", "row 1: sise"),
        ("- {name: x, family: y}\n  - {name: x, family: y}", "row 2: 'x' is given twice"),
        ("- {name: x, family: y, parameters: -1}", "row 1: parameters"),
        ("- {name: x, family: y, tuned_from: gtp2}", "did you mean 'gpt2'?"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, said: str) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"models:\n  {rows}\n")
    monkeypatch.setenv("TUNESHIFT_MODELS", str(mine))
    with pytest.raises(BadInput) as refused:
        model_cards()
    assert said in str(refused.value)


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with fake_hub() as address:
        yield address


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # the hub on this machine may be asked


def checked(hub: str, hub_id: str, **facts: object) -> CardCheck:
    base = ModelCard(name="base", hub_id="good/model", family="f")
    card = ModelCard.model_validate({"name": "x", "hub_id": hub_id, "family": "f", **facts})
    return list(check_cards([base, card], hub))[1]


@pytest.mark.parametrize(
    ("hub_id", "facts", "state", "found"),
    [
        ("good/model", {"parameters": 1e6}, "as described", ""),
        ("good/model", {"parameters": 1e6, "revision": COMMIT}, "as described", ""),
        ("good/tuned", {"parameters": 1e6, "tuned_from": "base"}, "as described", ""),
        ("good/gated", {"parameters": 1e6}, "gated", "accept its licence"),
        ("good/closed", {}, "gated", "accept its licence"),
        ("good/larger", {"parameters": 1e6}, "differs", "2,000,000 parameters, the registry says 1,000,000"),
        ("good/other-base", {"tuned_from": "base"}, "differs", "tuned from someone/else, the registry says good/model"),
        ("good/model", {"revision": "v9"}, "not found", "its revision v9 is not"),
        ("good/nothing", {}, "not found", "no such model"),
        ("old/name", {}, "moved", "now new/name"),
        ("good/broken", {}, "no answer", "500"),
    ],
)
def test_what_the_hub_says_of_a_model(hub: str, hub_id: str, facts: dict[str, object], state: str, found: str) -> None:
    check = checked(hub, hub_id, **facts)
    assert check.state == state
    assert found in check.found
    if state in ("as described", "differs", "moved"):
        assert check.commit == COMMIT


def test_models_that_the_hub_does_not_hold_are_not_asked_for(hub: str) -> None:
    assert list(check_cards([ModelCard(name="fable-2m", family="f"), ModelCard(name="api", family="f")], hub)) == []


def test_without_a_network_the_check_says_so() -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        list(check_cards(CARDS, "http://127.0.0.1:9"))


def test_the_command_says_what_the_hub_says_and_ends_with_1_where_something_is_wrong(hub: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "models:\n  - {name: good, hub_id: good/model, family: f, parameters: 1000000}\n"
        "  - {name: old, hub_id: old/name, family: f}\n"
    )
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HUB_OFFLINE": "0", "TUNESHIFT_MODELS": str(mine)}

    def told(*words: str) -> tuple[int, list[dict[str, object]]]:
        command = [sys.executable, "-m", "tuneshift", "models", *words, "--check", "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, json.loads(done.stdout)["rows"]

    status, rows = told("good")
    assert (status, [row["state"] for row in rows]) == (0, ["as described"])
    assert rows[0]["commit"] == COMMIT
    status, rows = told()
    by_name = {row["name"]: row["state"] for row in rows}
    assert status == 1
    assert (by_name["old"], by_name["gpt2"]) == ("moved", "not found")
