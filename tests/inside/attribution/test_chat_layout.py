"""A prompt inside its chat template: its own tokens, its instruction, one beginning of sequence."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_tokenizers import KINDS, llama, model_of

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.attribution import attribute, token_texts
from tuneshift.inside.attribution.layout import lay_out
from tuneshift.models.surprisal_forms import form_prefix

LLAMA = "{{ bos_token }}[INST] {{ messages[0].content | trim }} [/INST]"
HELPFUL = "system: You are a helpful assistant.\nuser: {{ messages[0].content }}\nassistant:"
PROMPT, RESPONSE = "Repeat the word: river", " The river froze"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("template", [LLAMA, HELPFUL])
def test_prompt_frame_and_response_are_the_ids_of_the_whole_chat(kind: str, template: str) -> None:
    tokenizer = KINDS[kind]()
    model = model_of(tokenizer).with_chat_template(template)
    layout = lay_out(model, PROMPT, RESPONSE, "chat")
    whole = tokenizer(model.chat_prompt(PROMPT) + RESPONSE, add_special_tokens=False)["input_ids"]
    assert layout.ids.tolist() == whole
    own = tokenizer.decode(layout.ids[layout.prompt][layout.own])
    assert "".join(own.split()).lower() == PROMPT.replace(" ", "").lower()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", ["You are a helpful assistant.", "user", "a", "system: You are a"])
def test_words_that_the_template_has_too_are_marked_where_the_user_says_them(kind: str, prompt: str) -> None:
    tokenizer = KINDS[kind]()
    model = model_of(tokenizer).with_chat_template(HELPFUL)
    layout = lay_out(model, prompt, RESPONSE, "chat")
    text = model.chat_prompt(prompt) + RESPONSE
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    start = len(HELPFUL.partition("{{")[0])
    expected = [a < start + len(prompt) and b > start for a, b in offsets[: len(layout.prompt)]]
    assert layout.own.tolist() == expected
    assert sum(expected) > 0
    found = attribute(model, prompt, RESPONSE, form="chat", instruction=prompt)
    np.testing.assert_array_equal(found.instruction, layout.own)


def test_a_template_that_writes_the_start_of_sequence_gives_exactly_one() -> None:
    tokenizer = llama()
    start = tokenizer.bos_token_id
    assert tokenizer("a")["input_ids"][0] == start  # the tokenizer would add one itself
    model = model_of(tokenizer).with_chat_template(LLAMA)
    assert lay_out(model, PROMPT, RESPONSE, "chat").ids.tolist().count(start) == 1
    assert lay_out(model, PROMPT, RESPONSE, "plain").ids.tolist().count(start) == 1
    prefix = form_prefix(model.tokenizer, "chat")
    assert prefix is not None
    assert prefix.count(start) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_instruction_is_marked_where_a_template_strips_the_prompt(kind: str) -> None:
    tokenizer = KINDS[kind]()
    model = model_of(tokenizer).with_chat_template(LLAMA)
    found = attribute(model, f"\n  {PROMPT}  ", RESPONSE, form="chat", instruction="the word: river")
    marked = "".join(text for text, mark in zip(found.prompt_tokens, found.instruction, strict=True) if mark)
    assert marked.replace(" ", "").lower() == "theword:river"
    same = attribute(model, PROMPT, RESPONSE, form="chat", instruction="the word: river")
    np.testing.assert_array_equal(found.raw, same.raw)
    np.testing.assert_array_equal(found.own, same.own)


@pytest.mark.parametrize("kind", ["llama", "metaspace", "gpt2", "gpt-neox, trimmed offsets"])
def test_tokens_are_shown_with_the_spaces_that_they_bring(kind: str) -> None:
    model = model_of(KINDS[kind]())
    layout = lay_out(model, PROMPT, RESPONSE)
    assert "".join(token_texts(model, layout.ids[1:])).strip() == f"{PROMPT}\n\n{RESPONSE}"


def test_a_prompt_that_its_template_changes_is_refused() -> None:
    model = model_of(llama()).with_chat_template("{{ messages[0].content | upper }}")
    with pytest.raises(BadInput, match="chat template of model tiny leaves out or changes the user's message"):
        lay_out(model, PROMPT, RESPONSE, "chat")
