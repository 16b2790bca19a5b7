"""Adapters and folders of one name in studies and commands: bases filled in, names told apart, relative paths kept."""

from __future__ import annotations

import json
from pathlib import Path

import peft
import pytest
import torch
import yaml
from tests.models.saved import copied
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.errors import BadInput
from tuneshift.models.embedded_models import embedded_folder
from tuneshift.study import load_study, run
from tuneshift.study.demo import pair_study
from tuneshift.study.jobs import plan_jobs
from tuneshift.study.model_entry import entry_revision

READING = {"kind": "reading", "data": "simulated_reading", "n_boot": 0, "mixed_model": False}


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(embedded_folder("fable-2m"), dtype=torch.float32)
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "up_proj"]))
    with torch.no_grad():
        for parameter in filter(lambda held: held.requires_grad, model.parameters()):
            parameter.add_(torch.randn_like(parameter) * 0.03)
    model.save_pretrained(tmp_path / "adapter")
    settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "fable-2m"
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(settings))
    return tmp_path / "adapter"


def test_the_base_of_an_adapter_is_filled_in(tmp_path: Path, adapter: Path) -> None:
    study = {"name": "a", "models": ["fable-2m", {"model": "adapter"}], "measurements": [READING]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    found = load_study(tmp_path / "study.yaml")
    assert [entry.label for entry in found.models] == ["fable-2m", "adapter"]
    base = found.base_of(found.models[1])
    assert base is not None
    assert base.label == "fable-2m"
    results = run(found, out=tmp_path / "out")
    pairs = results.pairs()
    assert set(pairs["model"]) == {"adapter"}
    assert set(results.table["base_model"].dropna()) == {"fable-2m"}


def test_base_plus_adapter_is_read_relative_to_the_study_s_file(tmp_path: Path, adapter: Path) -> None:
    copied(tmp_path / "base")
    study = {"name": "a", "models": ["base", "base+adapter", "fable-2m+adapter"], "measurements": [READING]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    found = load_study(tmp_path / "study.yaml")
    assert [entry.label for entry in found.models] == ["base", "base+adapter", "fable-2m+adapter"]
    assert found.models[1].model == f"{tmp_path / 'base'}+{adapter}"
    assert found.base_of(found.models[1]) == found.models[0]
    assert found.base_of(found.models[2]) is None
    first, second = (entry_revision(entry) for entry in found.models[1:])
    assert first == second  # the same base, from another folder


def test_commands_take_an_adapter_where_they_take_a_model(adapter: Path) -> None:
    for command in (["heads", str(adapter)], ["concepts", f"fable-2m+{adapter}"]):
        done = CliRunner().invoke(app, [*command, "--json"])
        assert done.exit_code == 0, done.output
        assert {row["model"] for row in json.loads(done.stdout)["rows"]} <= {"adapter", "fable-2m+adapter"}


def test_the_shift_of_an_adapter_is_none_where_it_changes_nothing(adapter: Path, tmp_path: Path) -> None:
    from tuneshift.inside import compare_internals
    from tuneshift.models.weights import Weights

    found = compare_internals(*(Weights.open(ref, device="cpu") for ref in ("fable-2m", str(adapter))))
    same = compare_internals(*(Weights.open("fable-2m", device="cpu") for _ in range(2))).table
    both = found.table.merge(same, on=["metric", "layer", "target", "mapping"])
    rotation = both[both["metric"] == "rotation_deg"]
    assert len(rotation) > 0
    assert (rotation["value_x"] == rotation["value_y"]).all()  # down projections are the base's
    overlap = both[both["metric"] == "head_overlap"]
    assert (overlap["value_x"] < overlap["value_y"]).any()  # queries are not


def test_two_folders_of_one_name_get_their_parents_names(tmp_path: Path) -> None:
    for parent in ("A", "B"):
        copied(tmp_path / parent / "checkpoint-100")
    base, tuned = (str(tmp_path / parent / "checkpoint-100") for parent in ("A", "B"))
    study = pair_study(base, tuned)
    assert [entry.label for entry in study.models] == ["A/checkpoint-100", "B/checkpoint-100"]
    assert study.name == "B_checkpoint-100_v_A_checkpoint-100"
    assert study.base_of(study.models[1]) == study.models[0]
    named = load_study(
        {"name": "n", "models": ["fable-2m", base, {"model": tuned, "name": "mine"}], "measurements": [READING]}
    )
    assert [entry.label for entry in named.models] == ["fable-2m", "checkpoint-100", "mine"]
    with pytest.raises(BadInput, match="two models are called"):
        load_study({"name": "n", "models": [base, base], "measurements": [READING]})


def test_folders_whose_parents_are_called_the_same_too_get_more_of_them(tmp_path: Path) -> None:
    paths = [tmp_path / run / "tuned" / "checkpoint-5" for run in ("one", "two")]
    for path in paths:
        copied(path)
    study = load_study({"name": "n", "models": [str(path) for path in paths], "measurements": [READING]})
    assert [entry.label for entry in study.models] == ["one/tuned/checkpoint-5", "two/tuned/checkpoint-5"]


def test_a_pair_starts_alike_and_the_fingerprint_says_so_only_where_it_matters(tmp_path: Path) -> None:
    folder = copied(tmp_path / "tuned")
    same = load_study(
        {"name": "n", "models": ["fable-2m", {"model": str(folder), "base": "fable-2m"}], "measurements": [READING]}
    )
    base, tuned = (job.entry for job in plan_jobs(same))
    assert (base.starts_like, tuned.starts_like) == (None, "fable-2m")
    assert entry_revision(tuned) == entry_revision(tuned.model_copy(update={"starts_like": None}))
    config, tokens = folder / "config.json", folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"bos_token_id": 0', '"bos_token_id": null'))
    tokens.write_text(json.dumps(json.loads(tokens.read_text()) | {"bos_token": "<|pad|>"}))
    assert entry_revision(tuned).endswith(" starting with <|endoftext|>")


def test_a_model_tuned_twice_and_both_its_bases_read_one_start_token(tmp_path: Path) -> None:
    folders = [str(copied(tmp_path / name)) for name in ("base", "sft", "dpo")]
    study = load_study(
        {
            "name": "n",
            "models": [
                {"model": folders[0], "revision": "step1000"},
                {"model": folders[1], "base": "base"},
                {"model": folders[2], "base": "sft"},
            ],
            "measurements": [{"kind": "internals"}],
        }
    )
    sft, dpo = plan_jobs(study)
    assert [sft.entry.starts_like, dpo.entry.starts_like, dpo.base.starts_like] == [folders[0]] * 3  # type: ignore[union-attr]
    assert dpo.base == sft.entry
    assert {sft.entry.starts_like_revision, dpo.entry.starts_like_revision} == {"step1000"}
