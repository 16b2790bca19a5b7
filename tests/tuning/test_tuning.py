"""Tuning teaches what the data say; the control learns the responses but never sees the instructions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trl
import yaml
from tokenizers.processors import TemplateProcessing

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.instruction_data import Example
from tuneshift.models.tuning import TuningOptions, tune
from tuneshift.study import load_study

EXAMPLES = [Example(f"Say the word.\n\n{word}", "river") for word in ("stone", "lamp", "gate", "horse")] * 8


def _options(**changes: object) -> TuningOptions:
    return TuningOptions(**{"checkpoints": 2, "max_steps": 8, "batch_size": 8, "learning_rate": 1e-3, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("lora", [False, True])
def test_a_short_run_learns_and_leaves_loadable_evenly_spaced_checkpoints(tmp_path: Path, lora: bool) -> None:
    options = _options(lora=lora, max_steps=12 if lora else 8, learning_rate=2e-2 if lora else 1e-3)
    folders = tune(LanguageModel.load("fable-2m"), EXAMPLES, tmp_path / "tuned", options)
    assert [f.name for f in folders] == (
        ["checkpoint-6", "checkpoint-12"] if lora else ["checkpoint-4", "checkpoint-8"]
    )
    tuned = LanguageModel.load(str(folders[-1]))
    assert tuned.chat_template is not None
    assert tuned.generate(["Say the word.\n\nstone"], chat=True, max_new_tokens=3)[0].strip().startswith("river")
    assert not list((tmp_path / "tuned").rglob("*.bin"))
    kept = sorted(path.name for path in (tmp_path / "tuned").glob("adapter-*"))
    assert kept == (["adapter-12", "adapter-6"] if lora else [])
    if lora:  # the adapter alone is the checkpoint
        adapted = LanguageModel.load(str(tmp_path / "tuned" / "adapter-12"), dtype="float32")
        found, expected = (model.surprisals([["stone", "lamp", "gate"]])["surprisal"] for model in (adapted, tuned))
        assert found.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-3)
    record = json.loads((tmp_path / "tuned" / "tuning.json").read_text())
    assert record["base"] == "fable-2m"
    document = yaml.safe_load((tmp_path / "tuned" / "study.yaml").read_text())
    assert [m.get("base") for m in document["models"]] == [None, "fable-2m", "fable-2m"]
    assert [(m.get("run"), m.get("step")) for m in document["models"]] == [
        (None, None), *(("tuned", int(folder.name.split("-")[1])) for folder in folders)
    ]  # fmt: skip
    (tmp_path / "tuned").rename(tmp_path / "moved")
    study = load_study(tmp_path / "moved" / "study.yaml")
    assert [entry.label for entry in study.models] == ["fable-2m", *(f"tuned-{f.name}" for f in folders)]
    assert [Path(entry.reference).is_dir() for entry in study.models[1:]] == [True, True]
    assert study.measurements[-1].template == str(tmp_path / "moved" / folders[-1].name)  # type: ignore[attr-defined]


def test_the_control_never_sees_an_instruction(tmp_path: Path) -> None:
    folders = tune(LanguageModel.load("fable-2m"), EXAMPLES, tmp_path / "control", _options(without_instructions=True))
    control = LanguageModel.load(str(folders[-1]))
    base = LanguageModel.load("fable-2m")
    surprise = {m.name: m.surprisals([["river"]])["surprisal_plain"].iloc[0] for m in (control, base)}
    assert surprise[control.name] < surprise["fable-2m"] - 3  # bits: the response was learned
    instruction = {m.name: m.surprisals([["Say", "the", "word."]])["surprisal_plain"].sum() for m in (control, base)}
    assert instruction[control.name] > instruction["fable-2m"]  # and the instruction was not


def test_a_folder_with_checkpoints_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-1").mkdir()
    with pytest.raises(BadInput, match="already holds checkpoints"):
        tune(LanguageModel.load("fable-2m"), EXAMPLES, tmp_path, _options())
    with pytest.raises(BadInput, match="9 checkpoints cannot be taken from 8 training steps"):
        tune(LanguageModel.load("fable-2m"), EXAMPLES, tmp_path / "new", _options(checkpoints=9))


@pytest.mark.parametrize("without_instructions", [False, True])
def test_a_start_token_that_template_and_tokenizer_both_write_is_learned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_instructions: bool
) -> None:
    model = LanguageModel.load("fable-2m").with_chat_template("{{ bos_token }}{{ messages[0].content }}\nAnswer:")
    start = model.tokenizer.bos_token
    model.tokenizer._tokenizer.post_processor = TemplateProcessing(
        single=f"{start} $A", pair=f"{start} $A $B", special_tokens=[(start, model.tokenizer.bos_token_id)]
    )
    seen: list[list[int]] = []

    class Trainer(trl.SFTTrainer):  # type: ignore[misc]
        def train(self) -> None:
            seen.extend(self.train_dataset["input_ids"])

    monkeypatch.setattr(trl, "SFTTrainer", Trainer)
    tune(model, EXAMPLES[:4], tmp_path, _options(checkpoints=1, without_instructions=without_instructions))
    river = model.tokenizer("river", add_special_tokens=False)["input_ids"]
    assert len(seen) == 4
    for ids in seen:
        assert ids[0] == model.tokenizer.bos_token_id
        assert ids[1] != model.tokenizer.bos_token_id
        assert ids[-len(river) - 1 : -1] == river
