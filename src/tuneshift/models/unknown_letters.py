"""Letters that a tokenizer does not know: which they are, in which words, and what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from tuneshift.models.documents import tokenise

_NAMED = 6


def unknown_letters(tokenizer: PreTrainedTokenizerBase, documents: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a warning that counts and names what a tokenizer reads as its unknown token, nothing where all is known.

    Documents are lists of parts (words or sentences). A word with an unknown letter keeps its states and its surprisal,
    which are those of a word with a hole. Raises BadInput as `tokenise` does.
    """
    if tokenizer.unk_token_id is None:
        return ()
    pieces: Counter[tuple[str, str]] = Counter()
    touched: set[tuple[int, int]] = set()
    n_words = 0
    for number, parts in enumerate(documents):
        text = " ".join(parts)
        n_words += len(text.split())
        for piece in tokenise(parts, tokenizer, f"document {number + 1}").unknown:
            pieces[piece.text, _word_around(text, piece.start, piece.stop)] += 1
            touched.add((number, text.count(" ", 0, piece.start)))
    if not pieces:
        return ()
    named = ", ".join(
        repr(word) if piece == word else f"{piece!r} in {word!r}" for (piece, word), _ in pieces.most_common(_NAMED)
    )
    more = f" and {len(pieces) - _NAMED} more" if len(pieces) > _NAMED else ""
    return (
        f"letters that the tokenizer does not know are read as {tokenizer.unk_token} in {len(touched)} of {n_words} "
        f"words: {named}{more}.",
    )


def _word_around(text: str, start: int, stop: int) -> str:
    """Return the word, or words, that a stretch of text belongs to."""
    before, after = text[:start].split(" ")[-1], text[stop:].split(" ")[0]
    return before + text[start:stop] + after
