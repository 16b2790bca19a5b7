"""What a model wrote is attributed in the tokens that it wrote, whatever its text would be read as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_tokenizers import KINDS, gpt2, llama, model_of, unigram

from tuneshift.human.prompts.prompts import Prompt
from tuneshift.inside import PromptAttribution
from tuneshift.inside.attribution.attribution import attribute, token_texts
from tuneshift.inside.attribution.layout import lay_out
from tuneshift.inside.attribution.selection import answers_of
from tuneshift.models import LanguageModel
from tuneshift.progress import silent

PROMPT = "Repeat the word: river"
TEMPLATE = "{{ bos_token }}user: {{ messages[0].content }}\n{% if add_generation_prompt %}assistant: {% endif %}"


def written(model: LanguageModel, given: list[int], n: int) -> list[int]:
    """The greedy answer by one forward pass a token, up to the end of sequence."""
    ids: list[int] = []
    if model.is_encoder_decoder:
        start = model.torch_model.config.decoder_start_token_id
        while len(ids) < n and model.tokenizer.eos_token_id not in ids:
            both: dict[str, Any] = {"decoder_input_ids": torch.tensor([[start, *ids]])}
            ids.append(int(model.torch_model(input_ids=torch.tensor([given]), **both).logits[0, -1].argmax()))
        return ids
    while len(ids) < n and model.tokenizer.eos_token_id not in ids:
        ids.append(int(model.torch_model(input_ids=torch.tensor([[*given, *ids]])).logits[0, -1].argmax()))
    return ids


@pytest.mark.parametrize("make", [llama, gpt2, unigram])
@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_response_is_the_ids_that_were_generated(make: Any, form: Any) -> None:
    changed = 0
    for seed in range(6):
        model = model_of(make(), seed=seed).with_chat_template(TEMPLATE)
        (answer,) = answers_of(model, [Prompt("one", PROMPT)], form, 12, silent)
        layout = lay_out(model, PROMPT, answer, form)
        alone = written(model, layout.ids[layout.prompt].tolist(), 12)
        expected = [number for number in alone if number not in model.tokenizer.all_special_ids]
        assert layout.target_ids.tolist() == expected == list(answer.ids)
        again = model.tokenizer(answer.text, add_special_tokens=False)["input_ids"]
        changed += again != expected
    assert changed  # read in again, the text is other tokens: the test would not see anything otherwise


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_an_encoder_reads_the_same_prompt_when_it_answers_and_when_it_is_attributed(form: Any) -> None:
    model = model_of(unigram(), encoder_decoder=True).with_chat_template(TEMPLATE)
    (answer,) = answers_of(model, [Prompt("one", PROMPT)], form, 8, silent)
    layout = lay_out(model, PROMPT, answer, form)
    alone = written(model, layout.ids.tolist(), 8)
    assert layout.target_ids.tolist() == [i for i in alone if i not in model.tokenizer.all_special_ids]


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_an_answer_is_what_generate_gives(kind: str) -> None:
    model = model_of(KINDS[kind]())
    answers = model.answers([PROMPT, "a stone"], max_new_tokens=6)
    assert [answer.text for answer in answers] == model.generate([PROMPT, "a stone"], max_new_tokens=6)
    assert all(not set(answer.ids) & set(model.tokenizer.all_special_ids) for answer in answers)


def test_probabilities_are_those_of_the_tokens_that_were_written() -> None:
    model = model_of(llama(), seed=3)
    (answer,) = model.answers([f"{PROMPT}\n\n"], max_new_tokens=8)
    found = attribute(model, PROMPT, answer)
    layout = lay_out(model, PROMPT, answer)
    with torch.inference_mode():
        p = model.torch_model(torch.as_tensor(layout.ids)[None]).logits[0].softmax(-1)
    expected = p[torch.as_tensor(layout.response - 1), torch.tensor(answer.ids)]
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-4)


def test_a_measurement_of_generated_answers_measures_the_tokens_that_were_written(tmp_path: Path) -> None:
    model = model_of(llama(), seed=3)
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({"prompt": PROMPT, "instruction": "Repeat the word"}), "utf-8")
    (answer,) = model.answers([f"{PROMPT}\n\n"], max_new_tokens=8)
    assert model.tokenizer(answer.text, add_special_tokens=False)["input_ids"] != list(answer.ids)
    found = PromptAttribution(prompts=str(file), responses="generated", max_new_tokens=8).run(model)
    assert found.details["pictures"][0]["response_tokens"] == list(token_texts(model, np.array(answer.ids)))
    assert found.arrays["response_length"].values.tolist() == [len(answer.ids)]
