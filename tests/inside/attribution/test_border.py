"""Prompt and response are one text for the tokenizer: no space that nobody wrote, no token without an owner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_tokenizers import KINDS, gpt2, llama, metaspace, model_of

from tuneshift.inside.attribution.border import jointly, tokens_of
from tuneshift.inside.attribution.layout import lay_out

PROMPT, RESPONSE = "Repeat the word: river", "The river froze"
SPACED = pytest.mark.parametrize("kind", ["llama", "metaspace", "unigram"])
EVERY = pytest.mark.parametrize("kind", KINDS)


def pieces(tokenizer: Any, ids: Any) -> list[str]:
    return list(tokenizer.convert_ids_to_tokens([int(number) for number in ids]))


@EVERY
@pytest.mark.parametrize("response", [RESPONSE, " Hello world", "\nThe river", "😀 é", "a"])
def test_prompt_and_response_are_the_ids_of_the_whole_text(kind: str, response: str) -> None:
    tokenizer = KINDS[kind]()
    layout = lay_out(model_of(tokenizer), PROMPT, response)
    whole = tokenizer(f"{PROMPT}\n\n{response}", add_special_tokens=False)["input_ids"]
    assert layout.ids.tolist() == [tokenizer.bos_token_id, *whole]
    np.testing.assert_array_equal(np.append(layout.prompt, layout.response), np.arange(len(layout.ids)))


@SPACED
def test_no_space_that_nobody_wrote_stands_before_the_response(kind: str) -> None:
    tokenizer = KINDS[kind]()
    alone = pieces(tokenizer, tokenizer(RESPONSE, add_special_tokens=False)["input_ids"])
    assert alone[0].startswith("▁")  # the tokenizer puts a space before every text
    layout = lay_out(model_of(tokenizer), PROMPT, RESPONSE)
    assert "".join(pieces(tokenizer, layout.target_ids)).replace("▁", " ") == RESPONSE


@pytest.mark.parametrize("make", [metaspace, gpt2, lambda: gpt2(trim=True)])
def test_a_words_own_space_belongs_to_the_word_that_the_response_begins_with(make: Any) -> None:
    tokenizer = make()
    given, answer = jointly(tokenizer, "user: a stone ", "The stone")
    assert given.ids + answer == tokenizer("user: a stone The stone", add_special_tokens=False)["input_ids"]
    assert pieces(tokenizer, answer)[0] in ("▁The", "ĠThe")
    assert tokenizer.decode(given.ids) == "user: a stone"


@pytest.mark.parametrize("kind", ["llama", "metaspace", "gpt2", "gpt-neox, trimmed offsets"])
@pytest.mark.parametrize(("given", "response"), [("Hello wor", "ld, you"), ("Say the la", "st word")])
def test_a_token_over_the_border_is_cut_so_that_both_sides_keep_their_characters(
    kind: str, given: str, response: str
) -> None:
    tokenizer = KINDS[kind]()
    ends = tokens_of(tokenizer, given + response).offsets[:, 1]
    assert len(given) not in ends  # one token of the whole text covers characters of both
    before, answer = jointly(tokenizer, given, response)
    assert before.ids == tokenizer(given, add_special_tokens=False)["input_ids"]
    assert "".join(pieces(tokenizer, answer)).replace("▁", " ").replace("Ġ", " ") == response


def test_blank_lines_that_merge_over_the_border_stay_on_their_sides() -> None:
    tokenizer = llama()
    tokenizer.add_tokens(["\n\n\n"])
    before, answer = jointly(tokenizer, "The river\n\n", "\nThe sun")
    assert "".join(pieces(tokenizer, before.ids)) == "▁The▁river\n\n"
    assert "".join(pieces(tokenizer, answer)).replace("▁", " ") == "\nThe sun"


@EVERY
def test_a_prompts_tokens_cover_its_characters_and_its_frame_none_of_them(kind: str) -> None:
    tokenizer = KINDS[kind]()
    prompt = "Repeat 😀 the word: é river"
    layout = lay_out(model_of(tokenizer), prompt, RESPONSE)
    covered = np.zeros(len(prompt), dtype=bool)
    for mine, (start, end) in zip(layout.own, layout.offsets, strict=True):
        assert mine == (end > start)
        covered[start:end] |= mine
    assert all(letter == " " for letter, known in zip(prompt, covered, strict=True) if not known)
    frame = tokenizer.decode(layout.ids[layout.prompt][~layout.own], skip_special_tokens=True)
    assert not frame.strip()


@EVERY
def test_the_instruction_is_the_tokens_that_share_a_letter_with_it(kind: str) -> None:
    tokenizer = KINDS[kind]()
    prompt = "river 😀 Repeat the word"
    start = prompt.index("Repeat")
    layout = lay_out(model_of(tokenizer), prompt, RESPONSE)
    marked = layout.ids[layout.prompt][layout.marked(((start, len(prompt)),))]
    assert tokenizer.decode(marked).strip().lower() == "repeat the word"
    emoji = layout.marked(((start - 2, start - 1),))
    expected = [number for number, (a, b) in enumerate(layout.offsets) if a <= start - 2 < b]
    assert np.flatnonzero(emoji).tolist() == expected


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt-neox, trimmed offsets"])
def test_every_token_of_an_emoji_is_the_emojis(kind: str) -> None:
    tokenizer = KINDS[kind]()
    layout = lay_out(model_of(tokenizer), "a 😀", RESPONSE)
    marked = layout.ids[layout.prompt][layout.marked(((2, 3),))]
    assert len(marked) >= len("😀".encode())
    assert tokenizer.decode(marked).strip() == "😀"


def test_blank_lines_within_a_prompt_are_its_own_where_offsets_leave_out_white_space() -> None:
    tokenizer = gpt2(trim=True)
    tokenizer.add_tokens(["\n\n"])
    prompt = "Say the word:\n\nriver  stone"
    layout = lay_out(model_of(tokenizer), prompt, RESPONSE)
    own = layout.ids[layout.prompt][layout.own]
    assert tokenizer.decode(own) == prompt


def test_the_decoder_of_an_encoder_decoder_model_writes_a_text_of_its_own() -> None:
    tokenizer = KINDS["unigram"]()
    layout = lay_out(model_of(tokenizer, encoder_decoder=True), PROMPT, RESPONSE)
    assert layout.target_ids.tolist() == tokenizer(RESPONSE, add_special_tokens=False)["input_ids"]
    given = tokenizer(PROMPT, add_special_tokens=False)["input_ids"]
    assert layout.ids.tolist() == [*given, tokenizer.eos_token_id]
