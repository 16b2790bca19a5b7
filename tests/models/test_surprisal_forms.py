"""The same text bare, inside the chat template and after an instruction: only what stands before it changes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.surprisal import word_surprisals
from tuneshift.models.surprisal_forms import READING_INSTRUCTION, form_prefix

WORDS = ["The", "miller", "woke", "before", "the", "sun."]


def _surprisals(model: LanguageModel, form: str, instruction: str | None = None) -> np.ndarray:
    table = word_surprisals(
        model.torch_model, model.tokenizer, [WORDS], context_length=1024, form=form, instruction=instruction
    )  # type: ignore[arg-type]
    return table["surprisal_plain"].to_numpy()


def _after(model: LanguageModel, before: str) -> np.ndarray:
    prefix = model.tokenizer(before)["input_ids"]
    ids = model.tokenizer(" ".join(WORDS))["input_ids"]
    with torch.inference_mode():
        logits = model.torch_model(torch.tensor([[*prefix, *ids]])).logits[0, len(prefix) - 1 : -1].double()
    tokens = -torch.log_softmax(logits, -1)[torch.arange(len(ids)), ids].numpy() / math.log(2)
    starts = [i for i, token in enumerate(model.tokenizer.convert_ids_to_tokens(ids)) if i == 0 or token[0] == "Ġ"]
    return np.add.reduceat(tokens, starts)


def test_the_chat_form_reads_the_text_as_the_users_message(fable_2m_instruct: LanguageModel) -> None:
    np.testing.assert_allclose(_surprisals(fable_2m_instruct, "chat"), _after(fable_2m_instruct, "<|user|>"), atol=1e-4)


def test_the_instructed_form_puts_the_instruction_first(fable_2m_instruct: LanguageModel) -> None:
    expected = _after(fable_2m_instruct, f"<|user|>{READING_INSTRUCTION}\n\n")
    np.testing.assert_allclose(_surprisals(fable_2m_instruct, "instructed"), expected, atol=1e-4)
    other = _after(fable_2m_instruct, "<|user|>Listen to this.\n\n")
    np.testing.assert_allclose(_surprisals(fable_2m_instruct, "instructed", "Listen to this."), other, atol=1e-4)


def test_a_base_model_is_instructed_in_plain_text(fable_2m: LanguageModel) -> None:
    expected = _after(fable_2m, f"<|endoftext|>{READING_INSTRUCTION}\n\n")
    np.testing.assert_allclose(_surprisals(fable_2m, "instructed"), expected, atol=1e-4)


def test_the_chat_form_needs_a_template_and_forms_have_names(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="no chat template"):
        _surprisals(fable_2m, "chat")
    with pytest.raises(BadInput, match=r"form 'chta' is unknown \(did you mean 'chat'\?\)"):
        form_prefix(fable_2m.tokenizer, "chta")  # type: ignore[arg-type]
