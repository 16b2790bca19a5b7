"""Surprisal from encoder-decoder and masked models, against one forward pass a word written out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.surprisal import word_surprisals

WORDS = ["ab", "b", "aba", "b"]
SPECIAL = {"<pad>": 0, "</s>": 1, "<extra_id_0>": 2, "<extra_id_1>": 3}


def _letters(special: dict[str, int], **named: str) -> PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE(vocab={**special, "a": 4, "b": 5, "Ġ": 6}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    extra = [token for token in special if token not in named.values()]
    return PreTrainedTokenizerFast(tokenizer_object=raw, additional_special_tokens=extra, **named)


@pytest.fixture(scope="module")
def tiny_t5() -> LanguageModel:
    torch.manual_seed(1)
    config = T5Config(vocab_size=7, d_model=16, d_ff=32, d_kv=8, num_heads=2, num_layers=2, decoder_start_token_id=0,
                      eos_token_id=1, pad_token_id=0, initializer_factor=1.0)  # fmt: skip
    model = T5ForConditionalGeneration(config).eval().requires_grad_(False)
    return LanguageModel("tiny-t5", model, _letters(SPECIAL, pad_token="<pad>", eos_token="</s>"), "test")


def _ids(text: str) -> list[int]:
    return [{"a": 4, "b": 5, " ": 6}[letter] for letter in text]


def test_the_encoder_reads_the_past_and_the_decoder_writes_the_word(tiny_t5: LanguageModel) -> None:
    rows = tiny_t5.surprisals([WORDS])
    past, word = _ids("ab b"), _ids(" aba")
    with torch.inference_mode():
        logits = tiny_t5.torch_model(
            input_ids=torch.tensor([[*past, 2, 1]]), decoder_input_ids=torch.tensor([[0, 2, *word]])
        ).logits[0, 1:]
    p = torch.softmax(logits.double(), -1).numpy()
    plain = -sum(math.log2(p[i, token]) for i, token in enumerate(word))
    boundary = [-math.log2(row[[0, 1, 2, 3, 6]].sum()) for row in (p[0], p[-1])]
    assert rows["surprisal_plain"][2] == pytest.approx(plain, abs=1e-4)
    assert rows["surprisal"][2] == pytest.approx(plain + boundary[1] - boundary[0], abs=1e-4)
    assert rows["entropy"][2] == pytest.approx(-(p[0] * np.log2(p[0])).sum(), abs=1e-4)
    assert rows["n_tokens"].tolist() == [2, 2, 4, 2]


def test_the_words_that_an_encoder_decoder_model_could_write_share_all_probability(tiny_t5: LanguageModel) -> None:
    past, boundary = _ids("ab b"), [0, 1, 2, 3, 6]  # special tokens and the space begin something new

    def after(*written: int) -> np.ndarray:
        with torch.inference_mode():
            logits = tiny_t5.torch_model(
                input_ids=torch.tensor([[*past, 2, 1]]), decoder_input_ids=torch.tensor([[0, 2, *written]])
            ).logits[0, -1]
        return torch.softmax(logits.double(), -1).numpy()

    first = after()
    total = first[[0, 1, 2, 3]].sum()  # the gap may also be left empty
    for length in range(5):
        for spelling in itertools.product((4, 5), repeat=length):
            p = math.prod(after(*[6, *spelling][:i])[[6, *spelling][i]] for i in range(length + 1))
            p *= after(6, *spelling)[boundary].sum() if length < 4 else 1.0  # four letters and whatever follows
            total += p
            if 0 < length < 3:
                word = "".join("ab"[i - 4] for i in spelling)
                row = tiny_t5.surprisals([["ab", "b", word]]).iloc[2]
                assert row["surprisal"] == pytest.approx(-math.log2(p / first[boundary].sum()), abs=1e-4)
    assert total == pytest.approx(first[boundary].sum(), abs=1e-6)


def test_what_follows_a_word_changes_nothing_in_an_encoder_decoder_model(tiny_t5: LanguageModel) -> None:
    before, after = tiny_t5.surprisals([WORDS]), tiny_t5.surprisals([[*WORDS[:3], "aaaa"]])
    np.testing.assert_allclose(before["surprisal"][:3], after["surprisal"][:3], atol=1e-5)


def test_an_encoder_decoder_model_without_sentinels_is_refused(tiny_t5: LanguageModel) -> None:
    tokenizer = _letters({"<pad>": 0, "</s>": 1, "<one>": 2, "<two>": 3}, pad_token="<pad>", eos_token="</s>")
    with pytest.raises(BadInput, match="no <extra_id_0> token"):
        word_surprisals(tiny_t5.torch_model, tokenizer, [WORDS], context_length=64)


@pytest.fixture(scope="module")
def tiny_bert() -> LanguageModel:
    torch.manual_seed(2)
    config = BertConfig(
        vocab_size=7, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, initializer_range=0.5, architectures=["BertForMaskedLM"],
    )  # fmt: skip
    tokenizer = _letters(
        {"<pad>": 0, "<cls>": 1, "<sep>": 2, "<mask>": 3}, pad_token="<pad>", cls_token="<cls>", sep_token="<sep>",
        mask_token="<mask>",
    )  # fmt: skip
    return LanguageModel("tiny-bert", BertForMaskedLM(config).eval().requires_grad_(False), tokenizer, "test")


def test_a_masked_model_hides_the_token_and_the_rest_of_its_word(tiny_bert: LanguageModel) -> None:
    rows = tiny_bert.surprisals([WORDS])
    text = _ids("ab b aba b")
    expected = 0.0
    for token in range(4, 8):  # " aba"
        masked = [1, *text[:token], *[3] * (8 - token), *text[8:], 2]
        with torch.inference_mode():
            logits = tiny_bert.torch_model(torch.tensor([masked])).logits[0, token + 1].double()
        expected -= float(torch.log_softmax(logits, -1)[text[token]]) / math.log(2)
    assert rows["surprisal"][2] == pytest.approx(expected, abs=1e-4)
    assert rows["surprisal_plain"].tolist() == rows["surprisal"].tolist()


def test_a_masked_models_window_is_centred_on_the_word(tiny_bert: LanguageModel) -> None:
    words = ["a", "b"] * 30
    rows = word_surprisals(tiny_bert.torch_model, tiny_bert.tokenizer, [words], context_length=12)
    text = _ids(" ".join(words))
    first, last = 2 * 30 - 1, 2 * 30  # word 30: its space and its letter
    start = (first + last + 1 - 10) // 2
    window = text[start : start + 10]
    plain = 0.0
    for token in (first, last):
        masked = [3 if token <= start + i <= last else x for i, x in enumerate(window)]
        with torch.inference_mode():
            logits = tiny_bert.torch_model(torch.tensor([[1, *masked, 2]])).logits[0, token - start + 1].double()
        plain -= float(torch.log_softmax(logits, -1)[text[token]]) / math.log(2)
    assert rows["surprisal"][30] == pytest.approx(plain, abs=1e-4)
