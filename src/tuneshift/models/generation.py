"""Greedy continuations of prompts, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.errors import BadInput
from tuneshift.models.decoder_start import decoder_start
from tuneshift.models.recurrent import reads_padding
from tuneshift.models.vocabulary import special_ids
from tuneshift.progress import Progress, silent


@dataclass(frozen=True)
class Answer:
    """What a model wrote: `ids` as it wrote them, without special tokens, and the `text` that a person reads.

    Only the ids are what the model wrote: reading the text in again may give others.
    """

    text: str
    ids: tuple[int, ...]


def generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    *,
    context_length: int,
    max_new_tokens: int = 64,
    batch_size: int = 16,
    start: int | None = None,
    progress: Progress = silent,
) -> list[Answer]:
    """Return the greedy continuation of each prompt, without special tokens.

    `start` is the token before every prompt of a causal model, None where the prompt brings its own.
    Raises BadInput for a prompt that leaves no room for `max_new_tokens` in the context.
    """
    encoded = [_encoded(prompt, tokenizer, model, start) for prompt in prompts]
    for number, ids in enumerate(encoded):
        if not model.config.is_encoder_decoder and len(ids) + max_new_tokens > context_length:
            raise BadInput(
                f"prompt {number + 1} has {len(ids)} tokens: with {max_new_tokens} new ones it exceeds the context "
                f"of {context_length}; shorten it or ask for fewer new tokens."
            )
    order = sorted(range(len(prompts)), key=lambda i: len(encoded[i]))
    answers: dict[int, Answer] = {}
    special = special_ids(tokenizer)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    # Not every PreTrainedModel can generate, says its type; those that are loaded here can.
    write: Callable[..., torch.Tensor] = cast(Any, model).generate
    for start, chunk in _chunks(order, encoded, batch_size, not reads_padding(model.config)):
        length = max(len(encoded[i]) for i in chunk)
        inputs = torch.tensor([_padded(encoded[i], length, pad, model) for i in chunk])
        mask = torch.tensor([_padded([1] * len(encoded[i]), length, 0, model) for i in chunk])
        with torch.inference_mode():
            output = write(
                input_ids=inputs.to(model.device),
                attention_mask=mask.to(model.device),
                max_new_tokens=max_new_tokens,
                do_sample=False,
                pad_token_id=pad,
                **_opening(model, tokenizer),
            )
        fresh = output if model.config.is_encoder_decoder else output[:, length:]
        for i, row in zip(chunk, fresh.tolist(), strict=True):
            text = str(tokenizer.decode(row, skip_special_tokens=True))
            answers[i] = Answer(text, tuple(number for number in row if number not in special))
        progress("responses", start + len(chunk), len(order))
    return [answers[i] for i in range(len(prompts))]


def _chunks(
    order: list[int], encoded: Sequence[list[int]], batch_size: int, padded: bool
) -> Iterator[tuple[int, list[int]]]:
    """Yield prompts to answer together, shortest first, and how many went before; all of one length if not `padded`."""
    start = 0
    while start < len(order):
        chunk = order[start : start + batch_size]
        if not padded:
            chunk = [i for i in chunk if len(encoded[i]) == len(encoded[chunk[0]])]
        yield start, chunk
        start += len(chunk)


def _padded(ids: list[int], length: int, pad: int, model: PreTrainedModel) -> list[int]:
    """Return ids of this length: an answer begins where its prompt ends, but a decoder's answer is a text of its own.

    An encoder counts its positions from the left, padding or not.
    """
    padding = [pad] * (length - len(ids))
    return [*ids, *padding] if model.config.is_encoder_decoder else [*padding, *ids]


def _opening(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    if not model.config.is_encoder_decoder:
        return {}
    return {"decoder_start_token_id": decoder_start(model, tokenizer)}


def _encoded(prompt: str, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, start: int | None) -> list[int]:
    ids = list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    if model.config.is_encoder_decoder:  # its encoder always reads an end, as attribution lays it out
        return [*ids, tokenizer.eos_token_id]
    return ids if start is None else [start, *ids]
