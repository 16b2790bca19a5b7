"""Surprisal of words: against minicons, against sums over every continuation, and by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from minicons import scorer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.surprisal import word_surprisals
from tuneshift.models.surprisal_boundaries import word_beginnings

TEXTS = (
    "The miller's daughter woke early, before the others; and her grandmother's clock had stopped.",
    "Nobody dared to open the extraordinarily heavy door until the doctor came.",
)
STORY = [text.split() for text in TEXTS]


def _log2_probabilities(model: LanguageModel, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        logits = model.torch_model(torch.tensor([ids])).logits[0].double()
    return (torch.log_softmax(logits, -1) / math.log(2)).numpy()


def test_plain_surprisal_is_that_of_minicons(fable_2m: LanguageModel) -> None:
    ours = fable_2m.surprisals(STORY)
    theirs = scorer.IncrementalLMScorer(fable_2m.torch_model, "cpu", tokenizer=fable_2m.tokenizer)
    for number, words in enumerate(STORY):
        tokens = theirs.token_score([" ".join(words)], bos_token=True, surprisal=True, base_two=True)[0][1:]
        rows = ours[ours["document"] == number]
        ends = np.cumsum(rows["n_tokens"])
        assert ends.iloc[-1] == len(tokens)
        sums = np.add.reduceat([value for _, value in tokens], np.concatenate([[0], ends.iloc[:-1]]))
        np.testing.assert_allclose(rows["surprisal_plain"], sums, atol=1e-4)


@pytest.fixture(scope="module")
def two_letters() -> LanguageModel:
    """A random model over the alphabet {a, b, space, end}: few enough texts to list them all."""
    raw = Tokenizer(models.BPE(vocab={"<end>": 0, "a": 1, "b": 2, "Ġ": 3}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<end>", eos_token="<end>")
    torch.manual_seed(5)
    config = GPT2Config(vocab_size=4, n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0,
                        initializer_range=0.6)  # fmt: skip
    return LanguageModel("two-letters", GPT2LMHeadModel(config).eval().requires_grad_(False), tokenizer, "test")


def test_corrected_surprisal_is_the_sum_over_every_continuation(two_letters: LanguageModel) -> None:
    context = [0, 1, 2]  # <end> a b
    letters = [1, 2]
    p_next = 2 ** _log2_probabilities(two_letters, context)[-1]
    p_boundary = p_next[3] + p_next[0]
    total = p_next[0] / p_boundary  # the text may also end here
    for length in range(7):
        for spelling in itertools.product(letters, repeat=length):
            path = [*context, 3, *spelling]
            rows = 2 ** _log2_probabilities(two_letters, path)
            reached = math.prod(float(rows[len(context) - 1 + i, path[len(context) + i]]) for i in range(length + 1))
            p_word = reached * float(rows[-1, 3] + rows[-1, 0]) / p_boundary
            if length == 6:
                p_word = reached / p_boundary  # six letters and whatever follows: the rest of all words
            total += p_word
            if 0 < length < 4:
                word = "".join("ab"[i - 1] for i in spelling)
                row = two_letters.surprisals([["ab", word]]).iloc[1]
                assert row["surprisal"] == pytest.approx(-math.log2(p_word), abs=1e-4)
    assert total == pytest.approx(1, abs=1e-6)


def test_a_text_begins_without_a_boundary_to_take_off(two_letters: LanguageModel) -> None:
    row = two_letters.surprisals([["ab"]]).iloc[0]
    rows = 2 ** _log2_probabilities(two_letters, [0, 1, 2])
    expected = rows[0, 1] * rows[1, 2] * (rows[2, 3] + rows[2, 0])
    assert row["surprisal"] == pytest.approx(-math.log2(expected), abs=1e-5)
    assert row["surprisal_plain"] == pytest.approx(-math.log2(rows[0, 1] * rows[1, 2]), abs=1e-5)


def test_the_corrections_of_neighbours_cancel(fable_2m: LanguageModel) -> None:
    words = fable_2m.surprisals(STORY[:1])
    difference = words["surprisal"].sum() - words["surprisal_plain"].sum()
    ids = [0, *fable_2m.tokenizer(" ".join(STORY[0]))["input_ids"]]
    begins = word_beginnings(fable_2m.tokenizer, 8192)
    last = 2 ** _log2_probabilities(fable_2m, ids)[-1]
    assert difference == pytest.approx(-math.log2(last[begins].sum()), abs=1e-4)


def test_entropy_and_rank_describe_where_the_first_token_comes_from(two_letters: LanguageModel) -> None:
    row = two_letters.surprisals([["ab", "b"]]).iloc[1]
    log2 = _log2_probabilities(two_letters, [0, 1, 2])[-1]
    assert row["entropy"] == pytest.approx(-(2**log2 * log2).sum(), abs=1e-5)
    assert row["rank"] == 1 + (log2 > log2[3]).sum()
    assert row["n_tokens"] == 2


def test_every_token_that_brings_its_own_space_begins_a_word(fable_2m: LanguageModel) -> None:
    begins = word_beginnings(fable_2m.tokenizer, 8200)
    tokens = fable_2m.tokenizer.convert_ids_to_tokens(range(8192))
    spaced = np.array([token[0] in "ĠĊĉč" for token in tokens])
    printable = np.array([token[0].isascii() for token in tokens])  # control characters are written otherwise
    special = np.arange(8192) < 4
    assert begins[:8192][spaced | special].all()
    assert not begins[:8192][printable & ~special].any()
    assert not begins[8192:].any()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet="abcdeghilnorstu'é-,.", min_size=1, max_size=9), min_size=1, max_size=12))
def test_probabilities_stay_probabilities_whatever_the_words(fable_2m: LanguageModel, words: list[str]) -> None:
    rows = fable_2m.surprisals([words])
    assert rows["word"].tolist() == words
    assert (rows["surprisal"] > -1e-4).all()
    assert (rows["surprisal_plain"] > 0).all()
    assert rows["entropy"].between(0, 13).all()
    assert rows["rank"].between(1, 8192).all()
    assert rows["n_tokens"].sum() == len(fable_2m.tokenizer(" ".join(words))["input_ids"])


def test_batching_changes_nothing(fable_2m: LanguageModel) -> None:
    one, many = (
        word_surprisals(fable_2m.torch_model, fable_2m.tokenizer, STORY, context_length=1024, batch_tokens=size)
        for size in (1, 10_000)
    )
    np.testing.assert_allclose(one["surprisal"], many["surprisal"], atol=1e-4)
    np.testing.assert_allclose(one["entropy"], many["entropy"], atol=1e-4)


def test_a_document_past_the_context_slides_with_at_least_half_of_it(fable_2m: LanguageModel) -> None:
    words = [["the", "river", "was", "deep", "and", "the", "night", "was", "long"][i % 9] for i in range(100)]
    rows = word_surprisals(fable_2m.torch_model, fable_2m.tokenizer, [words], context_length=41)
    ids = fable_2m.tokenizer(" ".join(words))["input_ids"]
    assert len(ids) == 100
    # Windows of 40 tokens begin at 0, 20, 40, 60: word 50 is fresh in the third but one, which begins at 20.
    log2 = _log2_probabilities(fable_2m, [0, *ids[20:60]])
    assert rows["surprisal_plain"][50] == pytest.approx(-log2[30, ids[50]], abs=1e-4)
    begins = word_beginnings(fable_2m.tokenizer, 8192)
    boundary = [-math.log2((2 ** log2[row][begins]).sum()) for row in (30, 31)]
    expected = -log2[30, ids[50]] + boundary[1] - boundary[0]
    assert rows["surprisal"][50] == pytest.approx(expected, abs=1e-4)


def test_no_documents_give_no_rows(fable_2m: LanguageModel) -> None:
    assert fable_2m.surprisals([]).empty


def _model_of(tokenizer: PreTrainedTokenizerFast, size: int) -> LanguageModel:
    config = GPT2Config(vocab_size=size, n_positions=32, n_embd=8, n_layer=1, n_head=1)
    return LanguageModel("tiny", GPT2LMHeadModel(config).eval(), tokenizer, "test")


def test_a_tokenizer_that_knows_no_spaces_is_refused_at_the_first_place() -> None:
    vocabulary = {"<end>": 0, "a": 1, "b": 2, "c": 3}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.decoder = decoders.Fuse()
    model = _model_of(PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<end>", eos_token="<end>"), 4)
    with pytest.raises(BadInput, match=r"document 2: word 2 \('b'\) begins with token 'b', which carries no space"):
        model.surprisals([["abc"], ["a", "b", "c"]])


def test_word_pieces_that_do_not_keep_spaces_are_refused_at_the_first_place() -> None:
    raw = Tokenizer(models.WordPiece(vocab={"[UNK]": 0, "king": 1, "s": 2, ".": 3, "##s": 4, "[SEP]": 5, "(": 6}))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.decoder = decoders.WordPiece()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="[SEP]", unk_token="[UNK]")
    model = _model_of(tokenizer, 7)
    assert len(model.surprisals([["king", "kings.", "s"]])) == 3
    with pytest.raises(BadInput, match=r"document 1: word 2 \('\(kings'\) is the tokens .*does not keep spaces"):
        model.surprisals([["king", "(kings", "s"]])


def test_a_tokenizer_without_any_special_token_is_refused() -> None:
    raw = Tokenizer(models.BPE(vocab={"a": 0, "Ġ": 1}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    with pytest.raises(BadInput, match="neither a BOS nor an EOS"):
        _model_of(PreTrainedTokenizerFast(tokenizer_object=raw), 2).surprisals([["a"]])
