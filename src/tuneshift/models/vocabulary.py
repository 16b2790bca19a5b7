"""Whether every token that a tokenizer can write has a row in the model's embeddings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import cached_file

from tuneshift.errors import BadInput

_NAMED = 3
_OTHER_SENSES = re.compile("image|audio|video|vision", re.IGNORECASE)


def embedding_rows(model: PreTrainedModel) -> int:
    """Return how many tokens a model has embeddings for."""
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, torch.Tensor)
    return int(weight.shape[0])


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
    named = ", ".join(f"{token!r} ({number})" for number, token in beyond[:_NAMED])
    more = f" and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
    raise BadInput(
        f"the tokenizer of model {name!r} has {len(beyond)} tokens beyond the {n_rows} rows of its embeddings: "
        f"{named}{more}; it is another model's, or tokens were added without `resize_token_embeddings`: give the "
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
