"""A word with a letter that the tokenizer does not know counts, and a warning names it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from tuneshift.brain import brain_alignment
from tuneshift.errors import BadInput
from tuneshift.human import load_data
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.inside import PromptAttribution
from tuneshift.models import LanguageModel
from tuneshift.models.documents import tokenise
from tuneshift.models.surprisal_boundaries import word_beginnings, word_tokens
from tuneshift.models.unknown_letters import unknown_letters
from tuneshift.reading import reading_alignment

PIECES = ["<pad>", "</s>", "<unk>", "▁", "▁the", "▁caf", "▁was", "▁o", "▁fian", *"abcdefghijklmnopqrstuvwxyz.,"]
STORY = ["the", "café", "was", "ñ", "the", "fiancé", "was", "open"]


def _pieces(vocabulary: list[str] = PIECES) -> PreTrainedTokenizerFast:
    """A tokenizer as T5's: spaces are marks before words, and letters may be missing."""
    raw = Tokenizer(models.Unigram([(piece, -float(len(PIECES))) for piece in vocabulary], unk_id=2))
    raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    raw.decoder = decoders.Metaspace(prepend_scheme="always")
    sentinels = ["<extra_id_0>"]
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        **{"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "additional_special_tokens": sentinels},
    )


def _t5(tokenizer: Any) -> LanguageModel:
    sizes = {"d_model": 16, "d_kv": 4, "num_heads": 4, "num_layers": 2, "d_ff": 24, "vocab_size": len(tokenizer)}
    torch.manual_seed(0)
    config = T5Config(**sizes, decoder_start_token_id=0)
    return LanguageModel("tiny-t5", T5ForConditionalGeneration(config).eval(), tokenizer, "test")


def test_an_unknown_letter_in_mid_word_begins_no_word() -> None:
    tokenizer = _pieces()
    begins = word_beginnings(tokenizer, len(tokenizer))
    assert not begins[tokenizer.unk_token_id]
    assert begins[[tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<extra_id_0>")]].all()
    tokens = word_tokens(STORY, tokenizer, begins)
    read = [
        tokenizer.convert_ids_to_tokens(tokens.ids[a : b + 1]) for a, b in zip(tokens.first, tokens.last, strict=True)
    ]
    assert read[1] == ["▁caf", "<unk>"]
    assert read[3] == ["▁", "<unk>"]
    assert read[5] == ["▁fian", "c", "<unk>"]


def test_an_unknown_token_that_covers_the_space_before_it_begins_a_word() -> None:
    """Without a piece for the bare space mark, the mark is unknown together with the letter behind it."""
    tokenizer = _pieces([piece for piece in PIECES if piece != "▁"])
    document = tokenise(STORY, tokenizer)
    assert [(piece.text, piece.spaced) for piece in document.unknown] == [("é", False), ("ñ", True), ("é", False)]
    tokens = word_tokens(STORY, tokenizer, word_beginnings(tokenizer, len(tokenizer)))
    assert len(tokens.first) == len(STORY)


def test_whole_words_that_word_pieces_do_not_know_begin_words() -> None:
    raw = Tokenizer(models.WordPiece(vocab={"[UNK]": 0, "king": 1, "##s": 2, "[SEP]": 3}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.decoder = decoders.WordPiece()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="[SEP]", unk_token="[UNK]")
    assert word_beginnings(tokenizer, 4)[0]
    config = GPT2Config(vocab_size=4, n_positions=32, n_embd=8, n_layer=1, n_head=1)
    table = LanguageModel("tiny", GPT2LMHeadModel(config).eval(), tokenizer, "test").surprisals(
        [["kings", "café", "king"]]
    )
    assert np.isfinite(table["surprisal"]).all()
    assert table.attrs["warnings"] == (
        "letters that the tokenizer does not know are read as [UNK] in 1 of 3 words: 'café'.",
    )


def test_an_end_of_text_that_stands_for_what_is_unknown_still_ends_words(fable_2m: LanguageModel) -> None:
    tokenizer = _pieces()
    tokenizer.unk_token = "</s>"
    assert word_beginnings(tokenizer, len(tokenizer))[tokenizer.eos_token_id]


def test_surprisals_of_words_with_unknown_letters_are_those_of_their_tokens() -> None:
    model = _t5(_pieces())
    table = model.surprisals([STORY])
    ids = model.tokenizer("the café", add_special_tokens=False)["input_ids"]
    sentinel = model.tokenizer.convert_tokens_to_ids("<extra_id_0>")
    with torch.no_grad():
        logits = (
            model.torch_model(
                input_ids=torch.tensor([[ids[0], sentinel, 1]]),
                decoder_input_ids=torch.tensor([[0, sentinel, *ids[1:]]]),
            )
            .logits[0, 1:]
            .double()
        )
    begins = torch.from_numpy(word_beginnings(model.tokenizer, len(model.tokenizer)))
    log2 = logits.log_softmax(-1) / math.log(2)
    plain = -sum(float(log2[i, token]) for i, token in enumerate(ids[1:]))
    boundary = [-math.log2(float(row.softmax(-1)[begins].sum())) for row in logits]
    assert table["surprisal_plain"][1] == pytest.approx(plain, rel=1e-5)
    assert table["surprisal"][1] == pytest.approx(plain + boundary[-1] - boundary[0], rel=1e-5)


def test_the_warning_counts_and_names() -> None:
    (said,) = unknown_letters(_pieces(), [STORY, ["café"]])
    assert said == (
        "letters that the tokenizer does not know are read as <unk> in 4 of 9 words: "
        "'é' in 'café', 'ñ', 'é' in 'fiancé'."
    )
    assert unknown_letters(_pieces(), [["the", "was"]]) == ()
    many = unknown_letters(_pieces(), [[f"caf{letter}" for letter in "éèêëáàâ"]])
    assert many[0].endswith("'à' in 'cafà' and 1 more.")


def test_a_tokenizer_that_knows_every_byte_says_nothing(fable_2m: LanguageModel) -> None:
    assert fable_2m.surprisals([["the", "café", "你好"]]).attrs["warnings"] == ()


def _times() -> ReadingTimes:
    rng = np.random.default_rng(0)
    words = STORY * 12
    table = pd.DataFrame(
        {
            "document": np.repeat([0, 1, 2, 3], 24),
            "position": np.tile(np.arange(24), 4),
            "word": words,
            "time": rng.normal(300, 30, len(words)),
            "n": 10,
            "sentence": 0,
            "sentence_initial": False,
            "sentence_final": False,
        }
    )
    return ReadingTimes("own", table, release="test")


def test_the_warning_reaches_reading() -> None:
    result = reading_alignment(_t5(_pieces()), _times(), n_boot=0, folds=2, mixed_model=False)
    assert any(
        "that the tokenizer does not know are read as <unk> in 36 of 96 words" in warning for warning in result.warnings
    )


def test_the_warning_reaches_brains() -> None:
    recording = load_data("simulated_brain")
    texts = recording.data["text"].values
    count = sum(letter not in "".join(PIECES) and not letter.isspace() for letter in "".join(texts))
    assert count
    result = brain_alignment(_t5(_pieces()), recording, mapping="linear")
    assert any("letters that the tokenizer does not know are read as <unk>" in warning for warning in result.warnings)


@pytest.mark.parametrize("responses", ["reference", "generated"])
def test_the_warning_reaches_attribution(responses: str) -> None:
    wanted = PromptAttribution(n_prompts=1, followed=False, responses=responses, max_new_tokens=6)
    result = wanted.run(_t5(_pieces()))
    assert any("letters that the tokenizer does not know are read as <unk>" in warning for warning in result.warnings)


def test_words_without_marks_are_still_refused() -> None:
    raw = Tokenizer(models.WordLevel(vocab={"<unk>": 0, "the": 1, "</s>": 2}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>", unk_token="<unk>")
    with pytest.raises(BadInput, match=r"word 2 \('café'\) begins with token '<unk>', which carries no space"):
        word_tokens(["the", "café"], tokenizer, word_beginnings(tokenizer, 3))
