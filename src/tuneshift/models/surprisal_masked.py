"""Pseudo-surprisal from masked models: each word given all words around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.models.documents import TokenisedDocument, tokenise
from tuneshift.models.surprisal_scores import NextToken, score_next_tokens
from tuneshift.progress import Progress


@dataclass(frozen=True)
class _Guess:
    """One masked token: the whole window, where the mask to be filled stands, the right token, the word's row."""

    ids: np.ndarray
    at: int
    target: int
    row: int
    opens_word: bool


def masked_scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    documents: Sequence[Sequence[str]],
    *,
    context_length: int,
    around: tuple[list[int], list[int]],
    prefix: list[int] | None,
    batch_tokens: int,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """Return the columns of `word_surprisals` (n_words,) as pseudo-log-likelihoods, word by word.

    For each token of a word, that token and all later ones of the same word are masked, and everything else within
    the window is shown, on both sides (Kauf & Ivanova 2023, within-word left-to-right). The window is centred on the
    word; `around` are the tokens before and after it. This is no probability of the text: there is nothing for a
    boundary correction to correct.

    Raises BadInput for a tokenizer without a mask token and for a word without tokens of its own.
    """
    if tokenizer.mask_token_id is None:
        raise BadInput("this masked model's tokenizer has no mask token.")
    guesses: list[_Guess] = []
    counts: list[np.ndarray] = []
    for number, words in enumerate(documents):
        document = tokenise(words, tokenizer, f"document {number + 1}")
        _require_own_tokens(document, words, number)
        row = sum(len(count) for count in counts)
        guesses += _guesses(document, row, (around[0] + (prefix or []), around[1]), tokenizer, context_length)
        counts.append(document.last - document.first + 1)
    n_tokens = np.concatenate(counts)
    plain, entropy, rank = np.zeros(len(n_tokens)), np.empty(len(n_tokens)), np.empty(len(n_tokens), dtype=np.int64)
    done = 0
    for batch in _batches(guesses, batch_tokens):
        scores = _run(model, batch)
        for i, guess in enumerate(batch):
            plain[guess.row] += scores.surprisal[i]
            if guess.opens_word:
                entropy[guess.row], rank[guess.row] = scores.entropy[i], scores.rank[i]
        done += len(batch)
        progress("surprisals", done, len(guesses))
    return {"surprisal": plain, "surprisal_plain": plain, "entropy": entropy, "rank": rank, "n_tokens": n_tokens}


def _require_own_tokens(document: TokenisedDocument, words: Sequence[str], number: int) -> None:
    shared = np.flatnonzero(document.first[1:] <= document.last[:-1])
    if len(shared):
        at = int(shared[0]) + 1
        raise BadInput(
            f"document {number + 1}: words {at} and {at + 1} ({words[at - 1]!r}, {words[at]!r}) have no tokens of "
            "their own in this model's tokenizer, so neither has a surprisal; check the words, or use another model."
        )


def _guesses(
    document: TokenisedDocument,
    row: int,
    around: tuple[list[int], list[int]],
    tokenizer: PreTrainedTokenizerBase,
    context_length: int,
) -> Iterator[_Guess]:
    before, after = around
    room = context_length - len(before) - len(after)
    for word, (first, last) in enumerate(zip(document.first, document.last, strict=True)):
        start = max(0, min((first + last + 1 - room) // 2, len(document.ids) - room))
        shown = document.ids[start : start + room]
        for token in range(first, last + 1):
            masked = shown.copy()
            masked[token - start : last + 1 - start] = tokenizer.mask_token_id
            ids = np.concatenate([before, masked, after]).astype(np.int64)
            target = int(document.ids[token])
            yield _Guess(ids, len(before) + token - start, target, row + word, token == first)


def _batches(guesses: Sequence[_Guess], batch_tokens: int) -> Iterator[list[_Guess]]:
    batch: list[_Guess] = []
    for guess in sorted(guesses, key=lambda g: -len(g.ids)):
        if batch and (len(batch) + 1) * len(batch[0].ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(guess)
    if batch:
        yield batch


def _run(model: PreTrainedModel, batch: Sequence[_Guess]) -> NextToken:
    ids = torch.zeros((len(batch), len(batch[0].ids)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, guess in enumerate(batch):
        ids[row, : len(guess.ids)] = torch.from_numpy(guess.ids)
        mask[row, : len(guess.ids)] = 1
    try:
        with torch.inference_mode():
            logits = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).logits
            rows = logits[torch.arange(len(batch)), torch.tensor([guess.at for guess in batch])]
            targets = torch.tensor([guess.target for guess in batch], device=rows.device)
            return score_next_tokens(rows, targets, torch.ones(rows.shape[1], dtype=torch.bool, device=rows.device))
    except torch.OutOfMemoryError as error:
        raise MeasurementFailed(f"out of memory filling {len(batch)} masks at once; use a smaller batch.") from error
