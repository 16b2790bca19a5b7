"""The token with which an encoder-decoder model's decoder begins."""

from __future__ import annotations

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.errors import BadInput


def decoder_start(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id of the token that the decoder reads first.

    The configuration says it, or the one for generation, where newer checkpoints keep it; else it is the padding token,
    as in T5. Raises BadInput where there is none of them.
    """
    for config in (model.config, getattr(model, "generation_config", None)):
        start = getattr(config, "decoder_start_token_id", None)
        if start is not None:
            return int(start)
    if tokenizer.pad_token_id is None:
        raise BadInput(
            "this model names no decoder_start_token_id, and its tokenizer has no padding token to begin with."
        )
    return int(tokenizer.pad_token_id)
