"""A tokenizer's tokens: which are special, and whether each has a row in the model's embeddings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from transformers import PreTrainedTokenizerBase
from transformers.utils import cached_file

from tuneshift.errors import BadInput
from tuneshift.models.all_there import listed

_OTHER_SENSES = re.compile("image|audio|video|vision", re.IGNORECASE)


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Return the ids of a tokenizer's special tokens, named and merely added ones."""
    added = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return added | set(tokenizer.all_special_ids)


def require_room(tokenizer: PreTrainedTokenizerBase, n_rows: int, name: str) -> None:
    """Raise BadInput where tokens have numbers that an embedding matrix of `n_rows` has no row for.

    More rows than tokens are padding, as many models have it. Tokens that the tokenizer's class adds by itself, and no
    file of the model has, never come out of a text; nor do places for pictures and sounds, which the text-only members
    of a family have kept (Gemma 3 1B). `name` is the model's, for the sentence.
    """
    beyond = sorted((number, token) for token, number in tokenizer.get_vocab().items() if number >= n_rows)
    written = _written(tokenizer) if beyond else None
    added = tokenizer.added_tokens_decoder
    beyond = [
        (number, token)
        for number, token in beyond
        if (written is None or token in written)
        and not (number in added and added[number].special and _OTHER_SENSES.search(token))
    ]
    if not beyond:
        return
    named = listed(f"{token!r} ({number})" for number, token in beyond)
    raise BadInput(
        f"the tokenizer of model {name!r} has {len(beyond)} tokens beyond the {n_rows} rows of its embeddings: "
        f"{named}; it is another model's, or tokens were added without `resize_token_embeddings`: give the "
        "tokenizer that the weights were trained with."
    )


def _written(tokenizer: PreTrainedTokenizerBase) -> set[str] | None:
    """Return the tokens that the model's own tokenizer.json lists; None without that file."""
    try:
        path = cached_file(tokenizer.name_or_path, "tokenizer.json", local_files_only=True)
        document = json.loads(Path(str(path)).read_text("utf-8"))
        vocabulary = document["model"]["vocab"]
        plain = vocabulary if isinstance(vocabulary, dict) else [token for token, _ in vocabulary]
        return {token["content"] for token in document["added_tokens"]} | set(plain)
    except (OSError, ValueError, KeyError, TypeError):
        return None
