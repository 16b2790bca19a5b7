"""Word surprisal from encoder-decoder models: the encoder reads the past, the decoder writes the word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.models.decoder_start import decoder_start
from tuneshift.models.surprisal_boundaries import WordTokens
from tuneshift.models.surprisal_scores import score_next_tokens
from tuneshift.progress import Progress

_SENTINEL = "<extra_id_0>"


@dataclass(frozen=True)
class _Gap:
    """One word to fill in: what the encoder reads, the word's tokens, the row it belongs to."""

    past: np.ndarray
    word: np.ndarray
    row: int
    marked: bool


def span_scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    documents: Sequence[WordTokens],
    begins: np.ndarray,
    *,
    context_length: int,
    prefix: list[int] | None,
    batch_tokens: int,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """Return the columns of `word_surprisals` (n_words,) for tokenised documents; `begins` (V,) begin a word.

    The encoder reads the past, a sentinel and the end mark, as in T5's span corruption; the decoder gets its start
    token and the same sentinel, and writes the word. A word ends where the next token begins a word or is special
    (the next sentinel). The encoder holds at most `context_length` tokens of the past, so each word is a pass of its
    own. Raises BadInput for a tokenizer without sentinels.
    """
    sentinel = tokenizer.convert_tokens_to_ids(_SENTINEL)
    if not isinstance(sentinel, int) or sentinel == tokenizer.unk_token_id:
        raise BadInput(f"this encoder-decoder model has no {_SENTINEL} token, so no word can be asked of its decoder.")
    end = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
    opening = [decoder_start(model, tokenizer), sentinel]
    closing = [sentinel, *end]
    gaps = sorted(_gaps(documents, prefix or [], closing, context_length), key=lambda gap: -len(gap.past))
    names = ("surprisal", "surprisal_plain", "entropy", "rank", "n_tokens")
    columns = {name: np.empty(len(gaps)) for name in names}
    mask = torch.from_numpy(begins).to(model.device)
    done = 0
    for batch in _batches(gaps, batch_tokens):
        for gap, values in zip(batch, _run(model, batch, opening, mask), strict=True):
            for name, value in zip(names, values, strict=True):
                columns[name][gap.row] = value
        done += len(batch)
        progress("surprisals", done, len(gaps))
    return {name: values.astype(np.int64) if name in names[3:] else values for name, values in columns.items()}


def _gaps(documents: Sequence[WordTokens], prefix: list[int], closing: list[int], length: int) -> Iterator[_Gap]:
    row = 0
    room = length - len(prefix) - len(closing)
    for document in documents:
        for first, last in zip(document.first, document.last, strict=True):
            past = document.ids[max(0, first - room) : first]
            read = np.concatenate([prefix, past, closing]).astype(np.int64)
            yield _Gap(read, document.ids[first : last + 1], row, first > 0 or document.marked)
            row += 1


def _batches(gaps: Sequence[_Gap], batch_tokens: int) -> Iterator[list[_Gap]]:
    batch: list[_Gap] = []
    for gap in gaps:
        if batch and (len(batch) + 1) * len(batch[0].past) > batch_tokens:
            yield batch
            batch = []
        batch.append(gap)
    if batch:
        yield batch


def _run(
    model: PreTrainedModel, batch: Sequence[_Gap], opening: list[int], begins: torch.Tensor
) -> Iterator[tuple[float, ...]]:
    reads = torch.zeros((len(batch), len(batch[0].past)), dtype=torch.long)
    mask = torch.zeros_like(reads)
    # Padding of the decoder stands on the right, where it never looks from.
    writes = torch.zeros((len(batch), len(opening) + max(len(gap.word) for gap in batch)), dtype=torch.long)
    for row, gap in enumerate(batch):
        reads[row, : len(gap.past)] = torch.from_numpy(gap.past)
        mask[row, : len(gap.past)] = 1
        written = np.concatenate([opening, gap.word])
        writes[row, : len(written)] = torch.from_numpy(written)
    device = model.device
    try:
        with torch.inference_mode():
            logits = model(
                input_ids=reads.to(device),
                attention_mask=mask.to(device),
                decoder_input_ids=writes.to(device),
                use_cache=False,
            ).logits
            for row, gap in enumerate(batch):
                rows = logits[row, len(opening) - 1 : len(opening) + len(gap.word)]
                targets = torch.from_numpy(np.append(gap.word, 0)).to(rows.device)
                scores = score_next_tokens(rows, targets, begins.to(rows.device))
                plain = float(scores.surprisal[:-1].sum())
                before = float(scores.boundary[0]) if gap.marked else 0.0
                corrected = plain + float(scores.boundary[-1]) - before
                yield corrected, plain, float(scores.entropy[0]), float(scores.rank[0]), float(len(gap.word))
    except torch.OutOfMemoryError as error:
        raise MeasurementFailed(f"out of memory filling {len(batch)} gaps at once; use a smaller batch.") from error
