"""Prompt and response in one tokenisation: which tokens are whose, and what becomes of one that belongs to both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

_ANCHORS = ("\n", "a", ".", "1", ")", ">")  # what a response may follow, from the likeliest on


@dataclass(frozen=True)
class Tokens:
    """A tokenised text: `ids` (T,) and the characters `offsets` (T, 2) that each token covers.

    Several tokens share one character where the tokenizer writes bytes. A token that some tokenizers say covers nothing
    (white space, trimmed) covers what follows the token before it.
    """

    ids: list[int]
    offsets: np.ndarray

    def overlap(self, start: int, stop: int) -> np.ndarray:
        """Return which tokens (T,) cover any of the characters from `start` to `stop`."""
        found: np.ndarray = (
            (self.offsets[:, 0] < stop) & (self.offsets[:, 1] > start) & (self.offsets[:, 1] > self.offsets[:, 0])
        )
        return found


def tokens_of(tokenizer: PreTrainedTokenizerBase, text: str) -> Tokens:
    """Tokenise a text as it stands, without special tokens around it."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    offsets = np.asarray(encoded["offset_mapping"], dtype=np.int64).reshape(-1, 2)
    before = np.append(0, np.maximum.accumulate(offsets[:, 1]))[:-1] if len(offsets) else offsets[:, 0]
    empty = offsets[:, 0] == offsets[:, 1]
    offsets[empty, 0] = np.minimum(offsets[empty, 0], before[empty])
    return Tokens(list(encoded["input_ids"]), offsets)


def jointly(tokenizer: PreTrainedTokenizerBase, given: str, response: str) -> tuple[Tokens, list[int]]:
    """Tokenise what a model is given and its response as one text; return the tokens of the one, the ids of the other.

    Together they are the ids that the tokenizer gives for the whole text: a tokenizer that puts a space before every
    text puts none before the response. Where one token covers characters of both,

    - and its given characters are the white space before a word, the token is the response's, as that word's beginning;
    - otherwise the text is cut at the border: the given text is tokenised on its own, as a model that generates reads
      it, and the response behind a character that it does not merge with. Both sides keep their own characters, and
      the ids are not those of the whole text.
    """
    if not response:
        return tokens_of(tokenizer, given), []
    whole, text = tokens_of(tokenizer, given + response), given + response
    border = len(given)
    first = int(np.searchsorted(np.maximum.accumulate(whole.offsets[:, 1]), border, side="right"))
    start, stop = whole.offsets[first] if first < len(whole.ids) else (border, border)
    if start >= border or _opens_a_word(text[start:border], text[border:stop]):
        return Tokens(whole.ids[:first], whole.offsets[:first]), whole.ids[first:]
    return tokens_of(tokenizer, given), _behind_something(tokenizer, response)


def _opens_a_word(before: str, after: str) -> bool:
    return before.isspace() and not after[:1].isspace()


def _behind_something(tokenizer: PreTrainedTokenizerBase, response: str) -> list[int]:
    """Return the ids of a response that follows another text, so that no space arises before it."""
    for anchor in _ANCHORS:
        tokens = tokens_of(tokenizer, anchor + response)
        n = int((tokens.offsets[:, 0] < 1).sum())  # tokens of the anchor
        if n and (tokens.offsets[:n, 1] <= 1).all():
            return tokens.ids[n:]
    return tokens_of(tokenizer, response).ids  # it merges with whatever stands before it
