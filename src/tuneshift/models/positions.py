"""How many tokens a model reads at once."""

from __future__ import annotations

from transformers import PretrainedConfig, PreTrainedTokenizerBase

_LIMITS = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "n_ctx", "seq_length")
_COUNT_FROM_PADDING = frozenset(
    {"roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "mpnet"}
    | {"data2vec-text", "xmod", "luke", "ibert", "layoutlmv3", "markuplm", "lilt", "esm"}
)
"""Families whose first token stands at position `pad_token_id` + 1: that many rows of the table are never a token's."""
_UNLIMITED, _ENCODER_DECODER, _DECODER = 10**6, 512, 2048


def context_length(config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the number of tokens that a model reads at once, special tokens included.

    What the configuration says, less the positions that the family leaves out; where it sets no limit, the
    tokenizer's; where neither does, 512 for encoder-decoder models (T5's relative positions), else 2048.
    """
    text = config.get_text_config()
    for name in _LIMITS:
        limit = getattr(text, name, None)
        if isinstance(limit, int) and limit > 0:
            return limit - _left_out(text)
    limit = tokenizer.model_max_length
    if limit and limit < _UNLIMITED:
        return int(limit)
    return _ENCODER_DECODER if config.is_encoder_decoder else _DECODER


def _left_out(config: PretrainedConfig) -> int:
    if config.model_type not in _COUNT_FROM_PADDING:
        return 0
    if config.model_type == "esm" and getattr(config, "position_embedding_type", None) == "rotary":
        return 0
    padding = getattr(config, "pad_token_id", None)
    return int(padding if padding is not None else 1) + 1
