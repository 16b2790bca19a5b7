"""Word surprisal from causal models: each document read once, in overlapping windows, several at a time."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.models.documents import windows
from tuneshift.models.surprisal_boundaries import WordTokens
from tuneshift.models.surprisal_scores import NextToken, score_next_tokens
from tuneshift.progress import Progress

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class _Pass:
    """One forward pass: `ids` with the prefix, of which the last `n_fresh` are scored; `at` is where they belong."""

    ids: np.ndarray
    n_fresh: int
    at: int


def causal_scores(
    model: PreTrainedModel,
    documents: Sequence[WordTokens],
    begins: np.ndarray,
    *,
    context_length: int,
    prefix: list[int],
    batch_tokens: int,
    progress: Progress,
) -> Columns:
    """Return the columns of `word_surprisals` (n_words,) for tokenised documents; `begins` (V,) begin a word.

    `prefix` stands before every window. Every scored token has at least half a window of context. Raises BadInput where
    there is no token to stand before the first word, MeasurementFailed where memory runs out.
    """
    if not prefix:
        raise BadInput("this model's tokenizer has neither a BOS nor an EOS token, so the first word has no context.")
    room = context_length - len(prefix)
    if room < 2:
        raise BadInput(f"{len(prefix)} tokens stand before the text, and the context holds {context_length}.")
    passes = list(_passes(documents, np.asarray(prefix, dtype=np.int64), room))
    tokens = _Tokens(sum(len(d.ids) for d in documents))
    mask = torch.from_numpy(begins).to(model.device)
    done = 0
    for batch in _batches(passes, batch_tokens):
        for one, scores in zip(batch, _run(model, batch, mask), strict=True):
            tokens.put(one.at, one.n_fresh, scores)
        done += len(batch)
        progress("surprisals", done, len(passes))
    return _words(documents, tokens)


class _Tokens:
    """What is known of each token; `before` and `after` are the boundary terms on both of its sides, in bits."""

    def __init__(self, n: int) -> None:
        self.surprisal, self.entropy, self.before, self.after = (np.empty(n) for _ in range(4))
        self.rank = np.empty(n, dtype=np.int64)

    def put(self, at: int, n: int, scores: NextToken) -> None:
        here = slice(at, at + n)
        self.surprisal[here] = scores.surprisal[:-1]
        self.entropy[here] = scores.entropy[:-1]
        self.rank[here] = scores.rank[:-1]
        # Both terms come from the window that scores the token, so that they cancel exactly with its own probability.
        self.before[here] = scores.boundary[:-1]
        self.after[here] = scores.boundary[1:]


def _passes(documents: Sequence[WordTokens], prefix: np.ndarray, room: int) -> Iterator[_Pass]:
    offset = 0
    for document in documents:
        for window in windows(len(document.ids), room):
            ids = np.concatenate([prefix, document.ids[window.start : window.stop]])
            yield _Pass(ids, window.stop - window.fresh, offset + window.fresh)
        offset += len(document.ids)


def _batches(passes: Sequence[_Pass], batch_tokens: int) -> Iterator[list[_Pass]]:
    """Group passes alike in length and in what is scored, at most `batch_tokens` padded tokens, longest first."""
    batch: list[_Pass] = []
    for one in sorted(passes, key=lambda p: (-len(p.ids), -p.n_fresh)):
        if batch and (len(batch) + 1) * len(batch[0].ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _run(model: PreTrainedModel, batch: Sequence[_Pass], begins: torch.Tensor) -> Iterator[NextToken]:
    """Yield, for each pass, the scores of its fresh tokens and of whatever may follow the last one."""
    length = len(batch[0].ids)
    ids = torch.zeros((len(batch), length), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, one in enumerate(batch):
        # Padding stands on the right, where a causal model never looks from.
        ids[row, : len(one.ids)] = torch.from_numpy(one.ids)
        mask[row, : len(one.ids)] = 1
    ragged = int(mask.sum()) < mask.numel()
    # What only gives context needs no probabilities: the output layer is a third of a small model's work.
    first = min(len(one.ids) - one.n_fresh - 1 for one in batch)
    kept = {"logits_to_keep": length - first} if first and _chooses_rows(model) else {}
    try:
        with torch.inference_mode():
            logits = model(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device) if ragged else None,
                use_cache=False,
                **kept,
            ).logits
            left_out = length - logits.shape[1]
            for row, one in enumerate(batch):
                stop = len(one.ids) - left_out
                rows = logits[row, stop - one.n_fresh - 1 : stop]
                # No token follows the last one; its row only serves the boundary term.
                targets = torch.from_numpy(np.append(one.ids[len(one.ids) - one.n_fresh :], 0)).to(rows.device)
                yield score_next_tokens(rows, targets, begins.to(rows.device))
    except torch.OutOfMemoryError as error:
        raise MeasurementFailed(
            f"out of memory reading {len(batch)} windows of {length} tokens at once; use a smaller batch."
        ) from error


def _chooses_rows(model: PreTrainedModel) -> bool:
    """Whether the model can be asked for the logits of its last positions only."""
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def _words(documents: Sequence[WordTokens], tokens: _Tokens) -> Columns:
    columns: dict[str, list[np.ndarray]] = {}
    offset = 0
    for document in documents:
        first, last = document.first + offset, document.last + offset
        plain = np.add.reduceat(tokens.surprisal[offset : offset + len(document.ids)], document.first)
        before = tokens.before[first].copy()
        if not document.marked:
            before[0] = 0.0
        parts = {
            "surprisal": plain + tokens.after[last] - before,
            "surprisal_plain": plain,
            "entropy": tokens.entropy[first],
            "rank": tokens.rank[first],
            "n_tokens": last - first + 1,
        }
        for name, values in parts.items():
            columns.setdefault(name, []).append(values)
        offset += len(document.ids)
    return {name: np.concatenate(values) for name, values in columns.items()}
