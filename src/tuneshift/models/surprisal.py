"""Surprisal of every word of a text, with and without the boundary correction, for any kind of language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.errors import MeasurementFailed
from tuneshift.models.kind import require_head
from tuneshift.models.states import is_causal, special_tokens
from tuneshift.models.surprisal_boundaries import word_beginnings, word_tokens
from tuneshift.models.surprisal_causal import causal_scores
from tuneshift.models.surprisal_forms import Form, form_prefix
from tuneshift.models.surprisal_masked import masked_scores
from tuneshift.models.surprisal_span import span_scores
from tuneshift.models.unknown_letters import unknown_letters
from tuneshift.progress import Progress, silent

COLUMNS = ("document", "position", "word", "surprisal", "surprisal_plain", "entropy", "rank", "n_tokens")


def word_surprisals(
    torch_model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    documents: Sequence[Sequence[str]],
    *,
    context_length: int,
    start: int | None = None,
    form: Form = "plain",
    instruction: str | None = None,
    batch_tokens: int = 4096,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Return one row a word, in document order: surprisals in bits, entropy in bits, rank, number of tokens.

    A document is a list of words, joined by single spaces. `surprisal_plain` is -log2 p(word | all words before it),
    summed over the word's tokens. `surprisal` is corrected for word boundaries (methods, section 2): it adds
    -log2 P(the next token begins a word) after the word and subtracts the same term before it, so that the
    probabilities of all words sum to one. At the very start of a text every token may begin a word, so nothing is
    subtracted there unless the tokenizer marks even the first word. `entropy` and `rank` describe the distribution
    from which the word's first token comes (rank 1: no token was more probable).

    Causal models read windows that overlap by half, each behind a beginning-of-sequence token; encoder-decoder models
    read the past and write the word into a sentinel's gap; masked models get a pseudo-log-likelihood from both sides
    (Kauf & Ivanova 2023), for which `surprisal` equals `surprisal_plain`.
    A letter that the tokenizer does not know is read as its unknown token; `attrs["warnings"]` counts and names them.
    `form` and `instruction` say how the text is put before a chat model (see `surprisal_forms`); `start` is the token
    before a causal model's text (default: its own, see `start_token`).

    Raises BadInput for an empty document or word, for a tokenizer that does not keep spaces, and for a model that was
    saved without its output layer.
    Source: Pimentel & Meister (2024), Oh & Schuler (2024).
    """
    if not len(documents):
        return pd.DataFrame({name: [] for name in COLUMNS})
    require_head(torch_model, "surprisal")
    around = special_tokens(torch_model, tokenizer, start)
    prefix = form_prefix(tokenizer, form, instruction, around[0])
    options: dict[str, Any] = {"context_length": context_length, "batch_tokens": batch_tokens, "progress": progress}
    if not torch_model.config.is_encoder_decoder and not is_causal(torch_model):
        columns = masked_scores(torch_model, tokenizer, documents, around=around, prefix=prefix, **options)
    else:
        begins = word_beginnings(tokenizer, n_logits(torch_model))
        tokens = [word_tokens(words, tokenizer, begins, f"document {i + 1}") for i, words in enumerate(documents)]
        if torch_model.config.is_encoder_decoder:
            columns = span_scores(torch_model, tokenizer, tokens, begins, prefix=prefix, **options)
        else:
            columns = causal_scores(
                torch_model, tokens, begins, prefix=around[0] if prefix is None else prefix, **options
            )
    if np.isnan(columns["surprisal_plain"]).any():
        raise MeasurementFailed(
            f"this model gives {int(np.isnan(columns['surprisal_plain']).sum())} words a surprisal that is no number; "
            "load it in float32 (--dtype float32), or download its weights again."
        )
    lengths = [len(words) for words in documents]
    table = pd.DataFrame(
        {
            "document": np.repeat(np.arange(len(documents)), lengths),
            "position": np.concatenate([np.arange(n) for n in lengths]),
            "word": [word for words in documents for word in words],
            **{name: columns[name] for name in COLUMNS[3:]},
        }
    )
    table.attrs["warnings"] = unknown_letters(tokenizer, documents)
    return table


def n_logits(model: PreTrainedModel) -> int:
    """Return how many tokens a model's output layer chooses among."""
    head = model.get_output_embeddings()
    weight = getattr(head, "weight", None)
    return int(weight.shape[0]) if weight is not None else int(model.config.get_text_config().vocab_size)
