"""Folders as people have them on their disks, where some lie beside the data: each loads rightly, or says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.embedded_models import embedded_folder
from tuneshift.models.states import is_causal
from tuneshift.models.weights import Weights
from tuneshift.reading import reading_alignment

SENTENCES = [["the old man", "went home", "in the rain"]]


@pytest.fixture(scope="module")
def cases(real_data: Path) -> Path:
    folder = real_data.parent / "cases" / "models"
    if not folder.is_dir():
        pytest.skip("no folder `cases/models` lies beside the data folder")
    return folder


def loaded(folder: Path) -> LanguageModel:
    return LanguageModel.load(str(folder), device="cpu")


def test_an_adapter_is_its_base_with_the_change(cases: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(embedded_folder("fable-2m"), dtype=torch.float32)
    folder = cases / "lora_adapter_of_fable-2m"
    beside = PeftModel.from_pretrained(base, folder).eval()
    model = loaded(folder)
    ids = torch.tensor([model.tokenizer("the old man went home in the rain")["input_ids"]])
    with torch.inference_mode():
        expected, found = beside(ids).logits, model.torch_model(ids).logits
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    files = Weights.open(str(folder), device="cpu")
    for name, tensor in model.torch_model.state_dict().items():
        if name != "lm_head.weight":
            assert torch.equal(files.read(name), tensor.float()), name


@pytest.mark.parametrize("name", ["bert_masked", "bert_without_head", "bert_for_pretraining"])
def test_a_bert_is_masked_whatever_was_saved_of_it(cases: Path, name: str) -> None:
    model = loaded(cases / name)
    assert not is_causal(model.torch_model)
    first, other = (model.hidden_states([[*SENTENCES[0][:2], last]])[:2] for last in ("in the rain", "and sang"))
    assert np.array_equal(first, other)
    if name == "bert_without_head":
        with pytest.raises(BadInput, match="saved without its output layer"):
            model.surprisals([["the", "old", "man"]])
    else:
        assert np.isfinite(model.surprisals([["the", "old", "man"]])["surprisal"]).all()


def test_positions_that_roberta_never_uses_are_not_counted(cases: Path) -> None:
    model = loaded(cases / "roberta_66_positions")
    assert model.context_length == 64
    result = reading_alignment(model, str(cases / "roberta_66_positions_text.csv"), n_boot=0)
    assert np.isfinite(result.table[result.table["metric"] == "pearson_r"]["value"]).all()


def test_an_unknown_letter_is_counted_and_named(cases: Path) -> None:
    table = loaded(cases / "t5_unknown_letter").surprisals([["the", "café", "was", "old"]])
    assert np.isfinite(table["surprisal"]).all()
    assert "é" in " ".join(table.attrs["warnings"])


def test_named_templates_and_templates_that_want_a_system_message(cases: Path) -> None:
    assert "<|im_start|>user\nHello" in loaded(cases / "named_chat_templates").chat_prompt("Hello")
    with pytest.raises(BadInput, match=r"chat template of .* says: "):
        loaded(cases / "template_wants_system").chat_prompt("Hello")
    with pytest.raises(BadInput, match="has no chat template"):
        loaded(cases / "no_template").chat_prompt("Hello")


def test_the_same_weights_read_alike_behind_tokenizers_that_end_otherwise(cases: Path) -> None:
    models = [loaded(cases / name) for name in ("no_template", "named_chat_templates", "template_wants_system")]
    ends = [model.tokenizer.eos_token for model in models]
    assert len(set(ends)) > 1
    states = [model.torch_model.state_dict() for model in models]
    assert all(torch.equal(states[0][key], other[key]) for other in states[1:] for key in states[0])
    found = [model.surprisals([["a", "lone", "sentence"]])["surprisal"].to_numpy() for model in models]
    assert all(np.array_equal(found[0], other) for other in found[1:])
