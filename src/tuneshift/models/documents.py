"""Documents as tokens: which token ends which part of a text, and the windows a model can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from transformers import PreTrainedTokenizerBase

from tuneshift.errors import BadInput


@dataclass(frozen=True)
class UnknownPiece:
    """What one unknown token stands for: its place in `ids`, its text, and that text's characters in the document.

    `spaced`: the token covers the space before its text too, as where a whole word is unknown.
    """

    token: int
    text: str
    start: int
    stop: int
    spaced: bool


@dataclass(frozen=True)
class TokenisedDocument:
    """Tokens of a document whose parts (sentences or words) were joined by single spaces.

    `ids` (n_tokens,): no special tokens. `first`, `last` (n_parts,): inclusive token range of each part; a token that
    straddles two parts belongs to the one in which it ends. `unknown`: what the tokenizer does not know.
    """

    ids: np.ndarray
    first: np.ndarray
    last: np.ndarray
    unknown: tuple[UnknownPiece, ...] = ()


@dataclass(frozen=True)
class Window:
    """Tokens `start`..`stop` of a document; states are taken from `fresh` on, everything before it is context."""

    start: int
    stop: int
    fresh: int


def tokenise(parts: Sequence[str], tokenizer: PreTrainedTokenizerBase, where: str = "document") -> TokenisedDocument:
    """Tokenise the parts of one document as one text.

    Raises BadInput for a document without parts or with an empty part.
    """
    if not len(parts):
        raise BadInput(f"{where} has no text.")
    ends = []
    start = 0
    for index, part in enumerate(parts):
        if not part.strip():
            raise BadInput(f"{where}: part {index + 1} of {len(parts)} is empty; remove it or give its text.")
        ends.append(start + len(part.rstrip()))  # trailing blanks have no token of their own to end at
        start += len(part) + 1
    text = " ".join(parts)
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    # The last token that ends within the part; the bytes of one character share its end, so "right" takes them all.
    token_ends = np.maximum.accumulate(np.asarray([end for _, end in encoding["offset_mapping"]]))
    last = np.maximum(np.searchsorted(token_ends, np.asarray(ends), side="right") - 1, 0)
    first = np.minimum(np.concatenate([[0], last[:-1] + 1]), last)
    ids = np.asarray(encoding["input_ids"])
    return TokenisedDocument(ids, first, last, tuple(_unknown(text, ids, encoding["offset_mapping"], tokenizer)))


def _unknown(
    text: str, ids: np.ndarray, offsets: list[tuple[int, int]], tokenizer: PreTrainedTokenizerBase
) -> Iterator[UnknownPiece]:
    if tokenizer.unk_token_id is None:
        return
    for place in np.flatnonzero(ids == tokenizer.unk_token_id):
        start, stop = offsets[place]
        piece = text[start:stop].strip()
        if piece and piece != tokenizer.unk_token:  # GPT-2's unknown token is its end of text, which a text may name
            inner = start + len(text[start:stop]) - len(text[start:stop].lstrip())
            yield UnknownPiece(int(place), piece, inner, inner + len(piece), inner > start)


def windows(n_tokens: int, length: int) -> Iterator[Window]:
    """Cut `n_tokens` into windows of at most `length` tokens that overlap by half.

    Every fresh token but those of the first window has at least half a window of context (methods, section 1).
    """
    if n_tokens <= length:
        yield Window(0, n_tokens, 0)
        return
    stride = max(1, length // 2)
    starts = [*range(0, n_tokens - length, stride), n_tokens - length]
    yield Window(0, length, 0)
    for before, start in pairwise(starts):
        yield Window(start, start + length, before + length)
