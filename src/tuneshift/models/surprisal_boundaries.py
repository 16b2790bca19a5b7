"""Where words begin and end in a model's tokens: what the boundary correction of surprisal needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from tuneshift.errors import BadInput
from tuneshift.models.documents import tokenise
from tuneshift.models.vocabulary import special_ids


@dataclass(frozen=True)
class WordTokens:
    """The tokens of one document and the inclusive token range of each of its words.

    `ids` (n_tokens,), `first` and `last` (n_words,): every token belongs to exactly one word. `marked` says whether
    the document's very first token carries the mark of a word's beginning (most tokenizers leave it out there).
    """

    ids: np.ndarray
    first: np.ndarray
    last: np.ndarray
    marked: bool


def word_beginnings(tokenizer: PreTrainedTokenizerBase, n_logits: int) -> np.ndarray:
    """Return which entries of the vocabulary begin a new word (n_logits,), bool.

    A token begins a word where it decodes, after another token, to text that begins with white space; special tokens
    (end of text, chat marks) count too, since nothing of the word before can follow them; but not a token that only
    stands for what is unknown, which may be a letter in mid-word. Entries of the output layer that no token uses
    (padding of the matrix) begin nothing.
    Source: Pimentel & Meister (2024), Oh & Schuler (2024).
    """
    size = min(len(tokenizer), n_logits)
    anchor = list(tokenizer("a", add_special_tokens=False)["input_ids"])[-1:]
    before = tokenizer.decode(anchor, clean_up_tokenization_spaces=False)
    texts = tokenizer.batch_decode([[*anchor, i] for i in range(size)], clean_up_tokenization_spaces=False)
    begins = np.zeros(n_logits, dtype=bool)
    begins[:size] = [text[len(before) :][:1].isspace() for text in texts]
    begins[[i for i in special_ids(tokenizer) - _only_unknown(tokenizer) if i < n_logits]] = True
    return begins


def _only_unknown(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Return the unknown token, unless it has another part to play too (GPT-2's is its end of text)."""
    others = {value for name, value in tokenizer.special_tokens_map.items() if name != "unk_token"}
    return set() if tokenizer.unk_token_id is None or tokenizer.unk_token in others else {tokenizer.unk_token_id}


def word_tokens(
    words: Sequence[str], tokenizer: PreTrainedTokenizerBase, begins: np.ndarray, where: str = "document"
) -> WordTokens:
    """Tokenise the words of one document as one text, joined by single spaces.

    `begins` are the word-beginning tokens (see `word_beginnings`). Raises BadInput, with the first place, where one
    token covers two words, and where the tokenizer does not keep spaces, so that a word's beginning cannot be told
    from its middle. An unknown letter begins a word where its token covers the space before it, or stands for the
    whole word.
    """
    document = tokenise(words, tokenizer, where)
    first, last, ids = document.first, document.last, document.ids
    shared = np.flatnonzero(first[1:] <= last[:-1])
    if len(shared):
        at = int(shared[0]) + 1
        raise BadInput(
            f"{where}: words {at} and {at + 1} ({words[at - 1]!r}, {words[at]!r}) have no tokens of their own in this "
            "model's tokenizer, so neither has a surprisal; check the words, or use another model."
        )
    starts = begins[ids]
    for piece in document.unknown:
        starts[piece.token] = piece.spaced or (starts[piece.token] and piece.token in first)
    _require_spaces(words, tokenizer, starts, first, last, ids, where)
    return WordTokens(ids, first, last, bool(begins[ids[0]]))


def _require_spaces(
    words: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    starts: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    ids: np.ndarray,
    where: str,
) -> None:
    unmarked = np.flatnonzero(~starts[first[1:]])
    if len(unmarked):
        at = int(unmarked[0]) + 1
        token = tokenizer.convert_ids_to_tokens(int(ids[first[at]]))
        raise BadInput(
            f"{where}: word {at + 1} ({words[at]!r}) begins with token {token!r}, which carries no space before it: "
            "this model's tokenizer does not mark where words begin, so its words have no surprisal; use another model."
        )
    spaced = np.array([any(map(str.isspace, word)) for word in words])
    inner = np.concatenate([[0], np.cumsum(starts)])
    extra = np.flatnonzero((inner[last + 1] - inner[first + 1] > 0) & ~spaced)
    if len(extra):
        at = int(extra[0])
        tokens = tokenizer.convert_ids_to_tokens(ids[first[at] : last[at] + 1].tolist())
        raise BadInput(
            f"{where}: word {at + 1} ({words[at]!r}) is the tokens {tokens}, which this model's tokenizer would also "
            "give for several words: it does not keep spaces, so its words have no surprisal; use another model."
        )
