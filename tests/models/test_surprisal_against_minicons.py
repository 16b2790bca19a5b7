"""Surprisals of tiny random models against minicons on the same model: causal, corrected for boundaries, masked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from minicons import scorer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from tuneshift.models import LanguageModel

TEXTS = (
    "The miller's daughter woke early, before the others; and her grandmother's clock had stopped.",
    "Nobody dared to open the extraordinarily heavy door until the doctor came.",
    "No.",
)
STORY = [text.split() for text in TEXTS]


def _gpt2(size: int) -> PreTrainedModel:
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=size, n_positions=64, n_embd=32, n_layer=2, n_head=2, initializer_range=0.4)
    )


def _llama(size: int) -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=size, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, initializer_range=0.4,
    ))  # fmt: skip


@pytest.fixture(params=[_gpt2, _llama], ids=["gpt2", "llama"])
def random_model(request: pytest.FixtureRequest, fable_2m: LanguageModel) -> LanguageModel:
    """A random model with real words: the embedded model's tokenizer."""
    torch.manual_seed(8)
    model = request.param(len(fable_2m.tokenizer)).eval().requires_grad_(False)
    return LanguageModel("random", model, fable_2m.tokenizer, "test")


def _by_word(model: LanguageModel, text: str, corrected: bool) -> np.ndarray:
    theirs = scorer.IncrementalLMScorer(model.torch_model, "cpu", tokenizer=model.tokenizer)
    words = theirs.word_score_tokenized(
        [text], bos_token=True, tokenize_function=str.split, surprisal=True, base_two=True, bow_correction=corrected
    )[0]
    return np.array([value for _, value in words])


def test_plain_surprisal_of_random_models_is_that_of_minicons(random_model: LanguageModel) -> None:
    ours = random_model.surprisals(STORY)
    for number, text in enumerate(TEXTS):
        rows = ours[ours["document"] == number]
        np.testing.assert_allclose(rows["surprisal_plain"], _by_word(random_model, text, corrected=False), atol=1e-4)


def test_corrected_surprisal_is_that_of_minicons_but_for_what_may_end_a_word(fable_2m: LanguageModel) -> None:
    # minicons takes only tokens with a leading space for beginnings of words; a line break or the end of the text
    # ends a word too, and a trained model gives them little probability in the middle of a story.
    ours = fable_2m.surprisals(STORY[:2])
    corrections = []
    for number, text in enumerate(TEXTS[:2]):
        rows = ours[ours["document"] == number][:-1]  # the last word may well be followed by a line break
        theirs = _by_word(fable_2m, text, corrected=True)[:-1]
        np.testing.assert_allclose(rows["surprisal"], theirs, atol=0.01)
        corrections += (rows["surprisal"] - rows["surprisal_plain"]).abs().tolist()
    assert max(corrections) > 0.3  # the two forms do differ, thirty times more than the two programs


def test_pseudo_surprisal_of_a_masked_model_is_that_of_minicons_within_word_left_to_right() -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "mill", "##er", "wo", "##ke", "##s", "sun", "before"]
    raw = Tokenizer(models.WordPiece(vocab={piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, initializer_range=0.5, architectures=["BertForMaskedLM"],
    )  # fmt: skip
    bert = BertForMaskedLM(config).eval().requires_grad_(False)
    tokenizer.batch_encode_plus = tokenizer.__call__  # minicons asks for it; transformers 5 calls it so no more
    words = ["the", "millers", "woke", "before", "the", "sun"]
    ours = LanguageModel("random", bert, tokenizer, "test").surprisals([words])
    assert ours["n_tokens"].tolist() == [1, 3, 2, 1, 1, 1]
    theirs = scorer.MaskedLMScorer(bert, "cpu", tokenizer=tokenizer).token_score(
        [" ".join(words)], surprisal=True, base_two=True, PLL_metric="within_word_l2r"
    )[0]
    ends = np.cumsum(ours["n_tokens"])
    sums = np.add.reduceat([value for _, value in theirs], np.concatenate([[0], ends.iloc[:-1]]))
    np.testing.assert_allclose(ours["surprisal_plain"], sums, atol=1e-4)
